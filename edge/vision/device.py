"""A camera on USB or another V4L2 device: the newest picture, and a state when there is none."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

import cv2

from edge.link import CameraCondition, CameraState
from edge.vision.pictures import Picture, as_bgr, log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STALLED_AFTER = 3.0
"""Seconds without a picture after which the camera counts as lost: longer than any exposure."""
RETRY_EVERY = 1.0


class Grabber(Protocol):
    """An open device: what OpenCV's VideoCapture offers and this camera uses."""

    def read(self) -> tuple[bool, cv2.typing.MatLike]:
        """(True, picture), or (False, anything) when the device gives none."""
        ...

    def release(self) -> None:
        """Close the device."""
        ...


def open_v4l2(device: str, width: int = 1280, height: int = 720, fps: int = 30) -> Grabber | None:
    """The V4L2 `device` (a path), or None when it is not there or not a camera.

    MJPEG, because raw pictures of this size do not fit through USB 2 at 30 a second.
    """
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    if not capture.isOpened():
        return None
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    capture.set(cv2.CAP_PROP_FPS, fps)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


class DeviceCamera:
    """Reads a device in a thread of its own and keeps only the newest picture.

    A device that is unplugged, stalls or was never there is tried again every second.
    """

    def __init__(
        self, device: str, *, camera_id: str = "cam0", opener: Callable[[str], Grabber | None] = open_v4l2
    ) -> None:
        """`device`: its path, such as /dev/video0; `opener` opens it or answers None."""
        self.id = camera_id
        self.source = device
        self._opener = opener
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._picture: Picture | None = None
        self._taken = 0
        self._problem = ""
        self._thread = threading.Thread(target=self._grab, name="camera", daemon=True)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Nothing: a device delivers the present as it is."""
        return ()

    def stream(self) -> Iterator[Picture | CameraState]:
        """The newest picture, again and again, until `close`."""
        state: CameraCondition = "starting"
        detail = ""
        yield CameraState(camera=self.id, state=state, monotonic_ns=time.monotonic_ns())
        self._thread.start()
        skipped = delivered = 0
        while not self._stop.is_set():
            with self._changed:
                self._changed.wait_for(
                    lambda: self._picture or self._problem or self._stop.is_set(), STALLED_AFTER
                )
                picture, self._picture = self._picture, None
                taken, problem = self._taken, self._problem
            if picture is not None:
                if state != "live":
                    state, detail = "live", ""
                    yield CameraState(camera=self.id, state=state, monotonic_ns=picture.monotonic_ns)
                delivered += 1
                skipped = max(taken - delivered, 0)
                yield picture._replace(skipped=skipped)
            elif not self._stop.is_set():
                problem = problem or "stalled"
                if (state, detail) != ("lost", problem):
                    state, detail = "lost", problem
                    yield CameraState(
                        camera=self.id, state=state, detail=detail, monotonic_ns=time.monotonic_ns()
                    )
                self._stop.wait(0.2)

    def _grab(self) -> None:
        while not self._stop.is_set():
            device = self._opener(self.source)
            if device is None:
                self._report("not_found")
                self._stop.wait(RETRY_EVERY)
                continue
            self._read(device)
            device.release()

    def _read(self, device: Grabber) -> None:
        """Keep the newest picture until the device fails."""
        while not self._stop.is_set():
            try:
                ok, bgr = device.read()
            except cv2.error as error:
                log.warning("camera %s: %s", self.source, error)
                ok = False
            if not ok:
                self._report("unplugged")
                self._stop.wait(RETRY_EVERY)
                return
            with self._changed:
                self._picture = Picture(as_bgr(bgr), time.monotonic_ns(), time.time_ns())
                self._taken += 1
                self._problem = ""
                self._changed.notify()

    def _report(self, problem: str) -> None:
        with self._changed:
            self._problem = problem
            self._changed.notify()

    def close(self) -> None:
        """Stop reading; returns when the device is closed or will not answer."""
        self._stop.set()
        with self._changed:
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=2)
