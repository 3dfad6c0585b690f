"""The supervisor's rules, with small processes of the test's own in place of vision and hub."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from edge import supervisor
from edge.supervisor import Service, services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STUBBORN = "import signal, time; signal.signal(15, lambda *_: time.sleep(1.5) or exit()); print('up'); time.sleep(60)"
"""A process that takes its time to stop."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_BACKOFF_S", (0.0, 0.01, 0.02, 0.04, 0.08))
    monkeypatch.setattr(supervisor, "_LONG_ENOUGH_S", 1.0)


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Makes a service that lives so: (seconds, exit code) for each start, and for ever when these are used up."""
    made = []

    def make(*plan: tuple[float, int], finishes: bool = False) -> Service:
        code = (
            "import sys, time, pathlib\n"
            f"file, plan = pathlib.Path({str(tmp_path / 'starts')!r}), {plan!r}\n"
            "file.open('a').write('x')\n"
            "seconds, code = dict(enumerate(plan, 1)).get(file.stat().st_size, (600, 0))\n"
            "time.sleep(seconds)\n"
            "sys.exit(code)\n"
        )
        service = Service("child", [sys.executable, "-c", code], finishes=finishes)
        made.append(service)
        service.start()
        return service

    yield make
    for service in made:
        service.stop()


def check_until(service: Service, starts: int, seconds: float = 20) -> int | None:
    """Look after `service` until it has been started so often, has finished or ends everything."""
    deadline = time.monotonic() + seconds
    while service.starts < starts and not service.finished:
        assert time.monotonic() < deadline
        if (code := service.check()) is not None:
            return code
        time.sleep(0.01)
    return None


def test_an_error_at_the_first_start_ends_everything(lives: Callable[..., Service]) -> None:
    assert check_until(lives((0, 3)), starts=2) == 3


def test_an_error_after_a_good_run_does_not(lives: Callable[..., Service]) -> None:
    """A camera that is pulled out of a box that has run for hours, and is away for two starts."""
    service = lives((1.3, 3), (0, 3), (0, 3))
    assert check_until(service, starts=4) is None
    assert service.deaths == 3


def test_a_crash_at_the_first_start_is_tried_again(lives: Callable[..., Service]) -> None:
    service = lives((0, 1), (0, 1))
    assert check_until(service, starts=3) is None


def test_the_pause_grows_up_to_its_end_and_a_good_run_takes_it_back(
    lives: Callable[..., Service], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "_BACKOFF_S", (0.1, 0.2, 0.3))
    assert check_until(lives((0, 1), (0, 1), (0, 1), (0, 1), (1.3, 1)), starts=6) is None
    told = [record.getMessage().split("again in ")[1] for record in caplog.records]
    assert told == ["0.1 s", "0.2 s", "0.3 s", "0.3 s", "0.1 s"]


@pytest.mark.parametrize("finishes", [True, False])
def test_only_a_file_that_plays_once_may_finish(lives: Callable[..., Service], finishes: bool) -> None:
    service = lives((0, 0), finishes=finishes)
    assert check_until(service, starts=2) is None
    assert service.finished is finishes


@pytest.mark.parametrize(
    ("camera", "loop", "finishes"), [("file", False, True), ("file", True, False), ("0", False, False)]
)
def test_what_may_finish(tmp_path: Path, camera: str, loop: bool, finishes: bool) -> None:
    (tmp_path / "file").touch()
    vision, hub = services(
        tmp_path / "socket",
        camera=str(tmp_path / camera) if camera == "file" else camera,
        precision="int8",
        threads=1,
        loop=loop,
        exercise="auto",
        host="127.0.0.1",
        port=0,
        fps=12.5,
    )
    assert vision.command[vision.command.index("--fps") + 1] == "12.5"
    assert (vision.finishes, hub.finishes) == (finishes, False)


def test_the_camera_is_in_no_command_line(tmp_path: Path) -> None:
    """Addresses of cameras hold passwords, and any user may read commands."""
    address = "rtsp://camera/live?password=s3cret"
    both = services(
        tmp_path / "socket",
        camera=address,
        precision="int8",
        threads=1,
        loop=False,
        exercise="auto",
        host="127.0.0.1",
        port=0,
    )
    assert "--fps" not in both[0].command  # the environment says it
    assert "s3cret" not in str([service.command for service in both])
    assert [service.environment.get("KINEBOX_CAMERA") for service in both] == [address, None]


def start(child: str, before: str = "") -> subprocess.Popen[str]:
    """A process that supervises one Python child, which has printed a line by now."""
    code = (
        f"import signal, sys\nfrom edge.supervisor import Service, supervise\n{before}\n"
        f"sys.exit(supervise([Service('child', [sys.executable, '-uc', {child!r}])]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_hail_of_signals_stops_it_once() -> None:
    """Handlers interrupt the waiting and each other: they must do next to nothing."""
    process = start(STUBBORN)
    until = time.monotonic() + 0.8
    while time.monotonic() < until:
        process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    process.communicate()


def test_nohup_is_respected() -> None:
    process = start(
        "import time; print('up'); time.sleep(60)", "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    )
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.terminate()
    assert process.wait(10) == 0
    process.communicate()


def test_a_child_of_a_parent_that_is_gone_does_not_start(tmp_path: Path) -> None:
    touch = [sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')"]
    for parent, ran in ((os.getpid() + 1, False), (os.getpid(), True)):
        subprocess.run([sys.executable, "-m", "edge.tied", str(parent), *touch], check=True)
        assert (tmp_path / "ran").exists() is ran
