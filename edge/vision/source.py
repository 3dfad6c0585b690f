"""From a description such as `0`, `csi`, `rtsp://camera/`, `clip.mp4` or `walk.trace` to a stream of pose frames."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from edge.link import CameraState, Hello, MarkerSeen, PoseFrame
from edge.vision.address import is_address
from edge.vision.device import usb_camera
from edge.vision.file import FileCamera
from edge.vision.imported import open_imported
from edge.vision.marker import MarkerWatch
from edge.vision.people import MODEL, People
from edge.vision.picamera import csi_camera, is_csi
from edge.vision.rtsp import rtsp_camera
from edge.vision.trace import SUFFIX, TraceSource
from models.load import release

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

    from edge.link import Subject, Watch
    from edge.vision.device import DeviceCamera
    from edge.vision.inference import Precision
    from edge.vision.pictures import Camera
    from edge.zones import Zone

_BLACK_LEVEL = 6.0
"""Mean brightness (0-255) below which a picture shows nothing: lens covered, or no light at all."""
_BLACK_FOR = 2.0
"""Seconds of such pictures before it is said."""


class Source(Protocol):
    """Anything that yields pose frames and the camera's states."""

    hello: Hello
    recorded: bool
    """It can wait: a file, not the present."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is out of the ordinary so far, as codes: `turned`, `variable_frame_rate`, `truncated`."""
        ...

    def stream(self) -> Iterator[PoseFrame | CameraState | MarkerSeen]:
        """Frames, states and sights of the marker until the source ends or is closed."""
        ...

    def watch(self, wish: Watch) -> None:
        """What the hub wants to be looked at, from the next picture on."""
        ...

    def close(self) -> None:
        """Stop the stream."""
        ...


class Pipeline(Protocol):
    """Anything that sees people in pictures."""

    precision: Precision
    most: int
    """People read in one picture, at most."""
    timings: dict[str, float]
    """Milliseconds of the last picture by stage."""

    @property
    def waiting(self) -> int:
        """Known people who were not read in the last picture."""
        ...

    def reset(self) -> None:
        """The next picture belongs to another scene."""
        ...

    def ignore(self, zones: tuple[Zone, ...]) -> None:
        """Nobody in these parts of the picture is followed."""
        ...

    def process(self, bgr: npt.NDArray[np.uint8], t: float) -> list[Subject]:
        """Everyone read in `bgr` uint8[H, W, 3] taken at `t` seconds."""
        ...


def open_source(
    what: str,
    *,
    precision: Precision = "int8",
    threads: int = 1,
    paced: bool = False,
    loop: bool = False,
    marker: bool = False,
    model: str = MODEL,
) -> Source:
    """The source described by `what`: a camera (`live_camera`), a video file, or a trace.

    `marker`: whether to look for the calibration marker while nobody is in view. `model`: our own, or the name of one
    that the user brought.

    Raises CameraError or ModelError with what to do about it.
    """
    camera: Camera | None = live_camera(what)
    if camera is None:
        path = Path(what).expanduser()
        if path.suffix == SUFFIX:
            return TraceSource(path, paced=paced, loop=loop)
        camera = FileCamera(path, paced=paced, loop=loop)
    return PixelSource(camera, open_pipeline(model, precision, threads), marker=marker, model=model)


def open_pipeline(model: str, precision: Precision, threads: int) -> Pipeline:
    """What finds people with `model`; ModelError."""
    return People(precision, threads) if model == MODEL else open_imported(model, precision, threads)


def live_camera(what: str) -> DeviceCamera | None:
    """The camera described by `what`; None for a file.

    A number or path of a V4L2 device, `csi` or `csi:N`, or an address. Raises CameraError.
    """
    if is_address(what):
        return rtsp_camera(what)
    if is_csi(what):
        return csi_camera(what)
    if what.isdigit() or what.startswith("/dev/"):  # by the kernel's name or one of udev's
        return usb_camera(f"/dev/video{what}" if what.isdigit() else what)
    return None


class PixelSource:
    """A camera and a pose pipeline: pictures go in, and only keypoints come out."""

    def __init__(
        self, camera: Camera, pipeline: Pipeline, *, marker: bool = False, model: str = MODEL
    ) -> None:
        self.camera = camera
        self.pipeline = pipeline
        self.recorded = isinstance(camera, FileCamera)
        self.hello = Hello(
            camera=camera.id,
            source=camera.source,
            model=model,
            precision=pipeline.precision,
            release=release() if model == MODEL else "",
        )
        self._most = pipeline.most
        """What the pipeline was made with."""
        self._dark_since: int | None = None
        self._black = False
        self._marker = MarkerWatch(camera.id) if marker else None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is out of the ordinary about the recording so far, as codes."""
        return self.camera.remarks

    def stream(self) -> Iterator[PoseFrame | CameraState | MarkerSeen]:
        """One frame for each picture, and every state of the camera; `read` is the time since the item before."""
        number = 0
        waiting = perf_counter()
        for item in self.camera.stream():
            if isinstance(item, CameraState):
                if item.state != "live":
                    self.pipeline.reset()
                self._dark_since, self._black = None, False
                yield item
                waiting = perf_counter()
                continue
            read_ms = (perf_counter() - waiting) * 1e3
            change = self._darkness(item.bgr, item.monotonic_ns)
            if change is not None:
                yield change
            subjects = self.pipeline.process(item.bgr, item.monotonic_ns / 1e9)
            number += 1
            height, width = item.bgr.shape[:2]
            yield PoseFrame(
                camera=self.camera.id,
                number=number,
                monotonic_ns=item.monotonic_ns,
                utc_ns=item.utc_ns,
                width=width,
                height=height,
                timings={"read": read_ms, **self.pipeline.timings},
                skipped=item.skipped,
                subjects=tuple(subjects),
                waiting=self.pipeline.waiting,
            )
            if self._marker is not None:
                seen = self._marker.look(item.bgr, item.monotonic_ns, anyone=bool(subjects))
                if seen is not None:
                    yield seen
            waiting = perf_counter()

    def _darkness(self, bgr: npt.NDArray[np.uint8], at: int) -> CameraState | None:
        """A state when the pictures turned black or came back."""
        dark = float(bgr[::16, ::16].mean()) < _BLACK_LEVEL
        self._dark_since = (self._dark_since if self._dark_since is not None else at) if dark else None
        black = self._dark_since is not None and at - self._dark_since > _BLACK_FOR * 1e9
        if black == self._black:
            return None
        self._black = black
        return CameraState(camera=self.camera.id, state="black" if black else "live", monotonic_ns=at)

    def watch(self, wish: Watch) -> None:
        """From the next picture on these zones are left out, and at most so many people are read in one."""
        self.pipeline.ignore(wish.zones)
        self.pipeline.most = self._most if wish.most is None else wish.most

    def close(self) -> None:
        """Stop the camera."""
        self.camera.close()
