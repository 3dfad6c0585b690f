"""The outbox: what was written is there until the cloud has it, and nothing else ever makes it go."""

from __future__ import annotations

import itertools
import os
import sqlite3
import stat
import uuid
from typing import TYPE_CHECKING

import pytest

from edge.errors import StoreError
from edge.uplink import outbox as module
from edge.uplink.outbox import START, Outbox
from tests.store.test_trouble import remount, small_disk
from tests.uplink.samples import LIMITS, STAY, UTC, now, session, window
from wire.messages import Ack, SessionChange, Window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "outbox.db"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    with Outbox(path, **LIMITS) as outbox:
        yield outbox


def seqs(outbox: Outbox) -> list[int]:
    return [position[1] for position, _ in outbox.after(START, 10_000)]


def ack(outbox: Outbox, seq: int, boot: str | None = None) -> None:
    outbox.acknowledged(Ack(device=str(uuid.uuid4()), boot=boot or outbox.boot, seq=seq))
    outbox.flush()


def test_kept_in_order_under_numbers_without_gaps(outbox: Outbox) -> None:
    outbox.add(session(), 0)
    outbox.add(window(reps=1), 0)
    outbox.add(window(reps=2), 0)
    assert seqs(outbox) == []  # not before it is durable
    outbox.flush()
    waiting = [message for _, message in outbox.after(START, 10)]
    assert [type(message) for message in waiting] == [SessionChange, Window, Window]
    assert [(m.boot, m.seq, m.floor) for m in waiting if m] == [(outbox.boot, n, 1) for n in (1, 2, 3)]
    assert seqs(outbox) == [1, 2, 3]
    assert [p[1] for p, _ in outbox.after(outbox.after(START, 1)[0].position, 1)] == [2]


def test_a_group_is_written_after_a_second_or_fifty(outbox: Outbox) -> None:
    outbox.add(window(), 0)
    outbox.tick(now(0.0))
    outbox.tick(now(0.9))
    assert seqs(outbox) == []
    outbox.tick(now(1.0))
    assert seqs(outbox) == [1]
    for _ in range(50):
        outbox.add(window(), 0)
    outbox.tick(now(1.0))
    assert len(seqs(outbox)) == 51


def test_a_new_start_never_uses_a_number_again(path: Path) -> None:
    boots = []
    for _ in range(3):
        with Outbox(path, **LIMITS) as outbox:
            outbox.add(window(), 0)
            boots.append(outbox.boot)
    with Outbox(path, **LIMITS) as outbox:
        waiting = [message for _, message in outbox.after(START, 10)]
        assert [(m.boot, m.seq) for m in waiting if m] == [(boot, 1) for boot in boots]
        assert len({*boots, outbox.boot}) == 4
        ack(outbox, 1, boots[1])
        assert [m.boot for _, m in outbox.after(START, 10) if m] == [boots[0], boots[2]]


def test_synced_and_private(outbox: Outbox, path: Path) -> None:
    assert outbox._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert outbox._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# Acknowledgement


@pytest.mark.parametrize("order", list(itertools.permutations([1, 3, 3, 5])))
def test_acks_in_any_order_and_twice(outbox: Outbox, order: tuple[int, ...]) -> None:
    for _ in range(6):
        outbox.add(window(), 0)
    outbox.flush()
    for number, seq in enumerate(order):
        ack(outbox, seq)
        assert seqs(outbox) == list(range(max(order[: number + 1]) + 1, 7))
    (last,) = [message for _, message in outbox.after(START, 10)]
    assert last is not None
    assert last.floor == 6


def test_acks_that_are_not_ours_or_for_what_never_was(outbox: Outbox) -> None:
    outbox.add(window(), 0)
    outbox.flush()
    ack(outbox, 1, str(uuid.uuid4()))
    ack(outbox, 0)
    ack(outbox, 2)
    ack(outbox, 2**53 - 1)
    assert seqs(outbox) == [1]
    outbox.add(window(), 0)
    ack(outbox, 1)
    assert seqs(outbox) == [2]


