"""What cannot be taken is kept with its reason, and the rest goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.cloud.fleet import changed, uuid, window
from wire.messages import encode

if TYPE_CHECKING:
    from cloud.ingest.writer import Writer
    from tests.cloud.fleet import Database

GOOD = window("one", 1)
REFUSED = {
    "not_json": b"\x00\x01 not json",
    "empty": b"",
    "cut": encode(GOOD)[:-5],
    "list": b"[1, 2]",
    "deep": b"[" * 5000,
    "nan": encode(GOOD).replace(b"4.0", b"NaN"),
    "infinite": encode(GOOD).replace(b"4.0", b"1e999"),
    "too_much": encode(GOOD).replace(b"4.0", b"1e30"),
    "a_word_for_a_number": encode(GOOD).replace(b"4.0", b'"4"'),
    "no_seq": changed(GOOD, seq=None),
    "seq_0": changed(GOOD, seq=0),
    "null_character": changed(GOOD, camera="a\0b"),
    "long_name": changed(GOOD, camera="x" * 65),
    "not_utf8": encode(GOOD).replace(b"cam0", b"\xff\xfe"),
    "huge": changed(GOOD, camera="x" * 20_000),
    "other_version": changed(GOOD, schema=2),
    "other_kind": changed(GOOD, kind="picture"),
    "kind_of_another_topic": b'{"kind":"birth","device":"%s","boot":"%s","software":"1","started":null}'
    % (uuid("one").encode(), uuid("b").encode()),
    "other_box": changed(GOOD, device=uuid("two")),
    "future": changed(GOOD, at=time.time() + 3600),
    "past": changed(GOOD, at=time.time() - 500 * 86400),
}
REASONS = {
    "not_json": "not_json", "empty": "not_json", "cut": "not_json", "list": "malformed", "deep": "malformed",
    "nan": "not_json", "infinite": "malformed", "too_much": "malformed", "a_word_for_a_number": "malformed",
    "no_seq": "malformed", "seq_0": "malformed", "null_character": "malformed", "long_name": "malformed",
    "not_utf8": "malformed", "huge": "too_large", "other_version": "schema", "other_kind": "kind",
    "kind_of_another_topic": "kind", "other_box": "wrong_device", "future": "future", "past": "past",
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_message_is_kept_and_its_neighbours_are_taken(
    database: Database, writer: Writer, name: str
) -> None:
    topic = database.enrol("one").topic("window")
    good = [(topic, encode(window("one", seq))) for seq in (2, 3)]
    written = writer.write([good[0], (topic, REFUSED[name]), good[1]])
    assert written.added == 2
    assert database.rows("select reason, payload, topic, times, bytes from dead_letters") == [
        (REASONS[name], REFUSED[name], topic, 1, len(REFUSED[name]))
    ]


@pytest.mark.parametrize("name", ["other_version", "future", "huge"])
def test_a_refused_message_that_is_kept_whole_is_settled(
    database: Database, writer: Writer, name: str
) -> None:
    topic = database.enrol("one").topic("window")
    assert writer.write([(topic, REFUSED[name])]).settled[0].seq == 1
    assert writer.write([(topic, encode(window("one", 2)))]).settled[0].seq == 2


def test_a_message_for_another_box_settles_nothing(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    assert writer.write([(topic, REFUSED["other_box"])]).settled == []


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        (f"kinebox/v1/gym/hall/{uuid('stranger')}/window", "unknown_device"),
        (f"kinebox/v1/gym/hall/{uuid('one')}x/window", "unknown_device"),
        (f"kinebox/v1/other/hall/{uuid('one')}/window", "unknown_device"),
        (f"kinebox/v1/gym/cellar/{uuid('one')}/window", "unknown_device"),
        (f"kinebox/v2/gym/hall/{uuid('one')}/window", "kind"),
    ],
)
def test_from_a_place_that_is_not_known_nothing_is_taken_or_settled(
    database: Database, writer: Writer, topic: str, reason: str
) -> None:
    database.enrol("one")
    written = writer.write([(topic, encode(GOOD))])
    assert (written.added, written.settled, [letter.reason for letter in written.dead]) == (0, [], [reason])


def test_the_same_refused_message_is_one_row_that_counts(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    for _ in range(3):
        writer.write([(topic, b"{}"), (topic, b"{}")])
    assert database.rows("select times from dead_letters") == [(6,)]


def test_a_box_that_is_enrolled_later_is_taken_then(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.ingest.devices.FORGET_UNKNOWN_S", 0.0)
    message = (f"kinebox/v1/gym/hall/{uuid('one')}/window", encode(GOOD))
    assert writer.write([message]).added == 0
    database.enrol("one")
    assert writer.write([message]).added == 1


def test_a_row_that_the_database_has_without_knowing_its_number_stays_the_only_one(
    database: Database, writer: Writer
) -> None:
    """COPY ends at a conflict: its batch is halved until the message is alone, and that becomes a letter."""
    topic = database.enrol("one").topic("window")
    writer.write([(topic, encode(window("one", seq, reps=1))) for seq in (1, 2, 3)])
    database.rows("update boots set seqs = '{[1,2)}'")
    again = [(topic, encode(window("one", seq, reps=2))) for seq in range(1, 10)]
    written = writer.write(again)
    assert (written.windows, written.added, len(written.dead)) == (7, 6, 2)
    assert max(settled.seq for settled in written.settled) == 9
    rows = database.rows("select seq, reps from telemetry_10s order by seq")
    assert rows == [(seq, 1 if seq < 4 else 2) for seq in range(1, 10)]
    assert database.rows("select reason, payload from dead_letters order by payload") == [
        ("database", again[1][1]),
        ("database", again[2][1]),
    ]
    assert writer.write(again).added == 0


def test_what_only_the_database_refuses_is_found_in_its_batch(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    many: list[Any] = [
        (topic, encode(window("one", seq, reps=13 if seq == 5 else 1))) for seq in range(1, 10)
    ]
    database.rows("alter table telemetry_10s add constraint odd check (reps <> 13)")
    try:
        written = writer.write(many)
    finally:
        database.rows("alter table telemetry_10s drop constraint odd")
    assert (written.added, max(settled.seq for settled in written.settled)) == (8, 9)
    assert database.rows("select reason, payload from dead_letters") == [("database", many[4][1])]
