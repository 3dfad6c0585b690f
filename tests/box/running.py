"""Looking at a box that runs, until something has come true."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, TypeVar

from tests.testbed.rootfs import TestbedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.testbed.box import Box

Found = TypeVar("Found")


def until(look: Callable[[], Found], what: str, seconds: float = 60) -> Found:
    """What `look` finds as soon as that is anything; TestbedError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TestbedError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.1)
    return found


def frames(box: Box, unit: str) -> int:
    """Pictures that the running process of a service has dealt with, by its own word."""
    shown = box.show(unit, "SubState", "StatusText")
    found = re.search(r"(\d+) frames", shown["StatusText"])
    return int(found[1]) if found and shown["SubState"] == "running" else 0
