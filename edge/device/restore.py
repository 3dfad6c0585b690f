"""`kinebox restore`: a backup takes the place of what a box knows; what it knew is put aside."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import tarfile
import time
import zlib
from contextlib import closing, contextmanager
from typing import IO, TYPE_CHECKING

import msgspec

from edge.device import takeover
from edge.device.backup import ABOUT, About
from edge.device.durable import sync
from edge.device.parts import DATABASES, PARTS
from edge.device.sealed import unsealing
from edge.errors import BackupError, StoreError
from edge.store.connect import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sqlite_utils.db import Database

    from edge.device.parts import Part

_FOLDERS = {"exercises", "certs"}


def restore(source: Path, passphrase: str, places: Mapping[str, Path]) -> About:
    """Put what a backup holds into its places; returns what it says of itself.

    Everything is unpacked beside what is there and checked; then it takes over, in the state folder all of it or
    nothing, and what was there is put aside. Raises BackupError, having changed nothing, also while somebody records.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    try:
        places["state"].mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in places.values():
            takeover.finish(folder)
            takeover.forget(folder)
        with _nobody_records(places["state"]):
            try:
                about, found = _stage(source, passphrase, places)
            except BaseException:
                for folder in places.values():
                    takeover.forget(folder)
                raise
            # The settings first: each is whole, and whether the box knows what it knew is decided by the state.
            for place in ("settings", "state"):
                known = {part.name for part in PARTS if part.place == place and not part.identity}
                gone = known - found[place] if place == "state" else set()
                if found[place]:
                    takeover.commit(places[place], sorted(found[place]), sorted(gone), stamp)
    except OSError as error:
        raise BackupError(f"nothing is restored: {error}", "Run it as root, and make room") from error
    return about


@contextmanager
def _nobody_records(state: Path) -> Iterator[None]:
    """Keep the recorder's lock. Raises BackupError where it is held."""
    with (state / "kinebox.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Kinebox is recording in {state}", "Stop it first") from None
        yield


def _stage(source: Path, passphrase: str, places: Mapping[str, Path]) -> tuple[About, dict[str, set[str]]]:
    """Unpack everything beside what is there, and check it."""
    with unsealing(source, passphrase) as plain:
        about, found = _unpack(plain, places)
    for name, schema in DATABASES.items():
        if name in found["state"]:
            _check(takeover.staged(places["state"] / name), schema)
    for part in PARTS:
        if part.name in found[part.place]:
            _belong(part, places)
    return about, found


def _unpack(plain: IO[bytes], places: Mapping[str, Path]) -> tuple[About, dict[str, set[str]]]:
    """Bring everything to where it is staged; returns which parts there were, by place."""
    allowed = {(part.place, part.name) for part in PARTS}
    found: dict[str, set[str]] = {place: set() for place in places}
    about = None
    try:
        with tarfile.open(fileobj=plain, mode="r|gz") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                place, name, file = (*member.name.split("/"), "", "")[:3]
                if content is None:
                    raise BackupError(f"the backup holds {member.name!r}, which is no file", "Report this")
                if about is None:
                    about = _about(member.name, content)
                    continue
                if (
                    (place, name) not in allowed
                    or bool(file) != (name in _FOLDERS)
                    or member.name.count("/") > 2
                ):
                    raise BackupError(
                        f"the backup holds an unknown part: {member.name!r}", "Update Kinebox first"
                    )
                found[place].add(name)
                target = takeover.staged(places[place] / name)
                _write(target / file if file else target, content)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise BackupError(f"the backup is damaged ({error})", "Use another copy of it") from error
    if about is None:
        raise BackupError("the backup is empty", "Use another copy of it")
    return about, found


def _about(name: str, content: IO[bytes]) -> About:
    try:
        if name == ABOUT:
            return msgspec.json.decode(content.read(), type=About)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise BackupError("the backup is of a newer Kinebox than this one", "Update Kinebox first")


def _write(path: Path, content: IO[bytes]) -> None:
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            shutil.copyfileobj(content, file, 2**20)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BackupError(
            f"{path} cannot be written: {error.strerror}", "Make room, or run it as root"
        ) from error


def _check(path: Path, schema: Callable[[Database], None]) -> None:
    """Make a database current. Raises BackupError where it is damaged or of a newer Kinebox."""
    try:
        with closing(open_writer(path, schema)) as database:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
            database.execute("PRAGMA journal_mode = DELETE")
    except StoreError as error:
        raise BackupError(f"{error}", "Update Kinebox first") from error
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict != "ok":
        raise BackupError(f"a database in the backup is damaged ({verdict})", "Use another copy of it")
    sync(path)


def _belong(part: Part, places: Mapping[str, Path]) -> None:
    """Give what is staged the owner and the rights of what it replaces; where there is nothing, the usual ones."""
    before = places[part.place] / part.name
    staged = takeover.staged(before)
    whose, mode = places[part.place].stat(), 0o600 if part.place == "state" else 0o644
    owner, group = whose.st_uid, whose.st_gid
    if part.place == "settings" and part.identity:
        group, mode = places["state"].stat().st_gid, 0o640  # root writes it, the hub may read it
    if before.is_file():
        whose = before.stat()
        owner, group, mode = whose.st_uid, whose.st_gid, whose.st_mode & 0o777
    for path in (staged, *(staged.iterdir() if staged.is_dir() else ())):
        if os.geteuid() == 0:
            os.chown(path, owner, group)
        path.chmod(mode | 0o111 & mode >> 2 if path.is_dir() else mode)
        sync(path)