def test_the_level_is_right_at_all_times(outbox: Outbox) -> None:
    assert outbox.level() == (0, 0, None, 0)
    for n in range(10):
        outbox.add(window(at=UTC + n), 0)
    outbox.flush()
    level = outbox.level()
    assert (level.rows, level.oldest) == (10, UTC)
    assert level.bytes > 10 * 300
    ack(outbox, 4)
    assert outbox.level().oldest == UTC + 4
    assert outbox.level().bytes == pytest.approx(level.bytes * 0.6, abs=5)
    ack(outbox, 10)
    assert outbox.level() == (0, 0, None, 0)


# Bounds


def test_too_old_windows_go_and_sessions_never(outbox: Outbox) -> None:
    month = 30 * 86400
    outbox.add(session(at=UTC - 2 * month), 0)
    outbox.add(window(at=UTC - month - 1), 0)
    outbox.add(window(at=UTC - month + 1), 0)
    outbox.add(window(at=None, clock="unknown"), 0)
    outbox.flush()
    outbox.trim(now())
    assert outbox.level()[0::3] == (3, 1)


@pytest.mark.parametrize(
    "moment", [now(1e9, source="estimated"), now(utc=None, source="unknown")], ids=["estimated", "unknown"]
)
def test_a_clock_that_nobody_vouches_for_costs_no_data(outbox: Outbox, moment: module.Now) -> None:
    outbox.add(window(), 0)
    outbox.flush()
    outbox.trim(moment)
    assert seqs(outbox) == [1]


def test_too_much_the_oldest_windows_go_first(path: Path) -> None:
    with Outbox(path, max_bytes=10_000, max_days=30) as outbox:
        outbox.add(session(), 0)
        for n in range(40):
            outbox.add(window(at=UTC + n), 0)
        outbox.flush()
        outbox.trim(now())
        level = outbox.level()
        assert 9000 < level.bytes <= 10_000
        first, *rest = seqs(outbox)
        assert first == 1
        assert rest == list(range(42 - len(rest), 42))
        assert level.given_up == 40 - len(rest)
        # Once the session is acknowledged, the floor tells the cloud not to wait for what was given up.
        ack(outbox, 1)
        assert {m.floor for _, m in outbox.after(START, 10) if m} == {rest[0]}


def test_sessions_alone_may_exceed_the_bound(path: Path) -> None:
    with Outbox(path, max_bytes=1000, max_days=30) as outbox:
        for _ in range(20):
            outbox.add(session(session=str(uuid.uuid4())), 0)
        outbox.flush()
        outbox.trim(now())
        assert outbox.level().rows == 20


# Clock


def test_what_has_no_time_waits_and_is_stamped(outbox: Outbox) -> None:
    outbox.add(window(at=None, clock="unknown"), 990_000_000_000)
    outbox.add(window(at=UTC, clock="synchronised"), 0)
    outbox.flush()
    assert seqs(outbox) == []
    outbox.stamp(now(utc=None, source="unknown"))
    outbox.flush()
    assert seqs(outbox) == []
    outbox.stamp(now())
    outbox.flush()
    assert [(m.at, m.clock) for _, m in outbox.after(START, 9) if m] == [
        (UTC - 10, "estimated"), (UTC, "synchronised"),
    ]  # fmt: skip


def test_a_latecomer_without_a_time_blocks_nothing(outbox: Outbox) -> None:
    outbox.tick(now())
    outbox.add(window(at=None, clock="unknown"), 999_000_000_000)  # made just before the time was known
    for seconds in (0.1, 1.2, 1.3):
        outbox.tick(now(seconds))
    assert [m.at for _, m in outbox.after(START, 9) if m] == [UTC - 1]


