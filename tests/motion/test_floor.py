"""How a camera stands from a square on the floor, and lengths on that floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.coach.walks import Walks
from edge.motion.body import Body
from edge.motion.floor import on_floor, stand
from edge.motion.lens import Lens
from edge.motion.signals import Signals
from tests.truth.camera import Camera
from tests.truth.noise import Noise
from tests.truth.walking import walk

if TYPE_CHECKING:
    from typing import Any

    from edge.motion.grades import Measure
    from tests.truth.camera import Pinhole

PASSING = walk(duration_s=5)
SIZE = (1280, 720)
SIDE = 0.18


def homography(view: Pinhole, place: tuple[float, float]) -> tuple[float, ...]:
    """Of a square whose page lies with its top away from a camera at yaw 90."""
    points = np.array([(0, 0), (0.09, 0), (0, 0.09), (0.09, 0.09)])
    pixels = view.project(np.stack([points[:, 0] + place[0], np.zeros(4), place[1] - points[:, 1]], axis=1))
    rows = []
    for (x, y), (u, v) in zip(points, pixels, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, -u], [0, 0, 0, x, y, 1, -v * x, -v * y, -v]]
    return tuple(np.linalg.svd(np.array(rows))[2][-1].tolist())


@pytest.mark.parametrize("tilt", [-5, 0, 12, 40])
@pytest.mark.parametrize("roll", [-8, 0, 5])
def test_a_square_says_how_the_camera_stands(tilt: float, roll: float) -> None:
    view = Camera(yaw=90, tilt=tilt, roll=roll, distance=4, height=1.3, target=(0.0, 1.0, 0.0)).placed(
        PASSING
    )
    found = stand(homography(view, (view.centre[0] + 0.3, view.centre[2] - 2.2)), SIDE, Lens(*SIZE))
    assert found is not None
    assert found.tilt == pytest.approx(tilt, abs=1e-3)
    assert found.roll == pytest.approx(roll, abs=1e-3)
    assert found.above == pytest.approx(1.3, abs=1e-4)
    assert found.error_px < 1e-3


@given(st.lists(st.floats(-1e6, 1e6), min_size=9, max_size=9))
def test_any_numbers_are_a_stand_or_none(numbers: list[float]) -> None:
    found = stand(numbers, SIDE, Lens(*SIZE))
    assert found is None or np.isfinite(found).all()


def test_a_ceiling_is_no_floor() -> None:
    view = Camera(yaw=90, tilt=10, distance=4, height=1.3, target=(0.0, 1.0, 0.0)).placed(PASSING)
    rows = np.array(homography(view, (view.centre[0], view.centre[2] - 2))).reshape(3, 3)
    over = (
        np.diag([1.0, -1.0, 1.0]) @ (rows @ np.diag([1.0, 1.0, 1.0])) + np.array([[0], [720], [0]]) * rows[2]
    )
    assert stand(over.ravel().tolist(), SIDE, Lens(*SIZE)) is None


@given(x=st.floats(-2, 2), ahead=st.floats(1, 5), tilt=st.floats(5, 40), roll=st.floats(-10, 10))
def test_a_pixel_is_a_place_on_the_floor(x: float, ahead: float, tilt: float, roll: float) -> None:
    view = Camera(yaw=90, tilt=tilt, roll=roll, distance=4, height=1.1, target=(0.0, 1.0, 0.0)).placed(
        PASSING
    )
    pixel = view.project(np.array([view.centre[0] + x, 0.0, view.centre[2] - ahead])) * (1, -1)
    lens = Lens(*SIZE, tilt=tilt, roll=roll, above=1.1)
    assert on_floor(pixel, lens) == pytest.approx((x, ahead), abs=1e-6)


def test_at_the_horizon_there_is_no_place() -> None:
    lens = Lens(*SIZE, tilt=0.0, above=1.1)
    assert np.isnan(on_floor(np.array([640.0, -360.0]), lens)).all()
    assert np.isnan(on_floor(np.array([640.0, -700.0]), Lens(*SIZE))).all()


def measured(lens: Lens, **camera: Any) -> dict[str, Measure]:
    """What is said of a generated walk whose walker's height nobody knows."""
    view = Camera(distance=4.5, height=1.2, **camera)
    walks = Walks("human")
    for frame in view.see(PASSING, 30, noise=Noise(), jitter=0.05):
        for one in frame.subjects:
            body = Body.of(one.skeleton, one.points(), one.world_points(), lens)
            walks.add(frame.monotonic_ns / 1e9, body, Signals(body).angles.value)
    walks.finish()
    return walks.measures()


@pytest.mark.parametrize(("yaw", "tilt", "roll"), [(90, 10, 0), (75, 12, 5), (110, 8, -6), (60, 10, 0)])
def test_lengths_on_a_calibrated_floor(yaw: float, tilt: float, roll: float) -> None:
    """With the noise of a pose model, and nobody's height known."""
    found = measured(Lens(*SIZE, tilt=tilt, roll=roll, above=1.2), yaw=yaw, tilt=tilt, roll=roll)
    truth = PASSING.truth
    assert found["stride_length"].value == pytest.approx(truth["stride_length_left"], rel=0.02)
    assert found["gait_speed"].value == pytest.approx(truth["speed"], rel=0.025)
    for side in ("left", "right"):
        assert found[f"step_length_{side}"].value == pytest.approx(truth[f"step_length_{side}"], rel=0.05)


def test_a_marker_seen_a_little_wrong_costs_little() -> None:
    """Half a degree of tilt and two percent of height, as its tests allow it."""
    found = measured(Lens(*SIZE, tilt=10.3, roll=0.3, above=1.2 * 1.01), yaw=90, tilt=10)
    assert found["stride_length"].value == pytest.approx(PASSING.truth["stride_length_left"], rel=0.04)


def test_a_treadmill_moves_under_the_feet() -> None:
    motion = walk(treadmill=True, duration_s=6)
    walks = Walks("human")
    lens = Lens(*SIZE, tilt=10, above=1.2)
    for frame in Camera(yaw=90, tilt=10, distance=4, height=1.2).see(motion, 30):
        for one in frame.subjects:
            body = Body.of(one.skeleton, one.points(), one.world_points(), lens)
            walks.add(frame.monotonic_ns / 1e9, body, Signals(body).angles.value)
    walks.finish()
    assert walks.measures()["stride_length"].reasons == ("not_calibrated",)
