"""A person of known proportions, posed by pelvis, trunk, arms and feet; the legs follow by inverse kinematics.

Segment lengths are shares of body height by Drillis and Contini (1966), as in Winter, Biomechanics and Motor Control
of Human Movement, 4th ed. (2009), figure 4.1. Not in that table, and ours: the distance of the hip joints, where the
ankle stands over the foot, and the face.

True angles, all from the construction:
- knee_flexion, elbow_flexion: between the two segments; a knee bends forwards only.
- hip_flexion: of the thigh in the trunk's sagittal plane from the trunk's own line; extension negative.
- ankle_dorsiflexion: 90 less the angle between shin (ankle to knee) and sole (heel to toe).
- shoulder_elevation: of the upper arm from the trunk's line; shoulder_flexion and shoulder_abduction: its parts
  forwards, and then outwards.
- trunk_lean: from the vertical. pelvis_obliquity: right hip up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tests.truth.motion import SIDES

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = npt.NDArray[np.float64]

_FACE = ("nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye")
_FACE += ("right_eye_outer", "left_ear", "right_ear", "mouth_left", "mouth_right")
_SIDED = (
    "shoulder",
    "elbow",
    "wrist",
    "pinky",
    "index",
    "thumb",
    "hip",
    "knee",
    "ankle",
    "heel",
    "foot_index",
)
NAMES = (*_FACE, *(f"{side}_{joint}" for joint in _SIDED for side in SIDES))
"""Keypoints as MediaPipe numbers them (blazepose33)."""
OUT = {"left": -1.0, "right": 1.0}
"""Direction along z in which a side lies."""


@dataclass(frozen=True)
class Build:
    """A body of a height; every length in metres."""

    height_m: float = 1.75

    def share(self, share: float) -> float:
        return share * self.height_m

    @property
    def thigh(self) -> float:
        return self.share(0.245)

    @property
    def shank(self) -> float:
        return self.share(0.246)

    @property
    def ankle_height(self) -> float:
        return self.share(0.039)

    @property
    def foot(self) -> float:
        return self.share(0.152)

    @property
    def ankle_ahead(self) -> float:
        """Of the ankle before the heel."""
        return self.share(0.035)

    @property
    def hip_half(self) -> float:
        """Half the distance of the hip joints; the breadth over the hips, 0.191, is further out."""
        return self.share(0.05)

    @property
    def hip_height(self) -> float:
        return self.share(0.530)

    @property
    def trunk(self) -> float:
        """From the middle of the hips to the middle of the shoulders."""
        return self.share(0.818 - 0.530)

    @property
    def shoulder_half(self) -> float:
        return self.share(0.259 / 2)

    @property
    def upper_arm(self) -> float:
        return self.share(0.186)

    @property
    def forearm(self) -> float:
        return self.share(0.146)

    @property
    def hand(self) -> float:
        return self.share(0.108)


@dataclass(frozen=True, kw_only=True)
class Foot:
    """Where a foot is: the heel's lowest point float64[T, 3], and the sole's pitch in degrees, toes up positive."""

    heel: Array
    pitch: Array


@dataclass(frozen=True, kw_only=True)
class Arm:
    """Degrees, float64[T] each."""

    flexion: Array
    abduction: Array
    elbow: Array


@dataclass(frozen=True, kw_only=True)
class Pose:
    """How the body is held, at each of T moments."""

    pelvis: Array
    """float64[T, 3]: the middle of the hip joints."""
    feet: Mapping[str, Foot]
    arms: Mapping[str, Arm]
    lean: Array
    """Trunk forwards from the vertical, degrees."""
    turn: Array | float = 0.0
    """Pelvis about the vertical, degrees; left side forwards positive."""
    obliquity: Array | float = 0.0
    """Pelvis in the frontal plane, degrees; right side up positive."""
    twist: Array | float = 0.0
    """Shoulders about the trunk's line, degrees; left side forwards positive."""
    neck: Array | float = 0.0
    """Head forwards from the trunk's line, degrees."""


