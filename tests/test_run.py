"""`kinebox run` with real processes: a recording is the camera, and either process may die."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from edge.link import CameraState, Hello, PoseFrame
from edge.store import Store
from edge.vision.trace import TraceWriter
from tests.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPS, RATE = 6, 30


@pytest.fixture(scope="module")
def squats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of six generated squats of two seconds."""
    path = tmp_path_factory.mktemp("trace") / "squats.trace"
    writer = TraceWriter(path, Hello(camera="cam0", source="generated", model="none", precision="fp32"))
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
    return path


class Box:
    """A running `kinebox run`."""

    def __init__(self, trace: Path, state: Path, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.state = state
        command = [sys.executable, "-m", "edge.cli", "run", "--camera", str(trace), "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--exercise", "squat", *options],
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

    def child(self, module: str) -> int:
        """Process id of one of the two processes."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", module], capture_output=True, text=True, check=True
        )
        return int(found.stdout.split()[0])

    def stop(self) -> str:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate(timeout=20)
        return output


@pytest.fixture
def box(squats: Path, tmp_path: Path) -> Iterator[Box]:
    running = Box(squats, tmp_path / "state", "--loop")
    yield running
    running.stop()


def test_counts_keeps_and_stops_cleanly(squats: Path, tmp_path: Path) -> None:
    box = Box(squats, tmp_path / "state")
    sessions = box.wait("/api/v1/sessions", lambda a: a["sessions"] and a["sessions"][0]["ended"])["sessions"]
    assert sessions[0]["exercises"][0]["reps"] == REPS
    assert sessions[0]["end_reason"] == "source_ended"
    detail = box.get(f"/api/v1/sessions/{sessions[0]['id']}")
    times = [repetition["t"] for repetition in detail["sets"][0]["repetitions"]]
    # the first frame of the recording is at 0, the session begins with it; the far ends are at 2, 4, 6 ...
    assert times == pytest.approx([2.0 + 2 * i for i in range(REPS)], abs=0.15)
    assert detail["measurements"]["knee_flexion_left_peak"]["value"] == pytest.approx(110, abs=4)
    children = (
        [box.child("edge.vision"), box.child("edge.hub")]
        if _alive(box, "edge.vision")
        else [box.child("edge.hub")]
    )
    output = box.stop()
    assert box.process.returncode == 0
    assert f"http://127.0.0.1:{box.port}/" in output
    assert "Traceback" not in output
    assert not any(os.path.exists(f"/proc/{child}") for child in children)  # noqa: PTH110


def _alive(box: Box, module: str) -> bool:
    try:
        box.child(module)
    except subprocess.CalledProcessError:
        return False
    return True


@pytest.mark.parametrize("victim", ["edge.vision", "edge.hub"])
def test_either_process_may_die(box: Box, victim: str) -> None:
    box.wait("/healthz", lambda a: a["status"] == "ok")
    survivor = "edge.hub" if victim == "edge.vision" else "edge.vision"
    kept, killed = box.child(survivor), box.child(victim)
    os.kill(killed, signal.SIGKILL)
    time.sleep(0.5)
    box.wait("/healthz", lambda a: a["status"] == "ok")
    assert box.child(survivor) == kept
    assert box.child(victim) != killed


def test_kill_of_everything_loses_no_session(squats: Path, tmp_path: Path) -> None:
    box = Box(squats, tmp_path / "state")
    box.wait(
        "/api/v1/sessions",
        lambda a: (
            a["sessions"] and a["sessions"][0]["exercises"] and a["sessions"][0]["exercises"][0]["reps"] >= 2
        ),
    )
    for pid in (box.child("edge.vision"), box.child("edge.hub"), box.process.pid):
        os.kill(pid, signal.SIGKILL)
    box.process.communicate()
    with Store(tmp_path / "state" / "kinebox.db") as store:
        assert store.recover(time.time()) == 1
        (session,) = store.sessions(10)
        assert session.end_reason == "interrupted"
        assert session.exercises[0].reps >= 2
        assert session.duration_s >= 4


def test_wrong_camera_ends_with_its_error(tmp_path: Path) -> None:
    box = Box(tmp_path / "none.mp4", tmp_path / "state")
    output, _ = box.process.communicate(timeout=60)
    assert box.process.returncode == 3
    assert "No such file" in output
