"""The recent past of one body: every signal over the last minute, in a fixed amount of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.signals import COLUMNS

if TYPE_CHECKING:
    from edge.motion.signals import Signals

Array = npt.NDArray[np.float64]

MEMORY_S = 65.0
"""Longer than any repetition may take."""
_FASTEST_HZ = 62.0
"""Frames that come faster than this are passed over."""
_LEAST_ROOM = 128
"""Moments there is room for at first: most of those who pass by need no more."""


class Window(NamedTuple):
    """A stretch of the past; views, to be read before the next moment is added."""

    times: Array
    """float64[T], seconds, rising."""
    values: Array
    """float64[T, C], in the order of `signals.COLUMNS`; NaN where unknown."""
    visibility: Array
    """float64[T, C], 0-1."""
    doubt: Array
    """float64[T, C], from 1: how much more than usual a value may be off."""
    trunk_px: Array
    """float64[T]: length of the trunk in the picture."""
    progress: Array
    """float64[T, L], of L movements; NaN where a limb was not seen."""


class Course:
    """Takes the signals of each moment and hands out windows of them."""

    def __init__(self, movements: int = 0) -> None:
        """`movements`: of so many the progress is remembered, too."""
        self._past = _room(_LEAST_ROOM, movements)
        self._end = 0

    def _make_room(self, t: float) -> None:
        """Forget what is too long ago at `t` seconds; where that is less than half, take twice the room.

        So memory follows how long somebody is there and how often pictures come: a minute of 62 a second takes 10 MB.
        """
        known, room = self._past, len(self._past.times)
        first = int(known.times.searchsorted(t - MEMORY_S))
        kept = self._end - first
        if 2 * kept > room:
            self._past = _room(2 * room, known.progress.shape[1])
        for store, before in zip(self._past, known, strict=True):
            store[:kept] = before[first:]
        self._end = kept

    def add(self, t: float, now: Signals, progress: Array | None = None) -> None:
        """Take one moment at `t` seconds; one that does not come after the latest is left out.

        `progress`: of each movement, float64[L].
        """
        if self._end and t - self._past.times[self._end - 1] < 1 / _FASTEST_HZ:
            return
        if self._end == len(self._past.times):
            self._make_room(t)
        past, at = self._past, self._end
        past.times[at] = t
        past.values[at], past.visibility[at] = now.arrays
        past.doubt[at], past.trunk_px[at] = now.doubt, now.trunk_px
        if progress is not None:
            past.progress[at] = progress
        self._end += 1

    def window(self, start: float, end: float) -> Window:
        """The moments from `start` to `end` seconds, both included."""
        times = self._past.times[: self._end]
        first, last = times.searchsorted((start - 1e-9, end + 1e-9))
        part = slice(first, last)
        return Window(*(store[part] for store in self._past))


def _room(moments: int, movements: int) -> Window:
    """Arrays to be filled; a window of them is always in one piece."""
    signals = (moments, len(COLUMNS))
    return Window(
        np.empty(moments),
        np.empty(signals),
        np.empty(signals),
        np.empty(signals),
        np.empty(moments),
        np.empty((moments, movements)),
    )
