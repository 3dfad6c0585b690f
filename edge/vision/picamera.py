"""CSI cameras of a Raspberry Pi, through picamera2: pictures of the image processor, with the sensor's times.

picamera2 and libcamera come with Raspberry Pi OS and are loaded only when a CSI camera is asked for.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import time
from typing import TYPE_CHECKING, Any, Protocol

from edge.errors import CameraError
from edge.vision.device import DeviceCamera, Grabber, Shot, Unavailable
from edge.vision.pictures import log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

SIZE = (1280, 720)
FPS = 30.0
PAUSES = (1.0, 1.0, 2.0, 5.0, 10.0)
SILENCE_S = 2.0
"""Seconds without a picture after which the camera is opened anew: a loose cable, or a sensor that hangs."""
_NAME = re.compile(r"csi(?::(\d))?")
_FORMAT = "RGB888"
"""libcamera's name for bytes in the order blue, green, red: what the pipeline takes, without another copy."""
_BUFFERS = 4
_INTERVAL_US = round(1e6 / FPS)
_WISHES = {"FrameDurationLimits": (_INTERVAL_US, _INTERVAL_US), "AfMode": 2, "AeExposureMode": 1}
"""Controls, for cameras that have them: a steady rate, continuous autofocus, and short exposures, since what moves
must not blur."""
_SAYINGS = (
    (re.compile(r"resource busy"), "busy"),
    (
        re.compile(r"No camera number|Camera\(s\) not found|No such device|list index out of range"),
        "not_found",
    ),
)
"""What libcamera and picamera2 say where the camera cannot be had, and the code for it."""
_OLDEST_NS = 1_000_000_000
"""A sensor's time further away than this is on another clock than it should be."""


class Request(Protocol):
    """picamera2's CompletedRequest, as far as it is used."""

    def make_array(self, name: str) -> npt.NDArray[np.uint8]: ...  # noqa: D102 - picamera2's
    def get_metadata(self) -> dict[str, Any]: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102


