"""From what vision says of itself to one number for each kind of trouble (`edge.trouble`)."""

from __future__ import annotations

import re
import statistics
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from edge.box_records import CameraView, Tuning
from edge.link import CameraState, PoseFrame
from edge.trouble import BY_CODE, Sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.link import Subject
    from edge.thermal import Heat

SLOW_S = 5.0
"""Seconds of pictures that `slow` looks at."""
_SLOW_LEAST = 5
"""Pictures, at least."""
_STAGES_APART = ("read", "total")
"""Timings that are no work, or all of it."""
RECENT_S, USUAL_S = 20.0, 600.0
"""Confidence now, and what is usual."""
_USUAL_LEAST_S = 60.0
_FEW_S = 10.0
_VISIBLE = 0.5
_GOOD_FORMATS = ("MJPG", "RGB888", "")
"""Pixel formats that are delivered at full rate; raw ones fit through USB in small sizes only."""
_RAW_PIXELS = 640 * 480
_CRAWLS = 10
"""Pictures a second: what cameras fall back to where a size does not fit through the cable."""
_MODE = re.compile(r"(?P<format>\S*) ?(?P<width>\d+)x(?P<height>\d+) (?P<fps>\d+)")
_VIEW_S = 5.0
"""A view that is older says nothing."""


_MOST = 4096
"""Numbers that are kept of a course, though nobody asks for them."""


