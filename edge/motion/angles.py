"""Joint angles in degrees, zero in the anatomical position, flexion positive.

The senses follow the International Society of Biomechanics (Wu et al., J Biomech 35:543, 2002; 38:981, 2005), as
angles between segments rather than full joint coordinate systems: one camera does not see axial rotation. Each
angle is computed in the picture (2D) and in space (3D, from the model's world keypoints). The picture is exact
where both segments lie in its plane; the further a segment points towards the camera, the more weight space gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.body import INDEX, Body

Array = npt.NDArray[np.float64]

IN_PLANE = 20.0
"""Degrees out of the picture's plane up to which a segment is measured in the picture alone."""
OUT_OF_PLANE = 45.0
"""Degrees from which it is measured in space alone."""


@dataclass(frozen=True, kw_only=True)
class JointAngle:
    """One row: the angle between two segments, each from a proximal to a distal joint."""

    key: str
    first: tuple[str, str]
    second: tuple[str, str]
    offset: float = 0.0
    sign: float = 1.0


def _both_sides() -> tuple[JointAngle, ...]:
    rows = []
    for side in ("left", "right"):
        joint = {
            name: f"{name}_{side}"
            for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "toe")
        }
        rows += [
            JointAngle(
                key=f"knee_flexion_{side}",
                first=(joint["hip"], joint["knee"]),
                second=(joint["knee"], joint["ankle"]),
            ),
            JointAngle(
                key=f"hip_flexion_{side}",
                first=(joint["shoulder"], joint["hip"]),
                second=(joint["hip"], joint["knee"]),
            ),
            JointAngle(
                key=f"ankle_dorsiflexion_{side}",
                first=(joint["ankle"], joint["knee"]),
                second=(joint["heel"], joint["toe"]),
                offset=90.0,
                sign=-1.0,
            ),
            JointAngle(
                key=f"elbow_flexion_{side}",
                first=(joint["shoulder"], joint["elbow"]),
                second=(joint["elbow"], joint["wrist"]),
            ),
            JointAngle(
                key=f"shoulder_elevation_{side}",
                first=(joint["shoulder"], joint["hip"]),
                second=(joint["shoulder"], joint["elbow"]),
            ),
        ]
    return tuple(rows)


JOINT_ANGLES = _both_sides()
_FIRST = np.array([[INDEX[row.first[0]], INDEX[row.first[1]]] for row in JOINT_ANGLES])
_SECOND = np.array([[INDEX[row.second[0]], INDEX[row.second[1]]] for row in JOINT_ANGLES])
_OFFSET = np.array([row.offset for row in JOINT_ANGLES])
_SIGN = np.array([row.sign for row in JOINT_ANGLES])
_JOINTS = np.concatenate([_FIRST, _SECOND], axis=1)


class Angles(NamedTuple):
    """All joint angles of one body, in the order of `JOINT_ANGLES`."""

    value: Array
    """Degrees; NaN where a joint is unknown."""
    tilt: Array
    """Degrees by which the worse of the two segments leaves the picture's plane; NaN without space."""
    visibility: Array
    """Visibility of the least visible joint, 0-1."""


def joint_angles(body: Body) -> Angles:
    """Every row of `JOINT_ANGLES`, measured where it is measured best."""
    flat = between(_segment(body.image, _FIRST), _segment(body.image, _SECOND))
    first, second = _segment(body.space, _FIRST), _segment(body.space, _SECOND)
    deep = between(first, second)
    tilt = np.maximum(_tilt(first), _tilt(second))
    weight = space_weight(tilt)
    theta = np.where(np.isfinite(deep), (1 - weight) * flat + weight * deep, flat)
    return Angles(_OFFSET + _SIGN * theta, tilt, body.visibility[_JOINTS].min(axis=1))


def trunk_lean(body: Body) -> tuple[float, float, float]:
    """Degrees from the vertical (0 upright, 90 lying, 180 upside down), tilt out of the picture, visibility."""
    visible = body.seen("shoulder_left", "shoulder_right", "hip_left", "hip_right")
    flat, deep = _trunk(body.image), _trunk(body.space)
    lean = float(between(flat, np.array([0.0, 1.0])))
    in_space = float(between(deep, np.array([0.0, 1.0, 0.0])))
    if not np.isfinite(in_space):
        return lean, float("nan"), visible
    tilt = float(_tilt(deep))
    weight = float(space_weight(np.asarray(tilt)))
    return (1 - weight) * lean + weight * in_space, tilt, visible


def space_weight(tilt: Array) -> Array:
    """Weight (0-1) of the measurement in space for segments that leave the picture by `tilt` degrees."""
    x = np.clip((tilt - IN_PLANE) / (OUT_OF_PLANE - IN_PLANE), 0, 1)
    return np.where(np.isfinite(x), x * x * (3 - 2 * x), 0.0)


def _segment(points: Array, ends: npt.NDArray[np.intp]) -> Array:
    return points[ends[:, 1]] - points[ends[:, 0]]


def _trunk(points: Array) -> Array:
    """From the middle of the hips to the middle of the shoulders."""
    shoulders = points[INDEX["shoulder_left"]] + points[INDEX["shoulder_right"]]
    hips = points[INDEX["hip_left"]] + points[INDEX["hip_right"]]
    return np.asarray((shoulders - hips) / 2)


def between(a: Array, b: Array) -> Array:
    """Angle in degrees between vectors, 0-180; NaN where one has no length."""
    dot = (a * b).sum(axis=-1)
    length = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.degrees(np.arccos(np.clip(dot / length, -1, 1))))


def _tilt(vector: Array) -> Array:
    """Degrees by which a vector in space leaves the picture's plane, 0-90."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(
            np.degrees(np.arctan2(np.abs(vector[..., 2]), np.hypot(vector[..., 0], vector[..., 1])))
        )
