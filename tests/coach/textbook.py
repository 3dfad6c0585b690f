"""Textbook repetitions of every exercise: bodies posed by their joint angles, seen by a camera that stands anywhere.

What the rows say of exercises without footage is checked with these. Proportions: Drillis and Contini (1966).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.motion.body import INDEX, MIDDLES, POINTS, Body

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = npt.NDArray[np.float64]

HEIGHT_M = 1.72
TRUNK, THIGH, SHANK = 0.288 * HEIGHT_M, 0.245 * HEIGHT_M, 0.246 * HEIGHT_M
UPPER_ARM, FOREARM, FOOT = 0.186 * HEIGHT_M, 0.146 * HEIGHT_M, 0.11 * HEIGHT_M
SHOULDERS, HIPS = 0.2 * HEIGHT_M, 0.11 * HEIGHT_M
Both = float | tuple[float, float]
"""Of both sides, or (left, right)."""


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Joint angles in degrees, flexion positive; zero: upright with arms hanging."""

    lean: float = 0
    """Of the trunk: 90 face down, -90 on the back."""
    roll: float = 0
    """Of the trunk to the left side."""
    hip: Both = 0
    apart: Both = 5
    """Abduction of the hips."""
    knee: Both = 0
    ankle: Both | None = None
    """Dorsiflexion; None: the feet are level."""
    arm: Both = 0
    """Flexion of the shoulders."""
    out: Both = 8
    """Their abduction."""
    elbow: Both = 10
    fold: str = "ahead"
    """Where forearms bend to: `ahead`, `up` (of the body), `in`."""
    lift: float = 0
    """Metres that the body is above what it stands on."""


@dataclass(frozen=True, kw_only=True)
class Textbook:
    """One repetition: from pose to pose, and back to the first."""

    poses: tuple[Pose, ...]
    on: tuple[str, ...] = ("ankle_left", "ankle_right")
    """Points whose middle stays where it is; none: whatever ankle is lower stands on the floor."""
    period_s: float = 2.4


def _pair(value: Both) -> tuple[float, float]:
    return value if isinstance(value, tuple) else (value, value)


def _mixed(one: Pose, other: Pose, share: float) -> Pose:
    def mix(name: str) -> tuple[float, float]:
        (al, ar), (bl, br) = _pair(getattr(one, name)), _pair(getattr(other, name))
        return al + share * (bl - al), ar + share * (br - ar)

    def single(name: str) -> float:
        return mix(name)[0]

    nearer = one if share < 0.5 else other
    return Pose(
        lean=single("lean"),
        roll=single("roll"),
        hip=mix("hip"),
        apart=mix("apart"),
        knee=mix("knee"),
        ankle=nearer.ankle if one.ankle is None or other.ankle is None else mix("ankle"),
        arm=mix("arm"),
        out=mix("out"),
        elbow=mix("elbow"),
        fold=nearer.fold,
        lift=single("lift"),
    )


def _turned(up: Array, forwards: Array, degrees: float) -> Array:
    """A limb that hangs down, bent forwards by so much."""
    angle = np.radians(degrees)
    return np.asarray(-up * np.cos(angle) + forwards * np.sin(angle))


def _aside(limb: Array, out: Array, degrees: float) -> Array:
    angle = np.radians(degrees)
    return np.asarray(limb * np.cos(angle) + out * np.sin(angle))


def points(pose: Pose) -> Array:
    """float64[P, 3] in metres, x to the body's left, y up, z the way it faces; NaN for what it lacks."""
    lean, roll = np.radians(pose.lean), np.radians(pose.roll)
    left, up = np.array([np.cos(roll), -np.sin(roll), 0.0]), np.array([np.sin(roll), np.cos(roll), 0.0])
    ahead = np.array([0.0, 0.0, 1.0])
    up, ahead = up * np.cos(lean) + ahead * np.sin(lean), ahead * np.cos(lean) - up * np.sin(lean)
    at = np.full((len(POINTS), 3), np.nan)
    neck = up * TRUNK
    at[INDEX["nose"]] = neck + up * 0.18 + ahead * 0.1
    for number, (side, out) in enumerate((("left", left), ("right", -left))):
        angle = {
            name: _pair(getattr(pose, name))[number]
            for name in ("hip", "apart", "knee", "arm", "out", "elbow")
        }
        fold = angle["hip"] - angle["knee"]
        hip = out * HIPS / 2
        knee = hip + THIGH * _aside(_turned(up, ahead, angle["hip"]), out, angle["apart"])
        ankle = knee + SHANK * _aside(_turned(up, ahead, fold), out, angle["apart"])
        if pose.ankle is None:
            level = np.array([ahead[0], 0.0, ahead[2]])
            toes = level / np.linalg.norm(level)
        else:
            toes = _turned(up, ahead, fold + 90 + _pair(pose.ankle)[number])
        shoulder = neck + out * SHOULDERS / 2
        arm = _aside(_turned(up, ahead, angle["arm"]), out, angle["out"])
        to = {"ahead": ahead, "up": up, "in": -out}[pose.fold]
        to = to - (to @ arm) * arm
        to /= max(float(np.linalg.norm(to)), 1e-9)
        bent = np.radians(angle["elbow"])
        elbow = shoulder + UPPER_ARM * arm
        forearm = arm * np.cos(bent) + to * np.sin(bent)
        wrist = elbow + FOREARM * forearm
        limbs = {
            "hip": hip, "knee": knee, "ankle": ankle, "heel": ankle - 0.25 * FOOT * toes, "toe": ankle + FOOT * toes,
            "shoulder": shoulder, "elbow": elbow, "wrist": wrist, "hand": wrist + 0.08 * forearm,
            "ear": neck + up * 0.17 + out * 0.07,
        }  # fmt: skip
        for joint, place in limbs.items():
            at[INDEX[f"{joint}_{side}"]] = place
    for name, ends in MIDDLES.items():
        at[INDEX[name]] = (at[INDEX[ends[0]]] + at[INDEX[ends[1]]]) / 2
    return at


