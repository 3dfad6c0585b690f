"""Several files of a folder replaced at once: after a power cut all of them or none, once `finish` has been called.

Each new file lies beside the old one under another name; a list of them is the decision. Whoever finds the list goes
on where it was left: the hub does before it opens anything.
"""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

import msgspec

from edge.device.durable import sync, write_whole
from edge.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

LIST = ".takeover.json"
_STAGED = ".staged"
_BESIDE = ("", "-wal", "-shm")
"""A database and what SQLite keeps next to it."""


class _Takeover(msgspec.Struct, frozen=True):
    stamp: str
    new: list[str]
    gone: list[str]


def staged(path: Path) -> Path:
    """Where the file or folder lies that is to be `path`."""
    return path.with_name(f"{path.name}{_STAGED}")


def commit(folder: Path, new: list[str], gone: list[str], stamp: str) -> None:
    """Let what is staged for `new` take over; what was there, and `gone`, stays as NAME.before-STAMP."""
    sync(folder)
    write_whole(folder / LIST, msgspec.json.encode(_Takeover(stamp, new, gone)))
    finish(folder)


def finish(folder: Path) -> None:
    """Go on with what was decided; does nothing where nothing was. Raises StoreError where that is not possible."""
    try:
        _finish(folder)
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(
            f"what was restored cannot take its place in {folder}: {error}",
            "Make room, or give this user its rights",
        ) from error


def _finish(folder: Path) -> None:
    try:
        decided = msgspec.json.decode((folder / LIST).read_bytes(), type=_Takeover)
    except FileNotFoundError:
        return
    for name in decided.gone:
        _put_aside(folder, name, decided.stamp)
    for name in decided.new:
        if staged(folder / name).exists():  # else it has taken over already
            _put_aside(folder, name, decided.stamp)
            staged(folder / name).rename(folder / name)
    sync(folder)
    (folder / LIST).unlink()
    sync(folder)
    log.info("what was there in %s before is kept as *.before-%s", folder, decided.stamp)


def forget(folder: Path) -> None:
    """Remove what is staged and was not decided."""
    for path in folder.glob(f"*{_STAGED}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _put_aside(folder: Path, name: str, stamp: str) -> None:
    for ending in _BESIDE:
        path = folder / f"{name}{ending}"
        if path.exists():
            path.rename(folder / f"{name}{ending}.before-{stamp}")
