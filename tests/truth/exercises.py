"""Exercises on the spot: the course of the joint that each is named for is prescribed, the rest follows from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from tests.truth.motion import SIDES, Contact, Motion
from tests.truth.person import NAMES, OUT, Arm, Build, Foot, Pose, ankle_of, arms, draw
from tests.truth.repetitions import Tempo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Array = npt.NDArray[np.float64]
_STANDING = 4.0
"""Knee flexion of somebody who stands, degrees."""


def squat(
    height_m: float = 1.75, peak: float = 110.0, lean: float = 35.0, tempo: Tempo | None = None
) -> Motion:
    """Both knees bend to `peak` degrees, the trunk leans to `lean`; the feet stay flat."""
    tempo = tempo or Tempo()
    build = Build(height_m)

    def pose(t: Array) -> Pose:
        down = tempo.course(t)
        knee = _STANDING + (peak - _STANDING) * down
        return _sagittal(build, knee=knee, shin=0.3 * knee, lean=2 + (lean - 2) * down, forwards=40 * down)

    truth = tempo.truth("knee_flexion", _STANDING, peak) | {"trunk_lean_peak": lean}
    return _motion(build, tempo.duration, pose, truth)


def sit_to_stand(height_m: float = 1.75, tempo: Tempo | None = None) -> Motion:
    """Up from a seat at knee height and down again; the trunk leans forwards on the way.

    Here a repetition begins standing: eccentric is sitting down, the pause is on the seat.
    """
    tempo = tempo or Tempo(eccentric=1.5, pause=1.0, concentric=1.3)
    build = Build(height_m)

    def pose(t: Array) -> Pose:
        down = tempo.course(t)
        between = 4 * down * (1 - down)
        knee = _STANDING + (90 - _STANDING) * down
        return _sagittal(build, knee=knee, shin=1.2 + 15 * between, lean=2 + 35 * between, forwards=0 * t)

    return _motion(build, tempo.duration, pose, tempo.truth("knee_flexion", _STANDING, 90.0))


def curl(
    height_m: float = 1.75,
    peak: float = 135.0,
    start: float = 10.0,
    which: Literal["both", "left", "right", "alternating"] = "both",
    weak: float = 0.0,
    tempo: Tempo | None = None,
) -> Motion:
    """Biceps curl: the elbows bend from `start` to `peak` degrees, the right one to `weak` degrees less."""
    tempo = tempo or Tempo()
    build = Build(height_m)
    late = dict.fromkeys(SIDES, 0.0)
    if which == "alternating":  # each arm rests while the other works
        tempo = replace(tempo, rest=tempo.rest + tempo.period)
        late["left"] = -tempo.period / 2
    peaks = {"left": peak, "right": peak - weak}

    def pose(t: Array) -> Pose:
        held = dict(arms(len(t)))
        for side in SIDES if which in {"both", "alternating"} else (which,):
            bent = start + (peaks[side] - start) * tempo.course(t, late[side])
            held[side] = replace(held[side], elbow=bent)
        return replace(_standing(build, len(t)), arms=held)

    truth = {}
    for side in SIDES:
        truth |= tempo.truth(f"elbow_flexion_{side}", start, peaks[side])
    return _motion(build, tempo.duration, pose, truth)


def arm_raise(
    height_m: float = 1.75,
    peak: float = 90.0,
    way: Literal["abduction", "flexion"] = "abduction",
    weak: float = 0.0,
    tempo: Tempo | None = None,
) -> Motion:
    """Straight arms rise to the side or forwards to `peak` degrees (the right one to `weak` less), and back."""
    tempo = tempo or Tempo()
    build = Build(height_m)
    start = 8.0 if way == "abduction" else 0.0
    peaks = {"left": peak, "right": peak - weak}

    def pose(t: Array) -> Pose:
        held = {}
        for side in SIDES:
            up = start + (peaks[side] - start) * tempo.course(t)
            rest = 0 * t
            held[side] = Arm(
                flexion=up if way == "flexion" else rest,
                abduction=up if way == "abduction" else rest,
                elbow=rest + 5,
            )
        return replace(_standing(build, len(t)), arms=held)

    truth = {}
    for side in SIDES:
        truth |= tempo.truth(f"shoulder_{way}_{side}", start, peaks[side])
    return _motion(build, tempo.duration, pose, truth)


def lunge(
    height_m: float = 1.75,
    peak: float = 95.0,
    front: Literal["left", "right"] = "right",
    tempo: Tempo | None = None,
) -> Motion:
    """Split lunge on the spot: the front knee bends to `peak` degrees, the back foot stays on its toes."""
    tempo = tempo or Tempo()
    build = Build(height_m)
    back = SIDES[SIDES.index(front) - 1]
    start = 25.0
    ahead = build.share(0.17)

    def pose(t: Array) -> Pose:
        down = tempo.course(t)
        knee = start + (peak - start) * down
        leg = _leg(build, knee)
        hip = np.column_stack([0 * t, np.sqrt(leg**2 - ahead**2) + build.ankle_height, 0 * t])
        pitch = -30 - 35 * down
        toe = np.column_stack([0 * t - build.share(0.15), 0 * t, 0 * t])
        heel = toe - build.foot * np.column_stack(
            [np.cos(np.radians(pitch)), np.sin(np.radians(pitch)), 0 * t]
        )
        feet = {
            front: _under_hip(build, Foot(heel=_at(len(t), ahead - build.ankle_ahead), pitch=0 * t), front),
            back: _under_hip(build, Foot(heel=heel, pitch=pitch), back),
        }
        return Pose(pelvis=hip, feet=feet, arms=arms(len(t)), lean=np.full(len(t), 5.0))

    return _motion(build, tempo.duration, pose, tempo.truth(f"knee_flexion_{front}", start, peak))


def stand(
    height_m: float = 1.75,
    forwards_m: float = 0.005,
    sideways_m: float = 0.003,
    duration_s: float = 20.0,
    seed: int = 0,
) -> Motion:
    """Standing that sways below 1 Hz: the hips by the given root mean squares, feet still."""
    build = Build(height_m)
    rng = np.random.default_rng(seed)
    rates = rng.uniform(0.1, 0.9, (2, 6))
    phases = rng.uniform(0, 2 * np.pi, (2, 6))
    grid = np.arange(0, duration_s, 0.01)

    def raw(t: Array) -> Array:
        return np.asarray(np.sin(2 * np.pi * rates[..., None] * t + phases[..., None]).sum(axis=1))

    offset = raw(grid).mean(axis=1, keepdims=True)
    size = np.array([[forwards_m], [sideways_m]]) / raw(grid).std(axis=1, keepdims=True)

    def sway(t: Array) -> Array:
        return np.asarray(size * (raw(t) - offset))

    def pose(t: Array) -> Pose:
        still = _standing(build, len(t))
        x, z = sway(t)
        lean = np.degrees(np.arctan2(x, build.hip_height))
        return replace(still, pelvis=still.pelvis + np.column_stack([x, 0 * t, z]), lean=2 + lean)

    path = np.linalg.norm(np.diff(sway(grid), axis=1), axis=0).sum()
    truth = {"sway_forwards": forwards_m, "sway_sideways": sideways_m, "sway_path": float(path)}
    return _motion(build, duration_s, pose, truth)


def _sagittal(build: Build, *, knee: Array, shin: Array, lean: Array, forwards: Array) -> Pose:
    """Both feet flat and both legs alike: knee flexion, shin and trunk forwards from the vertical, arms forwards."""
    foot = Foot(heel=_at(len(knee), -build.ankle_ahead), pitch=0 * knee)
    thigh = np.radians(shin - knee)
    hip = ankle_of(build, foot)
    hip = hip + build.shank * np.column_stack([np.sin(np.radians(shin)), np.cos(np.radians(shin)), 0 * shin])
    hip = hip + build.thigh * np.column_stack([np.sin(thigh), np.cos(thigh), 0 * thigh])
    held = {side: replace(arm, flexion=forwards) for side, arm in arms(len(knee)).items()}
    feet = {side: _under_hip(build, foot, side) for side in SIDES}
    return Pose(pelvis=hip, feet=feet, arms=held, lean=lean)


def _standing(build: Build, count: int) -> Pose:
    still = np.ones(count)
    return _sagittal(build, knee=_STANDING * still, shin=1.2 * still, lean=2 * still, forwards=0 * still)


def _leg(build: Build, flexion: Array) -> Array:
    """Metres from hip to ankle."""
    square = build.thigh**2 + build.shank**2 + 2 * build.thigh * build.shank * np.cos(np.radians(flexion))
    return np.asarray(np.sqrt(square))


def _under_hip(build: Build, foot: Foot, side: str) -> Foot:
    return replace(foot, heel=foot.heel + np.array([0.0, 0.0, OUT[side] * build.hip_half]))


def _at(count: int, x: float) -> Array:
    return np.tile([x, 0.0, 0.0], (count, 1))


def _motion(
    build: Build,
    duration: float,
    pose: Callable[[Array], Pose],
    truth: Mapping[str, float],
    contacts: tuple[Contact, ...] = (),
) -> Motion:
    return Motion(
        species="human",
        skeleton="blazepose33",
        names=NAMES,
        duration_s=duration,
        contacts=contacts,
        truth={"height": build.height_m, **truth},
        figure=lambda times: draw(build, pose(times)),
    )
