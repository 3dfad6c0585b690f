"""What goes in comes out."""

from __future__ import annotations

import math
import sqlite3
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.coach.records import Repetition, RepetitionMeasure
from edge.errors import StoreError
from edge.store import ExerciseTotal, SessionRunningError, Store, UnknownMetricError, UnknownSessionError
from edge.store.store import MAX_PENDING
from tests.store.samples import begin, repetition

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_whole_session(store: Store) -> None:
    session_id = begin(store)
    squats = store.begin_set(session_id, exercise="squat", t=1.0)
    squat = store.add_repetition(squats, repetition(3.0))
    measures = {
        "rep_range": RepetitionMeasure(90.5, "B", ("oblique_view",)),
        "rep_peak": RepetitionMeasure(None, "none", ("joint_hidden",)),
    }
    store.measure_repetition(squat, measures)
    store.add_repetition(squats, repetition(6.0, kind="partial", side=None, range_deg=None, peak_deg=None))
    store.end_set(squats, t=7.0)
    for held in (20.0, 10.0):
        plank = store.begin_set(session_id, exercise="plank", t=8.0)
        store.end_set(plank, t=8.0 + held, hold_s=held)
    store.add_measurement(session_id, "knee_rom_left", 1.0, "C", [])
    store.add_measurement(session_id, "knee_rom_left", 90.0, "B", ["oblique_view", "low_frame_rate"])
    store.add_measurement(session_id, "knee_rom_right", None, "none", ["joint_hidden"])
    store.end_session(session_id, t=30.0, reason="left")
    store.flush()

    session = store.session(session_id)
    assert session.started == datetime(2027, 1, 15, 8, tzinfo=UTC)
    assert session.ended == datetime(2027, 1, 15, 8, 0, 30, tzinfo=UTC)
    assert (session.duration_s, session.end_reason) == (30.0, "left")
    assert (session.subject, session.species, session.camera, session.model) == (
        1,
        "human",
        "cam0",
        "blazepose-int8",
    )
    assert session.exercises == [
        ExerciseTotal(exercise="squat", reps=1, partial_reps=1, hold_s=0.0),
        ExerciseTotal(exercise="plank", reps=0, partial_reps=0, hold_s=30.0),
    ]
    assert [(s.exercise, s.start_s, s.end_s, s.reps, s.partial_reps, s.hold_s) for s in session.sets] == [
        ("squat", 1.0, 7.0, 1, 1, 0.0),
        ("plank", 8.0, 28.0, 0, 0, 20.0),
        ("plank", 8.0, 18.0, 0, 0, 10.0),
    ]
    assert session.sets[0].repetitions == [
        repetition(3.0, measures=measures),
        repetition(6.0, kind="partial", side=None, range_deg=None, peak_deg=None),
    ]
    left, right = session.measurements["knee_rom_left"], session.measurements["knee_rom_right"]
    assert (left.value, left.unit, left.grade, left.reasons) == (
        90.0,
        "deg",
        "B",
        ["oblique_view", "low_frame_rate"],
    )
    assert (right.value, right.grade, right.reasons) == (None, "none", ["joint_hidden"])
    (summary,) = store.sessions(10)
    assert all(getattr(summary, name) == getattr(session, name) for name in summary.__struct_fields__)


finite = st.floats(allow_nan=False, allow_infinity=False)
times = st.floats(0, 1e6)
repetitions = st.builds(
    Repetition,
    t=times,
    kind=st.sampled_from(["rep", "partial"]),
    side=st.sampled_from(["left", "right", "both", None]),
    duration_s=times,
    eccentric_s=times,
    concentric_s=times,
    range_deg=st.none() | finite,
    peak_deg=st.none() | finite,
)
values = st.none() | st.floats()


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("store") / "kinebox.db") as store:
        yield store


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(repetitions, max_size=4),
    st.dictionaries(times, st.dictionaries(st.sampled_from(["trunk_lean", "view_yaw"]), values), max_size=4),
    st.text(),
)
def test_round_trip(
    one_store: Store, reps: list[Repetition], rows: dict[float, dict[str, float | None]], camera: str
) -> None:
    session_id = begin(one_store, camera=camera)
    number = one_store.begin_set(session_id, exercise="squat", t=0.0)
    for rep in reps:
        one_store.add_repetition(number, rep)
    for t, row in rows.items():
        one_store.add_sample(session_id, t, row)
    one_store.end_session(session_id, t=1e6, reason="stopped")
    one_store.flush()

    session = one_store.session(session_id)
    assert sorted(session.sets[0].repetitions, key=repr) == sorted(reps, key=repr)
    assert session.camera == camera
    samples = one_store.samples(session_id, ["trunk_lean", "view_yaw"])
    assert samples.t == sorted(rows)
    for key, column in samples.series.items():
        expected = [rows[t].get(key) for t in sorted(rows)]
        assert column == [v if v is not None and math.isfinite(v) else None for v in expected]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, np.float32("nan")])