class CsiCamera(Protocol):
    """picamera2's Picamera2, as far as it is used."""

    notifyme_w: int

    def __init__(self, camera_num: int) -> None: ...
    @staticmethod
    def global_camera_info() -> Sequence[Mapping[str, Any]]: ...  # noqa: D102
    @property
    def sensor_modes(self) -> list[dict[str, Any]]: ...  # noqa: D102
    @property
    def camera_controls(self) -> Mapping[str, Any]: ...  # noqa: D102
    def create_video_configuration(self, **stream: Any) -> dict[str, Any]: ...  # noqa: D102
    def configure(self, camera_config: dict[str, Any]) -> None: ...  # noqa: D102
    def stream_configuration(self, name: str) -> dict[str, Any]: ...  # noqa: D102
    def start(self) -> None: ...  # noqa: D102
    def capture_request(self, *, wait: float) -> Request: ...  # noqa: D102
    def cancel_all_and_flush(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


def is_csi(what: str) -> bool:
    """Whether the description of a camera is `csi` or `csi:N`."""
    return _NAME.fullmatch(what) is not None


def csi_camera(what: str, kind: type[CsiCamera] | None = None) -> DeviceCamera:
    """The CSI camera `csi` or `csi:N`; `kind` stands in for Picamera2.

    Raises CameraError where picamera2 cannot be loaded.
    """
    kind = kind or _picamera2()
    camera = DeviceCamera(what, opener=lambda name: open_csi(name, kind, camera.size or SIZE), pauses=PAUSES)
    camera.size = SIZE
    return camera


def _picamera2() -> type[CsiCamera]:
    try:
        kind: type[CsiCamera] = importlib.import_module("picamera2").Picamera2
    except Exception as error:  # one of its own libraries may fail in any way
        raise CameraError(
            f"CSI cameras need picamera2, which cannot be loaded: {type(error).__name__}: {error}",
            "On Raspberry Pi OS: sudo apt install python3-picamera2, and run Kinebox with the system's Python "
            "(a virtual environment needs --system-site-packages).",
        ) from error
    return kind


def open_csi(name: str, kind: type[CsiCamera], size: tuple[int, int] = SIZE) -> Grabber | None:
    """The camera `name`, delivering pictures; None where there is none. Raises Unavailable."""
    match = _NAME.fullmatch(name)
    number = int((match and match[1]) or 0)
    if number >= len(kind.global_camera_info()):
        return None
    camera = _held(kind, number)
    try:
        return _Csi(camera, size)
    except BaseException:
        _close(camera)
        raise


def _held(kind: type[CsiCamera], number: int) -> CsiCamera:
    """Ours alone. Raises Unavailable where it cannot be had."""
    camera = kind.__new__(kind)
    try:
        kind.__init__(camera, number)
    except RuntimeError as error:
        with contextlib.suppress(AttributeError, OSError):  # picamera2 forgets it: one descriptor an attempt
            os.close(camera.notifyme_w)
        raise _unavailable(error) from error
    return camera


def _unavailable(error: BaseException, code: str = "failed", *, lasting: bool = False) -> Unavailable:
    """Why there is no camera, by the words of the library, which are logged; `code` where they say nothing known."""
    while error.__cause__ is not None:  # what it says first is that something else happened
        error = error.__cause__
    log.warning("the CSI camera cannot be used: %s", str(error) or type(error).__name__)
    for words, known in _SAYINGS:
        if words.search(str(error)):
            return Unavailable(known)
    return Unavailable(code, lasting=lasting)


class _Csi:
    """An open CSI camera."""

    def __init__(self, camera: CsiCamera, size: tuple[int, int]) -> None:
        self._camera = camera
        self.mode = f"{_FORMAT} {size[0]}x{size[1]} {FPS:.0f}"
        wishes = {control: value for control, value in _WISHES.items() if control in camera.camera_controls}
        asked = camera.create_video_configuration(
            main={"size": size, "format": _FORMAT},
            sensor=_widest(camera.sensor_modes),
            buffer_count=_BUFFERS,
            controls=wishes,
        )
        try:
            camera.configure(asked)
        except RuntimeError as error:
            raise _unavailable(error, "wrong_mode", lasting=True) from error
        delivered = camera.stream_configuration("main")["format"]
        if delivered != _FORMAT:
            log.warning("the camera delivers %s instead of %s", delivered, _FORMAT)
            raise Unavailable("wrong_mode", lasting=True)
        try:
            camera.start()
        except RuntimeError as error:
            raise _unavailable(error) from error

    def read(self) -> Shot | None:
        """The next picture, with the time at which the sensor was read out. Raises Unavailable when none comes."""
        try:
            request = self._camera.capture_request(wait=SILENCE_S)
        except TimeoutError as error:
            raise Unavailable("stalled") from error
        try:
            return request.make_array("main"), _taken(request.get_metadata().get("SensorTimestamp"))
        finally:
            request.release()

    def release(self) -> None:
        """Close the camera."""
        _close(self._camera)


def _close(camera: CsiCamera) -> None:
    """Close `camera`, also where a picture is still being waited for: closing would wait for it, too."""
    camera.cancel_all_and_flush()
    camera.close()


def _widest(modes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The sensor's mode that is quick enough and sees most, of these the smallest; {} where modes are not known.

    Left to itself the camera may take one that shows the middle of the picture only.
    """
    known = [mode for mode in modes if "crop_limits" in mode and mode["fps"] >= FPS]
    if not known:
        return {}

    def order(mode: Mapping[str, Any]) -> tuple[int, bool, int]:
        _, _, width, height = mode["crop_limits"]
        columns, rows = mode["size"]
        enough = columns >= SIZE[0] and rows >= SIZE[1]
        return width * height, enough, -columns * rows

    best = max(known, key=order)
    return {"output_size": best["size"], "bit_depth": best["bit_depth"]}


def _taken(sensor_ns: int | None, clock: Callable[[int], int] = time.clock_gettime_ns) -> int:
    """A sensor's time (ns since the machine started) on the monotonic clock, which stands still in suspend."""
    now = clock(time.CLOCK_MONOTONIC)
    if sensor_ns is None:
        return now
    taken = sensor_ns - (clock(time.CLOCK_BOOTTIME) - now)
    return taken if 0 <= now - taken < _OLDEST_NS else now
