"""Joint angles in degrees, zero in the anatomical position, flexion positive.

The senses follow the International Society of Biomechanics (Wu et al., J Biomech 35:543, 2002; 38:981, 2005), as
angles between segments rather than full joint coordinate systems: one camera does not see axial rotation. Each
angle is computed in the picture (2D) and in space (3D, from the model's world keypoints). The picture is exact
where the joint bends in its plane; the further that plane is turned from it, the more weight space gets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.body import INDEX, POINTS, Body

Array = npt.NDArray[np.float64]

IN_PLANE = 20.0
"""Degrees between the joint's plane and the picture's up to which the picture alone is asked."""
OUT_OF_PLANE = 45.0
"""Degrees from which space alone is asked."""
_STRAIGHT = 0.3
"""Sine of an angle below which two segments are too much in line to span a plane."""
_BENT = 0.7
"""Sine from which the plane that they span is sure: below, the one in which the joint is meant to bend counts too."""
_ABOUT = 0.7
"""Cosine between the axis of a turn and the plane's normal from which the turn is one about it."""
_END_ON = 0.3
"""Part of a segment that must lie in the plane of the body into which it is projected."""


@dataclass(frozen=True, kw_only=True)
class JointAngle:
    """One row: the angle from one segment to another, each from a proximal to a distal point.

    `value = offset + sign * angle`. The plane of the body is the one in which the joint is meant to bend.
    """

    key: str
    first: tuple[str, str] | None
    """None: the vertical, upwards."""
    second: tuple[str, str]
    plane: Literal["sagittal", "frontal"] = "sagittal"
    turn: float = 0.0
    """1 or -1: which way about the plane's normal (to the left, or forwards) is positive. 0: it has no sign."""
    extension: float = 180.0
    """Degrees the joint can go the other way; what seems to be more is a misread depth."""
    projected: bool = False
    """Only the segments' parts in the plane count."""
    anywhere: bool = False
    """The joint bends to every side: even an almost straight one only in the plane that its segments span."""
    offset: float = 0.0
    sign: float = 1.0


