"""What the cloud wants to run here, brought in two steps: fetched without rights, installed without a network."""

from __future__ import annotations

import logging
import os
import stat
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.device.durable import write_whole
from edge.device.fetch import fetch, forget_others, ready
from edge.device.tree import trees
from edge.device.update import UpdateLaterError, apply, roll_back, wait_until_idle
from edge.device.wanted import CACHE, FETCHED, TRIED, Tried, is_previous, is_settled, source, wanted
from edge.errors import KineboxError, UpdateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge.device.update import Machine
    from edge.device.wanted import Source, Wanted

log = logging.getLogger(__name__)

WAIT_S = 1800.0
"""For the end of a session; then the next run tries it."""


def fetch_wanted(root: Path, folder: Path | None = None) -> str:
    """Fetch what shall run here and does not; returns what happened, empty where there was nothing to do.

    Raises UpdateError and ConfigError, after having tried all.
    """
    folder = folder or cache()
    missing = [one for one in wanted() if not is_settled(one, root)]
    forget_others(missing, folder)
    if not missing:
        return ""
    place = source()
    return _each(missing, lambda one: _bring(one, place, root, folder))


def _bring(one: Wanted, place: Source | None, root: Path, folder: Path) -> str:
    if one.unknown:
        return _once(folder, one, one.unknown)
    if is_previous(one, root):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ready(one, folder).touch()  # nothing is to be fetched
        return f"{one} is here already"
    if place is None:
        text = f"{one} is wanted here, and [updates] in config.toml names no place to fetch it from"
        return _once(folder, one, text)
    fetch(one, place, folder)
    return f"{one} is fetched"


def follow(box: Machine, folder: Path | None = None) -> str:
    """Install what was fetched, if it is still what shall run here, or go back to it; returns what happened.

    Raises UpdateError where something was refused or taken back: then it is not tried again.
    """
    folder = folder or cache()
    deadline = time.monotonic() + WAIT_S
    there = [(one, ready(one, folder)) for one in wanted()]
    return _each(
        [one for one, path in there if path.exists() or path.is_symlink()],
        lambda one: _install(box, one, ready(one, folder), max(deadline - time.monotonic(), 0.0)),
    )


def _install(box: Machine, one: Wanted, path: Path, wait_s: float) -> str:
    if settled := is_settled(one, box.root):
        path.unlink(missing_ok=True)
        return settled
    tree = trees(box.root)[one.kind]
    try:
        if is_previous(one, box.root):
            wait_until_idle(box.hub, wait_s)
            text = "\n".join(roll_back(box, one.kind))
        else:
            with _held(path) as file:
                text = apply(box, file, wait_s=wait_s, expected=(one.kind, one.version))
    except UpdateLaterError as error:
        return f"{one} waits: {error}"
    except UpdateError as error:
        if isinstance(error.__cause__, OSError):
            raise  # the disk, not the release
        refused = Tried(serial=one.serial, version=one.version, reason=str(error))
        tree.root.mkdir(exist_ok=True)
        write_whole(tree.root / TRIED, msgspec.json.encode(refused))
        path.unlink(missing_ok=True)
        raise
    path.unlink(missing_ok=True)
    (tree.root / TRIED).unlink(missing_ok=True)
    return text


def _each(ones: Sequence[Wanted], do: Callable[[Wanted], str]) -> str:
    """What `do` says of each. One that fails keeps no other away: the last of such errors is raised in the end."""
    said: list[str] = []
    failed: KineboxError | None = None
    for one in ones:
        try:
            text = do(one)
        except KineboxError as error:
            if failed is not None:
                log.error("%s", failed)
            failed = error
        else:
            said += [text] if text else []
    if failed is None:
        return "\n".join(said)
    for text in said:
        log.info("%s", text)
    raise failed


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


def _once(folder: Path, one: Wanted, text: str) -> str:
    """Said once of each desired state, not with every run."""
    told = folder / f"told-{one.kind}"
    if told.exists() and told.read_text(encoding="ascii") == str(one.serial):
        return ""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    told.write_text(str(one.serial), encoding="ascii")
    return text
