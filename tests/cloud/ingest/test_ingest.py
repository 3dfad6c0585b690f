"""Messages become rows, once, and are acknowledged after that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.cloud.fleet import NOON, session, uuid, wait_for, window
from wire.messages import Birth, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud.ingest.writer import Writer
    from tests.cloud.fleet import Box, Database, Ingest
    from wire.topics import Address, Kind


def test_a_window_becomes_a_row_with_its_values_and_grades(
    database: Database, ingest: Callable[..., Ingest], box: Callable[[Address], Box]
) -> None:
    one = box(database.enrol("one"))
    ingest()
    one.send(window("one", 1, exercise="squat", reps=2, session=uuid("session")))
    wait_for(lambda: list(one.acked.values()) == [1], what="an acknowledgement")
    row = database.rows(
        """select extract(epoch from time)::float8, knee_flexion_left, trunk_lean, hip_flexion_left, exercise, reps,
                  session::text, clock::text, s.subject::text
           from telemetry_10s t join subjects s on s.id = subject_id"""
    )
    assert row == [(NOON + 10, 1.5, 4.0, None, "squat", 2, uuid("session"), "s", uuid("ann"))]
    grade = "select substr(grades, position, 1) from telemetry_10s, metric_columns where key = %s"
    assert database.value(grade, "knee_flexion_left") == "B"
    assert database.value(grade, "trunk_lean") == "-"


@pytest.mark.parametrize("exact", [False, True])
def test_the_usual_grade_is_of_every_metric_that_has_a_value_and_no_grade_of_its_own(
    database: Database, writer: Writer, exact: bool
) -> None:
    address = database.enrol("one")
    known = {"trunk_lean": 1.0, "view_yaw": 2.0}
    measured: dict[str, Any] = {
        "metrics": known | ({"tail_wag": 3.0} if exact else {}), "grade": "C", "grades": {"view_yaw": "A"},
    }  # fmt: skip
    writer.write(
        [
            (address.topic("window"), encode(window("one", 1, **measured))),
            (address.topic("window"), encode(window("one", 2, metrics=known, grades={"view_yaw": "B"}))),
            (address.topic("session"), encode(session("one", 3, **measured))),
        ]
    )
    letters = "select replace(grades, '-', ''), other from {} order by 1"
    other = {"tail_wag": [3.0, "C"]} if exact else None
    assert database.rows(letters.format("telemetry_10s")) == [("B", None), ("CA", other)]
    assert database.rows(letters.format("exercise_sessions")) == [("CA", other)]
    keys = "select key from metric_columns m join telemetry_10s on substr(grades, position, 1) = %s"
    assert [database.value(keys, letter) for letter in "CA"] == ["trunk_lean", "view_yaw"]


def test_what_boxes_said_of_themselves_before_the_first_start_is_known(
    database: Database, ingest: Callable[..., Ingest], box: Callable[[Address], Box]
) -> None:
    """Retained messages, of which a shared subscription gets none; the second replica changes nothing."""
    one = box(database.enrol("one"))
    birth = Birth(device=uuid("one"), boot=uuid("one boot"), software="0.7", started=None)
    retained: dict[Kind, bytes] = {"birth": encode(birth), "available": b"online"}
    told = "select software, available, last_seen from devices"
    try:
        for kind, payload in retained.items():
            one.publish(kind, payload, retain=True)
        ingest()
        wait_for(lambda: database.rows(told)[0][:2] == ("0.7", "online"), what="the device's row")
        before = database.rows(told)
        second = ingest("ingest-1")
        wait_for(lambda: second.metric("kinebox_ingest_messages_total") >= 2, what="both messages")
        assert database.rows(told) == before
    finally:
        for kind in retained:
            one.publish(kind, b"", retain=True)


def test_an_update_of_a_retained_message_is_taken(database: Database, writer: Writer) -> None:
    address = database.enrol("one")
    birth = Birth(device=uuid("one"), boot=uuid("one boot"), software="0.7", started=None)
    newer = msgspec.structs.replace(birth, software="0.8", metrics=["knee_rom_left"])
    for message in (birth, birth, newer):
        writer.write([(address.topic("birth"), encode(message))])
    writer.write([(address.topic("available"), text) for text in (b"online", b"stopped")])
    found = database.rows("select software, models, metrics, available from devices")
    assert found == [("0.8", {}, ["knee_rom_left"], "stopped")]
