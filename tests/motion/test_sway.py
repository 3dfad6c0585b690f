"""Generated standing whose sway is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.coach.observer import Observer
from edge.motion.body import INDEX
from edge.motion.sway import Sway, measure_sway, read_sway
from tests.motion.walks import track_of
from tests.truth.camera import Camera
from tests.truth.exercises import squat, stand
from tests.truth.noise import Noise

if TYPE_CHECKING:
    from edge.motion.grades import Measure
    from tests.truth.motion import Motion


def true_sway(motion: Motion, axis: int) -> tuple[float, float]:
    """Root mean square and path in ten seconds, millimetres, of the hips along a floor axis."""
    hips = [motion.names.index(f"{side}_hip") for side in ("left", "right")]
    t = np.arange(0, 10, 0.01)
    course = 1000 * motion.at(t).points[:, hips, axis].mean(axis=1)
    return float(course.std()), float(np.abs(np.diff(course)).sum())


def measured(
    motion: Motion, *, height_m: float | None = 1.75, noise: Noise | None = None, **camera: float
) -> dict[str, Measure]:
    observer = Observer("auto", height_m)
    for frame in Camera(**({"distance": 4.0} | camera)).see(motion, 30, noise=noise, end=10.5):
        observer.update(frame)
    (person,) = observer.finish()
    return person.measures()


@pytest.mark.parametrize(
    ("yaw", "direction", "axis"), [(0, "sideways", 2), (90, "forwards", 0), (180, "sideways", 2)]
)
@pytest.mark.parametrize(("forwards_m", "sideways_m"), [(0.005, 0.003), (0.006, 0.004)])
@pytest.mark.parametrize("noise", [None, Noise()])
def test_sway_across_the_picture(
    yaw: float, direction: str, axis: int, forwards_m: float, sideways_m: float, noise: Noise | None
) -> None:
    motion = stand(forwards_m=forwards_m, sideways_m=sideways_m, duration_s=12, seed=2)
    rms, path = true_sway(motion, axis)
    got = measured(motion, yaw=yaw, noise=noise)
    sway = got[f"sway_{direction}"]
    assert sway.value == pytest.approx(rms, rel=0.05, abs=0.3)
    assert (sway.grade, sway.reasons) == ("B", ("tilt_unknown",))
    assert got["sway_path"].value == pytest.approx(path, rel=0.05 if noise is None else 0.2)
    assert got[f"sway_{direction}_relative"].value == pytest.approx(sway.value / 1.75)
    other = got["sway_forwards" if direction == "sideways" else "sway_sideways"]
    assert other == (None, "none", ("out_of_plane",))


def test_without_a_body_height_there_are_no_millimetres() -> None:
    got = measured(stand(duration_s=12), height_m=None, yaw=0)
    assert got["sway_sideways"] == (None, "none", ("not_calibrated",))
    assert got["sway_sideways_relative"].grade == "B"


def test_at_a_slant_no_direction_of_the_body_is_seen() -> None:
    got = measured(stand(duration_s=12), yaw=45)
    for key in ("sway_sideways", "sway_forwards", "sway_path"):
        assert got[key] == (None, "none", ("oblique_view",))


def test_a_known_tilt_makes_it_grade_a() -> None:
    sway = Sway(2.0, 50.0, turn=-170.0, visibility=0.95, tilt_known=True, rate=30.0)
    assert measure_sway(sway, 2.0)["sway_sideways"] == (4.0, "A", ())


@pytest.mark.parametrize("motion", [stand(duration_s=8), squat()])
def test_too_short_or_no_standing_is_no_sway(motion: Motion) -> None:
    assert read_sway(track_of(Camera(yaw=0, distance=4).see(motion, 30)), tilt_known=True) is None


def test_sitting_is_no_standing() -> None:
    track = track_of(Camera(yaw=90, distance=4).see(stand(duration_s=11), 30))
    assert read_sway(track, tilt_known=True) is not None
    for name in ("ankle_left", "ankle_right"):
        track.image[:, INDEX[name], 1] = track.image[:, INDEX["pelvis"], 1] - 0.8 * track.trunk_px
    assert read_sway(track, tilt_known=True) is None
