"""Joint angles in degrees, zero in the anatomical position, flexion positive.

The senses follow the International Society of Biomechanics (Wu et al., J Biomech 35:543, 2002; 38:981, 2005), as
angles between segments rather than full joint coordinate systems: one camera does not see axial rotation. Each
angle is computed in the picture (2D) and in space (3D, from the model's world keypoints). The picture is exact
where the joint bends in its plane; the further that plane is turned from it, the more weight space gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.body import INDEX, Body

Array = npt.NDArray[np.float64]

IN_PLANE = 20.0
"""Degrees between the joint's plane and the picture's up to which the picture alone is asked."""
OUT_OF_PLANE = 45.0
"""Degrees from which space alone is asked."""
_STRAIGHT = 0.3
"""Sine of an angle below which two segments are too much in line to span a plane."""


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
                first=("neck", "pelvis"),
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
                first=("neck", "pelvis"),
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
    """Degrees by which the plane of the angle is turned out of the picture's, 0-90; NaN without space."""
    visibility: Array
    """Visibility of the least visible joint, 0-1."""


def joint_angles(body: Body) -> Angles:
    """Every row of `JOINT_ANGLES`, measured where it is measured best."""
    flat = between(_segment(body.image, _FIRST), _segment(body.image, _SECOND))
    first, second = _segment(body.space, _FIRST), _segment(body.space, _SECOND)
    deep = between(first, second)
    tilt = _tilt(first, second, _across(body))
    theta = _blend(flat, deep, tilt)
    return Angles(_OFFSET + _SIGN * theta, tilt, body.visibility[_JOINTS].min(axis=1))


def trunk_lean(body: Body) -> tuple[float, float, float]:
    """Degrees from the vertical (0 upright, 90 lying, 180 upside down), tilt out of the picture, visibility."""
    visible = body.seen("shoulder_left", "shoulder_right", "hip_left", "hip_right")
    flat, deep = _trunk(body.image), _trunk(body.space)
    up = np.array([0.0, 1.0, 0.0])
    lean = float(between(flat, up[:2]))
    in_space = float(between(deep, up))
    tilt = float(_tilt(deep, up, _across(body)))
    return float(_blend(np.asarray(lean), np.asarray(in_space), np.asarray(tilt))), tilt, visible


def _blend(flat: Array, deep: Array, tilt: Array) -> Array:
    """The angle in the picture, the more of the one in space the further its plane is turned out of the picture.

    Where one of them does not exist (no depth; a segment that points at the camera) the other is taken.
    """
    x = np.clip((tilt - IN_PLANE) / (OUT_OF_PLANE - IN_PLANE), 0, 1)
    weight = x * x * (3 - 2 * x)
    mixed = np.where(np.isfinite(flat), (1 - weight) * flat + weight * deep, deep)
    return np.where(np.isfinite(deep) & np.isfinite(tilt), mixed, flat)


def _segment(points: Array, ends: npt.NDArray[np.intp]) -> Array:
    return points[ends[:, 1]] - points[ends[:, 0]]


def _trunk(points: Array) -> Array:
    """From the middle of the hips to the middle of the shoulders."""
    return np.asarray(points[INDEX["neck"]] - points[INDEX["pelvis"]])


def between(a: Array, b: Array) -> Array:
    """Angle in degrees between vectors, 0-180; NaN where one has no length."""
    dot = (a * b).sum(axis=-1)
    length = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.degrees(np.arccos(np.clip(dot / length, -1, 1))))


def _across(body: Body) -> Array:
    """The body's own axis from right to left, in space: the one about which knees and hips bend."""
    return np.asarray(
        body.space[INDEX["hip_left"]]
        - body.space[INDEX["hip_right"]]
        + body.space[INDEX["shoulder_left"]]
        - body.space[INDEX["shoulder_right"]]
    )


def _cross(a: Array, b: Array) -> Array:
    """The vector product; several times faster than numpy's for a handful of vectors."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def _tilt(first: Array, second: Array, across: Array) -> Array:
    """Degrees between the picture's plane and that of the two segments, 0-90.

    A straight limb spans no plane: then it is the one in which it would bend, whose normal is `across`.
    """
    normal = _cross(first, second)
    lengths = np.sqrt((first * first).sum(axis=-1) * (second * second).sum(axis=-1))
    bent = np.sqrt((normal * normal).sum(axis=-1)) > _STRAIGHT * lengths
    normal = np.where(bent[..., None], normal, across)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(
            np.degrees(np.arctan2(np.hypot(normal[..., 0], normal[..., 1]), np.abs(normal[..., 2])))
        )
