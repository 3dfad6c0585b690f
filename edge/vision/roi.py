"""Where to look: a rotated square around a person, and the mapping between its pixels and the picture's."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

EXPAND = 1.25
"""BlazePose's landmark model was trained on squares 1.25 times the circle around the person."""


class Roi(NamedTuple):
    """A square in the picture: centre and side in pixels, turn in radians (0: head up)."""

    x: float
    y: float
    side: float
    turn: float

    @classmethod
    def from_alignment(cls, hips: npt.NDArray[np.float64], rim: npt.NDArray[np.float64]) -> Roi:
        """From BlazePose's two alignment points: the middle of the hips and the rim of the body's circle."""
        dx, dy = float(rim[0] - hips[0]), float(rim[1] - hips[1])
        side = 2 * EXPAND * math.hypot(dx, dy)
        return cls(float(hips[0]), float(hips[1]), side, math.pi / 2 - math.atan2(-dy, dx))

    def usable(self, width: int, height: int) -> bool:
        """Whether a person can be read here: finite, not tiny, not far larger than or outside the picture."""
        if not all(math.isfinite(value) for value in self):
            return False
        longest = max(width, height)
        inside = -0.25 * width < self.x < 1.25 * width and -0.25 * height < self.y < 1.25 * height
        return inside and 16 <= self.side <= 6 * longest

    def matrix(self, size: int) -> npt.NDArray[np.float64]:
        """2x3 affine map from the pixels of a `size` x `size` crop to the picture's."""
        k, c, s = self.side / size, math.cos(self.turn), math.sin(self.turn)
        half = size / 2
        return np.array(
            [
                [k * c, -k * s, self.x - (k * c - k * s) * half],
                [k * s, k * c, self.y - (k * s + k * c) * half],
            ]
        )
