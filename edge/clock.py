"""The time of day, as soon as this machine knows it: a Pi has no clock battery and wakes up somewhere in the past.

As a program (`python clock.py FILE`) it waits until a time service has set the clock, and then writes FILE. That is
how services are told that may not ask the kernel about its clock; nothing but the standard library is loaded.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
import time
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

EARLIEST = 1_767_225_600.0
"""2026: an earlier time was never set."""
_TIME_ERROR = 5
"""adjtimex(2): nothing has set this clock, or nothing has for hours."""
_TIMEX_BYTES = 512
"""More than any architecture's `struct timex`; all zero it asks and changes nothing."""
PUBLISHED = Path("/run/kinebox/clock")
"""Is there once the clock is right (kinebox-clock.service); gone when the machine is switched off."""
_LOOK_S = 2.0
_BOARD = Path("/sys/firmware/devicetree/base/model")
"""Single-board computers say here what they are; PCs and servers, whose clocks have a battery, have no such file."""


class Now(NamedTuple):
    """One moment on both clocks."""

    monotonic_ns: int
    utc: float | None
    """Seconds since 1970; None while the time is not known."""
    source: Literal["synchronised", "estimated", "unknown"]


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def synchronised() -> bool:
    """Whether a time service keeps the clock (ntpd, chrony, systemd-timesyncd), as the kernel or a file says."""
    state: int = _libc().adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return 0 <= state < _TIME_ERROR or PUBLISHED.exists()


def has_battery() -> bool:
    """Whether the clock went on while the machine was off."""
    return not _BOARD.exists()


class Clock:
    """Tells the time once it is known. Once right it stays so: without a network a clock drifts seconds a day.

    KINEBOX_ASSUME_CLOCK=1 takes the time as it is, for a board whose clock is right though nothing reports it.
    """

    def __init__(self, wait_s: float | None = None) -> None:
        """`wait_s`: seconds from now until a plausible time is believed though no time service vouches for it.

        None: at once where the clock has a battery, never where it has none.
        """
        if wait_s is None:
            wait_s = 0.0 if has_battery() else math.inf
        self._believe_from = time.monotonic() + wait_s
        self._right = os.environ.get("KINEBOX_ASSUME_CLOCK") == "1"

    def now(self) -> Now:
        """This moment."""
        monotonic_ns, utc = time.monotonic_ns(), time.time()
        self._right = self._right or synchronised()
        if self._right:
            return Now(monotonic_ns, utc, "synchronised")
        if utc >= EARLIEST and monotonic_ns / 1e9 >= self._believe_from:
            return Now(monotonic_ns, utc, "estimated")
        return Now(monotonic_ns, None, "unknown")

    def utc_ns(self, monotonic_ns: int) -> int | None:
        """UTC in ns since 1970 of a moment on the monotonic clock; None while the time is unknown."""
        now = self.now()
        return None if now.utc is None else round(now.utc * 1e9) - (now.monotonic_ns - monotonic_ns)


def publish(path: Path) -> None:
    """Wait until the clock is right, and write `path` for everybody to see."""
    while not synchronised():
        time.sleep(_LOOK_S)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchmod(descriptor, 0o644)
        file.write("synchronised\n")
    part.replace(path)


if __name__ == "__main__":
    publish(Path(sys.argv[1]))
