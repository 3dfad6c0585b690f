"""The wish to stop, which a signal handler may express at any moment."""

from __future__ import annotations

import time

SLICE_S = 0.1
"""How long a wish may go unheard."""


class Stop:
    """Like threading.Event, but without a lock, which a handler would wait for in the very thread that holds it."""

    def __init__(self) -> None:
        self._asked = False

    def ask(self) -> None:
        """Wish to stop."""
        self._asked = True

    def __bool__(self) -> bool:
        """Whether somebody asked."""
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Sleep, at most until somebody asks; returns whether somebody did."""
        end = time.monotonic() + seconds
        while not self._asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_S))
        return self._asked
