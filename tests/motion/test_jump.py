"""Generated counter-movement jumps, whose flight times and heights are exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge.coach.observer import Observer
from edge.motion.jump import _flight, find_flights, measure_jumps
from edge.motion.lens import Lens
from edge.motion.track import Track
from tests.motion.walks import lens_of, track_of
from tests.truth.camera import Camera
from tests.truth.exercises import squat, stand
from tests.truth.jumping import jump
from tests.truth.noise import Noise
from tests.truth.walking import run, walk

if TYPE_CHECKING:
    from edge.motion.jump import Flight
    from tests.truth.motion import Motion


def flights(motion: Motion, fps: float = 60, **options: Any) -> list[Flight]:
    tilt_known = options.pop("tilt_known", True)
    noise, seed = options.pop("noise", None), options.pop("seed", 0)
    view = Camera(**({"yaw": 90.0, "distance": 4.0} | options))
    lens = Lens(1280, 720, tilt=view.tilt if tilt_known else None)
    return find_flights(track_of(view.see(motion, fps, jitter=0.05, noise=noise, seed=seed)), lens)


@pytest.mark.parametrize("jump_m", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("fps", [24, 30, 60])
@pytest.mark.parametrize("yaw", [0, 45, 90])
def test_flight_without_noise(jump_m: float, fps: float, yaw: float) -> None:
    motion = jump(jump_m=jump_m, jumps=3)
    found = flights(motion, fps, yaw=yaw)
    assert len(found) == 3
    for one, start in zip(found, motion.offs("left"), strict=True):
        assert one.time == pytest.approx(motion.truth["flight_time"], abs=0.005)
        assert one.start == pytest.approx(start, abs=0.005)
        assert one.height == pytest.approx(jump_m, abs=0.01)


@pytest.mark.parametrize("tilt", [-10, 20])
def test_a_tilted_camera(tilt: float) -> None:
    (one,) = flights(jump(), tilt=tilt)
    assert one.time == pytest.approx(jump().truth["flight_time"], abs=0.005)
    (one,) = flights(jump(), tilt=tilt, tilt_known=False)
    assert one.time == pytest.approx(jump().truth["flight_time"], abs=0.015)
    assert measure_jumps([one])["jump_height"].grade == "B"


@pytest.mark.parametrize(("fps", "within"), [(60, 0.02), (30, 0.025), (24, 0.025)])
def test_flight_with_measured_noise(fps: float, within: float) -> None:
    """Error in seconds: it is the noise's, not the frame rate's."""
    errors = []
    for jump_m in (0.3, 0.5):
        motion = jump(jump_m=jump_m, jumps=3)
        for seed in range(8):
            found = flights(motion, fps, noise=Noise(gaps=0), seed=seed)
            assert len(found) >= 2
            errors += [abs(one.time - motion.truth["flight_time"]) for one in found]
    assert np.percentile(errors, 90) < within
    assert max(errors) < 2 * within


@pytest.mark.parametrize(("fps", "grade"), [(60, "A"), (30, "B"), (20, "C"), (13, "none")])
def test_few_pictures_a_second_cost_the_grade(fps: float, grade: str) -> None:
    found = flights(jump(jump_m=0.4), fps)
    got = measure_jumps(found)
    assert got["jump_height"].grade == got["flight_time"].grade == grade
    if got["jump_height"].value is not None:
        assert got["jump_height"].value == pytest.approx(40, abs=1)
        assert got["flight_time"].value == pytest.approx(571, abs=5)


@pytest.mark.parametrize(
    "motion", [squat(), stand(duration_s=5), walk(duration_s=5), run(duration_s=5), run(treadmill=True)]
)
@pytest.mark.parametrize("noise", [None, Noise()])
def test_what_is_no_jump(motion: Motion, noise: Noise | None) -> None:
    assert flights(motion, 30, noise=noise) == []


def test_lifted_slowly_is_no_flight() -> None:
    track = track_of(Camera(yaw=90, distance=4).see(stand(duration_s=4), 30))
    lift = 60 * np.clip(1 - np.abs(track.times - 2) / 0.4, 0, 1)
    image = track.image.copy()
    image[:, :, 1] += lift[:, None]
    assert find_flights(Track(track.times, image, track.space, track.visibility), lens_of(0.0)) == []


def test_in_the_session_the_best_jump_is_told_once() -> None:
    observer = Observer("auto", 1.75)
    for frame in Camera(yaw=0, distance=4).see(jump(jump_m=0.35, jumps=9), 60):
        observer.update(frame)
    (person,) = observer.people.values()
    seen = len(person.spot._flights)
    (person,) = observer.finish()
    assert seen >= 4
    assert len(person.spot._flights) == 8  # of nine, those that are kept
    assert person.measures()["jump_height"].value == pytest.approx(35, abs=1)
    assert "sway_path" not in person.measures()


def test_a_foot_that_is_seen_in_two_places_did_not_stand() -> None:
    times = np.array([0.2, 0.3, 0.6, 0.7, 0.8, 1.0, 1.1])
    toe = np.column_stack([np.zeros(7), [0.0, 1.0, 1.2, 1.3, 1.2, 0.0, 1.0]])
    assert _flight(times, toe, np.array([2, 3, 4]), (-9.0, 0.0, 1.3)) is None
