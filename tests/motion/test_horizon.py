"""How the camera stands shows in walks before it; what they do not show is not told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.coach.walks import Walks
from edge.motion.body import Body
from edge.motion.horizon import Horizon, Walked
from edge.motion.lens import Lens
from edge.motion.signals import Signals
from tests.motion.walks import lens_of, track_of
from tests.truth.camera import Camera
from tests.truth.noise import Noise
from tests.truth.walking import walk

HEIGHT = 1.75
NEARER, PAST = walk(duration_s=4), walk(duration_s=5)
ALL_WAYS = (0, 90, -60)


def shown(*yaws: float, seed: int | None = None, **camera: float) -> Horizon:
    """What walks in these directions before one camera show of it; `seed`: with the noise of a pose model."""
    walked = Walked()
    for number, yaw in enumerate(yaws):
        view = Camera(**({"yaw": yaw, "height": 1.2, "distance": 5.0} | camera))  # type: ignore[arg-type]
        noise = None if seed is None else Noise()
        frames = view.see(PAST, 30, noise=noise, jitter=0.05, seed=10 * (seed or 0) + number)
        walked.add(track_of(frames).cleaned(0.3), lens_of(None))
    return walked.horizon()


@pytest.mark.parametrize("tilt", [-2, 6, 12])
@pytest.mark.parametrize("roll", [-5, 0, 4])
def test_walks_in_all_directions_show_all_of_it(tilt: float, roll: float) -> None:
    found = shown(*ALL_WAYS, tilt=tilt, roll=roll)
    assert found.tilt == pytest.approx(tilt, abs=0.3)
    assert found.roll == pytest.approx(roll, abs=0.3)
    assert found.above == pytest.approx(1.2 / HEIGHT, rel=0.03)


@pytest.mark.parametrize(("tilt", "roll"), [(0, 5), (10, -4), (15, 2)])
def test_with_the_noise_of_a_pose_model(tilt: float, roll: float) -> None:
    for seed in range(3):
        found = shown(*ALL_WAYS, seed=seed + 1, tilt=tilt, roll=roll)
        assert found.tilt == pytest.approx(tilt, abs=1.0)
        assert found.roll == pytest.approx(roll, abs=0.75)
        assert found.above == pytest.approx(1.2 / HEIGHT, rel=0.05)


@pytest.mark.parametrize("yaw", [0, 180])
def test_who_comes_nearer_or_goes_away_shows_the_tilt(yaw: float) -> None:
    assert shown(yaw, tilt=10, roll=-3).tilt == pytest.approx(10, abs=0.3)


@pytest.mark.parametrize("yaw", [90, -90])
def test_who_crosses_shows_the_roll_alone(yaw: float) -> None:
    found = shown(yaw, tilt=10, roll=-3, distance=6)
    assert found.roll == pytest.approx(-3, abs=0.5)
    assert (found.tilt, found.above) == (None, None)


def test_a_treadmill_and_somebody_who_stands_show_nothing() -> None:
    walked = Walked()
    assert walked.horizon() == Horizon()
    frames = Camera(yaw=45, tilt=10, roll=5).see(walk(duration_s=8, treadmill=True), 30)
    walked.add(track_of(frames).cleaned(0.3), lens_of(None))
    assert walked.horizon() == Horizon()


def test_memory_is_bounded() -> None:
    walked, track = Walked(), track_of(Camera(yaw=0, tilt=10, distance=5, height=1.2).see(PAST, 30))
    for _ in range(60):
        walked.add(track, lens_of(None))
    assert len(walked._moments) <= 240
    assert walked.horizon().tilt == pytest.approx(10, abs=0.3)


def test_a_session_of_walks_shows_it_whatever_the_lens_was_taken_for() -> None:
    """Roll that is known already is not counted twice."""
    for lens in (lens_of(None), Lens(1280, 720, tilt=4.0, roll=3.0)):
        walks = Walks("human")
        start = 0.0
        for yaw in ALL_WAYS:
            view = Camera(yaw=yaw, tilt=10, roll=3, distance=5, height=1.2)
            for frame in view.see(PAST, 30, noise=Noise(), jitter=0.05):
                for one in frame.subjects:
                    body = Body.of(one.skeleton, one.points(), one.world_points(), lens)
                    walks.add(start + frame.monotonic_ns / 1e9, body, Signals(body).angles.value)
            walks.finish()
            start += 10
        assert walks.tilt == pytest.approx(10, abs=1)
        assert walks.horizon.roll == pytest.approx(3, abs=0.75)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 1.0, 300.0, 1e6]))
def test_any_points_show_something_sane_or_nothing(seed: int, size: float) -> None:
    dice = np.random.default_rng(seed)
    track = track_of(Camera(yaw=60, tilt=10, height=1.2).see(NEARER, 15))
    track.image[:] = size * dice.standard_normal(track.image.shape)
    track.image[dice.random(track.image.shape[:2]) < 0.2] = np.nan
    walked = Walked()
    walked.add(track, lens_of(None))
    found = walked.horizon()
    assert all(one is None or np.isfinite(one) for one in found)
