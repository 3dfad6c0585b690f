"""A camera that is unplugged, stalls and comes back. The grabber stands for the driver: no device is at hand here."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from edge.link import CameraState
from edge.vision import device
from edge.vision.device import DeviceCamera, Unavailable, open_v4l2
from edge.vision.pictures import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.vision.device import Shot


class Cable:
    """A device whose pictures the test hands in one by one; None pulls the plug, an exception is the driver's."""

    def __init__(self) -> None:
        self.pictures: queue.Queue[int | bool | Exception | None] = queue.Queue()
        self.plugged = threading.Event()
        self.plugged.set()
        self.released = 0

    def open(self, _device: str) -> Cable | None:
        return self if self.plugged.is_set() else None

    def read(self) -> Shot | None:
        if not self.plugged.is_set():
            return None
        item = self.pictures.get()
        if isinstance(item, Exception):
            raise item
        if item is None:
            self.plugged.clear()
        if item is None or item is False:
            return None
        bgr: Any = None if item is True else np.full((8, 8, 3), item, np.uint8)
        return bgr, time.monotonic_ns()

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def cable() -> Cable:
    return Cable()


@pytest.fixture
def camera(cable: Cable, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeviceCamera]:
    monkeypatch.setattr(device, "STALLED_AFTER", 0.3)
    monkeypatch.setattr(device, "RETRY_EVERY", 0.3)
    monkeypatch.setattr(device, "FAILED_AFTER", 0.1)
    camera = DeviceCamera("/dev/video0", opener=cable.open)
    yield camera
    cable.pictures.put(None)
    camera.close()


def test_unplugged_and_plugged_in_again(cable: Cable, camera: DeviceCamera) -> None:
    stream = news(camera)
    assert state(stream) == ("starting", "")
    cable.pictures.put(10)
    assert state(stream) == ("live", "")
    assert picture(stream).bgr[0, 0, 0] == 10
    cable.pictures.put(None)
    assert state(stream) == ("lost", "unplugged")
    assert state(stream) == ("lost", "not_found")
    cable.plugged.set()
    cable.pictures.put(20)
    assert state(stream) == ("live", "")
    assert picture(stream).bgr[0, 0, 0] == 20


def test_stalled_driver(cable: Cable, camera: DeviceCamera) -> None:
    stream = news(camera)
    state(stream)
    cable.pictures.put(10)
    state(stream)
    picture(stream)
    assert state(stream) == ("lost", "stalled")
    cable.pictures.put(11)
    assert state(stream) == ("live", "")


def test_a_failed_read_is_not_an_unplugged_camera(cable: Cable, camera: DeviceCamera) -> None:
    stream = news(camera)
    state(stream)
    cable.pictures.put(10)
    state(stream)
    picture(stream)
    cable.pictures.put(False)
    cable.pictures.put(False)
    cable.pictures.put(11)
    assert picture(stream).bgr[0, 0, 0] == 11
    assert cable.released == 0


@pytest.mark.parametrize(
    "failure", [RuntimeError("driver"), cv2.error("driver"), True], ids=["bug", "opencv", "no picture"]
)
def test_no_failure_of_a_driver_ends_the_camera(
    cable: Cable, camera: DeviceCamera, failure: Exception | bool
) -> None:
    stream = news(camera)
    state(stream)
    cable.pictures.put(10)
    state(stream)
    picture(stream)
    cable.pictures.put(failure)
    assert state(stream) == ("lost", "unplugged")
    cable.pictures.put(11)
    assert state(stream) == ("live", "")
    assert picture(stream).bgr[0, 0, 0] == 11
    assert cable.released == 1


def test_opening_and_closing_may_fail_too(cable: Cable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "RETRY_EVERY", 0.05)
    monkeypatch.setattr(device, "FAILED_AFTER", 0.1)
    monkeypatch.setattr(cable, "release", raising("no release"))
    openers = iter([raising("no open"), cable.open, cable.open])

    def open_next(name: str) -> Cable | None:
        opener: Callable[[str], Cable | None] = next(openers)
        return opener(name)

    camera = DeviceCamera("/dev/video0", opener=open_next)
    stream = news(camera)
    state(stream)
    assert state(stream) == ("lost", "unplugged")
    cable.pictures.put(10)
    assert state(stream) == ("live", "")
    picture(stream)
    cable.pictures.put(RuntimeError("read"))
    assert state(stream) == ("lost", "unplugged")
    cable.pictures.put(11)
    assert state(stream) == ("live", "")
    camera.close()
    cable.pictures.put(None)


def test_what_is_known_of_a_failure_is_told_and_asked_for_ever_more_seldom(cable: Cable) -> None:
    tried: list[float] = []
    answers = iter(["busy", "busy", "unauthorized", "busy"])

    def open_next(name: str) -> Cable | None:
        tried.append(time.monotonic())
        code = next(answers, "")
        if code:
            raise Unavailable(code, lasting=code == "unauthorized")
        return cable.open(name)

    camera = DeviceCamera("/dev/video0", opener=open_next, pauses=(0.1, 0.2, 0.4))
    stream = news(camera)
    state(stream)
    assert state(stream) == ("lost", "busy")
    assert state(stream) == ("lost", "unauthorized")
    assert state(stream) == ("lost", "busy")
    cable.pictures.put(10)
    assert state(stream) == ("live", "")
    pauses = np.diff(tried)
    assert (pauses > [0.1, 0.2, 0.4, 0.4]).all()
    cable.pictures.put(RuntimeError("read"))
    assert isinstance(next(stream), Picture)
    assert state(stream) == ("lost", "unplugged")
    cable.pictures.put(11)
    assert state(stream) == ("live", "")
    camera.close()
    cable.pictures.put(None)


def raising(what: str) -> Callable[..., Any]:
    """A function that fails."""

    def fail(*_: object) -> None:
        raise RuntimeError(what)

    return fail


def test_without_a_camera_the_state_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the very same object, often enough for whoever has a socket to look after."""
    camera = DeviceCamera("/dev/video0", opener=lambda _: None)
    stream = camera.stream()
    assert state(stream) == ("starting", "")
    began = time.monotonic()
    assert state(stream) == ("lost", "not_found")
    first, second, third = (next(stream) for _ in range(3))
    assert first is second is third
    assert time.monotonic() - began < 2
    camera.close()
    assert list(stream) == []


def test_only_the_newest_picture_is_kept(cable: Cable, camera: DeviceCamera) -> None:
    stream = news(camera)
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
    stream = news(camera)
    state(stream)
    threading.Timer(0.1, camera.close).start()
    assert list(stream) == []


def test_a_device_that_is_not_there() -> None:
    assert open_v4l2("/dev/video99") is None


def news(camera: DeviceCamera) -> Iterator[Picture | CameraState]:
    """What the camera yields, without the states it says again."""
    last: Picture | CameraState | None = None
    for item in camera.stream():
        if item is not last:
            yield item
        last = item


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
