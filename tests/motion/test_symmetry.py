"""The symmetry index, and where there must be none."""

from __future__ import annotations

import pytest

from edge.coach.observer import Observer
from edge.motion.grades import Measure
from edge.motion.symmetry import PAIRS, measure_symmetry, symmetry_index
from tests.truth.camera import Camera
from tests.truth.exercises import arm_raise, squat
from tests.truth.noise import Noise
from wire.metrics import metrics


def of(left: Measure, right: Measure, *, from_the_side: bool = False) -> Measure | None:
    sides = {"knee_rom_left": left, "knee_rom_right": right}
    return measure_symmetry(sides, from_the_side=from_the_side).get("knee_rom_symmetry")


def test_index_and_its_grade() -> None:
    assert symmetry_index(60, 40) == pytest.approx(0.2)
    assert of(Measure(60.0, "A"), Measure(40.0, "B", ("oblique_view",))) == Measure(
        0.2, "B", ("oblique_view",)
    )


def test_a_side_that_is_seen_badly_is_not_compared() -> None:
    rough = Measure(40.0, "C", ("out_of_plane",))
    assert of(Measure(60.0, "A"), rough) == Measure(None, "none", ("out_of_plane",))
    unseen = Measure(None, "none", ("joint_hidden",))
    assert of(unseen, Measure(60.0, "B", ("oblique_view",))) == Measure(None, "none", ("joint_hidden",))


def test_in_a_side_view_there_is_none() -> None:
    good = Measure(60.0, "A")
    assert of(good, good, from_the_side=True) == Measure(None, "none", ("far_side",))


def test_joints_at_rest_are_not_compared() -> None:
    assert of(Measure(2.0, "A"), Measure(1.0, "A")) is None


def test_every_pair_is_in_the_catalogue() -> None:
    rows = metrics()
    assert {pair.key for pair in PAIRS} == {k for k, row in rows.items() if row.statistic == "symmetry"}
    for pair in PAIRS:
        assert rows[pair.left].statistic == rows[pair.right].statistic
        assert rows[pair.left].statistic in {"peak", "range", "repetition"}


@pytest.mark.parametrize(
    ("yaw", "grades"), [(0, {"A"}), (30, {"A", "B"}), (90, {"none"}), (-85, {"none"}), (180, {"A", "B"})]
)
def test_arms_of_known_difference(yaw: float, grades: set[str]) -> None:
    observer = Observer("lateral_raise", 1.75)
    motion = arm_raise(weak=20)
    for frame in Camera(yaw=yaw, distance=4).see(motion, 30, noise=Noise()):
        observer.update(frame)
    (person,) = observer.finish()
    index = person.measures()["rep_range_symmetry"]
    assert index.grade in grades
    if index.value is not None:
        left, right = (
            motion.truth["shoulder_abduction_left_range"],
            motion.truth["shoulder_abduction_right_range"],
        )
        assert index.value == pytest.approx(symmetry_index(left, right), abs=0.03)
    else:
        assert index.reasons == ("far_side",)


def test_equal_knees_seen_at_a_slant() -> None:
    observer = Observer("squat", 1.75)
    for frame in Camera(yaw=50, distance=4).see(squat(), 30, noise=Noise()):
        observer.update(frame)
    (person,) = observer.finish()
    index = person.measures()["knee_rom_symmetry"]
    assert index.value is None or abs(index.value) < 0.03
