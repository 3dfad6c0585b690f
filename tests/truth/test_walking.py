"""The generated walk and run are what they say they are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.truth import recompute
from tests.truth.motion import SIDES, Motion
from tests.truth.walking import run, walk

GAITS = {
    "walk": walk(),
    "slow, short": walk(height_m=1.5, speed=0.7, cadence=90, stance=0.66),
    "limp": walk(limp=0.05, cv=0.03, seed=3),
    "uneven steps": walk(asymmetry=0.05, length_asymmetry=-0.06, arm_swing=(25.0, 5.0)),
    "run": run(),
    "uneven run": run(speed=2.6, asymmetry=0.04, cv=0.02, stance=(0.36, 0.33)),
}
BONES = [
    *(
        (f"{side}_{a}", f"{side}_{b}")
        for side in SIDES
        for a, b in pairwise(("hip", "knee", "ankle", "heel"))
    ),
    *(
        (f"{side}_{a}", f"{side}_{b}")
        for side in SIDES
        for a, b in pairwise(("shoulder", "elbow", "wrist", "index"))
    ),
    *((f"{side}_foot_index", f"{side}_{b}") for side in SIDES for b in ("heel", "ankle")),
    *((f"left_{joint}", f"right_{joint}") for joint in ("hip", "shoulder", "ear")),
]


@pytest.fixture(params=GAITS)
def gait(request: pytest.FixtureRequest) -> Motion:
    return GAITS[request.param]


def times(motion: Motion, rate: float = 100) -> np.ndarray:
    return np.arange(0, motion.duration_s, 1 / rate)


def test_bones_keep_their_lengths(gait: Motion) -> None:
    points = gait.at(times(gait)).points
    for a, b in BONES:
        length = np.linalg.norm(points[:, gait.names.index(a)] - points[:, gait.names.index(b)], axis=1)
        assert np.ptp(length) < 1e-9, (a, b)


def test_foot_stands_still_between_contacts_and_never_sinks(gait: Motion) -> None:
    for side in SIDES:
        heel, toe = (gait.names.index(f"{side}_{point}") for point in ("heel", "foot_index"))
        assert gait.at(times(gait)).points[:, [heel, toe], 1].min() > -1e-9
        for strike in gait.strikes(side):
            off = min((t for t in gait.offs(side) if t > strike), default=None)
            if off is None:
                continue
            points = gait.at(np.linspace(strike, off, 60)).points
            # Over the heel first, over the toe last, and on both between.
            for part, point in (
                (points[:12], heel),
                (points[12:30], heel),
                (points[12:30], toe),
                (points[36:], toe),
            ):
                assert np.ptp(part[:, point], axis=0).max() < 1e-9
                assert abs(part[:, point, 1]).max() < 1e-9


def test_points_have_the_stated_angles(gait: Motion) -> None:
    sample = gait.at(times(gait))
    for key, values in recompute.angles(gait, sample.points).items():
        assert values == pytest.approx(sample.angles[key], abs=1e-5), key


def test_contacts_are_the_moments_at_which_the_foot_meets_and_leaves_the_floor(gait: Motion) -> None:
    before, after = 0.02, 0.02
    for contact in gait.contacts:
        if not before <= contact.t <= gait.duration_s - after:
            continue
        point = gait.names.index(f"{contact.foot}_{'heel' if contact.kind == 'strike' else 'foot_index'}")
        early, now, late = gait.at([contact.t - before, contact.t, contact.t + after]).points[:, point]
        assert now[:2] == pytest.approx([contact.x, 0.0], abs=1e-9)
        up, down = (early, late) if contact.kind == "strike" else (late, early)
        assert up[1] > 1e-4
        assert down[:2] == pytest.approx([contact.x, 0.0], abs=1e-9)


def test_stride_length_is_speed_times_stride_time(gait: Motion) -> None:
    for side in SIDES:
        strikes = [c for c in gait.contacts if c.foot == side and c.kind == "strike"]
        for a, b in pairwise(strikes):
            assert b.x - a.x == pytest.approx(gait.truth["speed"] * (b.t - a.t), abs=1e-9)


def test_points_move_without_jumps(gait: Motion) -> None:
    points = gait.at(times(gait, 1000)).points
    assert np.abs(np.diff(points, axis=0)).max() < 0.015  # 15 m/s


def test_stated_shares_and_asymmetry_are_those_asked_for() -> None:
    truth = walk(stance=(0.64, 0.60), asymmetry=0.04, length_asymmetry=0.02, speed=1.2, cadence=105).truth
    assert truth["stance_left"] == pytest.approx(0.64)
    assert truth["stance_right"] == pytest.approx(0.60)
    assert truth["double_support"] == pytest.approx(0.24)
    for what, asymmetry in (("step_time", 0.04), ("step_length", 0.02)):
        left, right = truth[f"{what}_left"], truth[f"{what}_right"]
        assert (left - right) / (left + right) == pytest.approx(asymmetry)
    assert truth["cadence"] == pytest.approx(105, rel=0.01)
    assert truth["stride_time_left"] == pytest.approx(120 / 105)
    assert run(stance=0.35).truth["flight"] == pytest.approx(0.3)


def test_limp_shortens_the_stance_of_the_right_foot() -> None:
    truth = walk(limp=0.06).truth
    assert truth["stance_left"] - truth["stance_right"] == pytest.approx(0.06)
    assert truth["step_time_left"] < truth["step_time_right"]


def test_strides_vary_as_much_as_asked_for() -> None:
    truth = walk(cv=0.04, duration_s=200, seed=1).truth
    assert truth["stride_time_cv_left"] == pytest.approx(0.04, rel=0.2)


def test_the_same_seed_gives_the_same_walk() -> None:
    assert walk(cv=0.03, seed=5).contacts == walk(cv=0.03, seed=5).contacts
    assert walk(cv=0.03, seed=5).contacts != walk(cv=0.03, seed=6).contacts


def test_treadmill_keeps_the_walker_in_place() -> None:
    free, held = (walk(treadmill=on).at([1.0, 8.0]) for on in (False, True))
    hip = walk().names.index("left_hip")
    assert free.points[1, hip, 0] - free.points[0, hip, 0] == pytest.approx(9.1, abs=0.05)
    assert held.points[1, hip, 0] == pytest.approx(held.points[0, hip, 0], abs=0.05)
    assert free.angles["knee_flexion_left"] == pytest.approx(held.angles["knee_flexion_left"])


@pytest.mark.parametrize("nonsense", [{"stance": 0.45}, {"speed": 3.5, "cadence": 100}])
def test_impossible_walk_is_refused(nonsense: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"no walk|too long"):
        walk(**nonsense)
    with pytest.raises(ValueError, match="no run"):
        run(stance=0.6)


def test_moments_outside_the_motion_are_refused() -> None:
    with pytest.raises(ValueError, match="lasts"):
        walk(duration_s=4).at([4.5])
