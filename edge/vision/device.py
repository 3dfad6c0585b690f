"""A camera that delivers the present: the newest picture, and a state when there is none. USB cameras (V4L2) here."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

import cv2

from edge.clock import Clock
from edge.link import CameraCondition, CameraState
from edge.vision.pictures import Picture, as_bgr, log
from edge.vision.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

STALLED_AFTER = 3.0
"""Seconds without a picture after which the camera counts as lost: longer than any exposure."""
FAILED_AFTER = 0.5
"""Seconds of failed reads before the device is given up: a loose frame on USB is no unplugged camera."""
RETRY_EVERY = 1.0
_LISTEN_EVERY = 0.2
"""Seconds the stream may wait for a picture before it looks up."""


Shot = tuple[cv2.typing.MatLike, int]
"""A picture, and when it was taken: ns on the monotonic clock."""


class Unavailable(Exception):  # noqa: N818 - a state of the camera, not an error of ours
    """The camera cannot be opened or read, and why is known."""

    def __init__(self, code: str, *, lasting: bool = False) -> None:
        """`code`: as in CameraState.detail. `lasting`: trying soon again would only do harm."""
        super().__init__(code)
        self.code = code
        self.lasting = lasting


class Grabber(Protocol):
    """An open camera."""

    def read(self) -> Shot | None:
        """The next picture; None when there is none, which may happen once. Raises Unavailable."""
        ...

    def release(self) -> None:
        """Close the device."""
        ...


class _V4l2:
    """A V4L2 device as OpenCV reads it; a picture is taken when it arrives."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture
        self.release = capture.release
        self.mode = _mode(capture)

    def read(self) -> Shot | None:
        ok, bgr = self._capture.read()
        return (bgr, time.monotonic_ns()) if ok else None


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
    return _V4l2(capture)


def _mode(capture: cv2.VideoCapture) -> str:
    """What the device has made of what was asked: format, size, pictures a second."""
    code = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
    width, height, fps = (
        round(capture.get(what))
        for what in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
    )
    return f"{''.join(chr(c) for c in code if 33 <= c < 127)} {width}x{height} {fps}"


def usb_camera(device: str) -> DeviceCamera:
    """The V4L2 `device` (a path), which may be asked for pictures of another size."""
    camera = DeviceCamera(device, opener=lambda path: open_v4l2(path, *(camera.size or (1280, 720))))
    camera.size = (1280, 720)
    return camera


class DeviceCamera:
    """Reads a device in a thread of its own and keeps only the newest picture.

    A device that is unplugged, stalls, was never there or whose driver fails is tried again and again.
    """

    def __init__(
        self,
        device: str,
        *,
        camera_id: str = "cam0",
        opener: Callable[[str], Grabber | None] = open_v4l2,
        pauses: Sequence[float] = (),
    ) -> None:
        """`device`: its path, such as /dev/video0; `opener` opens it, answers None or raises Unavailable.

        `pauses`: seconds before each further attempt in a row, of which the last goes on; none: every second.
        """
        self.id = camera_id
        self.source = device
        self.size: tuple[int, int] | None = None
        """Width and height that are asked of the device; None where that cannot be chosen."""
        self.mode = ""
        """What the device says it delivers; empty where it says nothing."""
        self._opened: tuple[int, int] | None = None
        self._opener = opener
        self._pauses = pauses or (RETRY_EVERY,)
        self._clock = Clock()
        self._stop = Stop()
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
        """The newest picture, again and again, until `close`.

        While there is no camera its state comes several times a second, as the same object: whoever passes it on
        has a moment to look after his own affairs.
        """
        said = self._state("starting")
        yield said
        self._thread.start()
        delivered, problem, heard = 0, "", time.monotonic()
        try:
            while not self._stop:
                known = problem
                with self._changed:
                    self._changed.wait_for(
                        lambda: self._picture is not None or self._problem != known,  # noqa: B023 - called at once
                        _LISTEN_EVERY,
                    )
                    picture, self._picture = self._picture, None
                    taken, problem = self._taken, self._problem
                if picture is not None:
                    heard = time.monotonic()
                    if said.state != "live":
                        said = self._state("live", at=picture.monotonic_ns)
                        yield said
                    delivered += 1
                    yield picture._replace(skipped=taken - delivered)
                    continue
                stalled = time.monotonic() - heard > STALLED_AFTER
                detail = problem or ("stalled" if stalled else "")
                if detail and (said.state, said.detail) != ("lost", detail):
                    said = self._state("lost", detail)
                if said.state != "live":
                    yield said
        finally:
            self._thread.join(timeout=2)  # the device is closed, or will not answer

    def _state(self, state: CameraCondition, detail: str = "", at: int | None = None) -> CameraState:
        at = time.monotonic_ns() if at is None else at
        return CameraState(camera=self.id, state=state, detail=detail, monotonic_ns=at)

    def _grab(self) -> None:
        """Open the device and read it, again and again: no failure of a driver may end the camera for good."""
        attempts = 0
        while not self._stop:
            before, lasting = self._taken, False
            self._opened = self.size
            try:
                device = self._opener(self.source)
                if device is None:
                    self._report("not_found")
                else:
                    self.mode = getattr(device, "mode", "")
                    try:
                        self._read(device)
                    finally:
                        device.release()
            except Unavailable as why:
                lasting = why.lasting
                if self._report(why.code):
                    log.warning("camera %s: %s", self.source, why.code)
            except Exception as error:
                if self._report("unplugged"):
                    log.warning("camera %s: %s: %s", self.source, type(error).__name__, error)
            attempts = 0 if self._taken > before else attempts + 1
            if self._opened != self.size:
                continue  # at once: it works, and shall deliver another size
            last = len(self._pauses) - 1
            self._stop.wait(self._pauses[last if lasting else min(max(attempts - 1, 0), last)])

    def _read(self, device: Grabber) -> None:
        """Keep the newest picture until the device fails."""
        good = time.monotonic()
        while not self._stop and self._opened == self.size:
            shot = device.read()
            if shot is not None:
                bgr, taken = shot
                with self._changed:
                    self._picture = Picture(as_bgr(bgr), taken, self._clock.utc_ns(taken))
                    self._taken += 1
                    self._problem = ""
                    self._changed.notify()
                good = time.monotonic()
            elif time.monotonic() - good > FAILED_AFTER:
                self._report("unplugged")
                return
            else:
                self._stop.wait(0.01)

    def _report(self, problem: str) -> bool:
        """Tell the stream what is wrong; whether that is news."""
        with self._changed:
            news = self._problem != problem
            self._problem = problem
            self._changed.notify()
        return news

    def close(self) -> None:
        """Stop the stream, which then closes the device; a signal handler may call this."""
        self._stop.ask()
