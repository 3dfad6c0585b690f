"""Generated sets are what their plans say, and whoever idles is seen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from edge.motion.signals import NAMES as SIGNALS
from tests.truth.idle import IDLE, idle_frames
from tests.truth.movements import MOVEMENTS, bend_down
from tests.truth.person import NAMES, Build, draw
from tests.truth.set_bodies import see_set, whole_set
from tests.truth.set_signals import make_signals
from tests.truth.sets import LEAST_PICTURES, Plan, draw_plan

PLANS = [draw_plan(seed) for seed in range(200)]
BONES = [("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"), ("shoulder", "elbow"), ("elbow", "wrist")]
GRID = np.linspace(0, 1.2, 25)


def first(movement: str, *, most_s: float = 20.0, set_up: bool = False) -> Plan:
    plans = (draw_plan(seed, most_s) for seed in range(1000))
    return next(plan for plan in plans if plan.movement == movement and plan.set_up == set_up)


@pytest.mark.parametrize("height_m", [1.5, 1.95])
@pytest.mark.parametrize("name", [*MOVEMENTS, "bend down"])
def test_bones_keep_their_lengths_and_feet_stay_above_the_floor(name: str, height_m: float) -> None:
    build = Build(height_m)
    pose, limbs = (bend_down, "together") if name == "bend down" else MOVEMENTS[name][1:3]
    sides = [(GRID, GRID)] if limbs == "together" else [(GRID, 0 * GRID), (0 * GRID, GRID)]
    for left, right in sides:
        points, _ = draw(build, pose(build, left, right))
        for side in ("left", "right"):
            for a, b in BONES:
                ends = [NAMES.index(f"{side}_{joint}") for joint in (a, b)]
                assert np.ptp(np.linalg.norm(points[:, ends[0]] - points[:, ends[1]], axis=1)) < 1e-6
        hands = [at for at, joint in enumerate(NAMES) if joint.endswith(("pinky", "index", "thumb"))]
        hands = [
            at for at in hands if "foot" not in NAMES[at]
        ]  # they lie along the forearm, also on the floor
        assert np.delete(points, hands, axis=1)[..., 1].min() > -1e-6


def test_plans_keep_to_what_can_be_counted() -> None:
    assert {plan.movement for plan in PLANS} == set(MOVEMENTS)
    assert draw_plan(3) == draw_plan(3)
    for plan in PLANS:
        assert 1 <= plan.reps <= 60
        assert 10 <= plan.fps <= 60
        for one in plan.repetitions:
            assert one.period * plan.fps >= LEAST_PICTURES - 1e-6
            assert plan.kind.fastest_s - 1e-9 <= one.period <= 8 + 1e-9
            assert min(one.out, one.back) >= 0.2 * one.moving
            assert 0.55 <= one.far - one.low <= 1.2
            hidden = sum(
                min(start + length, one.start + one.period) - max(start, one.start)
                for start, length in plan.losses
                if start < one.start + one.period and start + length > one.start
            )
            assert hidden <= min(1.0, max(other.moving for other in plan.repetitions) / 3)
        for one, after in pairwise(plan.repetitions):
            assert after.start == pytest.approx(one.start + one.period)


def test_progress_rises_once_for_each_repetition() -> None:
    for plan in PLANS:
        t = np.arange(0, plan.duration_s, 0.01)
        sides = plan.progress(t)
        course = np.maximum(sides["left"], sides["right"])
        assert (np.diff((course > 0.4).astype(int)) == 1).sum() == plan.reps
        assert np.abs(np.diff(course)).max() < 0.4
        far = np.array([one.start + one.out + one.pause / 2 for one in plan.repetitions])
        there = plan.progress(far)
        assert np.maximum(there["left"], there["right"]) == pytest.approx(
            [one.far for one in plan.repetitions]
        )


@pytest.mark.parametrize("movement", ["squat", "push-up", "jumping jack"])
def test_set_up_leads_smoothly_into_the_set_and_out_of_it(movement: str) -> None:
    plan = first(movement, set_up=True)
    motion, begins = whole_set(plan)
    assert begins > 3
    assert motion.duration_s > begins + plan.duration_s + 3
    points = motion.at(np.arange(0, motion.duration_s, 0.01)).points
    assert np.abs(np.diff(points, axis=0)).max() < 0.15
    assert np.abs(points[:, NAMES.index("left_hip"), 0]).max() > 1.5  # comes from outside


def test_both_levels_make_the_same_set() -> None:
    plan = first("squat")
    made = make_signals(plan)
    assert made.courses.keys() == SIGNALS
    assert made.reps == plan.reps == len(made.far_s)
    seen = see_set(plan)
    assert len(seen) == pytest.approx(len(made.times), abs=1)
    lost = np.isnan(made.courses["knee_flexion_left"])
    assert np.mean(lost) == pytest.approx(np.mean([not frame.subjects for frame in seen]), abs=0.05)
    low, high = np.nanpercentile(made.courses["knee_flexion_left"], [5, 98])
    usual = [4 + 102 * one.far for one in plan.repetitions]
    assert low < 30
    assert min(usual) - 10 < high < max(usual) + 10


@pytest.mark.parametrize("name", IDLE)
def test_who_idles_is_seen(name: str) -> None:
    frames = list(idle_frames(name, fps=10))
    assert len(frames) > 250
    seen = np.mean([bool(frame.subjects) for frame in frames])
    assert seen > (0.3 if "past" in name else 0.8)
