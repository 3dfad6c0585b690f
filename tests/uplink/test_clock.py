"""The time is told once it is known, and how it is known is told with it."""

from __future__ import annotations

import time

import pytest

from edge.uplink import clock as module
from edge.uplink.clock import EARLIEST, Clock


@pytest.fixture
def synchronised(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    monkeypatch.delenv("KINEBOX_ASSUME_CLOCK", raising=False)
    answer = [False]
    monkeypatch.setattr(module, "kernel_says_synchronised", lambda: answer[0])
    return answer


def test_the_kernel_answers() -> None:
    assert module.kernel_says_synchronised() in (True, False)


def test_unknown_until_the_kernel_says_so_and_then_for_good(synchronised: list[bool]) -> None:
    clock = Clock(wait_s=1000)
    assert clock.now()[1:] == (None, "unknown")
    synchronised[0] = True
    assert clock.now().source == "synchronised"
    synchronised[0] = False
    now = clock.now()
    assert now.source == "synchronised"
    assert now.utc == pytest.approx(time.time(), abs=5)
    assert now.monotonic_ns == pytest.approx(time.monotonic_ns(), abs=5e9)


@pytest.mark.usefixtures("synchronised")
def test_after_a_while_a_plausible_time_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(wait_s=0)
    assert clock.now().source == "estimated"
    monkeypatch.setattr(module.time, "time", lambda: EARLIEST - 1)
    assert clock.now()[1:] == (None, "unknown")


@pytest.mark.usefixtures("synchronised")
def test_a_machine_whose_clock_is_right_though_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEBOX_ASSUME_CLOCK", "1")
    assert Clock(wait_s=1000).now().source == "synchronised"
