"""The drawn noise is like the measured one, by the measurement itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.truth import measure_noise
from tests.truth.camera import Camera, Seen
from tests.truth.dog import trot
from tests.truth.exercises import stand
from tests.truth.measured import measured
from tests.truth.noise import Noise, _courses
from tests.truth.person import NAMES, Build
from tests.truth.walking import walk

if TYPE_CHECKING:
    from tests.truth.motion import Motion

WALK = walk(duration_s=30, treadmill=True)
CAMERA = Camera(yaw=0, distance=4)
NOTHING = Noise(size=0, outliers=0, gaps=0)


def seen(noise: Noise, fps: float = 30, seed: int = 0, camera: Camera = CAMERA) -> Seen:
    times = np.arange(0, WALK.duration_s, 1 / fps)
    clean = camera.placed(WALK).look(WALK, WALK.at(times))
    return noise.disturb(clean, NAMES, np.random.default_rng(seed))


def test_every_group_of_joints_was_measured() -> None:
    assert set(measured()["joint"]) == set(measure_noise.GROUPS)
    assert measured()["footage"]["pictures"] > 10_000
    for row in measured()["joint"].values():
        assert len(row["speeds"]) == len(row["image"]) == len(row["depth"]) == len(measure_noise.SPEEDS) - 1


def gliding(speed: float) -> Motion:
    """Somebody who stands and is carried forwards at so many trunk lengths a second: all joints at one speed."""
    still = stand(duration_s=25)
    metres = speed * Build().trunk

    def figure(times: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        points, angles = still.figure(times)
        return points + np.array([metres, 0, 0]) * times[:, None, None], angles

    return replace(still, figure=figure)


@pytest.fixture(scope="module")
def glides() -> list[measure_noise.Clip]:
    """With noise, a clip a class of speed."""
    view, rate = Camera(yaw=-90, distance=60, field=40), measured()["footage"]["pictures_a_second"]
    speeds = [0.0, 0.3, 0.75, 1.4, 2.6]
    return [
        measure_noise.clip(view.see(gliding(speed), fps=rate, noise=Noise(gaps=0), seed=3))
        for speed in speeds
    ]


@pytest.mark.parametrize("group", measure_noise.GROUPS)
def test_measuring_the_drawn_noise_finds_what_was_measured(
    glides: list[measure_noise.Clip], group: str
) -> None:
    row, footage = measured()["joint"][group], measured()["footage"]
    step = 1 / footage["pictures_a_second"] / footage["time_constant"]
    left = np.sqrt(measure_noise.shrink(step)[0])  # of the noise, by the quadratic
    for clip in glides:
        rows = measure_noise.residuals(
            [clip], [n for n in measure_noise.GROUPS[group] if not n.startswith("right")]
        )
        for what, values in (
            ("image", rows.image),
            ("world", rows.world[:, :2]),
            ("depth", rows.world[:, 2]),
        ):
            expected = left * np.interp(np.median(rows.speed), row["speeds"], row[what])
            assert measure_noise.spread(values) == pytest.approx(expected, rel=0.2)


def test_residuals_of_the_drawn_noise_correlate_as_measured(glides: list[measure_noise.Clip]) -> None:
    rows = measure_noise.residuals(glides[3:4], NAMES)
    assert measure_noise._lag(rows) == pytest.approx(measured()["footage"]["residual_correlation"], abs=0.05)


def test_noise_keeps_its_time_whatever_the_frame_rate() -> None:
    constant = measured()["footage"]["time_constant"]
    rng = np.random.default_rng(1)
    for fps in (15, 30, 60):
        times = np.arange(0, 40, 1 / fps)
        courses = _courses(times, (50,), constant, rng)
        assert courses.var() == pytest.approx(1, abs=0.05)
        for lag in (1, 2):
            correlation = (courses[lag:] * courses[:-lag]).mean()
            t = lag / fps / constant
            assert correlation == pytest.approx((1 + t) * np.exp(-t), abs=0.05)


def test_hidden_joints_are_noisier() -> None:
    side = Camera(yaw=90, distance=4)
    noise = Noise(outliers=0, gaps=0)
    error = np.abs(seen(noise, camera=side).pixels - seen(NOTHING, camera=side).pixels).mean(axis=(0, 2))
    assert error[NAMES.index("left_ankle")] > 1.2 * error[NAMES.index("right_ankle")]


def test_visibility_is_as_measured() -> None:
    side = Camera(yaw=90, distance=4)
    noisy, clean = (seen(noise, camera=side).visibility for noise in (Noise(), NOTHING))
    for joint, rows in measured()["visibility"]["joint"].items():
        if joint == "head":
            continue
        for which, name in (("near", "right"), ("far", "left")):
            at = NAMES.index(f"{name}_{joint}")
            assert np.median(clean[:, at]) == pytest.approx(rows[which][2], abs=0.02)
            assert np.median(noisy[:, at]) == pytest.approx(rows[which][2], abs=0.08)
    far_knee = noisy[:, NAMES.index("left_knee")]
    assert 0.3 < (far_knee < 0.5).mean() < 0.6  # 0.43 on the footage


def test_outliers_are_as_many_as_stated() -> None:
    clean, thrown = seen(NOTHING), seen(Noise(size=0, gaps=0, outliers=5))
    out = np.linalg.norm(thrown.pixels - clean.pixels, axis=-1) > 0
    for joint in ("wrist", "foot_index"):
        share = out[:, [NAMES.index(f"{side}_{joint}") for side in ("left", "right")]].mean()
        assert share == pytest.approx(5 * measured()["joint"][joint]["outlier_share"], rel=0.35)
    assert (out == (np.linalg.norm(thrown.world - clean.world, axis=-1) > 0)).all()


def test_gaps_are_as_many_and_as_long_as_stated() -> None:
    footage = measured()["footage"]
    found = np.concatenate([seen(Noise(size=0, gaps=4), seed=seed).found for seed in range(10)])
    share = 4 * footage["gaps_a_minute"] * footage["gap"] / 60
    assert 1 - found.mean() == pytest.approx(share, rel=0.4)


def test_swaps_exchange_the_legs_and_nothing_else() -> None:
    clean, swapped = seen(NOTHING), seen(Noise(size=0, outliers=0, gaps=0, swaps=10))
    left, right, wrist = (NAMES.index(name) for name in ("left_knee", "right_knee", "left_wrist"))
    changed = (clean.pixels[:, left] != swapped.pixels[:, left]).any(axis=-1)
    assert 0.02 < changed.mean() < 0.3
    assert (swapped.pixels[changed, left] == clean.pixels[changed, right]).all()
    assert (swapped.pixels[:, wrist] == clean.pixels[:, wrist]).all()


def test_no_noise_changes_nothing_and_the_same_seed_gives_the_same() -> None:
    clean = CAMERA.placed(WALK).look(WALK, WALK.at(seen(NOTHING).times))
    assert (seen(NOTHING).pixels == clean.pixels).all()
    first, again, other = (CAMERA.see(WALK, noise=Noise(), seed=seed, end=2) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_dog_gets_noise_too() -> None:
    noisy, clean = (
        Camera(distance=3).see(trot(treadmill=True), noise=noise) for noise in (Noise(gaps=0), None)
    )
    error = noisy[10].subjects[0].points() - clean[10].subjects[0].points()
    assert 0.1 < np.abs(error[:, :2]).mean() < 10
