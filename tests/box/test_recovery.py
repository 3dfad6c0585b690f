"""A box mends itself. How long that takes is printed; `python -m tests.box.measure` measures it with care."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.box.recovery import (
    HUB,
    VISION,
    WATCHDOG_S,
    bad_release,
    both_stalled,
    given_up,
    killed,
    power_cut,
    process,
    service_start,
)
from tests.box.running import until
from tests.testbed.box import boot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.testbed.box import Box


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str, float], None]:
    def told(what: str, seconds: float) -> None:
        with capsys.disabled():
            print(f"\n{what}: {seconds:.1f} s", end="")

    return told


@pytest.fixture(scope="module")
def without_camera(software: tuple[Path, ...]) -> Iterator[tuple[Box, int]]:
    """A box whose camera is not plugged in, and its vision process; it waits while the others are tested."""
    with boot("waiting", *software) as one:
        yield one, process(one, VISION)


def test_a_start(without_camera: tuple[Box, int], box: Box, tell: Callable[[str, float], None]) -> None:
    tell("start of the services to the first picture analysed", service_start(box))


@pytest.mark.parametrize("unit", [VISION, HUB])
def test_a_killed_service_comes_back(box: Box, unit: str, tell: Callable[[str, float], None]) -> None:
    tell(f"kill -9 of {unit} to the next picture", killed(box, unit))


def test_what_hangs_is_started_anew(box: Box, tell: Callable[[str, float], None]) -> None:
    for unit, seconds in both_stalled(box).items():
        tell(f"{unit} hangs to the next picture", seconds)
    ends = [str(entry["MESSAGE"]) for entry in box.journal(VISION)]
    assert any("Watchdog timeout" in text for text in ends)
    assert any("Fatal Python error: Aborted" in text for text in ends)  # each thread says where it was


def test_a_cut_of_the_power(box: Box, tell: Callable[[str, float], None]) -> None:
    tell("power on to the first picture analysed", power_cut(box))


@pytest.fixture
def impatient(box: Box) -> Iterator[None]:
    """Gives up sooner and begins again sooner than boxes do, so that a test need not wait as long."""
    units = "/etc/systemd/system"
    box.write(f"{units}/{VISION}.d/patience.conf", "[Unit]\nStartLimitBurst=2\n")
    box.write(f"{units}/kinebox-rollback.service.d/pause.conf", "[Service]\nEnvironment=KINEBOX_PAUSE=1\n")
    box.run("systemctl daemon-reload")
    yield
    box.run(f"rm -r {units}/{VISION}.d {units}/kinebox-rollback.service.d; systemctl daemon-reload")


@pytest.mark.usefixtures("impatient")
def test_what_gave_up_starts_anew(box: Box, tell: Callable[[str, float], None]) -> None:
    tell("camera back to the next picture, after vision gave up", given_up(box))


@pytest.mark.usefixtures("impatient")
def test_a_bad_release_is_taken_back(box: Box, tell: Callable[[str, float], None]) -> None:
    tell("bad release to the next picture by the one before", bad_release(box))
    assert (
        "is used again, because a service failed"
        in box.run("journalctl -b -u kinebox-rollback.service").stdout
    )


def test_a_camera_that_is_away_is_waited_for(without_camera: tuple[Box, int]) -> None:
    """Longer than the watchdog's patience, by the same process: vision knows what it waits for."""
    box, before = without_camera
    shown = box.show(VISION, "ActiveEnterTimestampMonotonic")

    def lived() -> float:
        return time.monotonic() - int(shown["ActiveEnterTimestampMonotonic"]) / 1e6

    until(lambda: lived() > WATCHDOG_S + 3, "the watchdog's time is over")
    shown = box.show(VISION, "NRestarts", "StatusText", "ActiveState")
    assert (shown["NRestarts"], shown["ActiveState"], process(box, VISION)) == ("0", "active", before)
    assert shown["StatusText"] == "camera lost (not_found), 0 frames"
