"""Gait of real walks: heel strikes against our marks, and acted styles told apart.

Skipped where the footage is not there: it is not ours to keep with the code.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gait.footage import people

if TYPE_CHECKING:
    from edge.motion.grades import Measure

MARKS = tomllib.loads((Path(__file__).parent / "marks.toml").read_text(encoding="utf-8"))
STRIKES: list[dict[str, Any]] = MARKS["strike"]
NORMAL, LIMP = "gait/gait_normal_01", "gait/gait_abnormal_05_limping"
NO_ARMS, SLOUCH = "gait/gait_abnormal_08_no_arm_swing", "gait/gait_abnormal_01_slouch_posture"
SLOUCH_BACK, ON_THE_SPOT = "gait/gait_abnormal_10_slouch_posture", "exercise/walk_01"

pytestmark = pytest.mark.usefixtures("models")


def measures(data_dir: Path, clip: str) -> dict[str, Measure]:
    """Of the one stretch of a clip in which somebody walks in a way that can be read."""
    walks = [seen.walks() for seen in people(data_dir / f"{clip}.mp4")]
    [walk] = [walk for walk in walks if walk.kind is not None]
    assert walk.kind == "walk"
    return walk.measures()


def value(data_dir: Path, clip: str, key: str) -> float:
    found = measures(data_dir, clip)[key].value
    assert found is not None
    return found


def test_heel_strikes(data_dir: Path) -> None:
    [walker] = people(data_dir / f"{NORMAL}.mp4")
    found = [(c.foot, c.t) for c in walker.gait().contacts if c.kind == "contact"]
    for mark in STRIKES:
        errors = [t - mark["t"] for foot, t in found if foot == mark["foot"]]
        if mark.get("scored", True):
            assert min(map(abs, errors)) < 0.035, mark  # a picture


def test_cadence(data_dir: Path) -> None:
    scored = [mark["t"] for mark in STRIKES if mark.get("scored", True)]
    marked = 60 * (len(scored) - 1) / (scored[-1] - scored[0])
    assert value(data_dir, NORMAL, "cadence") == pytest.approx(marked, rel=0.03)


def test_limping_shows_in_the_lengths_of_the_steps(data_dir: Path) -> None:
    """He only draws the right foot up to the left: one step is long, the other none, and that is no mistake."""
    assert abs(value(data_dir, LIMP, "step_length_symmetry")) > 0.5
    assert value(data_dir, LIMP, "step_length_right") < 0.05
    for clip in (SLOUCH, NO_ARMS, ON_THE_SPOT):
        assert abs(value(data_dir, clip, "step_length_symmetry")) < 0.25, clip


def test_arms_that_do_not_swing(data_dir: Path) -> None:
    def swing(clip: str) -> float:
        return max(value(data_dir, clip, f"arm_swing_{side}") for side in ("left", "right"))

    assert swing(NO_ARMS) < 18
    for clip in (NORMAL, SLOUCH, LIMP, ON_THE_SPOT):
        assert swing(clip) > 20, clip


def test_slouching_shows_in_the_neck(data_dir: Path) -> None:
    """Both actors lower head and neck; the line from hips to shoulders stays as upright as in their normal walk."""
    for clip in (SLOUCH, SLOUCH_BACK):
        assert value(data_dir, clip, "gait_neck_flexion") > 27, clip
    for clip in (NORMAL, NO_ARMS, LIMP, ON_THE_SPOT):
        assert value(data_dir, clip, "gait_neck_flexion") < 25, clip
    leans = [value(data_dir, clip, "gait_trunk_lean") for clip in (NORMAL, SLOUCH)]
    assert abs(leans[1] - leans[0]) < 5


def test_a_walk_out_of_the_picture_and_back_is_one_walk(data_dir: Path) -> None:
    [walker] = people(data_dir / f"{SLOUCH_BACK}.mp4")
    walk = walker.walks()
    assert walk.kind == "walk"
    other = value(data_dir, SLOUCH, "cadence")
    assert walk.measures()["cadence"].value == pytest.approx(other, rel=0.1)  # of the same actor
