"""Damaged files, foreign files, no room, no permission: refused in clear words, and nothing is touched."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from edge.errors import ConfigError, StoreError
from edge.store import Store, database_path, schema
from tests.store.samples import begin, repetition
from wire.metrics import Metric, live_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any
from contextlib import contextmanager


def fill(path: Path) -> str:
    with Store(path) as store:
        session_id = begin(store)
        for t in range(2000):
            store.add_sample(session_id, t / 5, {key.key: 1.0 for key in live_metrics()})
        store.begin_set(session_id, exercise="squat", t=1.0)
        store.end_session(session_id, t=400.0, reason="left")
    return session_id


# Damage


@pytest.mark.parametrize(
    "content",
    [
        b"not a database, but long enough to have a header of one hundred bytes" * 20,
        b"SQLite format 3\0" + b"\xff" * 2000,
    ],
    ids=["text", "header only"],
)
def test_a_file_that_is_no_database(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"not a Kinebox database|is damaged") as refused:
        Store(path)
    assert "moved away" in refused.value.remedy
    assert path.read_bytes() == content


def test_damage_is_noticed_when_the_file_is_opened_after_a_crash(path: Path) -> None:
    fill(path)
    damage(path)
    path.with_name(path.name + "-wal").touch()  # left behind by a recorder that was cut off
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is damaged"):
        Store(path)
    assert path.read_bytes() == before


def test_damage_is_noticed_when_it_is_read(path: Path) -> None:
    session_id = fill(path)
    damage(path)
    with Store(path) as store, pytest.raises(StoreError, match="is damaged"):
        store.samples(session_id)


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(os.urandom(16384))


def test_a_truncated_file(path: Path) -> None:
    session_id = fill(path)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StoreError), Store(path) as store:
        store.samples(session_id)


def test_an_empty_file_is_a_new_database(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with Store(path) as store:
        assert store.sessions(10) == []


# Versions


def test_opening_again_changes_nothing(path: Path) -> None:
    session_id = fill(path)
    before = dump(path)
    for _ in range(2):
        with Store(path) as store:
            assert store.session(session_id).duration_s == 400.0
    assert dump(path) == before


def dump(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    lines = list(db.iterdump())
    db.close()
    return lines


def test_a_file_from_before_summaries_is_read_and_written_on(path: Path) -> None:
    session_id = fill(path)
    db = sqlite3.connect(path)
    for statement in (
        "ALTER TABLE sets DROP COLUMN summary",
        "ALTER TABLE sets DROP COLUMN rejected_reps",
        "DELETE FROM _sqlite_migrations WHERE name = '0004_set_summary'",
    ):
        db.execute(statement)
    db.commit()
    db.close()
    with Store(path) as store:
        old = store.session(session_id).sets
        assert old
        assert {(one.summary, one.rejected_reps) for one in old} == {(None, 0)}


def test_a_newer_kinebox_wrote_it(path: Path) -> None:
    fill(path)
    db = sqlite3.connect(path)
    db.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('kinebox', '0999_telepathy', '2031-01-01')"
    )
    db.commit()
    db.close()
    before = dump(path)
    with pytest.raises(StoreError, match=r"newer Kinebox.*0999_telepathy") as refused:
        Store(path)
    assert "newer version" in refused.value.remedy
    assert dump(path) == before


def extended(key: str) -> tuple[Metric, ...]:
    (first, *_) = live_metrics()
    new = {field: getattr(first, field) for field in first.__struct_fields__} | {"key": key}
    return (*live_metrics(), Metric(**new))


def test_a_new_metric_gets_its_column(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session_id = fill(path)
    monkeypatch.setattr(schema, "live_metrics", lambda: extended("tail_angle"))
    with Store(path) as store:
        new = begin(store)
        store.add_sample(new, 1.0, {"tail_angle": 45.0})
        store.flush()
        assert store.samples(new, ["tail_angle"]).series == {"tail_angle": [45.0]}
        assert store.samples(session_id, ["tail_angle"]).series == {"tail_angle": [None] * 2000}
    monkeypatch.undo()
    with Store(path) as store:  # and the older catalogue still reads the file
        assert "tail_angle" not in store.samples(new).series


@pytest.mark.parametrize("key", ["t", "session_id", "Knee", "1st", 'x" REAL, y', ""])
def test_a_key_that_is_no_column(path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setattr(schema, "live_metrics", lambda: extended(key))
    with pytest.raises(ConfigError, match="column"):
        Store(path)


# Places


def test_private_to_its_owner(path: Path) -> None:
    with Store(path) as store:
        begin(store)
        store.flush()
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(["kinebox.db", "kinebox.db-wal", "kinebox.db-shm", "kinebox.lock"], 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    Store(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KINEBOX_STATE", str(tmp_path))
    assert database_path() == tmp_path / "kinebox.db"
    monkeypatch.delenv("KINEBOX_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert database_path() == tmp_path / "kinebox" / "kinebox.db"


def test_a_folder_in_its_place(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(path)


def test_a_file_in_place_of_the_folder(path: Path) -> None:
    path.parent.touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(path)


def test_odd_characters_in_the_path(tmp_path: Path) -> None:
    with Store(tmp_path / "50% ?#&" / "kinebox.db") as store:
        begin(store)
        store.flush()
        assert len(store.sessions(10)) == 1


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("missing: root, to mount a small file system")
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"missing: the right to mount a small file system ({done.stderr.strip()})")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


def test_a_read_only_folder(path: Path) -> None:
    with small_disk(path.parent, "1m"):
        remount(path.parent, "ro")
        with pytest.raises(StoreError, match="Read-only file system") as refused:
            Store(path)
    assert "write permission" in refused.value.remedy


def test_a_folder_that_turns_read_only(path: Path) -> None:
    path.parent.mkdir()
    with Store(path) as store:
        begin(store)
        store._db.execute(
            "PRAGMA query_only = ON"
        )  # what SQLite says when the file system has become read-only
        with pytest.raises(StoreError, match="cannot be written"):
            store.flush()
        assert store.problem is not None
        store._db.execute("PRAGMA query_only = OFF")
        store.flush()
        assert store.problem is None


@contextmanager
def full_disk(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    with small_disk(folder, "1m"):
        yield "disk is full", lambda: remount(folder, "size=8m")


@contextmanager
def file_size_limit(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def lift() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        yield "input/output error", lift
    finally:
        lift()


@pytest.mark.parametrize("shortage", [full_disk, file_size_limit])
def test_no_room_in_mid_session(path: Path, shortage: Callable[[Path], Any]) -> None:
    with shortage(path.parent) as (message, more_room), Store(path) as store:
        session_id = begin(store)
        number = store.begin_set(session_id, exercise="squat", t=0.0)
        safe = 0
        problem = None
        while problem is None:
            store.add_repetition(number, repetition(float(safe + 1)))
            store.add_sample(session_id, float(safe + 1), {"trunk_lean": 1.0})
            try:
                store.flush()
                safe += 1
            except StoreError as error:
                problem = error
        assert message in str(problem)
        assert "What was recorded" in problem.remedy
        assert safe > 20
        assert store.problem is problem
        # The session goes on in memory, and what was safe stays readable.
        store.add_repetition(number, repetition(float(safe + 2)))
        with pytest.raises(StoreError, match=message):
            store.flush()
        assert store.session(session_id).sets[0].reps == safe

        more_room()
        store.end_session(session_id, t=safe + 3.0, reason="left")
        store.flush()
        assert store.problem is None
        session = store.session(session_id)
        assert [rep.t for rep in session.sets[0].repetitions] == [float(n) for n in range(1, safe + 3)]
        assert session.end_reason == "left"
        with Store(path) as other:
            assert other._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_no_room_for_a_new_database(path: Path) -> None:
    with small_disk(path.parent, "8k"), pytest.raises(StoreError, match=r"disk is full|input/output"):
        Store(path)


def test_locked_by_another_program(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.store import connect

    monkeypatch.setattr(connect, "BUSY_MS", 50)
    with Store(path) as store:
        begin(store)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another program"):
            store.flush()
        other.close()
        store.flush()
        assert len(store.sessions(10)) == 1


def test_an_event_that_is_refused_blocks_no_other(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    session_id = begin(store)
    store._group.add("INSERT INTO sets (id, session_id, exercise, start_s) VALUES (99, 99, 'squat', 0)", ())
    number = store.begin_set(session_id, exercise="squat", t=0.0)
    store.flush()
    assert [s.id for s in store.session(session_id).sets] == [number]
    assert "refused an event" in caplog.text
