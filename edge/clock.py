"""The time of day, as soon as this machine knows it: a Pi has no clock battery and wakes up somewhere in the past."""

from __future__ import annotations

import ctypes
import os
import time
from functools import cache
from pathlib import Path

EARLIEST = 1_767_225_600.0
"""2026: an earlier time was never set."""
_TIME_ERROR = 5
"""adjtimex(2): nothing has set this clock, or nothing has for hours."""
_TIMEX_BYTES = 512
"""More than any architecture's `struct timex`; all zero it asks and changes nothing."""
_BOARD = Path("/proc/device-tree/model")
"""Single-board computers say here what they are; PCs and servers, whose clocks have a battery, have no such file."""


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def synchronised() -> bool:
    """Whether the kernel says that a time service keeps the clock; True where it does not answer such questions."""
    return bool(_libc().adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) != _TIME_ERROR)


def has_battery() -> bool:
    """Whether the clock went on while the machine was off."""
    return not _BOARD.exists()


class Clock:
    """Turns monotonic times into UTC. Once right it stays so: without a network a clock drifts seconds a day.

    KINEBOX_ASSUME_CLOCK=1 takes the time as it is, for a board whose clock is right though nothing reports it.
    """

    def __init__(self) -> None:
        self._known = os.environ.get("KINEBOX_ASSUME_CLOCK") == "1"

    def utc_ns(self, monotonic_ns: int) -> int | None:
        """UTC in ns since 1970 of a moment on the monotonic clock; None while the time is unknown."""
        self._known = self._known or synchronised() or (has_battery() and time.time() >= EARLIEST)
        return time.time_ns() - (time.monotonic_ns() - monotonic_ns) if self._known else None
