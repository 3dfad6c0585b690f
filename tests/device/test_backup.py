"""Backups: everything comes back, without the passphrase nobody reads or changes it, and nothing is half restored."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from edge.device import takeover
from edge.device.backup import back_up
from edge.device.parts import PARTS
from edge.device.restore import restore
from edge.device.sealed import CONTENT, KEY
from edge.errors import BackupError
from edge.store import Store
from edge.uplink.outbox import START, Outbox
from tests.powercut import CUTS, ROOT, cuts, trace
from tests.store.samples import begin, repetition
from tests.uplink.samples import LIMITS, window

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = "correct horse battery"  # noqa: S105 - of tests
FILES = {
    "state/camera.json": b'{"height_m":1.7}',
    "state/calibration.json": b'{"cameras":[]}',
    "state/exercises/mine.toml": b"id = 'mine'",
    "settings/config.toml": b"[camera]\nheight_m = 1.7\n",
    "settings/exercises/ours.toml": b"id = 'ours'",
}
IDENTITY = {"state/device-id": b"7", "state/web-token": b"secret", "settings/certs/device.key": b"key"}


def household(folder: Path, reps: int = 3) -> dict[str, Path]:
    """What a box knows after a session."""
    places = {"state": folder / "state", "settings": folder / "settings"}
    for name, content in (FILES | IDENTITY).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    with Store(places["state"] / "kinebox.db") as store:
        number = store.begin_set(begin(store), exercise="squat", t=0.0)
        for count in range(reps):
            store.add_repetition(number, repetition(float(count)))
    with Outbox(places["state"] / "outbox.db", **LIMITS) as outbox:
        for count in range(1, reps + 1):
            outbox.add(window(reps=count), 0)
        outbox.flush()
    return places


def empty(folder: Path) -> dict[str, Path]:
    return {"state": folder / "state", "settings": folder / "settings"}


def known(places: dict[str, Path]) -> tuple[int, int, dict[str, bytes]]:
    """Repetitions, messages that wait, and the files."""
    root = places["state"].parent
    with Store(places["state"] / "kinebox.db") as store:
        reps = sum(one.reps for session in store.sessions(50) for one in session.exercises)
    with Outbox(places["state"] / "outbox.db", **LIMITS) as outbox:
        waiting = len(outbox.after(START, 100))
    files = {name: (root / name).read_bytes() for name in FILES | IDENTITY if (root / name).exists()}
    return reps, waiting, files


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("box")
    back_up(folder / "box.kinebox", PASSPHRASE, household(folder))
    return folder / "box.kinebox"


def test_everything_comes_back_but_who_the_box_is(backup: Path, tmp_path: Path) -> None:
    places = empty(tmp_path)
    about = restore(backup, PASSPHRASE, places)
    assert not about.identity
    assert known(places) == (3, 3, FILES)
    assert (places["state"] / "kinebox.db").stat().st_mode & 0o777 == 0o600
    assert backup.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in places["state"].glob(".*")) == []


def test_what_was_there_is_kept_aside(backup: Path, tmp_path: Path) -> None:
    places = household(tmp_path, reps=5)
    (places["state"] / "coach.json").write_text("{}")
    (places["settings"] / "config.toml").chmod(0o640)
    restore(backup, PASSPHRASE, places)
    assert known(places)[:2] == (3, 3)
    assert known(places)[2] == FILES | IDENTITY  # this box stays who it is
    assert (places["settings"] / "config.toml").stat().st_mode & 0o777 == 0o640
    assert not (places["state"] / "coach.json").exists()  # the backup had none
    (aside,) = places["state"].glob("kinebox.db.before-*")
    with sqlite3.connect(aside) as old:
        assert old.execute("SELECT count(*) FROM repetitions").fetchone() == (5,)
    old.close()
    assert len(list(places["state"].glob("coach.json.before-*"))) == 1


def test_a_hub_goes_on_while_it_is_backed_up_with_its_identity(tmp_path: Path) -> None:
    places = household(tmp_path)
    with Store(places["state"] / "kinebox.db") as store:
        number = store.begin_set(begin(store), exercise="squat", t=0.0)
        store.add_repetition(number, repetition(1.0))
        store.flush()
        back_up(tmp_path / "b", PASSPHRASE, places, identity=True)
        store.add_repetition(number, repetition(2.0))
        store.flush()
        with pytest.raises(BackupError, match="Kinebox is recording"):
            restore(tmp_path / "b", PASSPHRASE, places)
    new = empty(tmp_path / "new")
    assert restore(tmp_path / "b", PASSPHRASE, new).identity
    assert known(new) == (4, 3, FILES | IDENTITY)
    assert (new["settings"] / "certs/device.key").stat().st_mode & 0o777 == 0o640


def test_nothing_can_be_read_in_it(backup: Path) -> None:
    data = backup.read_bytes()
    with zipfile.ZipFile(backup) as archive:
        assert archive.namelist() == [KEY, CONTENT]
        for name in archive.namelist():
            assert archive.read(name).startswith(b"age-encryption.org/v1\n")
    for word in (b"SQLite", b"squat", b"height_m", PASSPHRASE.encode()):
        assert word not in data


def test_who_has_not_the_passphrase_gets_nothing(backup: Path, tmp_path: Path) -> None:
    places = household(tmp_path)
    before = known(places)
    with pytest.raises(BackupError, match="the passphrase does not open"):
        restore(backup, PASSPHRASE + "!", places)
    assert known(places) == before
    with pytest.raises(BackupError, match="fewer than 12 characters"):
        back_up(tmp_path / "b", "short", places)


def test_a_damaged_one_changes_nothing(backup: Path, tmp_path: Path) -> None:
    places, data = household(tmp_path), backup.read_bytes()
    before = known(places)
    changed = [data[: len(data) * share // 10] for share in range(10)]
    for share in (1, 5, 9):
        at = len(data) * share // 10
        changed.append(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    for one in changed:
        (tmp_path / "b").write_bytes(one)
        with pytest.raises(BackupError, match="damaged"):
            restore(tmp_path / "b", PASSPHRASE, places)
        assert not list(tmp_path.glob("*/*.staged*"))
    assert known(places) == before


def test_two_halves_of_different_backups_are_none(backup: Path, tmp_path: Path) -> None:
    """Whoever cannot open a backup cannot put other content into it."""
    back_up(tmp_path / "other", PASSPHRASE, household(tmp_path / "box"))
    with (
        zipfile.ZipFile(tmp_path / "mixed", "w") as mixed,
        zipfile.ZipFile(backup) as one,
        zipfile.ZipFile(tmp_path / "other") as two,
    ):
        mixed.writestr(KEY, one.read(KEY))
        mixed.writestr(CONTENT, two.read(CONTENT))
    with pytest.raises(BackupError, match="damaged"):
        restore(tmp_path / "mixed", PASSPHRASE, empty(tmp_path / "new"))


def test_one_of_a_newer_kinebox_is_refused(tmp_path: Path) -> None:
    places = household(tmp_path / "newer")
    with sqlite3.connect(places["state"] / "kinebox.db") as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kinebox', '9999_later', '')"
        )
    db.close()
    back_up(tmp_path / "b", PASSPHRASE, places)
    mine = household(tmp_path / "mine", reps=1)
    before = known(mine)
    with pytest.raises(BackupError, match="written by a newer Kinebox"):
        restore(tmp_path / "b", PASSPHRASE, mine)
    assert known(mine) == before


def test_no_file_is_replaced_and_a_full_disk_is_left_as_it_was(
    small_disk: Path, backup: Path, tmp_path: Path
) -> None:
    places = household(tmp_path)
    (tmp_path / "there").write_text("mine")
    with pytest.raises(BackupError, match="is there already"):
        back_up(tmp_path / "there", PASSPHRASE, places)
    (places["state"] / "exercises/large.toml").write_bytes(os.urandom(3_000_000))
    with pytest.raises(BackupError, match="cannot be written"):
        back_up(small_disk / "b", PASSPHRASE, places)
    assert list(small_disk.iterdir()) == []
    (small_disk / "ballast").write_bytes(bytes(2_000_000))
    with pytest.raises(BackupError, match="No space left"):
        restore(backup, PASSPHRASE, empty(small_disk))
    assert {path.name for path in small_disk.rglob("*") if path.is_file()} == {"ballast", "kinebox.lock"}


def test_a_power_cut_restores_all_or_nothing(backup: Path, tmp_path: Path) -> None:
    places, before = household(tmp_path / "box", reps=5), tmp_path / "before"
    shutil.copytree(places["state"], before)
    steps = trace(places["state"], "tests.device.restorer", str(tmp_path / "box"), str(backup))
    ends = set()
    for state, _ in cuts(steps, tmp_path, CUTS, before):
        takeover.finish(state)
        ends.add(known({"state": state, "settings": state})[:2])
    assert ends == {(5, 5), (3, 3)}


def test_from_the_command_line(tmp_path: Path) -> None:
    household(tmp_path)
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    environment = {**os.environ, "KINEBOX_STATE": str(tmp_path / "state")}

    def kinebox(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "edge.cli", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environment, input=given, capture_output=True, text=True, check=False
        )

    made = kinebox("backup", str(tmp_path / "b"), "--passphrase-file", str(tmp_path / "passphrase"))
    assert (made.returncode, made.stderr) == (0, "")
    (tmp_path / "state/camera.json").unlink()
    back = kinebox("restore", str(tmp_path / "b"), "--passphrase-file", "-", given=f"{PASSPHRASE}\n")
    assert "Restored what Kinebox" in back.stdout, back.stderr
    assert (tmp_path / "state/camera.json").exists()


def test_parts_are_named_once() -> None:
    assert len({(part.place, part.name) for part in PARTS}) == len(PARTS)


def test_the_hub_goes_on_where_a_power_cut_stopped_a_restore(tmp_path: Path) -> None:
    (tmp_path / "coach.json").write_text("old")
    (tmp_path / "coach.json.staged").write_text("{}")
    (tmp_path / takeover.LIST).write_text('{"stamp":"then","new":["coach.json"],"gone":[]}')
    command = [
        sys.executable,
        "-m",
        "edge.hub",
        "--socket",
        "none",
        "--database",
        str(tmp_path / "kinebox.db"),
    ]
    done = subprocess.run(
        [*command, "--host", "203.0.113.1"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode, "nobody can listen there"
    assert (tmp_path / "coach.json").read_text() == "{}"
    assert (tmp_path / "coach.json.before-then").read_text() == "old"
