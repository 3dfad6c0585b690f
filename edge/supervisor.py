"""`kinebox run` on a laptop: both processes, each started again when it dies, and stopped together.

Whatever ends the supervisor ends them, too. On a box systemd does this, unit by unit.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from models.load import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

log = logging.getLogger(__name__)

_BACKOFF_S = (0.2, 1.0, 2.0, 5.0, 10.0)
"""Pause before each further start; a process that lived _LONG_ENOUGH_S starts again at the first."""
_LONG_ENOUGH_S = 30.0
_STOP_S = 8.0
"""Seconds to stop in before the process is killed."""
_LOOK_S = 0.1
"""Seconds between two looks at the processes, and at what signals have left."""


@dataclass
class Service:
    """One process to keep alive."""

    name: str
    command: list[str]
    finishes: bool = False
    """It may end by itself with success: a file is played to its end."""
    environment: dict[str, str] = field(default_factory=dict)
    """In addition to ours; what is in a command, every user of the machine may read."""
    process: subprocess.Popen[bytes] | None = None
    finished: bool = False
    starts: int = 0
    started: float = 0.0
    deaths: int = 0
    """In a row, each soon after its start."""
    restart_at: float = 0.0

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the supervisor, and tied to this process."""
        self.starts += 1
        self.started = time.monotonic()
        tied = [sys.executable, "-m", "edge.tied", str(os.getpid()), *self.command]
        environment = os.environ | self.environment
        self.process = subprocess.Popen(
            tied, start_new_session=True, stdin=subprocess.DEVNULL, env=environment
        )

    def check(self) -> int | None:
        """Restart it when it is due; returns an exit code that must end everything, else None."""
        if self.process is None:
            if not self.finished and time.monotonic() >= self.restart_at:
                self.start()
            return None
        code = self.process.poll()
        if code is None:
            return None
        self.process = None
        if code == 0 and self.finishes:
            self.finished = True
            return None
        lived = time.monotonic() - self.started
        if code > 1 and self.starts == 1 and lived < _LONG_ENOUGH_S:
            return code  # an error with a remedy (edge.errors) at the first start: trying again will not help
        if lived > _LONG_ENOUGH_S:
            self.deaths = 0
        pause = _BACKOFF_S[min(self.deaths, len(_BACKOFF_S) - 1)]
        self.deaths += 1
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
    threads: int | None,
    loop: bool,
    exercise: str,
    host: str,
    port: int,
    model: str = DEFAULT_MODEL,
    fps: float | None = None,
) -> list[Service]:
    """The two processes of a box, joined at `socket`. `fps`: that are wanted; None: as the environment says."""
    vision = [sys.executable, "-m", "edge.vision.service", "--socket", str(socket)]
    vision += ["--precision", precision, "--threads", str(threads or "auto"), *(["--loop"] if loop else [])]
    vision += [] if fps is None else ["--fps", f"{fps:g}"]
    hub = [sys.executable, "-m", "edge.hub", "--socket", str(socket), "--exercise", exercise]
    hub += ["--host", host, "--port", str(port)]
    # A device has no end, nor has a file that is played again and again: there, success is a stray signal.
    plays_once = Path(camera).expanduser().is_file() and not loop
    told = {"KINEBOX_CAMERA": camera, "KINEBOX_MODEL": model}
    return [
        Service("vision", vision, finishes=plays_once, environment=told),
        Service("hub", hub),
    ]


@contextlib.contextmanager
def runtime_folder() -> Iterator[Path]:
    """Where the socket lives: KINEBOX_RUNTIME, else a private folder that goes with the process."""
    chosen = os.environ.get("KINEBOX_RUNTIME")
    if chosen:
        yield Path(chosen)
        return
    with tempfile.TemporaryDirectory(prefix="kinebox-") as folder:
        yield Path(folder)


def supervise(running: list[Service]) -> int:
    """Keep the services alive until a signal comes; returns an exit code."""
    stop = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal stop
        stop = (
            True  # and nothing else: a handler that takes a lock waits for ever on the thread it interrupts
        )

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, on_signal)
    fatal: int | None = None
    try:
        for service in running:
            service.start()
        while fatal is None and not stop:
            time.sleep(_LOOK_S)
            fatal = next((code for service in running if (code := service.check()) is not None), None)
    finally:
        for service in reversed(running):
            service.stop()
    return fatal or 0