def moments(book: Textbook, repetitions: int, rate: float = 15.0) -> Iterator[tuple[float, Array]]:
    """Times in seconds and points of so many repetitions, with a second of the first pose before and after."""

    def placed(pose: Pose) -> Array:
        at = points(pose)
        if book.on:
            at -= at[[INDEX[name] for name in book.on]].mean(axis=0)
        else:
            at[:, 1] -= min(at[INDEX[f"ankle_{side}"], 1] for side in ("left", "right"))
        at[:, 1] += pose.lift
        return at

    count = len(book.poses)
    frames = round(book.period_s * rate)
    total = round(rate) * 2 + repetitions * frames
    for n in range(total):
        phase = min(max(n - round(rate), 0), repetitions * frames) / frames % 1 * count
        number, share = int(phase), (1 - np.cos(np.pi * (phase % 1))) / 2
        yield n / rate, placed(_mixed(book.poses[number], book.poses[(number + 1) % count], float(share)))


def seen(at: Array, yaw: float, off: Array) -> Body:
    """The body as a pose model would tell it, from a camera `yaw` degrees to the body's left of its front.

    `off`: float64[P, 3], by how many metres the points are misread; twice as much in depth.
    """
    turn = np.radians(yaw)
    ahead = at[:, 2] * np.cos(turn) + at[:, 0] * np.sin(turn)
    aside = at[:, 0] * np.cos(turn) - at[:, 2] * np.sin(turn)
    space = np.stack([aside, at[:, 1], ahead], axis=1) + off * (1, 1, 2)
    image = np.stack([aside, at[:, 1]], axis=1) * 300 + 300 * off[:, :2] + (400, 100)
    visible = np.where(np.isfinite(at[:, 0]), 0.95, 0.0)
    if yaw > 60:
        visible[[index for name, index in INDEX.items() if name.endswith("_right")]] = 0.6
    middle = space[INDEX["pelvis"]].copy()
    return Body(image, space - middle, visible)


