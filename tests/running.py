"""A running `kinebox run`, and a recording for its camera."""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from edge.link import CameraState, Hello, PoseFrame
from edge.vision.trace import TraceWriter
from tests.figure import Figure

REPS, RATE = 6, 30


def record_squats(path: Path) -> None:
    """A recording of six generated squats of two seconds."""
    writer = TraceWriter(
        path, Hello(camera="cam0", source="generated", model="none", precision="fp32", release="7")
    )
    writer.write(CameraState(camera="cam0", state="live", monotonic_ns=0))
    for number in range(1, (REPS * 2 + 2) * RATE):
        p = (
            max((1 - math.cos(2 * math.pi * (number / RATE - 1) / 2)) / 2, 0)
            if RATE < number < RATE * (REPS * 2 + 1)
            else 0
        )
        figure = Figure(knee=(110 * p, 110 * p), hip=(100 * p, 100 * p), lean=35 * p, yaw=40)
        writer.write(
            PoseFrame(
                camera="cam0",
                number=number,
                monotonic_ns=round(number / RATE * 1e9),
                utc_ns=None,
                width=640,
                height=480,
                timings={"total": 1.0},
                subjects=(figure.subject(),),
            )
        )
    writer.close()


class Ending:
    """The end of a process that may be another's child (a zombie counts as ended)."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def wait(self, seconds: float) -> None:
        ended, _, _ = select.select([self._descriptor], [], [], seconds)
        os.close(self._descriptor)
        assert ended, f"process {self.pid} still runs"


class Box:
    """A running `kinebox run`."""

    def __init__(
        self, source: Path, state: Path, *options: str, exercise: str = "squat", command: str = "run"
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.state = state
        kinebox = [sys.executable, "-m", "edge.cli", command, "--camera", str(source)]
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a box hears it, also where the tests run under nohup
        self.process = subprocess.Popen(
            [*kinebox, "--port", str(self.port), "--exercise", exercise, *options],
            env={**os.environ, "KINEBOX_STATE": str(state)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return json.load(answer)

    def wait(self, path: str, wanted: Any, seconds: float = 40) -> Any:
        """Ask until `wanted(answer)` holds."""
        deadline = time.monotonic() + seconds
        answer: Any = None
        while time.monotonic() < deadline:
            try:
                answer = self.get(path)
                if wanted(answer):
                    return answer
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.1)
        pytest.fail(f"{path} never was as wanted; last: {answer}")

    def children(self) -> dict[int, str]:
        """Process ids of those it has started and that still run, with their command lines."""
        started = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(
            encoding="ascii"
        )
        running = {}
        for child in started.split():
            with contextlib.suppress(OSError):  # it has just ended
                running[int(child)] = Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8")
        return running

    def child(self, module: str) -> int:
        """Process id of one of the two processes; StopIteration where it does not run."""
        return next(child for child, line in self.children().items() if module in line)

    def stop(self) -> str:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate(timeout=20)
        return output
