"""UTC only once the time is known. The kernel's answer is the one thing made up: a test must not set the clock."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from edge import clock as module
from edge.clock import EARLIEST, Clock, synchronised

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[bool]:
    """What the kernel says, on a board without a battery."""
    monkeypatch.delenv("KINEBOX_ASSUME_CLOCK", raising=False)
    answer = [False]
    monkeypatch.setattr(module, "synchronised", lambda: answer[0])
    (tmp_path / "model").write_text("Raspberry Pi 5 Model B Rev 1.0")
    monkeypatch.setattr(module, "_BOARD", tmp_path / "model")
    return answer


def test_unknown_until_the_clock_is_set_and_known_from_then_on(kernel: list[bool]) -> None:
    clock, moment = Clock(), time.monotonic_ns() - 1_000_000_000
    assert clock.utc_ns(moment) is None
    assert clock.now()[1:] == (None, "unknown")
    for answer in (True, False):  # hours without a network change nothing
        kernel[0] = answer
        now, utc_ns = clock.now(), clock.utc_ns(moment)
        assert now.source == "synchronised"
        assert now.utc == pytest.approx(time.time(), abs=5)
        assert now.monotonic_ns == pytest.approx(time.monotonic_ns(), abs=5e9)
        assert utc_ns == pytest.approx(time.time_ns() - (time.monotonic_ns() - moment), abs=50_000_000)


@pytest.mark.usefixtures("kernel")
def test_after_a_while_a_plausible_time_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Clock(wait_s=1000).now().source == "unknown"
    assert Clock(wait_s=0).now().source == "estimated"
    monkeypatch.setattr(module.time, "time", lambda: EARLIEST - 1)
    assert Clock(wait_s=0).now()[1:] == (None, "unknown")


@pytest.mark.usefixtures("kernel")
def test_the_time_can_be_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEBOX_ASSUME_CLOCK", "1")
    assert Clock(wait_s=1000).now().source == "synchronised"
    assert Clock().utc_ns(time.monotonic_ns()) is not None


@pytest.mark.usefixtures("kernel")
def test_a_pc_has_a_battery_and_a_board_has_none(tmp_path: Path) -> None:
    assert Clock().utc_ns(time.monotonic_ns()) is None
    (tmp_path / "model").unlink()
    assert Clock().now().source == "estimated"
    assert Clock(wait_s=1000).now().source == "unknown"  # whoever waits for a time service does so there, too


def test_the_answer_is_the_kernels() -> None:
    """As read from another call of the kernel: the status word of ntp_adjtime(3), 40 bytes into its answer."""
    answer = ctypes.create_string_buffer(512)
    if ctypes.CDLL(None).ntp_adjtime(answer) < 0:
        pytest.skip("missing: the right to ask the kernel about its clock")
    status = int.from_bytes(answer.raw[40:44], "little")
    unsynchronised = 0x40
    assert synchronised() is not bool(status & unsynchronised)


def test_services_are_told_by_a_file(tmp_path: Path) -> None:
    """Whoever may ask the kernel waits and writes it; whoever may not takes the file's word."""
    clock = tmp_path / "clock"
    program = [sys.executable, "-I", "-S", str(module.__file__), str(clock)]
    with subprocess.Popen(program) as waiting:
        if not synchronised():
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(0.5)
            assert not clock.exists()
        waiting.kill()


@pytest.mark.usefixtures("kernel")
def test_the_file_is_written_when_the_clock_is_right(kernel: list[bool], tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.with_name("clock.part").symlink_to(tmp_path / "elsewhere")  # left by a stranger: not followed
    kernel[0] = True
    module.publish(clock)
    assert clock.read_text() == "synchronised\n"
    assert clock.stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clock", "model"]


def test_the_file_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PUBLISHED", tmp_path / "clock")
    before = synchronised()
    (tmp_path / "clock").touch()
    assert synchronised()
    (tmp_path / "clock").unlink()
    assert synchronised() is before
