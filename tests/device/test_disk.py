"""A disk that is really nearly full: what goes, in which order, and what stays."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from edge.device import disk
from edge.device.disk import Housekeeper, Step, make_room
from edge.errors import StoreError
from edge.store import Store
from edge.uplink.outbox import START, Outbox
from tests.store.samples import begin, repetition
from tests.uplink.samples import LIMITS, window

if TYPE_CHECKING:
    from pathlib import Path

SESSIONS, SAMPLES, REPS = 5, 4000, 5


def record(store: Store, samples: int) -> str:
    """One session that has ended."""
    session = begin(store)
    number = store.begin_set(session, exercise="squat", t=0.0)
    for count in range(REPS):
        store.add_repetition(number, repetition(float(count)))
    for count in range(samples):
        store.add_sample(session, count / 10, {"trunk_lean": 1.0, "knee_flexion_left": float(count)})
    store.end_session(session, t=samples / 10, reason="left")
    store.flush()
    return session


def leave_free(folder: Path, share: float) -> None:
    """Fill the disk but for a share of it."""
    usage = shutil.disk_usage(folder)
    more = usage.free - int(share * usage.total)
    if more > 0:
        with (folder / "ballast").open("ab") as file:
            file.write(bytes(more))


def test_what_goes_and_what_stays(disk_16m: Path) -> None:
    cache = disk_16m / "cache"
    cache.mkdir()
    with Store(disk_16m / "kinebox.db") as store:
        sessions = [record(store, SAMPLES) for _ in range(SESSIONS)]
    with Store(disk_16m / "kinebox.db") as store, Outbox(disk_16m / "outbox.db", **LIMITS) as outbox:
        keeper = Housekeeper(store, outbox, cache)
        running = begin(store)
        store.add_sample(running, 0.0, {"trunk_lean": 1.0})
        store.flush()
        for count in range(1, 101):
            outbox.add(window(reps=count), 0)
        outbox.flush()
        assert keeper.look() == []

        (cache / "a").write_bytes(bytes(1_000_000))
        (disk_16m / "kinebox.db.before-20260101-000000").write_bytes(bytes(1_000_000))
        leave_free(disk_16m, 0.02)
        assert keeper.look() == ["caches"]
        leave_free(disk_16m, 0.02)
        assert keeper.look() == ["what was put aside"]
        assert len(outbox.after(START, 200)) == 100

        leave_free(disk_16m, 0.02)
        gone = keeper.look()
        assert gone == ["the oldest windows for the cloud", "courses of the oldest sessions"]
        assert shutil.disk_usage(disk_16m).free + store.reusable + outbox.reusable >= 0.05 * 16 * 2**20
        courses = [len(store.samples(session).t) for session in sessions]
        assert courses[0] == 0, "the oldest goes first"
        assert courses[-1] == SAMPLES, "and no more than needed"
        assert len(store.samples(running).t) == 1
        for session in sessions:
            assert sum(len(one.repetitions) for one in store.session(session).sets) == REPS
        assert keeper.look() == []
        assert record(store, 100) != running  # there is room again


def test_a_disk_that_others_fill_costs_no_event(disk_16m: Path) -> None:
    """When all that may go is gone, nothing else is touched."""
    with Store(disk_16m / "kinebox.db") as store:
        session = record(store, 10)
        keeper = Housekeeper(store)
        leave_free(disk_16m, 0.02)
        assert keeper.look() == ["courses of the oldest sessions"]
        assert keeper.look() == []
        assert len(store.session(session).sets[0].repetitions) == REPS


def test_it_is_looked_at_once_a_minute(disk_16m: Path) -> None:
    with Store(disk_16m / "kinebox.db") as store:
        cache = disk_16m / "cache"
        cache.mkdir()
        keeper = Housekeeper(store, cache=cache)
        keeper.tick(1000.0)
        (cache / "a").write_bytes(bytes(1_000_000))
        leave_free(disk_16m, 0.01)
        keeper.tick(1000.0 + disk.EVERY_S - 1)
        assert (cache / "a").exists()
        keeper.tick(1000.0 + disk.EVERY_S)
        assert not (cache / "a").exists()


def test_no_more_than_needed_goes() -> None:
    room, left = [0], {"first": 3, "second": 3, "third": 3}

    def step(name: str) -> Step:
        def go() -> bool:
            left[name] -= 1
            room[0] += 10 * (left[name] >= 0)
            return left[name] >= 0

        return Step(name, go)

    assert make_room(lambda: room[0], 40, [step(name) for name in left]) == ["first", "second"]
    assert room == [40]
    assert left["third"] == 3


def test_the_cache_is_systemds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("CACHE_DIRECTORY", str(cache))
    (cache / "folder").mkdir(parents=True)
    (cache / "file").write_text("")
    (cache / "link").symlink_to(tmp_path)
    with Store(tmp_path / "kinebox.db") as store:
        assert Housekeeper(store)._clear_cache()
        assert list(cache.iterdir()) == []
        assert store.path.exists()
        assert not Housekeeper(store)._clear_cache()


def test_what_cannot_be_removed_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be removed"):
        disk._remove([tmp_path / "absent"])
