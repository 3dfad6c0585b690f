"""What somebody looks like, for as long as they are remembered: the colours of their clothes, and nothing else.

Two histograms, of the torso and of the thighs. They are kept in memory for seconds and leave it never.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from edge.vision.landmarks import Landmarks

_SHOULDERS, _HIPS, _KNEES = (11, 12), (23, 24), (25, 26)
_CELLS = 12
"""Samples along each side of a body part."""
_THINNEST = 0.3
"""Least width of a part in lengths of it: who stands sideways is not a line."""
_BINS = (6, 6, 6)
"""Of lightness and the two colours (CIE L*a*b*)."""
_RANGES = ((0, 256), (88, 168), (88, 168))
"""Of the 8-bit values; hardly any cloth is outside."""
_LEARN = 0.15
"""Weight of a new look."""

Array = npt.NDArray[np.float64]


class Appearance:
    """A running mean of what was seen of somebody."""

    def __init__(self) -> None:
        self._mean: Array | None = None
        self.looks = 0

    def learn(self, look: Array | None) -> None:
        """Take in a new look (`look`), None where nothing was seen."""
        if look is None:
            return
        self.looks += 1
        weight = max(_LEARN, 1 / self.looks)
        if self._mean is None:
            self._mean = look
            return
        mean = self._mean + weight * (look - self._mean)
        self._mean = np.where(np.isnan(self._mean), look, np.where(np.isnan(look), self._mean, mean))

    def distance(self, look: Array | None) -> float | None:
        """Hellinger distance (0 alike, 1 nothing in common) to a look; None where one of both was not seen."""
        if look is None or self._mean is None:
            return None
        overlap = np.sqrt(self._mean * look).sum(axis=1)
        parts = np.sqrt(np.clip(1 - overlap, 0, 1))
        seen = parts[~np.isnan(parts)]
        return float(seen.mean()) if len(seen) else None

    def between(self, other: Appearance) -> float | None:
        """The distance of two people."""
        return self.distance(other._mean)


def is_inside(seen: Landmarks, width: int) -> bool:
    """Whether all that is dressed lies between the sides of a picture of `width`: half a body shows half a door."""
    across = seen.points[[*_SHOULDERS, *_HIPS, *_KNEES], 0]
    return bool(across.min() >= 0 and across.max() < width)


def look(bgr: npt.NDArray[np.uint8], seen: Landmarks) -> Array | None:
    """Histograms float64[2, bins] (torso, thighs; each sums to 1) of a person in `bgr`.

    Not a number for a part that is outside of the picture; None where both are.
    """
    shoulders, hips, knees = (seen.points[list(pair)] for pair in (_SHOULDERS, _HIPS, _KNEES))
    parts = [_samples(bgr, shoulders, hips), _samples(bgr, hips, knees)]
    if all(part is None for part in parts):
        return None
    nothing = np.full(math.prod(_BINS), np.nan)
    return np.stack([nothing if part is None else _histogram(part) for part in parts])


def _samples(bgr: npt.NDArray[np.uint8], top: Array, bottom: Array) -> npt.NDArray[np.uint8] | None:
    """Pixels uint8[N, 1, 3] on a grid between two joints above and two below; None when most lie outside."""
    across = (top[1] - top[0] + bottom[1] - bottom[0]) / 2
    along = bottom.mean(axis=0) - top.mean(axis=0)
    width, length = float(np.linalg.norm(across)), float(np.linalg.norm(along))
    if not np.isfinite(width + length) or length < 1:
        return None
    direction = across / width if width > 1 else np.array([along[1], -along[0]]) / length
    across = direction * max(0.8 * width, _THINNEST * length)
    steps = (np.arange(_CELLS) + 0.5) / _CELLS
    grid = top.mean(axis=0) + steps[:, None, None] * along + (steps[None, :, None] - 0.5) * across
    xy = np.clip(grid.reshape(-1, 2), -1e6, 1e6).astype(np.int64)
    inside = (xy >= 0).all(axis=1) & (xy < (bgr.shape[1], bgr.shape[0])).all(axis=1)
    if inside.sum() < len(xy) / 2:
        return None
    pixels: npt.NDArray[np.uint8] = bgr[xy[inside, 1], xy[inside, 0]][:, None, :]
    return pixels


def _histogram(pixels: npt.NDArray[np.uint8]) -> Array:
    lab = cv2.cvtColor(pixels, cv2.COLOR_BGR2LAB)
    # Bounds are exclusive above, and what lies outside belongs to the outermost bin.
    low = np.array([pair[0] for pair in _RANGES])
    high = np.array([pair[1] for pair in _RANGES])
    bins = np.array(_BINS)
    cell = ((lab.reshape(-1, 3).astype(np.int64) - low) * bins // (high - low)).clip(0, bins - 1)
    counts = np.zeros(_BINS)
    np.add.at(counts, tuple(cell.T), 1.0)
    wide = np.pad(counts, 1)
    for axis in range(3):  # a shade lighter is nearly the same
        wide = 0.5 * wide + 0.25 * (np.roll(wide, 1, axis) + np.roll(wide, -1, axis))
    near = wide[1:-1, 1:-1, 1:-1].ravel()
    share: Array = near / near.sum()
    return share
