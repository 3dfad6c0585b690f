"""Memory that is free again goes back to the machine."""

from __future__ import annotations

import contextlib
import ctypes


def give_back() -> None:
    """Hand back what was freed, which takes milliseconds; for after something large that was needed once.

    glibc keeps freed memory while anything behind it is in use: of the networks of a self-test about 170 MB.
    """
    with contextlib.suppress(AttributeError):  # other C libraries need no such call
        ctypes.CDLL(None).malloc_trim(0)
