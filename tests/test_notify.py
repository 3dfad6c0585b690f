"""What systemd hears, on a socket like its own."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from edge import notify
from edge.link import CameraState, PoseFrame
from edge.notify import Manager
from edge.vision.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(params=["path", "abstract"])
def heard(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], list[str]]]:
    """All messages since it was asked last."""
    address = str(tmp_path / "notify")[-100:] if request.param == "path" else f"@{tmp_path.name}"
    monkeypatch.chdir("/")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address.replace("@", "\0"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", address)

        def messages() -> list[str]:
            found = []
            while True:
                try:
                    found.append(manager.recv(4096).decode())
                except BlockingIOError:
                    return found

        yield messages


def frame(number: int) -> PoseFrame:
    return PoseFrame(
        camera="cam0", number=number, monotonic_ns=number, utc_ns=None, width=1, height=1, timings={}
    )


def state(condition: str, detail: str = "") -> CameraState:
    return CameraState(camera="cam0", state=condition, detail=detail, monotonic_ns=1)


def test_ready_and_progress(heard: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(notify.time, "monotonic", lambda: now[0])
    manager = Manager()
    manager.ready("waits")
    for seconds in (0.0, 0.1, 0.8, 0.2, 0.3):
        now[0] += seconds
        manager.progress(f"at {now[0]:.1f}")
    manager.progress("changed", news=True)
    manager.close()
    manager.progress("nobody hears this", news=True)
    assert heard() == [
        "READY=1\nSTATUS=waits", "WATCHDOG=1\nSTATUS=at 100.0", "WATCHDOG=1\nSTATUS=at 101.1",
        "WATCHDOG=1\nSTATUS=changed",
    ]  # fmt: skip


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    manager = Manager()
    manager.ready("")
    manager.progress("", news=True)


def test_a_systemd_that_is_gone_or_busy_stops_nothing(
    heard: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = Manager()
    for _ in range(2000):  # more than a socket takes
        manager.progress("", news=True)
    assert 0 < len(heard()) < 2000
    manager.close()
    monkeypatch.setenv("NOTIFY_SOCKET", "/nobody/here")
    gone = Manager()
    gone.ready("")
    gone.close()


def test_pictures_and_known_states_are_signs_of_life(heard: Callable[[], list[str]]) -> None:
    manager = Manager()
    pulse = Pulse(manager)
    assert heard() == ["READY=1\nSTATUS=camera starting, 0 frames"]
    for record, told in (
        (state("lost", "not_found"), "camera lost (not_found), 0 frames"),
        (state("live"), "camera live, 0 frames"),
        (frame(1), "camera live, 1 frames"),
        (state("lost", "unplugged"), "camera lost (unplugged), 1 frames"),
    ):
        pulse.beat(record)
        assert heard() == [f"WATCHDOG=1\nSTATUS={told}"]
    manager.close()


def test_a_camera_that_says_nothing_for_long_is_no_sign_of_life(
    heard: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(notify.time, "monotonic", lambda: now[0])
    manager = Manager()
    pulse = Pulse(manager)

    def beats(record: PoseFrame | CameraState, seconds: int) -> int:
        heard()
        count = 0
        for _ in range(seconds):
            now[0] += 1
            pulse.beat(record)
            count += len(heard())
        return count

    stalled = state("lost", "stalled")
    assert beats(state("live"), 100) == 100
    assert 14 <= beats(stalled, 14) <= 15
    assert beats(state("lost", "no_answer"), 100) == 100  # opened anew: the patience begins anew, too
    assert beats(stalled, 14) == 14
    assert beats(stalled, 100) <= 2
    assert beats(frame(1), 1) == 1
    manager.close()
