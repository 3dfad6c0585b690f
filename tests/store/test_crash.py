"""A recorder that is cut off: what it said was safe is there, and the next start closes the session."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.errors import StoreError
from edge.store import Store, recovery
from tests.store.samples import begin, repetition

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("seed", range(5))
def test_kill_9_in_mid_session(path: Path, seed: int) -> None:
    # A fixed seed for the moment: what the writer is doing then varies from run to run all the same.
    delay = random.Random(seed).uniform(0.0, 0.3)  # noqa: S311
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.store.writer", str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    session_id = writer.stdout.readline().split()[1]
    time.sleep(delay)
    writer.kill()
    acknowledged = [int(line) for line in writer.stdout.read().splitlines()]
    writer.wait()
    writer.stdout.close()
    safe = acknowledged[-1] if acknowledged else 0

    with Store(path) as store:
        assert store.session(session_id).end_reason is None
        assert store.recover(None) == 1
        session = store.session(session_id)
        (squats,) = session.sets
        # Nothing lost, nothing doubled; a group that was written but not yet acknowledged may be there, whole.
        assert squats.reps in (safe, safe + 7)
        assert [rep.t for rep in squats.repetitions] == [float(n) for n in range(1, squats.reps + 1)]
        assert store.samples(session_id).t == [rep.t for rep in squats.repetitions]
        assert session.end_reason == "interrupted"
        assert session.duration_s == squats.end_s == squats.reps
        assert store.recover(None) == 0
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    db.close()


def test_recovery_goes_by_the_last_evidence(path: Path) -> None:
    with Store(path) as store:
        by_sample, by_set, by_repetition, nothing, ended = (begin(store) for _ in range(5))
        store.add_sample(by_sample, 40.0, {})
        store.begin_set(by_set, exercise="plank", t=50.0)
        number = store.begin_set(by_repetition, exercise="squat", t=1.0)
        store.add_repetition(number, repetition(60.0))
        store.end_set(store.begin_set(by_repetition, exercise="plank", t=61.0), t=70.0)
        store.end_session(ended, t=5.0, reason="left")
    with Store(path) as store:
        assert store.recover(None) == 4
        durations = [store.session(s).duration_s for s in (by_sample, by_set, by_repetition, nothing, ended)]
        assert durations == [40.0, 50.0, 70.0, 0.0, 5.0]
        assert [s.end_s for s in store.session(by_repetition).sets] == [70.0, 70.0]
        assert store.session(ended).end_reason == "left"


def test_a_hold_is_not_lost_whole(path: Path) -> None:
    with Store(path) as store:
        session_id = begin(store)
        plank = store.begin_set(session_id, exercise="plank", t=1.0)
        store.hold_so_far(plank, 30.0)
    with Store(path) as store:
        store.recover(None)
        assert store.session(session_id).exercises[0].hold_s == 30.0


def test_recovery_fills_in_the_time_within_the_same_boot(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minute_ago = time.monotonic_ns() - 60_000_000_000
    with Store(path) as store:
        here = begin(store, utc=None, monotonic_ns=minute_ago)
        with monkeypatch.context() as earlier:
            earlier.setattr(recovery, "boot_id", lambda: "another boot")
            elsewhere = begin(store, utc=None, monotonic_ns=minute_ago)
    with Store(path) as store:
        assert store.recover(1_800_000_060.0) == 2
        started = store.session(here).started
        assert started is not None
        assert abs((started - datetime(2027, 1, 15, 8, tzinfo=UTC)).total_seconds()) < 5
        assert store.session(elsewhere).started is None


def test_one_recorder_at_a_time(store: Store, path: Path) -> None:
    running = begin(store)
    store.flush()
    with Store(path) as second:
        # A second Kinebox must not close the first one's session, nor number rows beside it.
        with pytest.raises(StoreError, match="Another Kinebox"):
            second.recover(None)
        with pytest.raises(StoreError, match="Another Kinebox"):
            begin(second)
        assert second.session(running).end_reason is None  # reading is for everyone
    store.close()
    with Store(path) as third:
        assert third.recover(None) == 1


def test_a_group_that_is_written_twice_is_there_once(store: Store) -> None:
    session_id = begin(store)
    number = store.begin_set(session_id, exercise="squat", t=0.0)
    store.add_repetition(number, repetition(1.0))
    store.add_sample(session_id, 1.0, {"trunk_lean": 1.0})
    group = list(store._group._pending)
    store.flush()
    # As if the commit had reached the disk and its success had not reached us.
    store._group._pending.extend(group)
    store.flush()
    assert store.session(session_id).exercises[0].reps == 1
    assert len(store.sessions(10)) == 1


def test_what_is_committed_is_synced(store: Store) -> None:
    # kill -9 cannot show it: only a power cut tells synced data from data in the kernel's cache.
    db = store._db
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)
