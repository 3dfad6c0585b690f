"""A camera that is unplugged, stalls and comes back. The grabber stands for the driver: no device is at hand here."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge.link import CameraState
from edge.vision import device
from edge.vision.device import DeviceCamera, open_v4l2
from edge.vision.pictures import Picture

if TYPE_CHECKING:
    from collections.abc import Iterator


class Cable:
    """A device whose pictures the test hands in one by one; None pulls the plug."""

    def __init__(self) -> None:
        self.pictures: queue.Queue[int | None] = queue.Queue()
        self.plugged = threading.Event()
        self.plugged.set()

    def open(self, _device: str) -> Cable | None:
        return self if self.plugged.is_set() else None

    def read(self) -> tuple[bool, Any]:
        level = self.pictures.get()
        return level is not None, np.full((8, 8, 3), level or 0, np.uint8)

    def release(self) -> None:
        pass


@pytest.fixture
def cable() -> Cable:
    return Cable()


@pytest.fixture
def camera(cable: Cable, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeviceCamera]:
    monkeypatch.setattr(device, "STALLED_AFTER", 0.3)
    monkeypatch.setattr(device, "RETRY_EVERY", 0.05)
    camera = DeviceCamera("/dev/video0", opener=cable.open)
    yield camera
    cable.pictures.put(None)
    camera.close()


def test_unplugged_and_plugged_in_again(cable: Cable, camera: DeviceCamera) -> None:
    stream = camera.stream()
    assert state(stream) == ("starting", "")
    cable.pictures.put(10)
    assert state(stream) == ("live", "")
    assert picture(stream).bgr[0, 0, 0] == 10
    cable.plugged.clear()
    cable.pictures.put(None)
    assert state(stream) == ("lost", "unplugged")
    assert state(stream) == ("lost", "not_found")
    cable.plugged.set()
    cable.pictures.put(20)
    assert state(stream) == ("live", "")
    assert picture(stream).bgr[0, 0, 0] == 20


def test_stalled_driver(cable: Cable, camera: DeviceCamera) -> None:
    stream = camera.stream()
    state(stream)
    cable.pictures.put(10)
    state(stream)
    picture(stream)
    assert state(stream) == ("lost", "stalled")
    cable.pictures.put(11)
    assert state(stream) == ("live", "")


def test_only_the_newest_picture_is_kept(cable: Cable, camera: DeviceCamera) -> None:
    stream = camera.stream()
    state(stream)
    cable.pictures.put(1)
    state(stream)
    picture(stream)
    for level in range(2, 12):
        cable.pictures.put(level)
    while cable.pictures.qsize():
        time.sleep(0.01)
    time.sleep(0.05)
    newest = picture(stream)
    assert newest.bgr[0, 0, 0] == 11
    assert newest.skipped == 9


def test_closing_ends_the_stream(cable: Cable, camera: DeviceCamera) -> None:
    stream = camera.stream()
    state(stream)
    threading.Timer(0.1, camera.close).start()
    assert list(stream) == []


def test_a_device_that_is_not_there() -> None:
    assert open_v4l2("/dev/video99") is None


def state(stream: Iterator[Picture | CameraState]) -> tuple[str, str]:
    """The next item, which must be a state."""
    item = next(stream)
    assert isinstance(item, CameraState)
    return item.state, item.detail


def picture(stream: Iterator[Picture | CameraState]) -> Picture:
    """The next item, which must be a picture."""
    item = next(stream)
    assert isinstance(item, Picture)
    return item