def arms(count: int, flexion: float = 0.0, abduction: float = 8.0, elbow: float = 10.0) -> dict[str, Arm]:
    """Both arms held still."""
    still = np.ones(count)
    return {
        side: Arm(flexion=flexion * still, abduction=abduction * still, elbow=elbow * still) for side in SIDES
    }


def hips(build: Build, pose: Pose) -> dict[str, Array]:
    """Where the hip joints are, float64[T, 3] each."""
    count = len(pose.pelvis)
    turn = np.broadcast_to(np.radians(pose.turn), count)
    tip = np.broadcast_to(np.radians(pose.obliquity), count)
    right = np.stack([-np.sin(turn) * np.cos(tip), np.sin(tip), np.cos(turn) * np.cos(tip)], axis=1)
    return {side: pose.pelvis + OUT[side] * build.hip_half * right for side in SIDES}


def ankle_of(build: Build, foot: Foot) -> Array:
    """The ankle over a foot, float64[T, 3]."""
    return foot.heel + _turned(foot.pitch, build.ankle_ahead, build.ankle_height)


def toe_of(build: Build, foot: Foot) -> Array:
    """The tip of a foot, float64[T, 3]."""
    return foot.heel + _turned(foot.pitch, build.foot, 0.0)


def knee(thigh: float, shank: float, hip: Array, ankle: Array, forward: Array) -> tuple[Array, Array]:
    """The middle joint of a limb, float64[T, 3], towards `forward`, and its flexion in degrees.

    ValueError where the limb is too short.
    """
    line = ankle - hip
    distance = np.linalg.norm(line, axis=1)
    if distance.max() > thigh + shank:
        raise ValueError(f"a leg is {distance.max() - thigh - shank:.3f} m too short for this movement")
    along = line / distance[:, None]
    across = forward - (forward * along).sum(axis=1)[:, None] * along
    across /= np.linalg.norm(across, axis=1)[:, None]
    first = (thigh**2 - shank**2 + distance**2) / (2 * distance)
    height = np.sqrt(np.maximum(thigh**2 - first**2, 0))
    cosine = (distance**2 - thigh**2 - shank**2) / (2 * thigh * shank)
    flexion = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return hip + first[:, None] * along + height[:, None] * across, flexion


@dataclass
class Drawn:
    """Points by name while a figure is being drawn."""

    points: dict[str, Array] = field(default_factory=dict)
    angles: dict[str, Array] = field(default_factory=dict)

    def stack(self) -> tuple[Array, dict[str, Array]]:
        return np.stack([self.points[name] for name in NAMES], axis=1), self.angles


def draw(build: Build, pose: Pose) -> tuple[Array, dict[str, Array]]:
    """All points float64[T, 33, 3] in the order of `NAMES` and the true angles; ValueError for legs too short."""
    figure = Drawn()
    lean = np.radians(pose.lean)
    up = np.stack([np.sin(lean), np.cos(lean), 0 * lean], axis=1)
    forward = np.stack([np.cos(lean), -np.sin(lean), 0 * lean], axis=1)
    _legs(figure, build, pose, up, forward)
    neck = pose.pelvis + build.trunk * up
    _arms(figure, build, pose, neck, up, forward)
    _head(figure, build, pose, neck)
    figure.angles["trunk_lean"] = np.abs(pose.lean)
    figure.angles["pelvis_obliquity"] = np.broadcast_to(np.asarray(pose.obliquity, float), lean.shape)
    return figure.stack()