def test_what_never_had_a_time_is_sent_without(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(module, "boot_id", lambda: "another boot")
        with Outbox(path, **LIMITS) as outbox:
            outbox.add(window(at=None, clock="unknown"), 5)
    with Outbox(path, **LIMITS) as outbox:
        outbox.stamp(now())
        outbox.flush()
        assert [(m.at, m.clock) for _, m in outbox.after(START, 9) if m] == [(None, "unknown")]


# Trouble


def test_what_breaks_the_contract_takes_no_number(outbox: Outbox) -> None:
    assert not outbox.add(window(camera="c" * 65), 0)
    assert not outbox.add(window(metrics={"trunk_lean": float("nan")}), 0)
    assert outbox.add(window(), 0)
    outbox.flush()
    assert seqs(outbox) == [1]


def test_a_group_written_twice_is_there_once(outbox: Outbox) -> None:
    outbox.add(session(), 0)
    outbox.add(window(), 0)
    group = list(outbox._group._pending)
    outbox.flush()
    outbox._group._pending.extend(
        group
    )  # as if the commit had reached the disk and its success had not reached us
    outbox.flush()
    assert seqs(outbox) == [1, 2]
    assert outbox.level().rows == 2


def test_no_room(path: Path) -> None:
    with small_disk(path.parent, "512k"), Outbox(path, **LIMITS) as outbox:
        added = 0
        problem: StoreError | None = None
        while problem is None:
            for _ in range(20):
                outbox.add(window(), 0)
                added += 1
            try:
                outbox.flush()
            except StoreError as error:
                problem = error
        assert "disk is full" in str(problem)
        written = seqs(outbox)
        assert written == list(range(1, added - 19))
        outbox.add(session(change="end", reason="left"), 0)
        with pytest.raises(StoreError, match="disk is full"):
            outbox.flush()
        remount(path.parent, "size=4m")
        outbox.flush()
        assert outbox.problem is None
        assert seqs(outbox) == list(range(1, added + 2))


def test_a_disk_full_for_long_costs_windows_but_no_session(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_PENDING", 3)
    assert [outbox.add(window(), 0) for _ in range(4)] == [
        True,
        True,
        False,
        False,
    ]  # the boot's own row is one
    assert outbox.add(session(), 0)
    outbox.flush()
    assert seqs(outbox) == [1, 2, 3]
    assert outbox.level().given_up == 2


@pytest.mark.parametrize("content", [b"not a database" * 200, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_file_is_kept_and_a_new_one_begun(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with Outbox(path, **LIMITS) as outbox:
        assert outbox.damaged is not None
        assert outbox.damaged.read_bytes() == content
        outbox.add(window(), 0)
    with Outbox(path, **LIMITS) as outbox:
        assert outbox.damaged is None
        assert len(seqs(outbox)) == 1


def test_damage_inside_after_a_crash(path: Path) -> None:
    with Outbox(path, **LIMITS) as outbox:
        for _ in range(500):
            outbox.add(window(), 0)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 3)
        file.write(os.urandom(50_000))
    path.with_name("outbox.db-wal").touch()
    with Outbox(path, **LIMITS) as outbox:
        assert outbox.damaged is not None
        outbox.add(window(), 0)
        outbox.flush()
        assert seqs(outbox) == [1]


def test_a_damaged_row_is_known_as_such(outbox: Outbox) -> None:
    for _ in range(3):
        outbox.add(window(), 0)
    outbox.flush()
    outbox._db.execute("UPDATE messages SET body = x'7b7b' WHERE seq = 2")
    assert [message is None for _, message in outbox.after(START, 9)] == [False, True, False]
    outbox.give_up(outbox.after(START, 9)[1].position)
    assert seqs(outbox) == [1, 3]
    assert outbox.level().given_up == 1


def test_a_newer_kinebox_wrote_it(path: Path) -> None:
    Outbox(path, **LIMITS).close()
    db = sqlite3.connect(path)
    db.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kinebox-outbox', '9', '')"
    )
    db.commit()
    db.close()
    with pytest.raises(StoreError, match="newer Kinebox"):
        Outbox(path, **LIMITS)
    assert [file.name for file in path.parent.iterdir()] == ["outbox.db"]


def test_open_sessions_outlive_the_process(path: Path) -> None:
    other = str(uuid.uuid4())
    with Outbox(path, **LIMITS) as outbox:
        outbox.add(session(), 0)
        outbox.add(session(change="change", exercise="squat"), 0)
        outbox.add(session(session=other), 0)
        outbox.add(session(session=other, change="end", reason="left"), 0)
        ack_all = outbox.boot
    with Outbox(path, **LIMITS) as outbox:
        ack(outbox, 4, ack_all)
        (left,) = outbox.open_sessions()
        assert (left.session, left.exercise) == (STAY, "squat")
