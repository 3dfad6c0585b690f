"""A video file as a camera: as fast as it decodes, or at the pace it was taken."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING

import cv2

from edge.clock import Clock
from edge.errors import CameraError
from edge.link import CameraCondition, CameraState
from edge.vision.pictures import Picture, as_bgr, log
from edge.vision.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

_AHEAD = 4
"""Decoded pictures kept ready: enough to hide decoding behind inference, few enough for a Pi's memory."""
_NOMINAL_FPS = 30.0
_MAX_FPS = 1000.0
_UNEVEN = 0.6
"""Deviation of one interval from the nominal one, in intervals: more than time stamps are rounded by."""
_LATE_S = 0.1
"""A picture this late is no longer the present."""


class FileCamera:
    """Plays a video file; phone videos come out upright, uneven frame times are kept."""

    def __init__(
        self, path: Path, *, camera_id: str = "file", paced: bool = False, loop: bool = False
    ) -> None:
        """Open `path`.

        `paced`: deliver each picture when it is due, and skip what is late, as a real camera would. A file that
        decodes slower than it was taken plays as slowly as it decodes.
        `loop`: start again at the end, with a CameraState `ended` in between.
        Raises CameraError when the file is missing, empty or not a video.
        """
        self.id = camera_id
        self.source = path.name
        self.path = path
        self.paced = paced
        self.loop = loop
        self._clock = Clock()
        self._stop = Stop()
        self.truncated = False
        """The file broke off before the length its header promises."""
        self.uneven = False
        """Pictures do not follow each other at one rate."""
        self._capture = self._open()
        self.frames = max(int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        """Pictures the header promises; 0 when it does not say."""
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps <= _MAX_FPS else _NOMINAL_FPS
        self.turned = bool(self._capture.get(cv2.CAP_PROP_ORIENTATION_META))
        """The camera was held sideways; the pictures are turned upright."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is out of the ordinary about the part played so far, as codes."""
        remarks = {"turned": self.turned, "variable_frame_rate": self.uneven, "truncated": self.truncated}
        return tuple(code for code, holds in remarks.items() if holds)

    def _open(self) -> cv2.VideoCapture:
        try:
            size = self.path.stat().st_size
        except OSError as error:
            raise CameraError(f"cannot open {self.path}: {error.strerror}", "Check the path.") from error
        if not self.path.is_file():
            raise CameraError(f"{self.path} is not a file", "Name a video file.")
        if size == 0:
            raise CameraError(f"{self.path} is empty", "Copy the video again: it has no content.")
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise CameraError(
                f"{self.path} is not a video that can be read",
                "It may be damaged or of an unknown format. Try to play it, or convert it to MP4 (H.264).",
            )
        return capture

    def stream(self) -> Iterator[Picture | CameraState]:
        """Pictures until the end of the file, or for ever with `loop`."""
        try:
            yield from self._play()
        finally:
            self._capture.release()

    def _play(self) -> Iterator[Picture | CameraState]:
        start = time.monotonic_ns() if self.paced else 0
        yield self._state("live", start)
        skipped = 0
        while True:
            last = start
            with contextlib.closing(self._decoded()) as decoded:
                for bgr, offset, keeps_up in decoded:
                    taken = start + offset
                    if self.paced:
                        late = time.monotonic_ns() - taken
                        if late > _LATE_S * 1e9:
                            if keeps_up:  # a newer picture is nearly here
                                skipped += 1
                                continue
                            start, taken = start + late, taken + late
                        if self._stop.wait(-late / 1e9):
                            return
                    last = taken
                    yield Picture(
                        as_bgr(bgr), taken, self._clock.utc_ns(taken) if self.paced else None, skipped
                    )
            end = last + round(1e9 / self.fps)
            if self._stop.wait((end - time.monotonic_ns()) / 1e9 if self.paced else 0):
                return
            yield self._state("ended", last, "truncated" if self.truncated else "")
            if not self.loop:
                return
            self._capture.release()
            try:
                self._capture = self._open()
            except CameraError:
                yield self._state("lost", last, "not_found")
                raise
            start = time.monotonic_ns() if self.paced else end
            yield self._state("live", start)

    def _decoded(self) -> Generator[tuple[cv2.typing.MatLike, int, bool], None, None]:
        """(picture, ns since the first, whether it came sooner than it lasts), decoded ahead in a thread."""
        ahead: queue.Queue[tuple[cv2.typing.MatLike, int] | Exception | None] = queue.Queue(_AHEAD)
        quit_now = threading.Event()

        def put(item: tuple[cv2.typing.MatLike, int] | Exception | None) -> bool:
            while not quit_now.is_set():
                try:
                    ahead.put(item, timeout=0.1)
                except queue.Full:
                    continue
                return True
            return False

        def decode() -> None:
            end: Exception | None = None
            try:
                all(put(item) for item in self._read())
            except Exception as error:  # raised again where the pictures go
                end = error
            put(end)

        thread = threading.Thread(target=decode, name="decode", daemon=True)
        thread.start()
        try:
            before = None
            asked = time.monotonic_ns()
            while isinstance(item := ahead.get(), tuple) and not self._stop:
                bgr, offset = item
                waited = time.monotonic_ns() - asked
                yield bgr, offset, before is not None and waited < offset - before
                before = offset
                asked = time.monotonic_ns()
            if isinstance(item, Exception):
                raise item
            if before is None and not self._stop:
                raise CameraError(
                    f"{self.path} has no picture that can be decoded",
                    "The file is damaged or holds only sound.",
                )
        finally:
            quit_now.set()
            thread.join()

    def _read(self) -> Iterator[tuple[cv2.typing.MatLike, int]]:
        """(picture, ns since the first) until the file ends or breaks off."""
        count, previous, origin = 0, -1.0, 0.0
        try:
            while (read := self._capture.read())[0]:
                position = self._capture.get(cv2.CAP_PROP_POS_MSEC)
                origin = position if count == 0 else origin
                seconds = (position - origin) / 1e3
                if count and seconds <= previous:  # broken time stamps: go on at the nominal rate
                    seconds = previous + 1 / self.fps
                self.uneven |= count > 0 and abs((seconds - previous) * self.fps - 1) > _UNEVEN
                previous = seconds
                count += 1
                yield read[1], round(seconds * 1e9)
            self.truncated = count < 0.9 * self.frames
        except cv2.error as error:
            log.warning("decoding stopped: %s", error)
            self.truncated = True

    def _state(self, state: CameraCondition, at: int, detail: str = "") -> CameraState:
        return CameraState(camera=self.id, state=state, detail=detail, monotonic_ns=at)

    def close(self) -> None:
        """Stop the stream, which then closes the file: it must not go away under the thread that decodes it.

        A signal handler may call this.
        """
        self._stop.ask()