def _legs(figure: Drawn, build: Build, pose: Pose, up: Array, forward: Array) -> None:
    turn = np.broadcast_to(np.radians(pose.turn), len(up))
    ahead = np.stack([np.cos(turn), 0 * turn, np.sin(turn)], axis=1)
    for side, hip in hips(build, pose).items():
        foot = pose.feet[side]
        ankle, toe = ankle_of(build, foot), toe_of(build, foot)
        joint, flexion = knee(build.thigh, build.shank, hip, ankle, ahead)
        thigh = joint - hip
        shin, sole = (joint - ankle) / build.shank, (toe - foot.heel) / build.foot
        figure.points |= {
            f"{side}_hip": hip,
            f"{side}_knee": joint,
            f"{side}_ankle": ankle,
            f"{side}_heel": foot.heel,
            f"{side}_foot_index": toe,
        }
        figure.angles |= {
            f"knee_flexion_{side}": flexion,
            f"hip_flexion_{side}": np.degrees(np.arctan2(_dot(thigh, forward), -_dot(thigh, up))),
            f"ankle_dorsiflexion_{side}": np.degrees(np.arcsin(np.clip(_dot(shin, sole), -1, 1))),
        }


def _arms(figure: Drawn, build: Build, pose: Pose, neck: Array, up: Array, forward: Array) -> None:
    twist = np.broadcast_to(np.radians(pose.twist), len(up))[:, None]
    across = np.cos(twist) * np.array([0.0, 0.0, 1.0]) - np.sin(twist) * forward
    for side, out in OUT.items():
        arm = pose.arms[side]
        flexion, abduction, bent = (np.radians(a)[:, None] for a in (arm.flexion, arm.abduction, arm.elbow))
        upper = np.cos(abduction) * (np.sin(flexion) * forward - np.cos(flexion) * up)
        upper = upper + np.sin(abduction) * np.array([0.0, 0.0, out])
        fore = np.cos(bent) * upper + np.sin(bent) * (np.cos(flexion) * forward + np.sin(flexion) * up)
        shoulder = neck + out * build.shoulder_half * across
        elbow = shoulder + build.upper_arm * upper
        wrist = elbow + build.forearm * fore
        inwards = np.array([0.0, 0.0, -out])
        figure.points |= {
            f"{side}_shoulder": shoulder,
            f"{side}_elbow": elbow,
            f"{side}_wrist": wrist,
            f"{side}_index": wrist + 0.85 * build.hand * fore,
            f"{side}_pinky": wrist + 0.8 * build.hand * fore - 0.2 * build.hand * inwards,
            f"{side}_thumb": wrist + 0.5 * build.hand * fore + 0.25 * build.hand * inwards,
        }
        figure.angles |= {
            f"elbow_flexion_{side}": arm.elbow,
            f"shoulder_flexion_{side}": arm.flexion,
            f"shoulder_abduction_{side}": arm.abduction,
            f"shoulder_elevation_{side}": np.degrees(np.arccos(np.clip(-_dot(upper, up), -1, 1))),
        }


_HEAD = {"nose": (0.065, 0.100, 0.0), "mouth": (0.055, 0.075, 0.015), "ear": (0.0, 0.105, 0.045)}
_HEAD |= {
    "eye_inner": (0.055, 0.118, 0.012),
    "eye": (0.055, 0.118, 0.018),
    "eye_outer": (0.052, 0.118, 0.024),
}
"""Forwards, up and out from the middle of the shoulders, in body heights."""


def _head(figure: Drawn, build: Build, pose: Pose, neck: Array) -> None:
    tip = -np.broadcast_to(np.asarray(pose.lean) + pose.neck, len(neck))
    for part, (ahead, above, out) in _HEAD.items():
        middle = neck + _turned(tip, build.share(ahead), build.share(above))
        for side in SIDES if out else ("",):
            name = f"{part}_{side}" if part == "mouth" else f"{side}_{part}" if side else part
            figure.points[name] = middle + np.array([0.0, 0.0, OUT.get(side, 0.0) * build.share(out)])


def _turned(degrees: Array, x: float, y: float) -> Array:
    """The vector (x, y, 0) turned about z, float64[T, 3]."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.stack([c * x - s * y, s * x + c * y, 0 * c], axis=1)


def _dot(a: Array, b: Array) -> Array:
    return np.asarray((a * b).sum(axis=1))