def test_what_is_no_number_is_not_measurable(store: Store, value: float | None) -> None:
    session_id = begin(store)
    store.add_sample(session_id, 1.0, {"trunk_lean": value})
    store.add_measurement(session_id, "trunk_lean_peak", value, "none", ["no_person"])
    number = store.begin_set(session_id, exercise="squat", t=0.0)
    store.add_repetition(number, repetition(1.0, range_deg=value, peak_deg=value))
    store.flush()
    assert store.samples(session_id, ["trunk_lean"]).series == {"trunk_lean": [None]}
    session = store.session(session_id)
    assert session.measurements["trunk_lean_peak"].value is None
    assert session.sets[0].repetitions[0].range_deg is None


def test_zero_is_not_missing(store: Store) -> None:
    session_id = begin(store, utc=0.0)
    store.add_sample(session_id, 0.0, {"trunk_lean": 0.0})
    store.end_session(session_id, t=0.0, reason="left")
    store.flush()
    session = store.session(session_id)
    assert session.started == session.ended == datetime(1970, 1, 1, tzinfo=UTC)
    assert session.duration_s == 0.0
    assert store.samples(session_id, ["trunk_lean"]).series == {"trunk_lean": [0.0]}


def test_numpy_scalars_are_numbers(store: Store) -> None:
    session_id = begin(store, subject=np.int64(3), monotonic_ns=np.int64(5))
    store.add_sample(session_id, np.float32(0.5), {"trunk_lean": np.float32(12.5)})
    store.flush()
    assert store.session(session_id).subject == 3
    assert store.samples(session_id, ["trunk_lean"]).series == {"trunk_lean": [12.5]}


@pytest.mark.parametrize("t", [math.nan, math.inf])
def test_a_time_that_is_none_is_refused_at_once(store: Store, t: float) -> None:
    session_id = begin(store)
    number = store.begin_set(session_id, exercise="squat", t=0.0)
    for call in (
        lambda: store.add_sample(session_id, t, {}),
        lambda: store.begin_set(session_id, exercise="squat", t=t),
        lambda: store.add_repetition(number, repetition(t)),
        lambda: store.add_repetition(number, repetition(1.0, duration_s=t)),
        lambda: store.end_set(number, t=t),
        lambda: store.hold_so_far(number, t),
        lambda: store.end_session(session_id, t=t, reason="left"),
    ):
        with pytest.raises(StoreError, match="seconds"):
            call()
    store.flush()  # nothing half-made is left to block the others
    assert store.session(session_id).end_reason is None


def test_names_that_are_no_utf8(store: Store) -> None:
    session_id = begin(store, camera="caf\udce9.mp4")
    store.flush()
    assert store.session(session_id).camera == "caf?.mp4"


def test_unknown_things(store: Store) -> None:
    session_id = begin(store)
    store.flush()
    with pytest.raises(UnknownMetricError, match="knee_rom_left"):
        store.add_sample(session_id, 0.0, {"knee_rom_left": 1.0})
    with pytest.raises(UnknownMetricError, match="x; DROP"):
        store.samples(session_id, ["x; DROP TABLE sessions"])
    with pytest.raises(UnknownMetricError):
        store.add_measurement(session_id, "charisma", 1.0, "A", [])
    for call in (store.session, store.samples, store.delete_session):
        with pytest.raises(UnknownSessionError, match="nobody"):
            call("nobody")
    store.end_session(session_id, t=1.0, reason="left")
    with pytest.raises(StoreError, match="not open"):
        store.add_sample(session_id, 2.0, {})
    with pytest.raises(StoreError, match="not open"):
        store.end_set(1, t=2.0)


def test_ending_a_session_ends_its_set(store: Store) -> None:
    session_id, other = begin(store), begin(store)
    number = store.begin_set(session_id, exercise="squat", t=1.0)
    store.begin_set(other, exercise="squat", t=1.0)
    store.end_session(session_id, t=9.0, reason="stopped")
    store.flush()
    assert store.session(session_id).sets[0].end_s == 9.0
    assert store.session(other).sets[0].end_s is None
    with pytest.raises(StoreError, match="not open"):
        store.add_repetition(number, repetition(10.0))


