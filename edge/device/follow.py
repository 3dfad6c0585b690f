"""What the cloud wants to run here, brought in two steps: fetched without rights, installed without a network."""

from __future__ import annotations

import logging
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.device.durable import write_whole
from edge.device.fetch import fetch, ready
from edge.device.update import UpdateLaterError, apply, roll_back, wait_until_idle
from edge.device.wanted import CACHE, FETCHED, TRIED, Tried, is_previous, is_settled, source, wanted
from edge.errors import UpdateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.device.update import Machine
    from edge.device.wanted import Wanted

log = logging.getLogger(__name__)

WAIT_S = 1800.0
"""For the end of a session; then the next run tries it."""


def fetch_wanted(root: Path, folder: Path | None = None) -> str:
    """Fetch what shall run here and does not; returns what happened, empty where there was nothing to do.

    Raises UpdateError and ConfigError.
    """
    folder = folder or cache()
    one = wanted()
    if one is None or is_settled(one, root):
        return ""
    if is_previous(one, root):
        ready(one, folder).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        ready(one, folder).touch()  # nothing is to be fetched
        return f"{one.version} is here already"
    place = source()
    if place is None:
        return _once(folder, one)
    fetch(one, place, folder)
    return f"{one.version} is fetched"


def follow(box: Machine, folder: Path | None = None) -> str:
    """Install what was fetched, if it is still what shall run here, or go back to it; returns what happened.

    Raises UpdateError where it was refused or taken back: then it is not tried again.
    """
    one = wanted()
    if one is None:
        return ""
    path = ready(one, folder or cache())
    if not path.exists() and not path.is_symlink():
        return ""
    if settled := is_settled(one, box.root):
        path.unlink()
        return settled
    try:
        if is_previous(one, box.root):
            wait_until_idle(box.hub, WAIT_S)
            text = "\n".join(roll_back(box))
        else:
            with _held(path) as file:
                text = apply(box, file, wait_s=WAIT_S, version=one.version)
    except UpdateLaterError as error:
        return f"{one.version} waits: {error}"
    except UpdateError as error:
        if isinstance(error.__cause__, OSError):
            raise  # the disk, not the release
        refused = Tried(serial=one.serial, version=one.version, reason=str(error))
        write_whole(box.root / TRIED, msgspec.json.encode(refused))
        path.unlink(missing_ok=True)
        raise
    path.unlink(missing_ok=True)
    (box.root / TRIED).unlink(missing_ok=True)
    return text


def cache() -> Path:
    """The folder of what was fetched."""
    return Path(os.environ.get("CACHE_DIRECTORY") or CACHE) / FETCHED


@contextmanager
def _held(path: Path) -> Iterator[Path]:
    """A name for the very file that is there now, whatever is put in its place by whoever may write that folder."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UpdateError(f"{path} cannot be read: {error.strerror}", "It is fetched again") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UpdateError(f"{path} is no plain file", "It is fetched again")
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _once(folder: Path, one: Wanted) -> str:
    """Said once of each desired state, not with every run."""
    told = folder / "told"
    if told.exists() and told.read_text(encoding="ascii") == str(one.serial):
        return ""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    told.write_text(str(one.serial), encoding="ascii")
    return f"{one.version} is wanted here, and [updates] in config.toml names no place to fetch it from"
