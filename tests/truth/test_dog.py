"""The generated dog is what it says it is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from edge.motion.skeletons import SKELETONS
from tests.truth.dog import NAMES, PAWS, trot, walk
from tests.truth.motion import SIDES, Motion

GAITS = {
    "walk": walk(),
    "small": walk(withers_m=0.3, speed=0.7, stride_time=0.6, duty=0.65),
    "lame walk": walk(lame="front_left", cv=0.03, seed=2),
    "trot": trot(),
    "lame trot": trot(lame="hind_right"),
}


@pytest.fixture(params=GAITS)
def gait(request: pytest.FixtureRequest) -> Motion:
    return GAITS[request.param]


def times(motion: Motion) -> np.ndarray:
    return np.arange(0, motion.duration_s, 0.01)


def at(motion: Motion, paw: str, place: str = "paw") -> int:
    limb, side = paw.split("_")
    return motion.names.index(f"{side}_{limb}_{place}")


def test_names_are_those_of_the_skeleton() -> None:
    assert SKELETONS["dog24"].names == NAMES


def test_bones_keep_their_lengths(gait: Motion) -> None:
    points = gait.at(times(gait)).points
    for paw in PAWS:
        for a, b in pairwise(("paw", "middle", "top")):
            length = np.linalg.norm(points[:, at(gait, paw, a)] - points[:, at(gait, paw, b)], axis=1)
            assert np.ptp(length) < 1e-9
    back = points[:, gait.names.index("withers")] - points[:, gait.names.index("tail_base")]
    assert np.linalg.norm(back, axis=1) == pytest.approx(gait.truth["body_length"])


def test_points_have_the_stated_angles_of_carpus_and_hock(gait: Motion) -> None:
    sample = gait.at(times(gait))
    for paw in PAWS:
        limb, side = paw.split("_")
        paw_at, middle, top = (sample.points[:, at(gait, paw, place)] for place in ("paw", "middle", "top"))
        a, b = middle - top, paw_at - middle
        angle = np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), (a * b).sum(axis=1)))
        key = f"{'carpus' if limb == 'front' else 'hock'}_flexion_{side}"
        assert angle == pytest.approx(sample.angles[key], abs=1e-5)


def test_paws_stand_still_between_their_contacts_only(gait: Motion) -> None:
    for paw in PAWS:
        index = at(gait, paw)
        assert gait.at(times(gait)).points[:, index, 1].min() > -1e-9
        for strike in gait.strikes(paw):
            off = min((t for t in gait.offs(paw) if t > strike), default=None)
            if off is None or off > gait.duration_s - 0.05:
                continue
            points = gait.at(np.linspace(strike, off, 30)).points[:, index]
            assert np.ptp(points, axis=0).max() < 1e-12
            assert points[:, 1] == pytest.approx(0, abs=1e-12)
            assert (
                gait.at([max(strike - 0.02, 0), off + 0.02]).points[:, index, 1].min() > 1e-4 or strike < 0.02
            )


def test_stride_is_speed_times_time_for_every_paw(gait: Motion) -> None:
    for paw in PAWS:
        strikes = [c for c in gait.contacts if c.foot == paw and c.kind == "strike"]
        assert len(strikes) > 5
        for a, b in pairwise(strikes):
            assert b.x - a.x == pytest.approx(gait.truth["speed"] * (b.t - a.t))


def test_points_move_without_jumps(gait: Motion) -> None:
    points = gait.at(np.arange(0, gait.duration_s, 0.001)).points
    assert np.abs(np.diff(points, axis=0)).max() < 0.008  # 8 m/s


def test_walk_is_a_lateral_sequence_and_trot_two_diagonals() -> None:
    order = [c.foot for c in walk().contacts if c.kind == "strike"]
    first = order.index("hind_left")
    assert order[first : first + 4] == ["hind_left", "front_left", "hind_right", "front_right"]
    for hind, front in (("hind_left", "front_right"), ("hind_right", "front_left")):
        assert trot().strikes(hind) == pytest.approx(trot().strikes(front))


def test_shares_are_those_asked_for() -> None:
    truth = walk(duty={"front_left": 0.63, "front_right": 0.64, "hind_left": 0.6, "hind_right": 0.61}).truth
    assert [truth[f"front_stance_{side}"] for side in SIDES] == pytest.approx([0.63, 0.64])
    assert [truth[f"hind_stance_{side}"] for side in SIDES] == pytest.approx([0.6, 0.61])
    assert truth["front_stride_length_left"] == pytest.approx(0.8)
    assert trot().truth["trot"] == 1
    assert walk().truth["trot"] == 0


def test_lame_dog_stands_shorter_and_lifts_its_head_over_the_lame_paw() -> None:
    motion = walk(lame="front_left", severity=0.07, nod_m=0.03)
    assert motion.truth["front_stance_right"] - motion.truth["front_stance_left"] == pytest.approx(0.07)
    nose = motion.names.index("nose")
    heights = {
        paw: motion.at([s + 0.25 for s in motion.strikes(paw)[:-1]]).points[:, nose, 1].mean()
        for paw in ("front_left", "front_right")
    }
    assert heights["front_left"] - heights["front_right"] == pytest.approx(0.06, abs=0.01)


def test_angles_are_a_dogs() -> None:
    # Wide bounds of what gait laboratories find in sound dogs: joints bend, and never backwards.
    for motion in (walk(), trot()):
        angles = motion.at(times(motion)).angles
        for joint, low, high in (
            ("elbow", 15, 100),
            ("stifle", 15, 110),
            ("hock", 0, 90),
            ("carpus", 0, 125),
        ):
            for side in SIDES:
                course = angles[f"{joint}_flexion_{side}"]
                assert low <= course.min() < course.max() <= high


def test_strides_too_long_for_the_legs_are_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        walk(withers_m=0.3, speed=2.0, stride_time=1.0)
