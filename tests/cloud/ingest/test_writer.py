"""A batch is in the database once, whole, whatever came twice, out of order or without a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import psycopg
import pytest

from cloud.ingest.batch import Boot
from cloud.ingest.claims import hold_subjects
from cloud.ingest.decode import Decoder
from cloud.ingest.devices import Device
from tests.cloud.fleet import NOON, session, uuid, window
from wire.messages import Window, encode
from wire.metrics import metrics

if TYPE_CHECKING:
    from cloud.ingest.writer import Writer
    from tests.cloud.fleet import Database
    from wire.messages import SessionChange


def test_the_same_messages_again_add_nothing(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    messages = [(topic, encode(window("one", seq))) for seq in (1, 2, 3)]
    first, again = writer.write(messages), writer.write([*messages, *messages])
    assert (first.windows, first.added) == (3, 3)
    assert (again.windows, again.added) == (3, 0)
    assert [settled.seq for settled in (*first.settled, *again.settled)] == [3, 3]
    assert database.value("select count(*) from telemetry_10s") == 3


@pytest.mark.parametrize("together", [True, False])
def test_a_message_that_got_its_time_later_is_still_the_same(
    database: Database, writer: Writer, together: bool
) -> None:
    topic = database.enrol("one").topic("window")
    without = (topic, encode(window("one", 1, at=None, clock="unknown")))
    stamped = (topic, encode(window("one", 1, clock="estimated")))
    for batch in [[without, stamped]] if together else [[without], [stamped]]:
        writer.write(batch)
    assert database.value("select count(*) from telemetry_10s") == 1


def test_without_a_time_a_window_stands_where_it_was_received(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    writer.write([(topic, encode(window("one", 1, at=None, clock="unknown")))])
    row = database.rows("select extract(epoch from now() - time)::float8, clock::text from telemetry_10s")
    assert abs(row[0][0]) < 60
    assert row[0][1] == "u"


@pytest.mark.parametrize(
    ("batches", "acked"),
    [
        ([[1, 2, 3]], [3]),
        ([[2, 3], [1]], [0, 3]),
        ([[1], [3], [5], [4], [2]], [1, 1, 1, 1, 5]),
        ([[3, 1, 2, 6], [5], [4]], [3, 3, 6]),
    ],
)
def test_acknowledged_is_what_has_no_gap_before_it(
    database: Database, writer: Writer, batches: list[list[int]], acked: list[int]
) -> None:
    topic = database.enrol("one").topic("window")
    found = [
        writer.write([(topic, encode(window("one", seq))) for seq in batch]).settled for batch in batches
    ]
    assert [settled.seq for (settled,) in found] == acked


def test_what_a_box_gave_up_is_not_waited_for_and_still_taken_if_it_comes(
    database: Database, writer: Writer
) -> None:
    topic = database.enrol("one").topic("window")
    (settled,) = writer.write([(topic, encode(window("one", 7, floor=7)))]).settled
    assert settled.seq == 7
    assert writer.write([(topic, encode(window("one", 4)))]).added == 1


def test_each_start_of_a_box_is_counted_by_itself(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    both = [(topic, encode(window("one", 1, boot=boot))) for boot in ("monday", "tuesday")]
    written = writer.write([*both, (topic, encode(window("one", 2, boot="tuesday")))])
    assert {settled.boot: settled.seq for settled in written.settled} == {
        uuid("one monday"): 1,
        uuid("one tuesday"): 2,
    }
    assert written.added == 3


def test_texts_of_any_length_and_script_and_missing_values_arrive(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    cameras = ["", "cam", "카메라" * 10, "x" * 64]
    rows = [window("one", n + 1, camera=camera, metrics={}, grades={}) for n, camera in enumerate(cameras)]
    writer.write([(topic, encode(row)) for row in rows])
    assert database.rows("select camera from telemetry_10s order by seq") == [(camera,) for camera in cameras]
    assert database.value("select count(knee_flexion_left) from telemetry_10s") == 0


def test_zero_is_a_value(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    writer.write([(topic, encode(window("one", 1, metrics={"trunk_lean": 0.0})))])
    assert database.rows("select trunk_lean, view_yaw from telemetry_10s") == [(0.0, None)]


def test_a_metric_of_a_newer_box_is_kept(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    newer = window("one", 1, metrics={"tail_wag": 3.5, "trunk_lean": 2.0}, grades={"tail_wag": "C"})
    writer.write([(topic, encode(newer)), (topic, encode(window("one", 2)))])
    rows = database.rows("select other, trunk_lean from telemetry_10s order by seq")
    assert rows == [({"tail_wag": [3.5, "C"]}, 2.0), (None, 4.0)]


def test_nothing_is_kept_of_an_erased_subject_but_its_messages_are_acknowledged(
    database: Database, writer: Writer
) -> None:
    topic = database.enrol("one").topic("window")
    writer.write([(topic, encode(window("one", 1)))])
    database.rows("update subjects set erased = now()")
    written = writer.write([(topic, encode(window("one", 2)))])
    assert (written.added, written.settled[0].seq) == (0, 2)


def test_of_a_batch_only_what_is_of_the_erased_is_left_out(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    writer.write([(topic, encode(window("one", 1, subject="bob")))])
    database.rows("update subjects set erased = now()")
    people = ["ann", "bob", "cid", "bob", "ann"]
    batch = [(topic, encode(window("one", seq, subject=name))) for seq, name in enumerate(people, start=2)]
    assert writer.write(batch).added == 3
    rows = database.rows(
        """select t.seq, s.subject::text from telemetry_10s t join subjects s on s.id = subject_id
           where s.erased is null order by seq"""
    )
    assert rows == [(2, uuid("ann")), (4, uuid("cid")), (6, uuid("ann"))]
    pending = (
        "select count(*) from rollup_pending join subjects s on s.id = subject_id where s.erased is null"
    )
    assert database.value(pending) == 2


def test_erasing_waits_for_what_is_being_written(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    writer.write([(topic, encode(window("one", 1)))])
    subject, tenant = database.rows("select id, tenant_id from subjects")[0]
    boot = Boot(Device(1, tenant, UUID(uuid("one")), database.enrol("one")), uuid("one boot"))
    with (
        psycopg.connect(database.api_url, autocommit=True) as api,
        psycopg.connect(database.url) as ingest,
    ):
        api.execute("select set_config('kinebox.tenant', %s, false)", (str(tenant),))
        api.execute("set lock_timeout = '100ms'")
        with ingest.cursor() as cursor:
            held: Any = hold_subjects(cursor, [(boot, change(2, "start"))])
            assert held == {(tenant, uuid("ann")): subject}
            with pytest.raises(psycopg.errors.LockNotAvailable):
                api.execute("select erase_subject(%s)", (subject,))
        ingest.commit()
        api.execute("select erase_subject(%s)", (subject,))
    assert database.value("select count(*) from telemetry_10s") == 0


def change(seq: int, what: Any, **more: Any) -> SessionChange:
    return session("one", seq, change=what, **more)


CHANGES = [
    change(1, "start"),
    change(2, "change", exercise="squat", reps=5, duration_s=60),
    change(3, "change", exercise="lunge", reps=9, duration_s=90),
    change(4, "end", reps=12, duration_s=120, reason="left", metrics={"knee_rom_left": 101.5}),
]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
@pytest.mark.parametrize("together", [True, False])
def test_changes_of_a_session_make_one_row_in_any_order(
    database: Database, writer: Writer, order: tuple[int, ...], together: bool
) -> None:
    topic = database.enrol("one").topic("session")
    messages = [(topic, encode(CHANGES[n])) for n in order]
    for batch in [messages] if together else [[message] for message in messages]:
        settled = writer.write(batch).settled
    assert settled[0].seq == 4
    row = database.rows(
        """select extract(epoch from started)::float8, ended, reason, exercises, exercise, reps, duration_s,
                  knee_rom_left from exercise_sessions"""
    )
    assert row == [(NOON, True, "left", ["lunge", "squat"], "lunge", 12, 120.0, 101.5)]


def test_windows_and_sessions_share_one_sequence(database: Database, writer: Writer) -> None:
    address = database.enrol("one")
    written = writer.write(
        [(address.topic("window"), encode(window("one", 2))), (address.topic("session"), encode(CHANGES[0]))]
    )
    assert [settled.seq for settled in written.settled] == [2]


def test_health_birth_and_availability_are_of_the_device(database: Database, writer: Writer) -> None:
    address = database.enrol("one")
    names = {"schema": 1, "device": uuid("one"), "boot": uuid("one boot")}
    health = names | {
        "kind": "health", "at": None, "uptime_s": 5, "camera": "live", "fps": 29.5, "dropped": 0, "outbox_rows": 3,
        "outbox_bytes": 900, "outbox_hours": 0.1, "disk_free_mb": 4000,
    }  # fmt: skip
    birth = names | {"kind": "birth", "software": "0.1", "models": {"pose": "int8"}, "started": None}
    writer.write(
        [
            (address.topic("health"), msgspec.json.encode(health)),
            (address.topic("birth"), msgspec.json.encode(birth)),
            (address.topic("available"), b"online"),
        ]
    )
    assert database.rows("select software, models, available from devices") == [
        ("0.1", {"pose": "int8"}, "online")
    ]
    assert database.rows("select fps, outbox_rows, confidence from device_health") == [(29.5, 3, None)]


def test_a_full_window_takes_the_quick_way_to_the_same_row(database: Database, writer: Writer) -> None:
    full = window("one", 1, metrics=dict.fromkeys(metrics(), 1.25), grades=dict.fromkeys(metrics(), "C"))
    with_keys = Decoder(list(metrics())).window(encode(full))
    without = Decoder([]).window(encode(full))
    assert without.other == {key: [1.25, "C"] for key in metrics()}
    assert with_keys.other is None
    assert msgspec.structs.asdict(with_keys.metrics) == dict.fromkeys(metrics(), 1.25)
    assert msgspec.structs.asdict(with_keys.grades) == dict.fromkeys(metrics(), "C")
    same = set(Window.__struct_fields__) - {"schema", "metrics", "grades"}
    assert {name: getattr(with_keys, name) for name in same} == {
        name: getattr(without, name) for name in same
    }
    assert time.time() > NOON - 400 * 86400