def test_a_running_session_has_lasted_until_its_last_evidence(store: Store) -> None:
    session_id = begin(store)
    store.add_sample(session_id, 7.5, {})
    store.flush()
    session = store.session(session_id)
    assert (session.duration_s, session.ended, session.end_reason) == (7.5, None, None)


# The clock


def test_the_time_is_filled_in_when_it_is_known(store: Store) -> None:
    early = begin(store, monotonic_ns=10_000_000_000, utc=None)
    known = begin(store, monotonic_ns=20_000_000_000, utc=5.0)
    store.flush()
    assert store.session(early).started is None
    store.clock_known(monotonic_ns=70_000_000_000, utc=1_800_000_000.0)
    store.flush()
    assert store.session(early).started == datetime(2027, 1, 15, 7, 59, tzinfo=UTC)
    assert store.session(known).started == datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)


def test_newest_first_whatever_the_clock_said(store: Store) -> None:
    ids = [begin(store, utc=utc) for utc in (5e8, None, 1e8, 1e9)]
    store.flush()
    assert [s.id for s in store.sessions(10)] == ids[::-1]
    assert [s.id for s in store.sessions(2)] == ids[:1:-1]
    assert [s.id for s in store.sessions(10, ids[2])] == ids[1::-1]
    assert [s.id for s in store.sessions(10, 1e9)] == ids[2::-1]
    assert store.sessions(10, "nobody") == []


# Group commit


def test_a_group_is_written_after_a_second_or_fifty_events(store: Store) -> None:
    session_id = begin(store)
    store.tick(100.0)
    store.tick(100.9)
    assert (store.pending, store.commits) == (1, 0)
    store.tick(101.0)
    assert (store.pending, store.commits) == (0, 1)
    store.tick(500.0)
    assert store.commits == 1  # nothing to write
    for t in range(49):
        store.add_sample(session_id, float(t), {})
    store.tick(500.1)
    assert (store.pending, store.commits) == (49, 1)
    store.add_sample(session_id, 49.0, {})
    store.tick(500.2)
    assert (store.pending, store.commits) == (0, 2)
    assert len(store.samples(session_id).t) == 50


def test_closing_writes_what_is_pending(path: Path) -> None:
    with Store(path) as store:
        session_id = begin(store)
    with Store(path) as store:
        assert store.session(session_id).id == session_id


def test_memory_is_bounded_and_counted_events_come_first(store: Store) -> None:
    session_id = begin(store)
    number = store.begin_set(session_id, exercise="squat", t=0.0)
    for t in range(MAX_PENDING):
        store.add_sample(session_id, float(t), {})
    store.add_repetition(number, repetition(1.0))
    assert store.lost_samples == 2
    store.flush()
    assert store.session(session_id).exercises[0].reps == 1
    assert len(store.samples(session_id).t) == MAX_PENDING - 2


def test_many_threads(store: Store) -> None:
    def stay(number: int) -> None:
        session_id = begin(store, subject=number)
        squats = store.begin_set(session_id, exercise="squat", t=0.0)
        for t in range(20):
            store.add_repetition(squats, repetition(float(t)))
            store.add_sample(session_id, float(t), {"trunk_lean": 1.0})
            if t % 5 == 0:
                store.flush()
            store.sessions(5)
        store.end_session(session_id, t=20.0, reason="left")

    threads = [threading.Thread(target=stay, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.flush()
    assert sorted(s.subject for s in store.sessions(10)) == [0, 1, 2, 3]
    assert [s.exercises[0].reps for s in store.sessions(10)] == [20] * 4
    assert store.pending == 0


# Deleting


def test_deleting_leaves_nothing(store: Store, path: Path) -> None:
    doomed, kept = begin(store, camera="Fridolin's room"), begin(store)
    for session_id in (doomed, kept):
        number = store.begin_set(session_id, exercise="squat", t=0.0)
        store.add_repetition(number, repetition(1.0))
        store.add_sample(session_id, 1.0, {"trunk_lean": 5.0})
        store.add_measurement(session_id, "trunk_lean_peak", 5.0, "A", [])
    with pytest.raises(SessionRunningError):
        store.delete_session(doomed)
    store.end_session(doomed, t=2.0, reason="left")
    store.delete_session(doomed)
    store.flush()

    assert [s.id for s in store.sessions(10)] == [kept]
    assert store.session(kept).sets[0].reps == 1
    with sqlite3.connect(path) as db:
        for table in ("sessions", "sets", "repetitions", "samples", "measurements"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,), table  # noqa: S608
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    db.close()
    for file in path.parent.iterdir():
        assert b"Fridolin" not in file.read_bytes(), file
