"""The calibration marker in rendered pictures: found where it lies, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge.errors import LinkError
from edge.link import MARKER_SIDE_M, MarkerSeen, decode, encode
from edge.motion.floor import Stand, stand
from edge.motion.lens import Lens
from edge.vision.marker import Finder, MarkerWatch
from tests.truth.camera import Camera
from tests.truth.walking import walk
from tests.vision.floor_pictures import picture

if TYPE_CHECKING:
    from typing import Any

    from tests.truth.camera import Pinhole

SIZE = (1280, 720)


def camera(tilt: float, roll: float = 0.0, height: float = 1.0) -> Pinhole:
    view = Camera(yaw=90, tilt=tilt, roll=roll, distance=4, height=height, target=(0.0, 1.0, 0.0))
    return view.placed(walk(duration_s=4))


def seen(view: Pinhole, distance: float, turn: float = 15.0, **how: Any) -> MarkerSeen | None:
    """What vision tells of a page so far from the camera, along the floor."""
    watch = MarkerWatch("c")
    told = None
    for number in range(15):
        image = picture(view, (view.centre[0], view.centre[2] - distance), turn, seed=number, **how)
        told = watch.look(image, round(number * 2e8), anyone=False)
    return told


def stands(view: Pinhole, distance: float, turn: float = 15.0, **how: Any) -> Stand:
    told = seen(view, distance, turn, **how)
    assert told is not None
    found = stand(told.homography, MARKER_SIDE_M, Lens(*SIZE))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("tilt", "roll", "distance", "turn"),
    [(10, 0, 2, 15), (20, 0, 1.5, 0), (20, 4, 2, 100), (30, -5, 1.5, 200), (25, 0, 2, 45), (35, 3, 1.2, -30)],
)
def test_how_the_camera_stands(tilt: float, roll: float, distance: float, turn: float) -> None:
    found = stands(camera(tilt, roll), distance, turn)
    assert found.tilt == pytest.approx(tilt, abs=0.5)
    assert found.roll == pytest.approx(roll, abs=0.5)
    assert found.above == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize("how", [{"noise": 8.0}, {"blur": 1.6}, {"noise": 5.0, "blur": 1.2}])
def test_worse_pictures(how: dict[str, float]) -> None:
    found = stands(camera(20), 1.6, **how)
    assert found.tilt == pytest.approx(20, abs=0.5)
    assert found.above == pytest.approx(1.0, rel=0.025)


def test_a_marker_that_is_partly_hidden_is_not_there() -> None:
    assert seen(camera(20), 2, hidden=0.3) is None


def test_a_margin_that_is_hidden_does_no_harm() -> None:
    assert stands(camera(20), 1.5, hidden=0.04).tilt == pytest.approx(20, abs=0.5)


def test_far_away_it_is_too_small() -> None:
    assert seen(camera(15), 3.2) is None


def test_another_marker_is_not_ours() -> None:
    paper = np.full((400, 400), 235, np.uint8)
    other = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    paper[100:300, 100:300] = cv2.aruco.generateImageMarker(other, 7, 200)
    assert Finder().corners(np.repeat(paper[:, :, None], 3, axis=2)) is None


def test_nobody_looks_while_somebody_is_in_view() -> None:
    view = camera(20)
    image = picture(view, (view.centre[0], view.centre[2] - 1.5))
    watch = MarkerWatch("c")
    assert not any(watch.look(image, number * 200_000_000, anyone=True) for number in range(30))
    told = [watch.look(image, number * 200_000_000, anyone=False) for number in range(30, 100)]
    assert len([one for one in told if one]) == 1  # and then it is left alone for a while


def test_a_camera_that_shakes_tells_nothing() -> None:
    watch = MarkerWatch("c")
    for number in range(15):
        view = camera(20 + number % 3)
        image = picture(view, (view.centre[0], view.centre[2] - 1.5))
        assert watch.look(image, number * 200_000_000, anyone=False) is None


def test_the_record_crosses_the_link_and_nonsense_does_not() -> None:
    row = (1.0, 0.0, 3.0, 0.0, 1.0, 2.0, 0.0, 0.0, 1.0)
    told = MarkerSeen(camera="c", monotonic_ns=1, width=640, height=480, homography=row, spread_px=0.1)
    assert decode(encode(told)) == told
    bad = MarkerSeen(
        camera="c", monotonic_ns=1, width=640, height=480, homography=(float("nan"), *row[1:]), spread_px=0.1
    )
    with pytest.raises(LinkError, match="nowhere"):
        decode(encode(bad))
