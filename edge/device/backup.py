"""`kinebox backup`: everything that a box knows in one encrypted file, while it goes on working."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from edge import __version__
from edge.device.durable import sync
from edge.device.parts import DATABASES, PARTS
from edge.device.sealed import sealing
from edge.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LEAST_PASSPHRASE = 12
"""Characters: who finds the file may try as long as they like."""
ABOUT = "backup.json"
_SCRATCH = ".backup-"


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at the beginning of a backup."""

    schema: Literal[1] = 1
    kinebox: str
    made: float
    """UTC seconds, as far as the box knew the time."""
    identity: bool
    """Whether it holds who this box is."""


def back_up(target: Path, passphrase: str, places: Mapping[str, Path], *, identity: bool = False) -> int:
    """Write a backup; returns its size in bytes. Raises BackupError, leaving nothing behind.

    identity: also certificates and keys, the device's id and the access token.
    """
    check(passphrase)
    if target.exists():
        raise BackupError(f"{target} is there already", "Name another file: no backup is replaced")
    state = places["state"]
    if not (state / "kinebox.db").exists():
        raise BackupError(
            f"nothing has been recorded in {state}", "Set KINEBOX_STATE, or run it on the box as root"
        )
    part = target.with_name(f"{target.name}.part")
    try:
        for left in state.glob(f"{_SCRATCH}*"):  # by a power cut
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=state) as scratch:
            snapshots = _snapshots(state, Path(scratch))
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                with sealing(file, passphrase) as plain, tarfile.open(fileobj=plain, mode="w|gz") as tar:
                    _fill(tar, places, snapshots, identity=identity)
                file.flush()
                os.fsync(file.fileno())
        part.rename(target)
        sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(
            f"the backup {target} cannot be written: {error}", "Make room, or name another file"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def check(passphrase: str) -> None:
    """Raise BackupError for a passphrase that can be guessed."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise BackupError(
            f"the passphrase has fewer than {LEAST_PASSPHRASE} characters",
            "Take a longer one: a few words will do",
        )


def _snapshots(state: Path, scratch: Path) -> dict[str, Path]:
    """Each database as it was at one moment, whoever writes to it meanwhile."""
    made = {}
    for name in DATABASES:
        if (state / name).exists():
            made[name] = scratch / name
            with (
                closing(sqlite3.connect(f"{(state / name).absolute().as_uri()}?mode=rw", uri=True)) as source,
                closing(sqlite3.connect(made[name])) as copy,
            ):
                source.execute("PRAGMA query_only = ON")
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    return made


def _fill(
    tar: tarfile.TarFile, places: Mapping[str, Path], snapshots: dict[str, Path], *, identity: bool
) -> None:
    about = msgspec.json.encode(About(kinebox=__version__, made=time.time(), identity=identity))
    member = tarfile.TarInfo(ABOUT)
    member.size = len(about)
    tar.addfile(member, io.BytesIO(about))
    for part in PARTS:
        if part.identity and not identity:
            continue
        path = places[part.place] / part.name
        path = snapshots.get(part.name, path) if part.place == "state" else path
        for file, below in _files(path):
            with file.open("rb") as content:
                member = tarfile.TarInfo(f"{part.place}/{part.name}{below}")
                member.size = os.fstat(content.fileno()).st_size
                tar.addfile(member, content)


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    """A file, or those that lie in a folder, each with what follows the folder's name."""
    if path.is_dir():
        yield from ((file, f"/{file.name}") for file in sorted(path.iterdir()) if file.is_file())
    elif path.is_file():
        yield path, ""
