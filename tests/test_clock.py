"""UTC only once the time is known. The kernel's answer is the one thing made up: a test must not set the clock."""

from __future__ import annotations

import ctypes
import time
from typing import TYPE_CHECKING

import pytest

from edge import clock
from edge.clock import Clock, synchronised

if TYPE_CHECKING:
    from pathlib import Path


def test_unknown_until_the_clock_is_set_and_known_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KINEBOX_ASSUME_CLOCK", raising=False)
    answers = iter([False, True])  # it is not asked a third time: hours without a network change nothing
    monkeypatch.setattr(clock, "synchronised", lambda: next(answers))
    monkeypatch.setattr(clock, "has_battery", lambda: False)
    ours, moment = Clock(), time.monotonic_ns() - 1_000_000_000
    assert ours.utc_ns(moment) is None
    for _ in range(2):
        utc = ours.utc_ns(moment)
        assert utc is not None
        assert utc == pytest.approx(time.time_ns() - 1_000_000_000, abs=50_000_000)


def test_the_time_can_be_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "synchronised", lambda: False)
    monkeypatch.setattr(clock, "has_battery", lambda: False)
    monkeypatch.setenv("KINEBOX_ASSUME_CLOCK", "1")
    assert Clock().utc_ns(time.monotonic_ns()) is not None


def test_a_pc_has_a_battery_and_a_board_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KINEBOX_ASSUME_CLOCK", raising=False)
    monkeypatch.setattr(clock, "synchronised", lambda: False)
    monkeypatch.setattr(clock, "_BOARD", tmp_path / "model")
    assert Clock().utc_ns(time.monotonic_ns()) is not None
    (tmp_path / "model").write_text("Raspberry Pi 5 Model B Rev 1.0")
    assert Clock().utc_ns(time.monotonic_ns()) is None


def test_the_answer_is_the_kernels() -> None:
    """As read from another call of the kernel: the status word of ntp_adjtime(3), 40 bytes into its answer."""
    answer = ctypes.create_string_buffer(512)
    if ctypes.CDLL(None).ntp_adjtime(answer) < 0:
        pytest.skip("missing: the right to ask the kernel about its clock")
    status = int.from_bytes(answer.raw[40:44], "little")
    unsynchronised = 0x40
    assert synchronised() is not bool(status & unsynchronised)