_HANDS = ("wrist_left", "wrist_right")
_FEET = ("ankle_left", "ankle_right")
TEXTBOOKS: dict[str, Textbook] = {
    "squat": Textbook(poses=(Pose(arm=20), Pose(lean=40, hip=115, knee=110, arm=115))),
    "jump_squat": Textbook(
        poses=(Pose(), Pose(lean=42, hip=105, knee=100), Pose(), Pose(lift=0.22, ankle=-30)), period_s=1.8
    ),
    "push_up": Textbook(
        poses=(
            Pose(lean=70, arm=80, out=8, elbow=5, ankle=0, hip=-2),
            Pose(lean=83, arm=10, out=45, elbow=90, ankle=0, hip=-2),
        ),
        on=_HANDS,
    ),
    "biceps_curl": Textbook(poses=(Pose(), Pose(elbow=135))),
    "jumping_jack": Textbook(
        poses=(Pose(), Pose(out=160, apart=28, elbow=15, fold="up", lift=0.05)), period_s=1.2
    ),
    "seal_jack": Textbook(
        poses=(Pose(arm=90, out=2), Pose(arm=5, out=88, apart=26, lift=0.05)), period_s=1.2
    ),
    "sit_up": Textbook(
        poses=(
            Pose(lean=-88, hip=45, knee=90, arm=150, elbow=110, fold="in", ankle=0),
            Pose(lean=-15, hip=115, knee=90, arm=150, elbow=110, fold="in", ankle=0),
        ),
        on=_FEET,
        period_s=3,
    ),
    "crunch": Textbook(
        poses=(
            Pose(lean=-88, hip=45, knee=90, arm=150, elbow=110, fold="in", ankle=0),
            Pose(lean=-64, hip=66, knee=90, arm=150, elbow=110, fold="in", ankle=0),
        ),
        on=("pelvis",),
    ),
    "lunge": Textbook(
        poses=(
            Pose(),
            Pose(hip=(90, -5), knee=(92, 85), ankle=(0, -10)),
            Pose(),
            Pose(hip=(-5, 90), knee=(85, 92), ankle=(-10, 0)),
        ),
        on=(),
        period_s=5,
    ),
    "split_squat": Textbook(
        poses=(Pose(hip=(30, -22), knee=(12, 20)), Pose(lean=8, hip=(95, -5), knee=(92, 88))),
        on=("ankle_left",),
    ),
    "side_lunge": Textbook(
        poses=(
            Pose(apart=28),
            Pose(lean=35, hip=(100, 35), knee=(95, 5), apart=(25, 42)),
            Pose(apart=28),
            Pose(lean=35, hip=(35, 100), knee=(5, 95), apart=(42, 25)),
        ),
        on=(),
        period_s=5,
    ),
    "shoulder_press": Textbook(
        poses=(Pose(out=65, elbow=125, fold="up"), Pose(out=168, elbow=10, fold="up"))
    ),
    "front_raise": Textbook(poses=(Pose(), Pose(arm=90))),
    "lateral_raise": Textbook(poses=(Pose(), Pose(out=90))),
    "pull_up": Textbook(
        poses=(
            Pose(out=160, elbow=10, fold="in", knee=20, ankle=-20),
            Pose(out=50, elbow=130, fold="up", knee=30, ankle=-20),
        ),
        on=_HANDS,
    ),
    "overhead_clap": Textbook(poses=(Pose(out=85), Pose(out=172, elbow=25, fold="in"))),
    "hand_clap": Textbook(
        poses=(Pose(arm=55, out=25, elbow=60, fold="ahead"), Pose(arm=50, out=-8, elbow=70, fold="in")),
        period_s=0.8,
    ),
    "high_knees": Textbook(
        poses=(Pose(hip=(95, 0), knee=(95, 5)), Pose(hip=(0, 95), knee=(5, 95))), on=(), period_s=0.9
    ),
    "calf_raise": Textbook(poses=(Pose(ankle=0), Pose(ankle=-32)), on=("toe_left", "toe_right")),
    "leg_raise": Textbook(
        poses=(Pose(lean=-90, ankle=-20, hip=5, arm=0), Pose(lean=-90, hip=88, knee=8, ankle=-10, arm=0)),
        on=("pelvis",),
    ),
    "mountain_climber": Textbook(
        poses=(
            Pose(lean=70, arm=78, elbow=5, hip=(100, 5), knee=(110, 8), ankle=0),
            Pose(lean=70, arm=78, elbow=5, hip=(5, 100), knee=(8, 110), ankle=0),
        ),
        on=_HANDS,
        period_s=1.2,
    ),
    "burpee": Textbook(
        poses=(
            Pose(),
            Pose(lean=50, hip=130, knee=125, arm=95),
            Pose(lean=72, arm=80, elbow=5, ankle=0),
            Pose(lean=50, hip=130, knee=125, arm=95),
            Pose(lift=0.2, out=160),
        ),
        period_s=4,
    ),
    "romanian_deadlift": Textbook(poses=(Pose(knee=8), Pose(lean=70, hip=88, knee=22, arm=72))),
    "deadlift": Textbook(poses=(Pose(), Pose(lean=58, hip=118, knee=72, arm=60))),
    "row": Textbook(
        poses=(
            Pose(lean=55, hip=75, knee=25, arm=55, elbow=10),
            Pose(lean=55, hip=75, knee=25, arm=-15, elbow=100),
        )
    ),
    "triceps_dip": Textbook(
        poses=(
            Pose(lean=5, hip=60, knee=40, arm=-10, elbow=10, fold="ahead"),
            Pose(lean=8, hip=88, knee=55, arm=-58, elbow=88, fold="ahead"),
        ),
        on=_HANDS,
    ),
    "glute_bridge": Textbook(
        poses=(Pose(lean=-90, hip=50, knee=105), Pose(lean=-115, hip=2, knee=82, arm=-25)), on=_FEET
    ),
    "sit_to_stand": Textbook(
        poses=(
            Pose(lean=3, hip=88, knee=88, arm=10, elbow=60),
            Pose(lean=38, hip=118, knee=88, arm=20, elbow=60),
            Pose(arm=5),
            Pose(lean=35, hip=110, knee=85),
        ),
        period_s=4,
    ),
}

HELD: dict[str, Textbook] = {
    "plank": Textbook(
        poses=(Pose(lean=80, arm=90, elbow=90, fold="up", ankle=0, hip=2),) * 2,
        on=("elbow_left", "elbow_right"),
    ),
    "side_plank": Textbook(
        poses=(Pose(roll=-70, ankle=0, out=(20, 85), elbow=(10, 60)),) * 2, on=("elbow_right",)
    ),
    "standing_balance": Textbook(poses=(Pose(hip=(40, 0), knee=(75, 3)),) * 2, on=("ankle_right",)),
}
