"""Movements as poses by progress: 0 at the start position, 1 at the far end of the usual range, more beyond it.

Each limb has a progress of its own, so that one pose serves both at once, one alone, and both by turns.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from tests.truth.curves import ease
from tests.truth.exercises import _STANDING, _at, _leg, _sagittal, _standing, _under_hip
from tests.truth.motion import SIDES
from tests.truth.person import OUT, Arm, Build, Foot, Pose, arms

if TYPE_CHECKING:
    from collections.abc import Callable

Array = npt.NDArray[np.float64]


class Movement(NamedTuple):
    """What somebody does again and again."""

    exercises: tuple[str, ...]
    """Ids of the rows it may be counted as, the best first."""
    pose: Callable[[Build, Array, Array], Pose]
    """Progress of the left and of the right side, float64[T] each, to the pose."""
    limbs: Literal["together", "alternating", "one"]
    fastest_s: float
    """Least time of a repetition of somebody trained."""
    yaw: tuple[float, float]
    """Views that serve it: from and to, degrees to either side."""
    weight: bool = False
    """Done with a weight, which is lifted from the floor before and put down after."""
    lying: bool = False


def squat(build: Build, left: Array, right: Array) -> Pose:
    """Both knees to 106 degrees, the trunk to 33."""
    down = (left + right) / 2
    knee = _STANDING + 102 * down
    return _sagittal(build, knee=knee, shin=0.3 * knee, lean=2 + 31 * down, forwards=40 * down)


def curl(build: Build, left: Array, right: Array) -> Pose:
    """Elbows from 12 to 127 degrees."""
    return _upright(build, left, right, flexion=(0, 8), abduction=(6, 6), elbow=(12, 127))


def lateral_raise(build: Build, left: Array, right: Array) -> Pose:
    """Straight arms to the side, to 90 degrees."""
    return _upright(build, left, right, flexion=(0, 0), abduction=(8, 90), elbow=(8, 12))


def front_raise(build: Build, left: Array, right: Array) -> Pose:
    """Straight arms forwards, to 90 degrees."""
    return _upright(build, left, right, flexion=(2, 90), abduction=(4, 4), elbow=(8, 10))


def press(build: Build, left: Array, right: Array) -> Pose:
    """Hands from the shoulders to over the head."""
    return _upright(build, left, right, flexion=(45, 162), abduction=(18, 12), elbow=(132, 15), most=1.1)


def jack(build: Build, left: Array, right: Array) -> Pose:
    """Feet apart, arms from the sides to over the head, with a hop between."""
    wide = (left + right) / 2
    pose = _upright(build, left, right, flexion=(0, 0), abduction=(10, 155), elbow=(12, 25), most=1.12)
    hop = build.share(0.025) * 4 * np.clip(wide, 0, 1) * (1 - np.clip(wide, 0, 1))
    apart = build.share(0.14) * wide
    leg = build.thigh + build.shank
    height = np.sqrt((0.992 * leg) ** 2 - apart**2) + build.ankle_height + hop
    feet = {}
    for side in SIDES:
        heel = np.column_stack([0 * wide - build.ankle_ahead, hop, OUT[side] * (build.hip_half + apart)])
        feet[side] = Foot(heel=heel, pitch=0 * wide)
    return replace(pose, pelvis=np.column_stack([0 * wide, height, 0 * wide]), feet=feet)


def split_squat(build: Build, left: Array, right: Array) -> Pose:
    """The right foot stays before, the left behind on its toes; the right knee bends from 25 to 90 degrees."""
    down = (left + right) / 2
    leg = _leg(build, 25.0 + 65 * down)
    ahead = build.share(0.17)
    hip = np.column_stack([0 * down, np.sqrt(leg**2 - ahead**2) + build.ankle_height, 0 * down])
    pitch = -30 - 35 * down
    front = Foot(heel=_at(len(down), ahead - build.ankle_ahead), pitch=0 * down)
    back = _on_toes(build, np.full(len(down), -build.share(0.15)), pitch)
    feet = {"right": _under_hip(build, front, "right"), "left": _under_hip(build, back, "left")}
    return Pose(pelvis=hip, feet=feet, arms=arms(len(down)), lean=np.full(len(down), 5.0))


def lunge(build: Build, left: Array, right: Array) -> Pose:
    """A step forwards into a lunge and back, with one leg at a time: the front knee to 90 degrees."""
    down = np.minimum(left + right, 1.05)  # deeper, the other knee would be in the floor
    share = ease(np.clip(down / 0.8, 0, 1))
    stride = build.share(0.5) * share
    behind_m = 0.49 * stride
    leg = _leg(build, _STANDING + 86 * down)
    height = np.sqrt(leg**2 - behind_m**2) + build.ankle_height
    lift = build.share(0.04) * 4 * share * (1 - share)
    front = Foot(heel=np.column_stack([stride - build.ankle_ahead, lift, 0 * down]), pitch=0 * down)
    toe = np.full(len(down), build.foot - build.ankle_ahead)
    back = _on_toes(build, toe, -60 * np.clip(down, 0, 1))
    feet = {}
    for side, own in (("left", left), ("right", right)):
        leads = own > 0
        heel = np.where(leads[:, None], front.heel, back.heel)
        feet[side] = _under_hip(build, Foot(heel=heel, pitch=np.where(leads, 0.0, back.pitch)), side)
    pelvis = np.column_stack([stride - behind_m, height, 0 * down])
    return Pose(pelvis=pelvis, feet=feet, arms=arms(len(down)), lean=2 + 6 * down)


def push_up(build: Build, left: Array, right: Array) -> Pose:
    """On hands and toes, straight; the shoulders go down to a fifth of the body height."""
    down = np.clip((left + right) / 2, 0, 1.15)
    arm = build.upper_arm + build.forearm
    line = build.thigh * 0.998 + build.shank + build.trunk
    pitch = np.full(len(down), -75.0)
    toes = _on_toes(build, 0 * down, pitch)
    ankle = toes.heel + _turn(pitch, build.ankle_ahead, build.ankle_height)
    high, low = 0.985 * arm, 0.19 * build.height_m
    shoulder_y = high + (low - high) * down
    tilt = np.arcsin((shoulder_y - ankle[:, 1]) / line)
    along = np.column_stack([np.cos(tilt), np.sin(tilt), 0 * tilt])
    pelvis = ankle + (line - build.trunk) * along
    lean = 90 - np.degrees(tilt)
    shoulder = pelvis + build.trunk * along
    top = np.arcsin((high - ankle[:, 1]) / line)
    wrist_x = ankle[:, 0] + line * np.cos(top) + build.share(0.02)
    flexion, bent = _reach(build, wrist_x - shoulder[:, 0], -shoulder[:, 1], lean)
    held = {side: Arm(flexion=flexion, abduction=0 * down + 8, elbow=bent) for side in SIDES}
    feet = {side: _under_hip(build, toes, side) for side in SIDES}
    return Pose(pelvis=pelvis, feet=feet, arms=held, lean=lean, neck=-15.0)


def sit_up(build: Build, left: Array, right: Array) -> Pose:
    """From the back, knees bent and feet flat, to sitting."""
    up = (left + right) / 2
    pelvis = np.tile([0.0, 0.06 * build.height_m, 0.0], (len(up), 1))
    foot = Foot(heel=_at(len(up), build.share(0.28)), pitch=0 * up)
    held = arms(len(up), flexion=50.0, abduction=10.0, elbow=120.0)
    feet = {side: _under_hip(build, foot, side) for side in SIDES}
    return Pose(pelvis=pelvis, feet=feet, arms=held, lean=-82 + 70 * up, neck=10.0)


def bend_down(build: Build, left: Array, right: Array) -> Pose:
    """To the floor and back, as for a weight: knees to 75 degrees, trunk to 70, arms hanging."""
    down = (left + right) / 2
    return _sagittal(
        build, knee=_STANDING + 71 * down, shin=1 + 20 * down, lean=2 + 68 * down, forwards=60 * down
    )


FRONT, SIDE, ANY = (0.0, 40.0), (50.0, 90.0), (0.0, 90.0)
MOVEMENTS = {
    "squat": Movement(("squat",), squat, "together", 0.5, ANY, weight=True),
    "curl": Movement(("biceps_curl",), curl, "together", 0.5, (0, 70), weight=True),
    "alternating curl": Movement(("biceps_curl",), curl, "alternating", 0.5, (0, 60), weight=True),
    "curl of one arm": Movement(("biceps_curl",), curl, "one", 0.5, (0, 70), weight=True),
    "lateral raise": Movement(("lateral_raise",), lateral_raise, "together", 0.5, FRONT, weight=True),
    "front raise": Movement(("front_raise",), front_raise, "together", 0.5, (30, 90), weight=True),
    "shoulder press": Movement(("shoulder_press",), press, "together", 0.5, (0, 60), weight=True),
    "jumping jack": Movement(("jumping_jack",), jack, "together", 0.4, FRONT),
    "split squat": Movement(("split_squat", "lunge"), split_squat, "together", 0.6, (30, 90)),
    "lunge": Movement(("lunge",), lunge, "alternating", 0.8, (30, 90)),
    "push-up": Movement(("push_up",), push_up, "together", 0.4, SIDE, lying=True),
    "sit-up": Movement(("sit_up",), sit_up, "together", 0.7, SIDE, lying=True),
}
"""By name."""


def _upright(
    build: Build,
    left: Array,
    right: Array,
    *,
    flexion: tuple[float, float],
    abduction: tuple[float, float],
    elbow: tuple[float, float],
    most: float = 1.2,
) -> Pose:
    """Standing, the arms between two positions; progress ends at `most`, where the joints do."""
    held = {}
    for side, p in (("left", np.minimum(left, most)), ("right", np.minimum(right, most))):
        held[side] = Arm(
            flexion=flexion[0] + (flexion[1] - flexion[0]) * p,
            abduction=abduction[0] + (abduction[1] - abduction[0]) * p,
            elbow=elbow[0] + (elbow[1] - elbow[0]) * p,
        )
    return replace(_standing(build, len(left)), arms=held)


def _on_toes(build: Build, toe_x: Array, pitch: Array) -> Foot:
    """A foot whose toes stay on the floor."""
    toe = np.column_stack([toe_x, 0 * pitch, 0 * pitch])
    return Foot(heel=toe - _turn(pitch, build.foot, 0.0), pitch=pitch)


def _reach(build: Build, ahead: Array, above: Array, lean: Array) -> tuple[Array, Array]:
    """Flexion of the upper arm against the trunk, and of the elbow, for a wrist that is so far from the shoulder."""
    a, b = build.upper_arm, build.forearm
    distance = np.clip(np.hypot(ahead, above), abs(a - b) + 1e-6, a + b - 1e-6)
    bent = np.degrees(np.arccos(np.clip((distance**2 - a**2 - b**2) / (2 * a * b), -1, 1)))
    inside = np.degrees(np.arccos(np.clip((a**2 + distance**2 - b**2) / (2 * a * distance), -1, 1)))
    lean = np.radians(lean)
    forwards = ahead * np.cos(lean) - above * np.sin(lean)
    downwards = -(ahead * np.sin(lean) + above * np.cos(lean))
    return np.degrees(np.arctan2(forwards, downwards)) - inside, bent


def _turn(degrees: Array, x: float, y: float) -> Array:
    """The vector (x, y, 0) turned about z."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.column_stack([c * x - s * y, s * x + c * y, 0 * c])
