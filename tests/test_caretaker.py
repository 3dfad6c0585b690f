"""The hub's caretaker: over hours that pass in a moment, and what it keeps of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.box_records import CameraView
from edge.caretaker import FILE, Caretaker
from edge.link import CameraState, PoseFrame
from edge.thermal import Thermometer

if TYPE_CHECKING:
    from pathlib import Path

    from edge.trouble import Change

EMPTY = PoseFrame(
    camera="cam0", number=1, monotonic_ns=0, utc_ns=None, width=1280, height=720, timings={"total": 9.0}
)
MODE = "MJPG 1280x720 30"


class Room:
    """A box in a room, second by second."""

    def __init__(self, folder: Path) -> None:
        self.t = 0.0
        self.told: list[tuple[float, Change]] = []
        self.throttled = folder / "sys/devices/platform/soc/soc:firmware/get_throttled"
        self.throttled.parent.mkdir(parents=True, exist_ok=True)
        self.throttled.write_text("0\n")
        self.folder = folder / "state"
        self.begin()

    def begin(self) -> None:
        """Start the hub's side, as after a restart."""
        self.caretaker = Caretaker(
            self.folder,
            lambda change: self.told.append((self.t, change)),
            Thermometer(self.throttled.parents[4]),
            lambda: self.t,
        )
        self.caretaker.take(CameraState(camera="cam0", state="live", monotonic_ns=0))

    def run(
        self,
        seconds: int,
        *,
        sharpness: float = 0.5,
        brightness: float = 120.0,
        mode: str = "MJPG 1280x720 30",
    ) -> None:
        for _ in range(seconds):
            self.t += 1
            self.caretaker.take(
                CameraView(
                    camera="cam0", monotonic_ns=0, brightness=brightness, contrast=50.0, sharpness=sharpness,
                    noise=1.0, fps=30.0, mode=mode,
                )
            )  # fmt: skip
            self.caretaker.take(EMPTY)
            self.caretaker.tick()

    def said(self) -> list[tuple[str, bool]]:
        told = [(change.kind.code, change.began) for _, change in self.told]
        self.told.clear()
        return told


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_a_lens_that_becomes_dirty_is_told_and_its_cleaning_too(room: Room) -> None:
    room.run(11 * 60)
    assert room.said() == []
    room.run(5 * 60, sharpness=0.1)
    assert room.said() == [("blurred", True)]
    assert [one.kind.code for one in room.caretaker.now()] == ["blurred"]
    room.run(5 * 60)
    assert room.said() == [("blurred", False)]
    assert room.caretaker.now() == []


def test_the_usual_sharpness_outlives_a_restart(room: Room) -> None:
    room.run(11 * 60)
    room.begin()
    room.run(5 * 60, sharpness=0.1)
    assert room.said() == [("blurred", True)]


def test_a_damaged_history_is_none(room: Room, tmp_path: Path) -> None:
    room.run(11 * 60)
    (room.folder / FILE).write_text('{"value": "much"')
    room.begin()
    room.run(5 * 60, sharpness=0.1)
    assert room.said() == []


def test_another_mode_of_the_camera_has_a_history_of_its_own(room: Room) -> None:
    room.run(11 * 60)
    room.run(5 * 60, sharpness=0.1, mode="MJPG 640x360 30")
    assert ("blurred", True) not in room.said()


def test_at_night_nothing_is_learnt_of_the_lens(room: Room) -> None:
    room.run(11 * 60)
    room.run(20 * 60, sharpness=0.01, brightness=5.0)
    room.run(60)
    assert room.said() == [("dark", True), ("dark", False)]
    room.run(5 * 60, sharpness=0.1)
    assert room.said() == [("blurred", True)]  # the usual is as it was


def test_a_hot_board(room: Room) -> None:
    room.run(30)
    room.throttled.write_text("4\n")
    room.run(30)
    room.throttled.write_text("40000\n")
    room.run(60)
    assert room.said() == [("throttled", True), ("throttled", False)]


def test_vision_that_went_away_is_no_picture(room: Room) -> None:
    room.run(10)
    room.caretaker.gone()
    for _ in range(10):
        room.t += 1
        room.caretaker.tick()
    assert room.said() == [("no_pictures", True)]
    (trouble,) = room.caretaker.now()
    assert trouble.sign.detail == "vision_gone"
