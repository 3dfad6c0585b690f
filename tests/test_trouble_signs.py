"""From records of vision to the number of each kind of trouble: generated courses whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from edge.box_records import CameraView, Tuning
from edge.link import CameraState, PoseFrame, Subject
from edge.thermal import Heat
from edge.trouble import BY_CODE, Sign
from edge.trouble_signs import Signs, of_mode

COOL = Heat()


def person(visibility: float = 0.9, height: float = 0.6) -> Subject:
    """Standing in a picture of 720 rows, `height` of it tall."""
    points = np.zeros((33, 3), np.float32)
    points[:, 1] = np.linspace(100, 100 + 720 * height, 33)
    points[:, 0] = 600
    points[:, 2] = visibility
    return Subject(id=1, species="human", skeleton="blazepose33", score=1.0, keypoints=points.tobytes())


def frame(number: int = 1, *subjects: Subject, waiting: int = 0, **timings: float) -> PoseFrame:
    return PoseFrame(
        camera="cam0", number=number, monotonic_ns=0, utc_ns=None, width=1280, height=720,
        timings=timings or {"total": 20.0, "model": 15.0}, subjects=subjects, waiting=waiting,
    )  # fmt: skip


def view(**fields: float | str) -> CameraView:
    usual = {"brightness": 120.0, "contrast": 50.0, "sharpness": 0.5, "noise": 1.0, "fps": 30.0, "mode": ""}
    return CameraView(camera="cam0", monotonic_ns=0, **(usual | fields))  # type: ignore[arg-type]


TUNING = Tuning(
    basis="measured", precision="int8", threads=1, width=1280, height=720, fps=30.0, most=4, target=30.0
)


class Box:
    """Records for some seconds, ten pictures a second, and the numbers after each second."""

    def __init__(self) -> None:
        self.signs = Signs()
        self.t = 0.0
        self.signs.take(CameraState(camera="cam0", state="live", monotonic_ns=0), self.t)
        self.signs.take(TUNING, self.t)

    def run(self, seconds: int, *subjects: Subject, waiting: int = 0, **timings: float) -> dict[str, Sign]:
        found: dict[str, Sign] = {}
        for _ in range(seconds):
            for n in range(10):
                self.t += 1 / 10
                self.signs.take(frame(n, *subjects, waiting=waiting, **timings), self.t)
            found = self.signs.signs(self.t, COOL, None)
        return found

    def silent(self, seconds: float) -> dict[str, Sign]:
        self.t += seconds
        return self.signs.signs(self.t, COOL, None)


def wrong(found: dict[str, Sign]) -> set[str]:
    return {code for code, sign in found.items() if BY_CODE[code].wrong(sign)}


def test_a_box_that_is_well_has_no_trouble() -> None:
    box = Box()
    box.signs.take(view(), box.t)
    found = box.run(120, person())
    assert wrong(found) == set()
    assert {"slow", "far", "crowded", "confidence", "throttled", "no_pictures"} <= found.keys()


def test_one_slow_picture_is_none_and_many_are_named_by_their_stage() -> None:
    box = Box()
    box.run(10)
    box.signs.take(frame(total=900.0, model=880.0), box.t)
    assert "slow" not in wrong(box.run(2))
    found = box.run(6, total=130.0, detect=90.0, model=30.0)
    assert found["slow"].value == pytest.approx(130)
    assert found["slow"].detail == "detect"
    assert (
        box.run(6, total=130.0, detect=10.0, model=20.0)["slow"].detail == "rest"
    )  # the process stood still
    assert "slow" not in wrong(box.run(6))


def test_confidence_is_compared_with_its_own_median_while_somebody_is_there() -> None:
    box = Box()
    assert "confidence" not in box.run(30, person(0.9))  # nothing is usual yet
    box.run(270, person(0.9))
    assert wrong(box.run(30, person(0.8))) == set()
    assert "confidence" not in box.run(30)  # nobody is there
    found = box.run(30, person(0.5))
    assert found["confidence"].value == pytest.approx(0.5 / 0.9, rel=0.02)
    assert wrong(found) == {"confidence"}
    # A view that stays is the usual one after some minutes.
    assert wrong(box.run(360, person(0.5))) == set()


@pytest.mark.parametrize(("height", "far"), [(0.5, False), (0.26, False), (0.18, True), (0.1, True)])
def test_who_is_small_is_far(height: float, far: bool) -> None:
    assert ("far" in wrong(Box().run(20, person(0.9, height)))) == far


def test_the_nearest_counts() -> None:
    assert "far" not in wrong(Box().run(20, person(0.9, 0.1), person(0.9, 0.5)))


def test_somebody_waits_in_most_pictures() -> None:
    box = Box()
    assert box.run(15, person(), waiting=2)["crowded"].value == 1.0
    assert "crowded" not in wrong(box.run(15, person()))


@pytest.mark.parametrize(
    ("state", "silent"),
    [("live", True), ("black", True), ("lost", True), ("starting", False), ("ended", False)],
)
def test_no_pictures(state: str, silent: bool) -> None:
    box = Box()
    box.run(5)
    detail = "stalled" if state == "lost" else ""
    box.signs.take(CameraState(camera="cam0", state=state, detail=detail, monotonic_ns=0), box.t)  # type: ignore[arg-type]
    found = box.silent(7)
    assert ("no_pictures" in wrong(found)) == silent
    if silent:
        assert found["no_pictures"].value == pytest.approx(7, abs=0.1)
        assert found["no_pictures"].detail == (detail or "silent")
        assert "no_pictures" not in wrong(box.run(1)) | wrong(box.run(1))


def test_a_camera_that_was_never_there() -> None:
    signs = Signs()
    signs.take(CameraState(camera="cam0", state="lost", detail="not_found", monotonic_ns=0), 10.0)
    assert signs.signs(20.0, COOL, None)["no_pictures"] == Sign(10.0, "not_found")


@pytest.mark.parametrize(
    ("fields", "usual", "expected"),
    [
        ({}, 0.5, set()),
        ({"brightness": 20.0}, 0.5, {"dark"}),
        ({"noise": 12.0}, 0.5, {"noisy"}),
        ({"sharpness": 0.1}, 0.5, {"blurred"}),
        ({"sharpness": 0.1}, None, set()),  # nothing to compare with
        ({"fps": 10.0}, 0.5, {"few_pictures"}),
        ({"mode": "YUYV 1280x720 10", "fps": 10.0}, 0.5, {"few_pictures", "wrong_mode"}),
        ({"mode": "MJPG 640x480 30"}, 0.5, {"wrong_mode"}),
        ({"mode": "MJPG 1280x720 30"}, 0.5, set()),
        ({"mode": "something else"}, 0.5, set()),
    ],
)
def test_pictures(fields: dict[str, float | str], usual: float | None, expected: set[str]) -> None:
    box = Box()
    box.run(10, person())
    box.signs.take(view(**fields), box.t)
    assert wrong(box.signs.signs(box.t, COOL, usual)) == expected
    assert wrong(box.signs.signs(box.t + 60, COOL, usual)) <= {"no_pictures"}  # long ago


@pytest.mark.parametrize(
    ("text", "wanted", "verdict"),
    [
        ("MJPG 1280x720 30", (1280, 720), 0), ("YUYV 640x480 30", (0, 0), 0), ("YUYV 1280x720 10", (0, 0), 1),
        ("MJPG 1280x720 5", (0, 0), 1), ("RGB888 1280x720 30", (1280, 720), 0), ("MJPG 640x360 30", (1280, 720), 1),
    ],
)  # fmt: skip
def test_modes(text: str, wanted: tuple[int, int], verdict: int) -> None:
    sign = of_mode(text, wanted)
    assert sign is not None
    assert sign.value == verdict


def test_heat() -> None:
    box = Box()
    assert box.signs.signs(1.0, Heat(("heat", "power")), None)["throttled"] == Sign(1.0, "heat, power")
