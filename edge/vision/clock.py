"""The time of day, as soon as this machine knows it: a Pi has no clock battery and wakes up somewhere in the past."""

from __future__ import annotations

import ctypes
import os
import time

_TIME_ERROR = 5
"""adjtimex(2): nothing has set this clock, or nothing has for hours."""
_TIMEX_BYTES = 512
"""More than any architecture's `struct timex`; all zero it asks and changes nothing."""


def synchronised() -> bool:
    """Whether the kernel says that a time service keeps the clock; True where it does not answer such questions."""
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) != _TIME_ERROR)


class Clock:
    """Turns monotonic times into UTC. Once right it stays so: without a network a clock drifts seconds a day.

    KINEBOX_ASSUME_CLOCK=1 takes the time as it is, for a machine whose clock is right though nothing reports it.
    """

    def __init__(self) -> None:
        self._known = os.environ.get("KINEBOX_ASSUME_CLOCK") == "1"

    def utc_ns(self, monotonic_ns: int) -> int | None:
        """UTC in ns since 1970 of a moment on the monotonic clock; None while the time is unknown."""
        self._known = self._known or synchronised()
        return time.time_ns() - (time.monotonic_ns() - monotonic_ns) if self._known else None
