"""Whether the time is known: a Raspberry Pi has no clock battery and starts with a time of the past."""

from __future__ import annotations

import ctypes
import os
import time
from functools import cache
from typing import Literal, NamedTuple

_UNSYNCHRONISED = 5
"""adjtimex(2)'s TIME_ERROR."""
_SIZE = 512
"""More than struct timex needs anywhere (208 bytes on 64 bits); all zero, the call only reads."""
EARLIEST = 1_767_225_600.0
"""2026: a time before it was never set."""


class Now(NamedTuple):
    """One moment on both clocks."""

    monotonic_ns: int
    utc: float | None
    """None while the time is not known."""
    source: Literal["synchronised", "estimated", "unknown"]


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def kernel_says_synchronised() -> bool:
    """Whether a time service keeps the kernel's clock right (ntpd, chrony, systemd-timesyncd)."""
    state: int = _libc().adjtimex(ctypes.create_string_buffer(_SIZE))
    return 0 <= state < _UNSYNCHRONISED


class Clock:
    """Tells the time once it is known. With no word from a time service, after a while the system's is believed.

    KINEBOX_ASSUME_CLOCK=1 takes the time as it is, for a machine whose clock is right though nothing reports it.
    """

    def __init__(self, wait_s: float) -> None:
        """`wait_s`: seconds from now after which a plausible time is believed."""
        self._believe_from = time.monotonic() + wait_s
        self._right = os.environ.get("KINEBOX_ASSUME_CLOCK") == "1"

    def now(self) -> Now:
        """This moment."""
        monotonic_ns, utc = time.monotonic_ns(), time.time()
        self._right = self._right or kernel_says_synchronised()
        if self._right:  # and stays so: without a network a clock drifts seconds a day
            return Now(monotonic_ns, utc, "synchronised")
        if utc >= EARLIEST and monotonic_ns / 1e9 >= self._believe_from:
            return Now(monotonic_ns, utc, "estimated")
        return Now(monotonic_ns, None, "unknown")
