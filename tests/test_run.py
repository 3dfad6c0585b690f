"""`kinebox run` with real processes: a recording is the camera, and either process may die."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from edge.store import Store
from tests.running import REPS, Box, Ending, record_squats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def squats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of generated squats."""
    path = tmp_path_factory.mktemp("trace") / "squats.trace"
    record_squats(path)
    return path


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Box]]:
    """Starts a box with a camera, which is stopped after the test."""
    started = []

    def new(camera: Path, *options: str) -> Box:
        started.append(Box(camera, tmp_path / "state", *options))
        return started[-1]

    yield new
    for box in started:
        box.stop()


@pytest.fixture
def box(start: Callable[..., Box], squats: Path) -> Box:
    return start(squats, "--loop")


def test_counts_keeps_and_stops_cleanly(squats: Path, start: Callable[..., Box]) -> None:
    box = start(squats)
    sessions = box.wait("/api/v1/sessions", lambda a: a["sessions"] and a["sessions"][0]["end_reason"])[
        "sessions"
    ]
    assert sessions[0]["exercises"][0]["reps"] == REPS
    assert sessions[0]["end_reason"] == "source_ended"
    detail = box.get(f"/api/v1/sessions/{sessions[0]['id']}")
    times = [repetition["t"] for repetition in detail["sets"][0]["repetitions"]]
    # the first frame of the recording is at 0, the session begins with it; the far ends are at 2, 4, 6 ...
    assert times == pytest.approx([2.0 + 2 * i for i in range(REPS)], abs=0.15)
    assert detail["measurements"]["knee_flexion_left_peak"]["value"] == pytest.approx(110, abs=4)
    children = box.children()  # vision may have ended by now: it has nothing more to show
    assert any("edge.hub" in line for line in children.values())
    for _ in range(100):
        if not _alive(box, "edge.vision"):
            break
        time.sleep(0.05)
    time.sleep(0.3)  # the hub hears of it by then
    assert box.get("/api/v1/status")["camera"]["state"] == "ended"
    output = box.stop()
    assert box.process.returncode == 0
    assert f"http://127.0.0.1:{box.port}/" in output
    assert "Traceback" not in output
    assert not any(os.path.exists(f"/proc/{child}") for child in children)  # noqa: PTH110


def _alive(box: Box, module: str) -> bool:
    try:
        box.child(module)
    except StopIteration:
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


def test_kill_of_everything_loses_no_session(squats: Path, start: Callable[..., Box]) -> None:
    box = start(squats)
    box.wait(
        "/api/v1/sessions",
        lambda a: (
            a["sessions"] and a["sessions"][0]["exercises"] and a["sessions"][0]["exercises"][0]["reps"] >= 2
        ),
    )
    for pid in (box.child("edge.vision"), box.child("edge.hub"), box.process.pid):
        os.kill(pid, signal.SIGKILL)
    box.process.communicate(timeout=20)
    with Store(box.state / "kinebox.db") as store:
        assert store.recover(time.time()) == 1
        (session,) = store.sessions(10)
        assert session.end_reason == "interrupted"
        assert session.exercises[0].reps >= 2
        assert session.duration_s >= 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_the_supervisor_ends_the_box(box: Box, number: signal.Signals) -> None:
    box.wait("/api/v1/sessions", lambda a: a["sessions"])
    children = [Ending(box.child(module)) for module in ("edge.vision", "edge.hub")]
    box.process.send_signal(number)
    for child in children:
        child.wait(15)
    box.process.communicate(timeout=5)
    assert box.process.returncode == (-number if number == signal.SIGKILL else 0)
    with Store(box.state / "kinebox.db") as store:
        assert store.recover(time.time()) == 0  # ended by the hub itself, not by the next start
        assert store.sessions(10)[0].end_reason in ("stopped", "source_ended")


def test_a_stray_signal_to_the_hub_starts_it_again(box: Box) -> None:
    box.wait("/healthz", lambda a: a["status"] == "ok")
    hub = box.child("edge.hub")
    stopped = Ending(hub)
    os.kill(hub, signal.SIGTERM)  # it ends with 0: nothing has failed, and yet the box needs it
    stopped.wait(15)
    box.wait("/healthz", lambda a: a["status"] == "ok")
    assert box.child("edge.hub") != hub


def test_wrong_camera_ends_with_its_error(tmp_path: Path, start: Callable[..., Box]) -> None:
    box = start(tmp_path / "none.mp4")
    output, _ = box.process.communicate(timeout=60)
    assert box.process.returncode == 3
    assert "No such file" in output
