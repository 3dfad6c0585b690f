"""A running vision process."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import pytest

from edge.link_socket import Subscriber

if TYPE_CHECKING:
    from pathlib import Path

    from edge.link import Record


class Vision:
    """`python -m edge.vision.service` on `camera`, killed in the end; those who connected hang up then."""

    def __init__(
        self, link: Path, camera: Path | str, *options: str, prefix: list[str] | None = None, **env: str
    ) -> None:
        self.link = link
        self._hubs: list[Subscriber] = []
        command = [
            sys.executable,
            "-m",
            "edge.vision.service",
            "--socket",
            str(link),
            "--camera",
            str(camera),
        ]
        self.process = subprocess.Popen(
            [*(prefix or []), *command, *options],
            env={**os.environ, "KINEBOX_STATE": str(link.parent), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def connect(self, seconds: float = 60) -> Subscriber:
        """Connect as a hub does: again and again until vision listens."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self._hubs.append(Subscriber(self.link))
            except OSError:
                time.sleep(0.05)
            else:
                return self._hubs[-1]
        pytest.fail(f"vision does not listen: {self.stop()}")

    def stop(self, seconds: float = 3) -> str:
        """Ask it to stop, in so many seconds; returns what it said."""
        self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=seconds)
        return output

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        for hub in self._hubs:
            hub.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def receive(subscriber: Subscriber, count: int, seconds: float = 10.0) -> list[Record]:
    """The next `count` records, or what came in time."""
    records: list[Record] = []
    deadline = time.monotonic() + seconds
    while len(records) < count and time.monotonic() < deadline:
        select.select([subscriber], [], [], 0.05)
        while len(records) < count and (record := subscriber.read()) is not None:
            records.append(record)
    return records
