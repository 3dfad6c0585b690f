"""One subject over time: the courses of its points, cleaned for reports.

Live measurements look at a body at a time; gait, symmetry and reports look at a track.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.motion.body import INDEX, MIDDLES, SEEN
from edge.motion.smooth import Smooth, smooth, without_outliers
from edge.motion.swaps import unswap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.motion.body import Body

Array = npt.NDArray[np.float64]

JUMP = 0.08
"""Trunk lengths that a point may be away from its neighbours without being an outlier."""


@dataclass(frozen=True)
class Track:
    """Bodies at rising times."""

    times: Array
    """float64[T], seconds."""
    image: Array
    """float64[T, P, 2], pixels, y up; NaN where unseen."""
    space: Array
    """float64[T, P, 3], metres from the hips, y up, z towards the camera; NaN where unknown."""
    visibility: Array
    """float64[T, P], 0-1."""

    @classmethod
    def of(cls, times: Sequence[float], bodies: Sequence[Body]) -> Track:
        """From bodies in the order of their pictures. Moments that do not come after the one before are left out."""
        keep: list[int] = []
        latest = -np.inf
        for index, time in enumerate(times):
            if np.isfinite(time) and time > latest:
                keep.append(index)
                latest = time
        points = len(INDEX)
        if not keep:
            return cls(np.zeros(0), np.zeros((0, points, 2)), np.zeros((0, points, 3)), np.zeros((0, points)))
        return cls(
            np.array([times[index] for index in keep], float),
            np.stack([bodies[index].image for index in keep]),
            np.stack([bodies[index].space for index in keep]),
            np.stack([bodies[index].visibility for index in keep]),
        )

    def __len__(self) -> int:
        """Number of moments."""
        return len(self.times)

    @cached_property
    def trunk_px(self) -> float:
        """Length of the trunk in the picture, in pixels: the middle over time; NaN where it is never seen."""
        lengths = np.linalg.norm(self.image[:, INDEX["neck"]] - self.image[:, INDEX["pelvis"]], axis=1)
        lengths = lengths[np.isfinite(lengths)]
        return float(np.median(lengths)) if len(lengths) else float("nan")

    @cached_property
    def rate(self) -> float:
        """Pictures a second, the usual one; 0 for fewer than two."""
        return float(1 / np.median(np.diff(self.times))) if len(self) > 1 else 0.0

    def cleaned(self, seen: float = SEEN) -> Track:
        """Without what was hardly seen, swapped sides and outliers; middles are taken again from what is left."""
        image = np.where((self.visibility >= seen)[:, :, None], self.image, np.nan)
        image, swapped = unswap(self.times, image)
        space = np.where(swapped[:, None, None], _mirrored(self.space), self.space)
        visibility = np.where(swapped[:, None], _mirrored(self.visibility), self.visibility)
        count = len(self)
        scale = self.trunk_px
        if count and np.isfinite(scale):
            image = without_outliers(image.reshape(count, -1), JUMP * scale).reshape(image.shape)
        for name, (left, right) in MIDDLES.items():
            image[:, INDEX[name]] = image[:, [INDEX[left], INDEX[right]]].mean(axis=1)
        return Track(self.times, image, space, visibility)

    def course(self, point: str) -> Smooth:
        """Path of a point in the picture and its speed: float64[T, 2] each, pixels and pixels a second."""
        at = INDEX[point]
        weights = np.repeat(self.visibility[:, at, None], 2, axis=1)
        return smooth(self.times, self.image[:, at], weights)


def _mirrored(points: Array) -> Array:
    """With the left and right points exchanged along axis 1."""
    return points[:, MIRROR]


MIRROR = np.array(
    [
        INDEX[name.replace("_left", "_right") if name.endswith("_left") else name.replace("_right", "_left")]
        for name in INDEX
    ]
)
"""Index of the point on the other side, for each point."""
