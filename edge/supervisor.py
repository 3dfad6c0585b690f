"""`kinebox run` on a laptop: both processes, each started again when it dies, and stopped together.

On a box systemd does this, unit by unit.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

log = logging.getLogger(__name__)

_BACKOFF_S = (0.2, 1.0, 2.0, 5.0, 10.0)
"""Pause before each further start; a process that lived LONG_ENOUGH_S starts again at the first."""
_LONG_ENOUGH_S = 30.0
_STOP_S = 8.0
"""Seconds to stop in before the process is killed."""


@dataclass
class Service:
    """One process to keep alive."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    restart_at: float = 0.0
    finished: bool = False
    """It ended by itself with success: a file was played to its end."""

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the supervisor."""
        self.started = time.monotonic()
        self.process = subprocess.Popen(self.command, start_new_session=True, stdin=subprocess.DEVNULL)

    def check(self) -> int | None:
        """Restart it when it is due; returns an exit code that must end everything, else None."""
        if self.finished:
            return None
        if self.process is None:
            if time.monotonic() >= self.restart_at:
                self.start()
            return None
        code = self.process.poll()
        if code is None:
            return None
        self.process = None
        if code == 0:
            self.finished = True
            return None
        lived = time.monotonic() - self.started
        if code > 0 and code != 1 and self.deaths == 0 and lived < _LONG_ENOUGH_S:
            return code  # an error with a remedy (edge.errors) at the first start: trying again will not help
        self.deaths = 0 if lived > _LONG_ENOUGH_S else self.deaths + 1
        pause = _BACKOFF_S[min(self.deaths, len(_BACKOFF_S)) - 1] if self.deaths else _BACKOFF_S[0]
        log.warning("%s ended with %s; starting it again in %.1f s", self.name, _cause(code), pause)
        self.restart_at = time.monotonic() + pause
        return None

    def stop(self) -> None:
        """Ask it to stop, and make it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            log.warning("%s does not stop; killing it", self.name)
            self.process.kill()
            self.process.wait()


def _cause(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def services(
    socket: Path,
    *,
    camera: str,
    precision: str,
    threads: int,
    loop: bool,
    exercise: str,
    host: str,
    port: int,
) -> list[Service]:
    """The two processes of a box, joined at `socket`."""
    vision = [sys.executable, "-m", "edge.vision.service", "--socket", str(socket), "--camera", camera]
    vision += ["--precision", precision, "--threads", str(threads), *(["--loop"] if loop else [])]
    hub = [sys.executable, "-m", "edge.hub", "--socket", str(socket), "--exercise", exercise]
    hub += ["--host", host, "--port", str(port)]
    return [Service("vision", vision), Service("hub", hub)]


@contextlib.contextmanager
def runtime_folder() -> Iterator[Path]:
    """Where the socket lives: KINEBOX_RUNTIME, else a private folder that goes with the process."""
    chosen = os.environ.get("KINEBOX_RUNTIME")
    if chosen:
        yield Path(chosen)
        return
    with tempfile.TemporaryDirectory(prefix="kinebox-") as folder:
        yield Path(folder)


def supervise(running: list[Service], on_tick: Callable[[], None] = lambda: None) -> int:
    """Keep the services alive until a signal comes; returns an exit code."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    fatal: int | None = None
    try:
        for service in running:
            service.start()
        while fatal is None and not stop.wait(0.1):
            on_tick()
            fatal = next((code for service in running if (code := service.check()) is not None), None)
    finally:
        for service in reversed(running):
            service.stop()
    return fatal or 0