class _Course:
    """Numbers of the last seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._items: deque[tuple[float, float]] = deque(maxlen=_MOST)

    def add(self, t: float, value: float) -> None:
        self._items.append((t, value))

    def values(self, t: float) -> list[float]:
        while self._items and t - self._items[0][0] > self._seconds:
            self._items.popleft()
        return [value for _, value in self._items]

    def span(self) -> float:
        return self._items[-1][0] - self._items[0][0] if self._items else 0.0


class Signs:
    """Takes records as they come; all times are monotonic seconds of this machine."""

    def __init__(self) -> None:
        self._total, self._waited = _Course(SLOW_S), _Course(_FEW_S)
        self._stages: deque[tuple[float, dict[str, float]]] = deque()
        self._sure, self._usual = _Course(RECENT_S), _Course(USUAL_S)
        self._heights = _Course(_FEW_S)
        self._lately = (0.0, 0)
        """Confidence since the last second: sum and count."""
        self._camera: CameraState | None = None
        self._heard: float | None = None
        self.view: CameraView | None = None
        self._view_at = 0.0
        self.tuning: Tuning | None = None
        self._size = (0, 0)

    def take(self, record: PoseFrame | CameraState | CameraView | Tuning, t: float) -> None:
        """A record that arrived at `t`."""
        if isinstance(record, PoseFrame):
            self._frame(record, t)
        elif isinstance(record, CameraState):
            self._camera = record
            self._heard = t if self._heard is None else self._heard
            if record.state != "live":
                self.view = None
        elif isinstance(record, CameraView):
            self.view, self._view_at = record, t
        else:
            self.tuning = record

    def _frame(self, frame: PoseFrame, t: float) -> None:
        self._heard = t
        self._size = (frame.width, frame.height)
        self._total.add(t, frame.timings.get("total", 0.0))
        self._stages.append((t, frame.timings))
        while t - self._stages[0][0] > SLOW_S:
            self._stages.popleft()
        self._waited.add(t, float(frame.waiting > 0))
        if frame.subjects:
            sure = max(map(_sure, frame.subjects))
            self._sure.add(t, sure)
            self._lately = self._lately[0] + sure, self._lately[1] + 1
            heights = [height for one in frame.subjects if (height := _height(one, frame.height)) is not None]
            if heights:
                self._heights.add(t, max(heights))

    def signs(self, t: float, heat: Heat, usual_sharpness: float | None) -> dict[str, Sign]:
        """The numbers at `t`, once a second; a kind of which nothing can be said is left out.

        `usual_sharpness`: what the pictures' sharpness was until now.
        """
        found = dict(self._found(t, usual_sharpness))
        found["throttled"] = Sign(float(bool(heat.causes)), ", ".join(heat.causes) or "no")
        return found

    def _found(self, t: float, usual_sharpness: float | None) -> Iterator[tuple[str, Sign]]:
        silent = self._silent(t)
        if silent is not None:
            yield "no_pictures", silent
        total = self._total.values(t)
        if len(total) >= _SLOW_LEAST:
            yield "slow", Sign(float(np.percentile(total, 95)), self._slowest(total))
        if waited := self._waited.values(t):
            yield "crowded", Sign(statistics.fmean(waited))
        if heights := self._heights.values(t):
            yield "far", Sign(statistics.median(heights))
        yield from self._confidence(t)
        if self.view is not None and t - self._view_at < _VIEW_S:
            yield from self._pictures(self.view, usual_sharpness)

    def _silent(self, t: float) -> Sign | None:
        """Seconds without a picture, while there should be some."""
        camera = self._camera
        if camera is None or self._heard is None or camera.state in ("starting", "ended"):
            return None
        return Sign(t - self._heard, camera.detail or "silent")

    def _slowest(self, total: list[float]) -> str:
        """The stage in which the slow pictures spend most of their time."""
        bound = float(np.percentile(total, 90))
        slow = [timings for _, timings in self._stages if timings.get("total", 0.0) >= bound]
        spent: dict[str, float] = {}
        for timings in slow:
            for stage, ms in timings.items():
                if stage not in _STAGES_APART:
                    spent[stage] = spent.get(stage, 0.0) + ms
        rest = sum(timings.get("total", 0.0) for timings in slow) - sum(spent.values())
        spent["rest"] = rest  # of vision's own work: following, smoothing, or standing still
        return max(spent, key=spent.__getitem__)

    def _confidence(self, t: float) -> Iterator[tuple[str, Sign]]:
        total, count = self._lately
        if count:
            self._usual.add(t, total / count)
            self._lately = (0.0, 0)
        sure, usual = self._sure.values(t), self._usual.values(t)
        if sure and self._usual.span() >= _USUAL_LEAST_S:
            yield "confidence", Sign(statistics.median(sure) / max(statistics.median(usual), 1e-3))

    def _pictures(self, view: CameraView, usual_sharpness: float | None) -> Iterator[tuple[str, Sign]]:
        yield "dark", Sign(view.brightness)
        yield "noisy", Sign(view.noise)
        if usual_sharpness and clear(view):
            yield "blurred", Sign(view.sharpness / usual_sharpness)
        if self.tuning is None:
            return
        wanted = min(self.tuning.target, 30.0)
        if view.fps:
            yield "few_pictures", Sign(view.fps / wanted, f"{view.fps:.0f}")
        mode = of_mode(view.mode, (self.tuning.width, self.tuning.height))
        if mode is not None:
            yield "wrong_mode", mode


def clear(view: CameraView) -> bool:
    """Whether there is light enough for the pictures to tell of the lens."""
    return view.brightness >= BY_CODE["dark"].ends and view.noise <= BY_CODE["noisy"].ends


def of_mode(text: str, wanted: tuple[int, int] = (0, 0)) -> Sign | None:
    """1 where a camera's mode is not what was asked for, or cannot be quick; else 0. None: it says nothing."""
    mode = _MODE.fullmatch(text)
    if mode is None:
        return None
    size = int(mode["width"]), int(mode["height"])
    other = 0 not in (*size, *wanted) and size != wanted
    raw = mode["format"] not in _GOOD_FORMATS and size[0] * size[1] > _RAW_PIXELS
    crawls = 0 < int(mode["fps"]) <= _CRAWLS
    return Sign(
        float(other or raw or crawls), f"{mode['format']} {size[0]}x{size[1]} at {mode['fps']} a second"
    )


def _sure(subject: Subject) -> float:
    """Mean visibility of the joints, 0-1."""
    return float(subject.points()[:, 2].mean())


def _height(subject: Subject, height: int) -> float | None:
    """Of whoever stands or lies there: the larger side of the joints' box, in heights of the picture."""
    points = subject.points()
    seen = points[points[:, 2] >= _VISIBLE]
    if len(seen) < 4:
        return None
    return float(np.ptp(seen[:, :2], axis=0).max()) / height
