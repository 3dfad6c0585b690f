"""The camera puts known points where they belong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.truth.camera import Camera
from tests.truth.walking import walk

WALK = walk(duration_s=3, treadmill=True)


def camera(**changes: float) -> Camera:
    return Camera(target=(1.0, 1.0, 2.0), **changes)


def test_target_is_in_the_middle_from_everywhere() -> None:
    for yaw in (-90, 0, 35, 90, 180):
        for tilt in (-5, 0, 30):
            view = camera(yaw=yaw, tilt=tilt, roll=7).placed(WALK)
            assert view.project(np.array([1.0, 1.0, 2.0])) == pytest.approx([640, 360])


@pytest.mark.parametrize(
    ("yaw", "point"), [(0, (1, 1, 1)), (90, (2, 1, 2)), (-90, (0, 1, 2)), (180, (1, 1, 3))]
)
def test_yaw_says_from_where_it_looks(yaw: float, point: tuple[float, float, float]) -> None:
    # From the front the subject's left is at the right of the picture; from its right it walks to the right.
    view = camera(yaw=yaw, distance=4).placed(WALK)
    focal = 640 / math.tan(math.radians(33))
    assert view.project(np.array(point, float)) == pytest.approx([640 + focal / 4, 360])


def test_nearer_is_larger() -> None:
    view = camera(yaw=0, distance=4).placed(WALK)
    far, near = (np.ptp(view.project(np.array([[x, 0.5, 2], [x, 1.5, 2]]))[:, 1]) for x in (0.0, 3.0))
    assert near / far == pytest.approx(5 / 2)


def test_tilt_looks_down_from_above_and_roll_turns_anticlockwise() -> None:
    down = camera(yaw=90, tilt=30, distance=4).placed(WALK)
    assert down.centre == pytest.approx([1, 1 + 4 * math.tan(math.radians(30)), 6])
    rolled = camera(yaw=90, roll=10).placed(WALK)
    x, y = rolled.project(np.array([1.5, 1.0, 2.0])) - (640, 360)
    assert math.degrees(math.atan2(-y, x)) == pytest.approx(10)


def test_what_is_behind_the_camera_is_nowhere() -> None:
    assert np.isnan(camera(yaw=0, distance=2).placed(WALK).project(np.array([5.0, 1.0, 2.0]))).all()


def test_frames_carry_pixels_visibility_and_world_points() -> None:
    view = Camera(yaw=90, distance=4)
    frames = view.see(WALK, fps=25)
    assert len(frames) == 76
    assert [frame.monotonic_ns for frame in frames[:3]] == [0, 40_000_000, 80_000_000]
    names = WALK.names
    for frame in frames[::10]:
        (subject,) = frame.subjects
        points, world = subject.points(), subject.world_points()
        truth = WALK.at([frame.monotonic_ns / 1e9]).points
        assert points[:, :2] == pytest.approx(view.placed(WALK).project(truth)[0], abs=1e-3)
        hips = world[[names.index("left_hip"), names.index("right_hip")]]
        assert hips.mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-6)
        lengths = np.linalg.norm(world[:, None] - world[None], axis=-1)
        assert lengths == pytest.approx(np.linalg.norm(truth[0, :, None] - truth[0, None], axis=-1), abs=1e-5)
        # Its right side is turned to the camera: nearer, and better seen.
        right, left = names.index("right_hip"), names.index("left_hip")
        assert world[right, 2] > 0.05 > world[left, 2]
        assert points[right, 2] > 0.9
        elbows = [names.index(f"{side}_elbow") for side in ("left", "right")]
        assert points[elbows[0], 2] < 0.2
        assert points[elbows[1], 2] > 0.9
        assert world[names.index("nose"), 1] > 0.5


def test_walker_is_found_only_while_in_the_picture() -> None:
    frames = Camera(yaw=90, distance=4).see(walk(duration_s=10))
    present = [bool(frame.subjects) for frame in frames]
    assert not present[0]
    assert not present[-1]
    assert sum(present) / 30 == pytest.approx(2 * 4 * math.tan(math.radians(33)) / 1.3, abs=0.5)


def test_jitter_moves_the_pictures_and_their_stamps() -> None:
    frames = Camera().see(WALK, fps=30, jitter=0.2, seed=4)
    steps = np.diff([frame.monotonic_ns / 1e9 for frame in frames])
    assert steps.min() > 0
    assert np.std(steps[2:-2]) * 30 == pytest.approx(0.2 * math.sqrt(2), rel=0.3)
    truth = WALK.at([frames[20].monotonic_ns / 1e9]).points
    assert frames[20].subjects[0].points()[:, :2] == pytest.approx(
        Camera().placed(WALK).project(truth)[0], abs=1e-2
    )


def test_a_model_that_does_not_know_the_height_scales_the_world() -> None:
    small, true = (
        Camera().see(WALK, world_scale=scale)[5].subjects[0].world_points() for scale in (0.9, 1.0)
    )
    assert small == pytest.approx(0.9 * true, abs=1e-6)
