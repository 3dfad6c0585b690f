"""The room as it looks without people: coarse, in colour, learnt where nobody is known to be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from edge.vision.background import cover
from edge.vision.landmarks import cut
from edge.vision.roi import Roi

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.vision.background import Outline

_LONGEST = 256
"""Pixels of the longest side."""
_LEARN_S = 3.0
"""Time constant: people are left out, so what changes is the light, and things that are moved."""
_ENOUGH = 3
"""Looks from which a place is known; a place with fewer is guessed from what is around it."""
_COARSE, _AROUND, _NEAR = 4, 2.0, 0.02
"""A guess is made so many times smaller, with a reach of so many pixels there (standard deviation), where at least
this much of what is around is known."""

Picture = npt.NDArray[np.uint8]


class Room:
    """A running mean of the picture outside of people."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the room."""
        self._mean: npt.NDArray[np.float32] | None = None
        self._looks: npt.NDArray[np.float32] | None = None
        self._time = 0.0
        self._scale = 1.0
        self._empty: Picture | None = None

    def learn(self, bgr: Picture, t: float, people: Iterable[Outline]) -> None:
        """Take in `bgr` uint8[H, W, 3] of `t` seconds outside of `people`."""
        height, width = bgr.shape[:2]
        self._scale = _LONGEST / max(height, width)
        size = (max(round(width * self._scale), 1), max(round(height * self._scale), 1))
        small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        free = np.ones(small.shape[:2], np.uint8)
        cover(free, people, self._scale)
        if self._mean is None or self._looks is None or self._mean.shape != small.shape:
            self._mean, self._looks = small, np.zeros(free.shape, np.float32)
        steady = 1 - math.exp(-min(max(t - self._time, 0.0), 1.0) / _LEARN_S)
        weight = free * np.maximum(steady, 1 / (1 + self._looks))
        self._looks += free
        self._mean += weight[..., None] * (small - self._mean)
        self._time, self._empty = t, None

    def under(self, roi: Roi) -> Picture | None:
        """What a region of the picture looks like without people, uint8[256, 256, 3]; None before the first look."""
        if self._mean is None:
            return None
        if self._empty is None:
            self._empty = self._completed()
        scale = self._scale
        return cut(self._empty, Roi(roi.x * scale, roi.y * scale, roi.side * scale, roi.turn))

    def _completed(self) -> Picture:
        """The mean, and a guess where somebody has been since the first picture."""
        assert self._mean is not None
        assert self._looks is not None
        known = (self._looks >= _ENOUGH).astype(np.float32)
        mean = self._mean
        if not known.all():
            colours, weight = _around(mean * known[..., None]), _around(known)
            guessed = (known == 0) & (weight > _NEAR)
            mean = np.where(guessed[..., None], colours / np.maximum(weight, _NEAR)[..., None], mean)
        return np.clip(mean, 0, 255).astype(np.uint8)


def _around(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What is around each pixel, blurred."""
    height, width = image.shape[:2]
    size = (max(width // _COARSE, 1), max(height // _COARSE, 1))
    blurred = cv2.GaussianBlur(cv2.resize(image, size, interpolation=cv2.INTER_AREA), (0, 0), _AROUND)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
