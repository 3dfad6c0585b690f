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
_ROOM = int(MEMORY_S * _FASTEST_HZ)


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
        # Twice the room: what is needed is always in one piece.
        self._times = np.empty(2 * _ROOM)
        self._values = np.empty((2 * _ROOM, len(COLUMNS)))
        self._visibility = np.empty((2 * _ROOM, len(COLUMNS)))
        self._doubt = np.empty((2 * _ROOM, len(COLUMNS)))
        self._trunk_px = np.empty(2 * _ROOM)
        self._progress = np.empty((2 * _ROOM, movements))
        self._end = 0

    def add(self, t: float, now: Signals, progress: Array | None = None) -> None:
        """Take one moment at `t` seconds; one that does not come after the latest is left out.

        `progress`: of each movement, float64[L].
        """
        if self._end and t - self._times[self._end - 1] < 1 / _FASTEST_HZ:
            return
        if self._end == len(self._times):
            for store in (
                self._times, self._values, self._visibility, self._doubt, self._trunk_px, self._progress
            ):  # fmt: skip
                store[:_ROOM] = store[_ROOM:]
            self._end = _ROOM
        self._times[self._end] = t
        self._values[self._end], self._visibility[self._end] = now.arrays
        self._doubt[self._end], self._trunk_px[self._end] = now.doubt, now.trunk_px
        if progress is not None:
            self._progress[self._end] = progress
        self._end += 1

    def window(self, start: float, end: float) -> Window:
        """The moments from `start` to `end` seconds, both included."""
        times = self._times[: self._end]
        first, last = times.searchsorted((start - 1e-9, end + 1e-9))
        part = slice(first, last)
        return Window(
            times[part],
            self._values[part],
            self._visibility[part],
            self._doubt[part],
            self._trunk_px[part],
            self._progress[part],
        )
