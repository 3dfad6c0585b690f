"""What moves before a camera that stands still: blobs against a slowly learnt background, at a small size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 192
"""Pixels of the working picture's longest side: a person of a fifth of the height still has twenty of them."""
_LEAST_SIDE = 8
_LEARN_S = 20.0
"""Time constant of the background: who stands still for a minute belongs to it."""
_FIRST = 8
"""Pictures whose plain mean is the first background."""
_LEAST_CHANGE, _NOISE = 14.0, 3.0
"""A pixel moves where it differs by more than this (0-255), and by more than so many medians of all differences."""
_EVERYWHERE = 0.5
"""Share of moving pixels from which it is the camera or the light that changed."""
_LEAST_AREA = 0.0015
"""Of the picture: smaller blobs are nobody."""
_LIFE, _MOMENT_S = 0.08, 0.1
"""Share of a blob that must have changed within so many seconds: the rest is a thing, or what somebody uncovered."""
_JOIN = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
_SPECKS = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))

Picture = npt.NDArray[np.uint8]
Outline = tuple[npt.NDArray[np.float64], float]
"""float64[N, 2]: points of a body in the picture's pixels, and how far the body goes beyond them."""


class Box(NamedTuple):
    """A rectangle in the picture, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top


class Background:
    """A running mean of the picture, and what differs from it."""

    def __init__(self) -> None:
        self._mean: npt.NDArray[np.float32] | None = None
        self._looks: npt.NDArray[np.float32] | None = None
        """How often each place was seen without anybody known."""
        self._before: tuple[float, Picture] | None = None
        """A picture of a moment ago, and when it was taken."""
        self._time = 0.0

    def reset(self) -> None:
        """Forget the scene."""
        self._mean = self._looks = self._before = None

    def blobs(self, bgr: Picture, t: float, explained: Iterable[Outline] = ()) -> list[Box]:
        """Boxes of what moves in `bgr` uint8[H, W, 3] at `t` seconds outside of the bodies `explained`.

        It must move still: what only differs from the background, since somebody left or a thing was moved, does not
        count. The largest first; none where everything moves: then it is the camera or the light, and the background
        begins anew.
        """
        height, width = bgr.shape[:2]
        scale = _LONGEST / max(height, width)
        size = (max(round(width * scale), _LEAST_SIDE), max(round(height * scale), _LEAST_SIDE))
        grey = cv2.cvtColor(cv2.resize(bgr, size), cv2.COLOR_BGR2GRAY)
        small = np.asarray(cv2.blur(grey, (3, 3)), np.uint8)
        if self._mean is None:
            self._mean = small.astype(np.float32)
        change = np.asarray(cv2.absdiff(small, cv2.convertScaleAbs(self._mean)), np.uint8)
        level = max(_LEAST_CHANGE, _NOISE * _median(change[::3, ::3]))
        moving = np.asarray(cv2.threshold(change, level, 1, cv2.THRESH_BINARY)[1], np.uint8)
        if cv2.countNonZero(moving) > _EVERYWHERE * moving.size:
            self._mean, self._looks = small.astype(np.float32), None
            return []
        free = np.ones(small.shape, np.uint8)
        cover(free, explained, scale)
        self._learn(small, t, free)
        moving *= free
        alive = self._alive(small, t, level / 2)
        joined = cv2.dilate(cv2.erode(moving, _SPECKS), _JOIN)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, ltype=cv2.CV_16U)
        lively = np.bincount(labels[alive], minlength=len(stats)) >= _LIFE * stats[:, 4]
        found = stats[1:][(stats[1:, 4] >= _LEAST_AREA * moving.size) & lively[1:]].tolist()
        found.sort(key=lambda row: -row[4])
        return [
            Box(
                math.floor(x / scale),
                math.floor(y / scale),
                min(math.ceil((x + w) / scale), width),
                min(math.ceil((y + h) / scale), height),
            )
            for x, y, w, h, _ in found
        ]

    def _alive(self, small: Picture, t: float, level: float) -> npt.NDArray[np.bool_]:
        """Where a pixel differs by more than `level` from a moment ago."""
        before = self._before
        if before is None or before[1].shape != small.shape:
            self._before = (t, small)
            return np.zeros(small.shape, np.bool_)
        if t - before[0] >= _MOMENT_S:
            self._before = (t, small)
        return np.asarray(cv2.absdiff(small, before[1]) > level)

    def _learn(self, small: Picture, t: float, free: npt.NDArray[np.uint8]) -> None:
        """Take in what is `free` of known people: what they uncover is learnt as quickly as a new picture."""
        assert self._mean is not None
        if self._looks is None or self._looks.shape != small.shape:
            self._looks = np.zeros(small.shape, np.float32)
        self._looks += free
        dt = min(max(t - self._time, 0.0), 1.0)
        self._time = t
        steady = 1 - math.exp(-dt / _LEARN_S)
        weight = np.where(self._looks <= _FIRST, 1 / np.maximum(self._looks, 1), steady) * free
        self._mean += weight * (small - self._mean)


def _median(values: Picture) -> float:
    """The same as `np.median`, which takes three times as long: it looks for what is no number, too."""
    middle = [(values.size - 1) // 2, values.size // 2]
    return float(np.partition(values, middle, axis=None)[middle].mean())


def cover(mask: npt.NDArray[np.uint8], bodies: Iterable[Outline], scale: float) -> None:
    """Set `mask` uint8[h, w], a picture at `scale`, to 0 where the `bodies` are."""
    for points, margin in bodies:
        hull = cv2.convexHull(np.round(points * scale).astype(np.int32))
        cv2.fillConvexPoly(mask, hull, 0)
        cv2.polylines(mask, [hull], isClosed=True, color=0, thickness=max(round(2 * margin * scale), 1))
