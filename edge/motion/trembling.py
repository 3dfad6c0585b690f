"""How far joint angles tremble with the noise of the keypoints, so that their grade can say so.

The noise of a keypoint grows about with the root of its speed. How much of it there is was measured on footage of
people, after vision's filter, with trunks of 60 to 180 pixels (docs/accuracy.md).
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.motion.angles import ENDS, JOINT_ANGLES, between_ends
from edge.motion.body import POINTS

if TYPE_CHECKING:
    from edge.motion.body import Body

Array = npt.NDArray[np.float64]

_NOISE = {
    "head": 0.011, "neck": 0.009, "shoulder": 0.013, "elbow": 0.0175, "wrist": 0.020, "hand": 0.020,
    "pelvis": 0.010, "hip": 0.0145, "knee": 0.0185, "ankle": 0.0245, "heel": 0.029, "toe": 0.029,
}  # fmt: skip
"""Standard deviation, trunk lengths, of a point that moves at one trunk length a second."""
_LEAST_SPEED = 0.06
_OVER_S = 0.15
"""Seconds over which speeds are taken."""
_MEAN_ABSOLUTE = 0.8
"""Mean absolute value of a normal error of standard deviation 1."""

_OF_POINT = np.array([_NOISE.get(name.rsplit("_", 1)[0], _NOISE["head"]) ** 2 for name in POINTS])
_FREE = np.array([float(row.first is not None) for row in JOINT_ANGLES])
"""1 for a first segment that the noise moves, 0 for the vertical."""
_SHARED = 2.0 * (ENDS[1, 0] == ENDS[0, 1])
_AS_DEGREES = math.degrees(1) * _MEAN_ABSOLUTE


class Speeds:
    """How fast the points of one body move in the picture, from moment to moment."""

    def __init__(self) -> None:
        self._past: deque[tuple[float, Array]] = deque()

    def update(self, t: float, body: Body) -> Array:
        """float64[P], trunk lengths a second over the last moments; NaN where that is not known."""
        while self._past and not 0 < t - self._past[0][0] <= _OVER_S:
            self._past.popleft()
        if self._past:
            before, image = self._past[0]
            way = body.image - image
            with np.errstate(invalid="ignore", divide="ignore"):
                speeds: Array = np.sqrt(np.vecdot(way, way)) / (body.trunk_px * (t - before))
        else:
            speeds = np.full(len(POINTS), np.nan)
        self._past.append((t, body.image))
        return speeds


def trembling(body: Body, speeds: Array) -> Array:
    """float64[R]: mean absolute error in degrees that noise alone makes in each row of `JOINT_ANGLES`.

    `speeds` float64[P], trunk lengths a second. An angle between two segments errs with what their ends do across
    them, over their lengths in the picture; a joint that both share does twice.
    NaN where a point is unknown; a point of unknown speed is taken to be still.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        noise = _OF_POINT * np.fmax(speeds, _LEAST_SPEED) * body.trunk_px**2
        begin, end = noise.take(ENDS, axis=0)
        segments = between_ends(body.image)
        square = np.vecdot(segments, segments)
        first, second = (begin + end) / square
        shared = end[0] * np.vecdot(*segments) / (square[0] * square[1])
        return np.asarray(np.sqrt(second + _FREE * first + _SHARED * shared) * _AS_DEGREES)