def _side(side: str) -> tuple[JointAngle, ...]:
    at = {
        name: f"{name}_{side}"
        for name in ("shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "heel", "toe")
    }
    trunk, upper_arm, thigh = ("neck", "pelvis"), (at["shoulder"], at["elbow"]), (at["hip"], at["knee"])
    forearm, shank = (at["elbow"], at["wrist"]), (at["knee"], at["ankle"])
    outwards = 1.0 if side == "left" else -1.0
    return (
        JointAngle(key=f"knee_flexion_{side}", first=thigh, second=shank, turn=1.0, extension=15.0),
        JointAngle(key=f"hip_flexion_{side}", first=trunk, second=thigh, turn=-1.0, extension=35.0),
        JointAngle(
            key=f"ankle_dorsiflexion_{side}",
            first=(at["ankle"], at["knee"]), second=(at["heel"], at["toe"]), offset=90.0, sign=-1.0,
        ),
        JointAngle(key=f"elbow_flexion_{side}", first=upper_arm, second=forearm, turn=-1.0, extension=15.0),
        JointAngle(
            key=f"wrist_flexion_{side}", first=forearm, second=(at["wrist"], at["hand"]), anywhere=True
        ),
        JointAngle(key=f"shoulder_elevation_{side}", first=trunk, second=upper_arm, anywhere=True),
        JointAngle(
            key=f"shoulder_flexion_{side}",
            first=trunk, second=upper_arm, turn=-1.0, extension=70.0, projected=True,
        ),
        JointAngle(
            key=f"shoulder_abduction_{side}",
            first=trunk, second=upper_arm, plane="frontal", turn=outwards, extension=70.0, projected=True,
        ),
    )  # fmt: skip


_LEVEL = {"plane": "frontal", "projected": True, "offset": 90.0, "sign": -1.0}
JOINT_ANGLES: tuple[JointAngle, ...] = (
    *_side("left"),
    *_side("right"),
    JointAngle(
        key="neck_flexion", first=("pelvis", "neck"), second=("neck", "head"), turn=1.0, projected=True
    ),
    JointAngle(key="trunk_lean", first=None, second=("pelvis", "neck")),
    JointAngle(
        key="spine_side_lean",
        first=None,
        second=("pelvis", "neck"),
        plane="frontal",
        turn=-1.0,
        projected=True,
    ),
    JointAngle(key="pelvis_obliquity", first=None, second=("hip_right", "hip_left"), **_LEVEL),  # type: ignore[arg-type]
    JointAngle(key="shoulder_level", first=None, second=("shoulder_right", "shoulder_left"), **_LEVEL),  # type: ignore[arg-type]
)
"""Left side lean, a higher left hip and a higher left shoulder are positive."""

ROW = {row.key: index for index, row in enumerate(JOINT_ANGLES)}


def _column(values: list[float]) -> Array:
    return np.array(values, float)


ENDS = np.array(
    [
        [
            INDEX[(row.first or row.second)[0]],
            INDEX[row.second[0]],
            INDEX[(row.first or row.second)[1]],
            INDEX[row.second[1]],
        ]
        for row in JOINT_ANGLES
    ]
).T.reshape(2, 2, -1)
"""int[2, 2, R]: where the first and the second segment of each row begin, and where they end; for the vertical the
second's."""
_VERTICAL = np.array([row.first is None for row in JOINT_ANGLES])
_PLANE = np.array([("sagittal", "frontal").index(row.plane) for row in JOINT_ANGLES])
_PROJECTED = np.array([row.projected for row in JOINT_ANGLES])
_LEAST_SPAN = _column([0.0 if row.anywhere else _STRAIGHT for row in JOINT_ANGLES])
_TURN = _column([row.turn for row in JOINT_ANGLES])
_EXTENSION = _column([row.extension for row in JOINT_ANGLES])
_OFFSET = _column([row.offset for row in JOINT_ANGLES])
_SIGN = _column([row.sign for row in JOINT_ANGLES])
_IN, _FREE = _PROJECTED.astype(float), ~_PROJECTED
_JOINTS = ENDS.reshape(4, -1)
_NECK, _PELVIS = INDEX["neck"], INDEX["pelvis"]
_TORSO = np.array(
    [INDEX[name] for name in ("hip_left", "hip_right", "shoulder_left", "shoulder_right", "neck", "pelvis")]
)
_UP, _PICTURE = (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_YZX, _ZXY = np.array([1, 2, 0]), np.array([2, 0, 1])


class Angles(NamedTuple):
    """All joint angles of one body, in the order of `JOINT_ANGLES`."""

    value: Array
    """Degrees; NaN where a joint is unknown, or points out of the plane in which it is asked."""
    tilt: Array
    """Degrees by which the plane of the angle is turned out of the picture's, 0-90; NaN without space."""
    visibility: Array
    """Visibility of the least visible joint, 0-1."""


def joint_angles(body: Body) -> Angles:
    """Every row of `JOINT_ANGLES`, measured where it is measured best."""
    up = body.lens.up if body.lens else _UP
    with np.errstate(invalid="ignore", divide="ignore"):
        normals = _normals(body.space)
        seen, segments = _segments(body, up)
        # Only what lies in the plane, for the rows that ask for it.
        out = np.vecdot(segments, normals) * _IN
        inside = segments - out[..., None] * normals
        cross = _cross(inside[0], inside[1])
        span, length = _length(cross), _length(segments)
        # A straight limb spans no plane: then it is the one in which it would bend.
        whole = length[0] * length[1]
        bent = (span > _LEAST_SPAN * whole) & _FREE
        plane = np.where(bent[:, None], cross / span[:, None], normals)
        sight = _sight(body)
        facing = np.vecdot(plane, sight)
        distance = _length(sight)
        squarely = np.abs(facing)
        unsure = bent & (span < _BENT * whole)
        np.minimum(squarely, np.abs(np.vecdot(normals, sight)), out=squarely, where=unsure)
        turned = np.arccos(np.minimum(squarely / distance, 1.0))
        # A limb that points at the camera, or out of the plane into which it is projected, is not seen in it.
        steep = np.maximum(np.abs(np.vecdot(segments[1], sight)) / distance, np.abs(out[1])) / length[1]
        tilt = np.degrees(np.maximum(turned, np.arcsin(np.minimum(steep, 1.0))))
        lifted = _lifted(body, seen, plane, facing, sight, out)
        lifted_cross = _cross(lifted[0], lifted[1])
        along = np.vecdot(inside[0], inside[1])
        flat, deep = _signed(
            np.array((_length(lifted_cross), span)),
            np.array((np.vecdot(lifted[0], lifted[1]), along)),
            np.array((np.vecdot(lifted_cross, normals), np.vecdot(cross, normals))),
        )
        value = _OFFSET + _SIGN * _blend(flat, deep, tilt)
        value[np.hypot(span, along) < _END_ON * whole] = np.nan
    return Angles(value, tilt, np.minimum.reduce(body.visibility.take(_JOINTS)))


def _segments(body: Body, up: tuple[float, float, float]) -> Array:
    """The two segments of each row, float64[2, 2, R, 3]: as seen in the picture (without depth), and in space."""
    points = np.zeros((2, len(POINTS), 3))
    points[0, :, :2] = body.image
    points[1] = body.space
    segments = between_ends(points)
    segments[:, 0, _VERTICAL] = ((*up[:2], 0.0),), (up,)
    return segments


def between_ends(points: Array) -> Array:
    """The two segments of each row, float64[..., 2, R, D], of points [..., P, D]; the second twice for a vertical."""
    ends = points.take(ENDS, axis=-2)
    return np.asarray(ends[..., 1, :, :, :] - ends[..., 0, :, :, :])


def _lifted(body: Body, seen: Array, plane: Array, facing: Array, sight: Array, out: Array) -> Array:
    """The segments in the picture with the depth that undoes the foreshortening of the planes in which they lie.

    A segment seen as (x, y) has the depth with which it lies in its plane, or with which it reaches out of it as
    far as it does in space (`out`); so near the joint lines of sight are parallel. Without space there is no plane
    but the picture's.
    """
    reach = np.where(_VERTICAL, 1.0, _pixels_a_metre(body)) * out
    known = np.isfinite(facing)
    if not known.all():
        plane, facing = np.where(known[:, None], plane, _PICTURE), np.where(known, facing, 1.0)
        reach = np.where(known, reach, 0.0)
    depth = (reach - np.vecdot(seen, plane)) / facing
    return np.asarray(seen + depth[..., None] * sight - reach[..., None] * plane)


def _pixels_a_metre(body: Body) -> float:
    """Of the trunk, whose depth is known best."""
    real = body.space[_NECK, :2] - body.space[_PELVIS, :2]
    return body.trunk_px / max(math.sqrt(real @ real), 1e-9)


def _sight(body: Body) -> Array:
    """From each row's joint to the camera, float64[R, 3] with 1 along the optical axis."""
    sight = np.zeros((len(JOINT_ANGLES), 3))
    sight[:, 2] = 1.0
    if body.lens is not None:
        rays = body.lens.rays(body.image.take(ENDS[0, 1], axis=0))
        sight[:, :2] = np.where(np.isfinite(rays), -rays, 0.0)
    return sight


def _length(vectors: Array) -> Array:
    return np.asarray(np.sqrt(np.vecdot(vectors, vectors)))


def _signed(span: Array, along: Array, side: Array) -> Array:
    """Angles in degrees from the lengths of cross and dot product; negative where they turn the other way.

    `side`: part of the cross product along the plane's normal. What turns about another axis has no sign.
    """
    size = np.degrees(np.arctan2(span, along))
    size[(span == 0) & (along == 0)] = np.nan  # a segment without length
    backwards = (side * _TURN < -_ABOUT * span) & (size <= _EXTENSION)
    return np.where(backwards, -size, size)


def _normals(space: Array) -> Array:
    """Of each row's plane, float64[R, 3] of length 1: to the body's left, or forwards; NaN without space."""
    left_hip, right_hip, left_shoulder, right_shoulder, neck, pelvis = space.take(_TORSO, axis=0)
    left = left_hip - right_hip + left_shoulder - right_shoulder
    left /= math.sqrt(left @ left)
    forwards = _cross(left, neck - pelvis)
    forwards /= math.sqrt(forwards @ forwards)
    return np.array((left, forwards)).take(_PLANE, axis=0)


def _blend(flat: Array, deep: Array, tilt: Array) -> Array:
    """The angle in the picture, the more of the one in space the further its plane is turned out of the picture.

    Where one of them does not exist (no depth; a segment that points at the camera) the other is taken.
    """
    x = np.minimum(np.maximum((tilt - IN_PLANE) / (OUT_OF_PLANE - IN_PLANE), 0.0), 1.0)
    mixed = flat + x * x * (3 - 2 * x) * (deep - flat)
    either = np.where(np.isfinite(deep + tilt), deep, flat)
    return np.where(np.isfinite(mixed), mixed, either)


def between(a: Array, b: Array) -> Array:
    """Angle in degrees between vectors, 0-180; NaN where one has no length."""
    dot = (a * b).sum(axis=-1)
    length = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.degrees(np.arccos(np.clip(dot / length, -1, 1))))


def _cross(a: Array, b: Array) -> Array:
    """The vector product; several times faster than numpy's for a handful of vectors."""
    return a.take(_YZX, axis=-1) * b.take(_ZXY, axis=-1) - a.take(_ZXY, axis=-1) * b.take(_YZX, axis=-1)
