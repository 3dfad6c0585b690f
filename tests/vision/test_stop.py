"""Stopping from a signal handler, which interrupts the very thread that waits."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from edge.vision.stop import Stop

STORM = """
import signal, sys, time
from edge.vision.stop import Stop
ends = time.monotonic() + 2
while time.monotonic() < ends:
    stop = Stop()
    signal.signal(signal.SIGALRM, lambda *_: stop.ask())
    signal.setitimer(signal.ITIMER_REAL, 1e-6, 2e-5)
    while not stop.wait(1e-5):
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_a_handler_may_ask_at_any_moment() -> None:
    """With threading.Event in its place this fails: `set` in the handler needs the lock that `wait` holds."""
    subprocess.run([sys.executable, "-c", STORM], check=True, timeout=30)


@pytest.mark.parametrize("asked", [False, True])
def test_wait_lasts_until_somebody_asks(asked: bool) -> None:
    stop = Stop()
    if asked:
        stop.ask()
    began = time.monotonic()
    assert stop.wait(0.15) is asked
    assert (time.monotonic() - began > 0.14) is not asked
    assert bool(stop) is asked
