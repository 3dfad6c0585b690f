"""The generated exercises are what they say they are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.truth import recompute
from tests.truth.exercises import arm_raise, curl, lunge, sit_to_stand, squat, stand
from tests.truth.jumping import GRAVITY, jump
from tests.truth.motion import SIDES, Motion
from tests.truth.repetitions import Tempo

EXERCISES = {
    "squat": squat(),
    "deep squat": squat(height_m=1.9, peak=130, lean=45),
    "sit to stand": sit_to_stand(),
    "curl": curl(),
    "alternating curl": curl(which="alternating", weak=20),
    "side raise": arm_raise(weak=15),
    "front raise": arm_raise(way="flexion", peak=170),
    "lunge": lunge(),
    "left lunge": lunge(front="left", height_m=1.6),
    "stand": stand(),
    "jump": jump(jumps=2),
    "high jump": jump(jump_m=0.5, height_m=1.9),
}
CHAINS = (
    ("shoulder", "elbow", "wrist", "index"),
    ("hip", "knee", "ankle", "heel"),
    ("ankle", "foot_index", "heel"),
)


@pytest.fixture(params=EXERCISES)
def exercise(request: pytest.FixtureRequest) -> Motion:
    return EXERCISES[request.param]


def times(motion: Motion) -> np.ndarray:
    return np.arange(0, motion.duration_s, 0.01)


def test_bones_keep_their_lengths_and_points_the_stated_angles(exercise: Motion) -> None:
    sample = exercise.at(times(exercise))
    for side in SIDES:
        for a, b in (pair for chain in CHAINS for pair in pairwise(chain)):
            ends = [exercise.names.index(f"{side}_{joint}") for joint in (a, b)]
            assert np.ptp(np.linalg.norm(np.diff(sample.points[:, ends], axis=1)[:, 0], axis=1)) < 1e-9
    for key, values in recompute.angles(exercise, sample.points).items():
        assert values == pytest.approx(sample.angles[key], abs=1e-5), key


def test_nothing_sinks_or_jumps(exercise: Motion) -> None:
    points = exercise.at(times(exercise)).points
    assert points[..., 1].min() > -1e-9
    assert np.abs(np.diff(points, axis=0)).max() < 0.1  # 10 m/s


@pytest.mark.parametrize("name", ["squat", "deep squat", "sit to stand", "stand", "curl"])
def test_feet_stand_still(name: str) -> None:
    motion = EXERCISES[name]
    points = motion.at(times(motion)).points
    feet = [motion.names.index(f"{side}_{point}") for side in SIDES for point in ("heel", "foot_index")]
    assert np.ptp(points[:, feet], axis=0).max() < 1e-12


@pytest.mark.parametrize(
    ("motion", "key"),
    [
        (squat(peak=115, tempo=Tempo(reps=3, eccentric=1.5)), "knee_flexion_left"),
        (sit_to_stand(), "knee_flexion_right"),
        (curl(peak=130, weak=10), "elbow_flexion_right"),
        (curl(which="alternating"), "elbow_flexion_left"),
        (arm_raise(peak=80), "shoulder_abduction_left"),
        (lunge(), "knee_flexion_right"),
    ],
)
def test_repetitions_have_the_stated_number_peaks_and_speeds(motion: Motion, key: str) -> None:
    t = np.arange(0, motion.duration_s, 0.002)
    course = motion.at(t).angles[key]
    truth = motion.truth
    stem = key if f"{key}_peak" in truth else key.rsplit("_", 1)[0]
    assert course.max() == pytest.approx(truth[f"{stem}_peak"], abs=1e-6)
    assert np.ptp(course) == pytest.approx(truth[f"{stem}_range"], abs=1e-6)
    speed = np.gradient(course, t)
    assert speed.max() == pytest.approx(truth[f"{stem}_peak_velocity_eccentric"], rel=1e-3)
    assert -speed.min() == pytest.approx(truth[f"{stem}_peak_velocity_concentric"], rel=1e-3)
    high = course > (course.max() + course.min()) / 2
    assert (np.diff(high.astype(int)) == 1).sum() == truth["reps"]
    held = (course > course.max() - 1e-6).sum() * 0.002 / truth["reps"]
    assert held == pytest.approx(truth["pause"], abs=0.03)


def test_alternating_arms_work_by_turns() -> None:
    motion = curl(which="alternating")
    bent = [motion.at(times(motion)).angles[f"elbow_flexion_{side}"] > 20 for side in SIDES]
    assert not (bent[0] & bent[1]).any()


def test_jump_falls_freely_between_its_contacts() -> None:
    motion = jump(jump_m=0.35, jumps=2)
    hip = motion.names.index("left_hip")
    for take_off, landing in zip(motion.offs("left"), motion.strikes("left"), strict=True):
        assert landing - take_off == pytest.approx(motion.truth["flight_time"])
        t = np.linspace(take_off, landing, 101)
        height = motion.at(t).points[:, hip, 1]
        assert height.max() - height[0] == pytest.approx(0.35, abs=1e-9)
        assert height[0] == pytest.approx(height[-1])
        assert np.gradient(np.gradient(height, t), t)[3:-3] == pytest.approx(-GRAVITY)
        toes = motion.at(t).points[:, [motion.names.index(f"{side}_foot_index") for side in SIDES], 1]
        assert toes[1:-1].min() > 0
        standing = motion.at([take_off - 0.05, landing + 0.05]).points
        assert standing[:, motion.names.index("left_foot_index"), 1] == pytest.approx([0, 0], abs=1e-12)
    assert motion.truth["jump_height"] == pytest.approx(GRAVITY * motion.truth["flight_time"] ** 2 / 8)


def test_sway_is_as_large_as_stated() -> None:
    motion = stand(forwards_m=0.006, sideways_m=0.004, seed=2)
    hips = [motion.names.index(f"{side}_hip") for side in SIDES]
    middle = motion.at(times(motion)).points[:, hips].mean(axis=1)
    assert middle.std(axis=0) == pytest.approx([0.006, 0.0, 0.004], abs=1e-6)
    assert np.linalg.norm(np.diff(middle, axis=0), axis=1).sum() == pytest.approx(
        motion.truth["sway_path"], rel=1e-3
    )
