"""The values of a batch are read in groups, and each row gets its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud.ingest.values import GROUP
from tests.cloud.fleet import window
from wire.messages import encode

if TYPE_CHECKING:
    from cloud.ingest.writer import Writer
    from tests.cloud.fleet import Database


def test_rows_of_several_groups_keep_their_values_where_some_are_left_out(
    database: Database, writer: Writer
) -> None:
    topic = database.enrol("one").topic("window")
    count = 2 * GROUP + 7

    def message(seq: int) -> tuple[str, bytes]:
        values = {"trunk_lean": seq / 4} | ({"view_yaw": -seq / 4} if seq % 2 else {})
        made = window("one", seq, metrics=values, grade="ABC"[seq % 3], grades={}, floor=1)
        return topic, encode(made)

    writer.write([message(seq) for seq in range(1, count, 5)])
    everything = [message(seq) for seq in range(1, count + 1)]
    refused = [(topic, b"{}")]
    written = writer.write(everything[:GROUP] + refused + everything[GROUP - 3 :] + everything)
    assert written.windows == count
    found = database.rows(
        "select seq, trunk_lean, view_yaw, replace(grades, '-', '') from telemetry_10s order by 1"
    )
    assert found == [
        (seq, seq / 4, -seq / 4 if seq % 2 else None, "ABC"[seq % 3] * (2 if seq % 2 else 1))
        for seq in range(1, count + 1)
    ]
