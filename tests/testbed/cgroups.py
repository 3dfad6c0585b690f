"""A control group for each box: systemd inside wants one of its own, and through it no process can be missed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from pathlib import Path

from tests.testbed.rootfs import TestbedError


def hierarchy() -> Path:
    """Where the second version of control groups is mounted; beside the first one on some machines."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        if after.startswith("cgroup2 "):
            return Path(re.sub(r"\\040", " ", before.split()[4]))
    raise TestbedError("this machine has no control groups of version 2")


class Group:
    """One group below the top, with whatever groups are made in it."""

    def __init__(self, name: str) -> None:
        self.path = hierarchy() / name

    def make(self) -> None:
        """Make it, if it is not there."""
        self.path.mkdir(exist_ok=True)

    def kill(self, seconds: float = 20) -> None:
        """Kill everything in it and wait until it is gone."""
        deadline = time.monotonic() + seconds
        while processes := self._processes():
            if time.monotonic() > deadline:
                raise TestbedError(f"processes that do not die: {processes}")
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.02)

    def remove(self, seconds: float = 5) -> None:
        """Remove it and the groups in it, innermost first; a group stays busy for a moment after its last process."""
        deadline = time.monotonic() + seconds
        while self.path.exists() and time.monotonic() < deadline:
            for folder in (*sorted(self.path.rglob("*/"), reverse=True), self.path):
                with contextlib.suppress(OSError):
                    folder.rmdir()
            time.sleep(0.01)

    def _processes(self) -> list[int]:
        found: list[int] = []
        for file in (self.path / "cgroup.procs", *self.path.rglob("cgroup.procs")):
            with contextlib.suppress(OSError):
                found += [int(line) for line in file.read_text().split()]
        return found
