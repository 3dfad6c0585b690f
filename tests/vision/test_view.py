"""How pictures are, in numbers: drawn ones that are blurred, darkened and made noisy on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from edge.footage import demo_video
from edge.link import CameraState
from edge.vision.pictures import Picture
from edge.vision.tuned import Cadence
from edge.vision.view import look, small
from models.figure import draw

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from edge.vision.view import Look

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def scene() -> npt.NDArray[np.uint8]:
    """A person before a wall with a pattern, uint8[720, 1280, 3]."""
    wall = RNG.integers(60, 200, (36, 64, 3), dtype=np.uint8)
    picture = cv2.resize(wall, (1280, 720), interpolation=cv2.INTER_NEAREST)
    picture[:, 280:1000] = cv2.resize(draw(180)[..., ::-1], (720, 720))
    return np.asarray(picture, np.uint8)


def seen(picture: npt.NDArray[Any], noise: float = 1.0) -> Look:
    """Two pictures of the same, each with noise of its own."""
    pair = (np.clip(picture + RNG.normal(0, noise, picture.shape), 0, 255).astype(np.uint8) for _ in range(2))
    first, second = map(small, pair)
    return look(first, second)


def test_light_is_told_and_changes_little_of_the_sharpness(scene: npt.NDArray[np.uint8]) -> None:
    bright, dark = seen(scene), seen((scene * 0.5).astype(np.uint8))
    assert bright.brightness == pytest.approx(cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY).mean(), abs=1)
    assert dark.brightness == pytest.approx(bright.brightness / 2, rel=0.05)
    assert dark.sharpness == pytest.approx(bright.sharpness, rel=0.3)


@pytest.mark.parametrize("sigma", [4, 8])
def test_a_dirty_lens_is_less_sharp(scene: npt.NDArray[np.uint8], sigma: float) -> None:
    blurred = cv2.GaussianBlur(scene, (0, 0), sigma)
    assert seen(np.asarray(blurred, np.uint8)).sharpness < 0.3 * seen(scene).sharpness


def test_noise_is_measured_and_is_not_taken_for_sharpness(scene: npt.NDArray[np.uint8]) -> None:
    grey = np.repeat(cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)
    clean = seen(grey, 1.0)
    # three channels with noise of their own make a grey value with 0.67 of it
    noisy = seen(grey, 15.0)
    assert clean.noise < 1.5
    assert noisy.noise == pytest.approx(0.67 * 15, rel=0.2)
    blurred = np.asarray(cv2.GaussianBlur(grey, (0, 0), 8), np.uint8)
    assert seen(blurred, 15.0).sharpness < 0.4 * seen(grey, 15.0).sharpness


def test_real_footage() -> None:
    capture = cv2.VideoCapture(str(demo_video()))
    frames = [np.asarray(capture.read()[1], np.uint8) for _ in range(2)]
    capture.release()
    sharp = look(*map(small, frames))
    soft = look(*(small(np.asarray(cv2.GaussianBlur(one, (0, 0), 5), np.uint8)) for one in frames))
    dark = look(*(small((one * 0.15).astype(np.uint8)) for one in frames))
    assert 60 < sharp.brightness < 200
    assert soft.sharpness < 0.35 * sharp.sharpness
    assert dark.brightness < 45


# A camera whose pictures are thinned out


class Camera:
    """Delivers grey pictures at these times (seconds)."""

    id, source, remarks, mode = "cam0", "test", (), "MJPG 64x48 30"

    def __init__(self, times: list[float]) -> None:
        self.times = times
        self.closed = False

    def stream(self) -> Iterator[Picture | CameraState]:
        yield CameraState(camera=self.id, state="live", monotonic_ns=0)
        for number, t in enumerate(self.times):
            bgr = np.full((48, 64, 3), 100 + number % 3, np.uint8)
            yield Picture(bgr, round(t * 1e9), None, skipped=2 * number)

    def close(self) -> None:
        self.closed = True


def passed(times: list[float], fps: float) -> list[float]:
    items = list(Cadence(Camera(times), fps).stream())
    return [item.monotonic_ns / 1e9 for item in items if isinstance(item, Picture)]


@pytest.mark.parametrize(
    ("camera", "wanted", "expected"),
    [(30, 30, 30), (30, 15, 15), (30, 20, 20), (60, 30, 30), (25, 30, 25), (30, 10, 10)],
)
def test_so_many_pictures_a_second_pass(camera: float, wanted: float, expected: float) -> None:
    times = [100 + (n + RNG.uniform(-0.15, 0.15)) / camera for n in range(int(10 * camera))]
    through = passed(times, wanted)
    assert len(through) == pytest.approx(10 * expected, rel=0.05)
    assert max(np.diff(through)) < 2.2 / min(camera, wanted)


def test_a_clock_that_jumps_stops_nothing() -> None:
    times = [*np.arange(0, 2, 1 / 30), *np.arange(1000, 1002, 1 / 30), *np.arange(5, 7, 1 / 30)]
    assert len(passed(times, 30)) > 170


def test_a_view_comes_once_a_second_and_counts_what_was_not_analysed() -> None:
    source = Cadence(Camera([n / 30 for n in range(300)]), 10)
    views = []
    for _ in source.stream():
        view, source.view = source.view, None
        if view is not None:
            views.append(view)
    assert 8 <= len(views) <= 10
    assert all(
        view.fps == pytest.approx(90, rel=0.1) for view in views
    )  # two are skipped for each that comes
    assert views[0].mode == "MJPG 64x48 30"
    assert views[0].brightness == pytest.approx(101, abs=2)
    source.close()
