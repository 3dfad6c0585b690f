"""A disk that fills up: what can be made again goes first, courses of old sessions last, what was counted never.

The store and the outbox stand a full disk by themselves; this sees to it that it seldom comes to that.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from edge.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.store import Store
    from edge.uplink.outbox import Outbox

log = logging.getLogger("edge.device.disk")

LEAST_BYTES: Final = 256 * 2**20
LEAST_SHARE: Final = 0.05
"""Of the disk, or `LEAST_BYTES` where that is less, shall be free."""
EVERY_S: Final = 60.0
_ASIDE: Final = ("*.before-*", "*.damaged-*", ".backup-*")
"""What restoring, a damaged outbox and an interrupted backup leave in the state folder."""


class Step(NamedTuple):
    """One thing that may go."""

    name: str
    go: Callable[[], bool]
    """Lets some of it go; whether there was any."""


def make_room(free: Callable[[], int], least: int, steps: Sequence[Step]) -> list[str]:
    """Let go, in this order and no more than needed, until `least` bytes are free; the names of what went."""
    gone = []
    for step in steps:
        while free() < least and step.go():
            if step.name not in gone:
                gone.append(step.name)
    return gone


class Housekeeper:
    """Keeps some of the disk free on which the box's state lies."""

    def __init__(self, store: Store, outbox: Outbox | None = None, cache: Path | None = None) -> None:
        """`cache`: the folder of what can be made again; None: the one that systemd gave the process, if any."""
        self._state = store.path.parent
        self._store = store
        self._outbox = outbox
        given = os.environ.get("CACHE_DIRECTORY")
        self._cache = cache or (Path(given) if given else None)
        self._next = 0.0

    def tick(self, now_monotonic: float) -> None:
        """Look once a minute, and make room where there is little. Raises StoreError."""
        if now_monotonic >= self._next:
            self._next = now_monotonic + EVERY_S
            self.look()

    def look(self) -> list[str]:
        """Make room if there is little; the names of what went. Raises StoreError."""
        least = min(LEAST_BYTES, int(LEAST_SHARE * shutil.disk_usage(self._state).total))
        steps = [Step("caches", self._clear_cache), Step("what was put aside", self._clear_aside)]
        if self._outbox is not None:
            steps.append(Step("the oldest windows for the cloud", self._outbox.give_up_some))
        steps.append(Step("courses of the oldest sessions", self._store.forget_oldest_course))
        gone = make_room(self._free, least, steps)
        if gone:
            log.warning("the disk was nearly full: %s had to go", ", ".join(gone))
        return gone

    def _free(self) -> int:
        """Room for new rows: on the disk, and in the files, which keep their size."""
        reusable = self._store.reusable + (0 if self._outbox is None else self._outbox.reusable)
        return shutil.disk_usage(self._state).free + reusable

    def _clear_cache(self) -> bool:
        return self._cache is not None and _remove(list(self._cache.glob("*")))

    def _clear_aside(self) -> bool:
        return _remove([path for pattern in _ASIDE for path in self._state.glob(pattern)])


def _remove(paths: list[Path]) -> bool:
    try:
        for path in paths:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    except OSError as error:
        raise StoreError(
            f"{error.filename} cannot be removed: {error.strerror}", "Remove it by hand"
        ) from error
    return bool(paths)
