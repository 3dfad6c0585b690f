"""Bodies from tables of labelled landmarks: one picture a line, without video and without points in space.

The columns are those of MediaPipe's image landmarks (`left_knee_x`, `_y`, `_z`, `_v`): x and y as shares of the
picture, y downwards, z in the scale of x, smaller towards the camera. That is a body in space seen from afar, all but
the shape of the picture. A table does not say that; but limbs keep their length, so it is the shape in which they do.
"""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.errors import ConfigError
from edge.motion.body import Body
from edge.motion.skeletons import SKELETONS

if TYPE_CHECKING:
    from pathlib import Path

Array = npt.NDArray[np.float64]

SHAPES = (9 / 16, 3 / 4, 1.0, 4 / 3, 16 / 9)
"""Width over height of pictures."""
_SKELETON = "blazepose33"
_NAMES = SKELETONS[_SKELETON].names
_TRUNK_M = 0.5
_HEIGHT_PX = 720
_BONES = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"))
_LONGEST = 20_000
"""Lines that are read at most."""


class Table(NamedTuple):
    """Labelled pictures."""

    labels: list[str]
    points: Array
    """float64[N, 33, 4]: x, y, z, visibility as in the file; NaN for landmarks that it lacks."""

    def shape(self) -> float:
        """Width over height of the pictures."""
        return min(SHAPES, key=self._spread)

    def bodies(self, shape: float) -> list[Body]:
        """One body a line."""
        image, space = self._space(shape)
        bodies = []
        for flat, deep, seen in zip(image, space, self.points[:, :, 3], strict=True):
            keypoints = np.column_stack([flat, seen]).astype(np.float32)
            bodies.append(Body.of(_SKELETON, keypoints, deep.astype(np.float32)))
        return bodies

    def _space(self, shape: float) -> tuple[Array, Array]:
        """Pixels float64[N, 33, 2], y downwards, and metres float64[N, 33, 3], y up, z towards the camera."""
        image = self.points[:, :, :2] * (shape * _HEIGHT_PX, _HEIGHT_PX)
        space = self.points[:, :, :3] * (shape, -1, -shape)
        trunk = (_at(space, "left_shoulder") + _at(space, "right_shoulder")) / 2
        trunk -= (_at(space, "left_hip") + _at(space, "right_hip")) / 2
        return image, space * (_TRUNK_M / np.linalg.norm(trunk, axis=1))[:, None, None]

    def _spread(self, shape: float) -> float:
        """By how much the bones' lengths differ between the pictures, in a picture of such a shape."""
        _, space = self._space(shape)
        spreads = []
        for one, other in _BONES:
            for side in ("left", "right"):
                bone = np.linalg.norm(_at(space, f"{side}_{one}") - _at(space, f"{side}_{other}"), axis=1)
                if np.isfinite(bone).all():
                    spreads.append(float(np.std(np.log(np.maximum(bone, 1e-6)))))
        return sum(spreads) / len(spreads) if spreads else math.inf


def read_table(path: Path) -> Table:
    """The labelled pictures of a file; ConfigError where it holds something else."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return _table(list(csv.reader(file)))
    except (OSError, ValueError, IndexError) as error:
        raise ConfigError(
            f"{path} is no table of labelled landmarks",
            "Its columns are `label`, then x, y, z and v of each landmark, as in `left_knee_x`.",
        ) from error


def _table(lines: list[list[str]]) -> Table:
    """IndexError or ValueError where the lines are something else."""
    header, rows = lines[0], lines[1 : _LONGEST + 1]
    places = [_place(name) for name in header[1:]]
    numbers = np.array([[float(cell) for cell in row[1:]] for row in rows], float)
    if header[0] != "label" or numbers.shape != (len(rows), len(places)) or not len(rows):
        raise ValueError(header[0])
    points = np.full((len(rows), len(_NAMES), 4), np.nan)
    for column, (landmark, part) in enumerate(places):
        points[:, landmark, part] = numbers[:, column]
    return Table([row[0] for row in rows], points)


def _place(column: str) -> tuple[int, int]:
    """Landmark and part of a column; ValueError for another column."""
    name, _, part = column.rpartition("_")
    return _NAMES.index(name), "xyzv".index(part)


def _at(points: Array, name: str) -> Array:
    return points[:, _NAMES.index(name)]
