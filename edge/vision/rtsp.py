"""Cameras on the network (RTSP), read by OpenCV's FFmpeg over TCP: it alone speaks to the network.

FFmpeg tells why it fails only in words, on standard output. They are read for what they say and thrown away: an
address may be in them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import time
from typing import TYPE_CHECKING

import cv2

from edge.vision.address import PINNED, CameraAddress, login, parse
from edge.vision.device import DeviceCamera, Grabber, Shot, Unavailable
from edge.vision.pictures import log

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN_S = 8.0
"""Seconds in which the camera must answer and send a whole picture."""
SILENCE_S = 5.0
"""Seconds without a picture after which the connection is given up."""
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
_OPTIONS = {
    "protocol_whitelist": "rtsp,rtp,tcp",
    "rtsp_transport": "tcp",
    "allowed_media_types": "video",
    "fflags": "nobuffer",
}
_ERRORS = "16"
"""FFmpeg's level of words: errors."""
_REASONS = (
    (r"failed: 40[13]\b", "unauthorized"),
    (r"failed: 4(04|54)\b", "no_stream"),
    (r"failed: (453|503)\b", "busy"),
    (r"Failed to resolve hostname", "no_such_host"),
    (r"Operation not permitted|Permission denied|Network is unreachable", "not_allowed"),
    (r"Connection refused", "refused"),
)
_SLACK_NS = 1_000_000_000
_DRIFT = 1000
"""Pictures in which the delay may grow by what it differs: clocks of cameras drift, networks only delay."""


def rtsp_camera(what: str) -> DeviceCamera:
    """The camera at the address `what`. Raises CameraError where address or login make no sense."""
    address = parse(what)
    url = address.url(login(), os.environ.get(PINNED, ""))
    return DeviceCamera(str(address), opener=lambda _: open_rtsp(address, url), pauses=PAUSES)


def open_rtsp(address: CameraAddress, url: str) -> Grabber:
    """The stream at `url`, which is not told to anybody. Raises Unavailable."""
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = _ERRORS
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # its warnings name the whole address
    stdout = _Stdout()
    limits = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(OPEN_S * 1e3)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(SILENCE_S * 1e3)),
        *(cv2.CAP_PROP_N_THREADS, 1),  # each further thread is a picture late
    ]
    try:
        with stdout.overheard() as said, _options():
            capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, limits)
    except BaseException:
        stdout.restore()
        raise
    if not capture.isOpened():
        stdout.restore()
        raise _why("".join(said))
    log.info("camera %s: connected", address)
    return _Stream(capture, stdout)


@contextlib.contextmanager
def _options() -> Iterator[None]:
    """FFmpeg may use the network within; files are opened with the options of `edge.vision`."""
    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    files = os.environ[name]
    os.environ[name] = "|".join(f"{key};{value}" for key, value in _OPTIONS.items())
    try:
        yield
    finally:
        os.environ[name] = files


def _why(said: str) -> Unavailable:
    code = next((code for pattern, code in _REASONS if re.search(pattern, said)), "no_answer")
    return Unavailable(code, lasting=code == "unauthorized")


class _Stream:
    """An open connection."""

    def __init__(self, capture: cv2.VideoCapture, stdout: _Stdout) -> None:
        self._capture = capture
        self._stdout = stdout
        self._clock = StreamClock()

    def read(self) -> Shot | None:
        """The next picture. Raises Unavailable: a connection that failed once is over."""
        asked = time.monotonic()
        ok, bgr = self._capture.read()
        now = time.monotonic_ns()
        if not ok:
            silent = time.monotonic() - asked > SILENCE_S / 2
            raise Unavailable("stalled" if silent else "hung_up")
        return bgr, self._clock.taken(self._capture.get(cv2.CAP_PROP_POS_MSEC), now)

    def release(self) -> None:
        """Hang up."""
        self._capture.release()
        self._stdout.restore()


class StreamClock:
    """When pictures were taken, from the stream's own times: how long they are on their way changes all the time.

    The picture that was quickest lately sets the offset of the clocks. What all of them were late by (encoder,
    network) cannot be known and stays in.
    """

    def __init__(self) -> None:
        self._offset: int | None = None
        self._position = -1
        self._last = 0

    def taken(self, position_ms: float, now: int) -> int:
        """Monotonic ns of the picture at `position_ms` of the stream that arrived at `now`; later for each call."""
        position = round(position_ms * 1e6)
        offset = now - position
        if position <= self._position or self._offset is None or abs(offset - self._offset) > _SLACK_NS:
            self._offset = offset  # the first, a jump, or a stream without times of its own
        else:
            self._offset += min(offset - self._offset, (offset - self._offset) // _DRIFT)
        self._position = position
        self._last = max(min(position + self._offset, now), self._last + 1)
        return self._last


class _Stdout:
    """Standard output in FFmpeg's hands: heard while it connects, thrown away afterwards, ours again in the end."""

    def __init__(self) -> None:
        self._own = os.dup(1)

    @contextlib.contextmanager
    def overheard(self) -> Iterator[list[str]]:
        """What is said within, as one text in the list that is handed out."""
        said: list[str] = []
        read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)  # never waits: what does not fit is lost
        _flush()
        os.dup2(write, 1)
        try:
            yield said
        finally:
            _flush()
            nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            os.dup2(nowhere, 1)
            os.close(nowhere)
            os.close(write)
            with contextlib.suppress(BlockingIOError):
                said.append(os.read(read, 65536).decode(errors="replace"))
            os.close(read)

    def restore(self) -> None:
        """Give it back."""
        _flush()
        os.dup2(self._own, 1)
        os.close(self._own)


def _flush() -> None:
    """C keeps what is printed until its buffer is full."""
    ctypes.CDLL(None).fflush(None)
