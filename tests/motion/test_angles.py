"""Joint angles of a figure whose angles are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.motion.angles import JOINT_ANGLES, joint_angles
from edge.motion.body import Body
from edge.motion.grades import measure
from edge.motion.measure import measure_body
from edge.motion.signals import NAMES, Signals
from edge.motion.view import torso_yaw
from tests.figure import Figure
from wire.metrics import live_metrics

KEYS = [row.key for row in JOINT_ANGLES]


def angle(body: Body, key: str) -> float:
    return float(joint_angles(body).value[KEYS.index(key)])


@pytest.mark.parametrize("yaw", [0, 30, 90, -90, 150, 180])
@pytest.mark.parametrize(
    ("figure", "key", "truth"),
    [
        (Figure(), "knee_flexion_left", 0),
        (Figure(knee=(90, 20)), "knee_flexion_left", 90),
        (Figure(knee=(90, 20)), "knee_flexion_right", 20),
        (Figure(hip=(70, 0)), "hip_flexion_left", 70),
        (Figure(lean=40, hip=(40, 40)), "hip_flexion_right", 40),
        (Figure(elbow=(120, 0), abduction=(0, 0)), "elbow_flexion_left", 120),
        (Figure(), "ankle_dorsiflexion_left", 0),
    ],
)
def test_angle_from_every_side(figure: Figure, key: str, truth: float, yaw: float) -> None:
    turned = Figure(**{**figure.__dict__, "yaw": yaw})
    # float32 keypoints near 0 and 180 degrees: the arc cosine magnifies rounding
    assert angle(turned.body(), key) == pytest.approx(truth, abs=0.1)


@pytest.mark.parametrize("yaw", [0, 60, 90, -90, 120, 180])
def test_raised_arms(yaw: float) -> None:
    body = Figure(abduction=(160, 90), yaw=yaw).body()
    assert angle(body, "shoulder_elevation_left") == pytest.approx(160, abs=0.1)
    assert angle(body, "shoulder_elevation_right") == pytest.approx(90, abs=0.1)


@pytest.mark.parametrize("yaw", [60, 70, 80, 100, 110, 120])
@pytest.mark.parametrize("flexion", [20, 60, 100, 130])
def test_between_the_planes_the_error_is_small(yaw: float, flexion: float) -> None:
    """Where picture and space are mixed, foreshortening costs a few degrees, and less the nearer the plane."""
    error = abs(angle(Figure(knee=(flexion, flexion), yaw=yaw).body(), "knee_flexion_left") - flexion)
    assert error < (1.0 if abs(yaw - 90) <= 10 else 4.5)


@pytest.mark.parametrize("yaw", [0, 45, 90, -90])
@pytest.mark.parametrize("lean", [0, 30, 90, 150])
def test_trunk_lean(lean: float, yaw: float) -> None:
    assert angle(Figure(lean=lean, yaw=yaw).body(), "trunk_lean") == pytest.approx(lean, abs=0.1)


@pytest.mark.parametrize("yaw", [-170, -90, -45, 0, 45, 90, 170])
def test_yaw_of_the_torso(yaw: float) -> None:
    assert torso_yaw(Figure(yaw=yaw, knee=(30, 60)).body()) == pytest.approx(yaw, abs=0.1)


def test_in_the_plane_the_picture_decides() -> None:
    """The model's depth is the weaker witness: where both segments lie in the picture it has no say."""
    body = Figure(knee=(80, 80), yaw=90).body()
    bent = Body(body.image, body.space + np.array([0.0, 0.0, 1.0]) * 0.001, body.visibility)
    assert angle(bent, "knee_flexion_right") == pytest.approx(80, abs=0.1)
    without_space = Body(body.image, np.full_like(body.space, np.nan), body.visibility)
    assert angle(without_space, "knee_flexion_right") == pytest.approx(80, abs=0.1)


@pytest.mark.parametrize(
    ("visibility", "tilt", "rate", "grade", "reasons"),
    [
        (0.9, 5, 30, "A", ()),
        (0.9, 30, 30, "B", ("oblique_view", "monocular_depth")),
        (0.9, 60, 30, "C", ("out_of_plane", "monocular_depth")),
        (0.6, 5, 30, "B", ("low_visibility",)),
        (0.9, 5, 8, "C", ("low_frame_rate",)),
        (0.9, float("nan"), 30, "B", ("oblique_view",)),
        (0.3, 5, 30, "none", ("joint_hidden",)),
        (float("nan"), 5, 30, "none", ("joint_hidden",)),
    ],
)
def test_grades(visibility: float, tilt: float, rate: float, grade: str, reasons: tuple[str, ...]) -> None:
    got = measure(42.0, visibility=visibility, tilt=tilt, rate=rate)
    assert (got.grade, got.reasons) == (grade, reasons)
    assert (got.value is None) == (grade == "none")


def test_zero_is_a_value() -> None:
    assert measure(0.0, visibility=1, tilt=0, rate=30).value == 0.0


def test_every_live_metric_is_measured() -> None:
    assert set(measure_body(Signals(Figure().body()), 30)) == {row.key for row in live_metrics()}


def test_hidden_joint_is_not_measured() -> None:
    measures = measure_body(Signals(Figure(knee=(50, 50)).body(visible=0.2)), 30)
    assert {measure.value for measure in measures.values()} == {None}


SPECIAL = [float("nan"), float("inf"), -float("inf"), 0.0, 1e30, -1e30, 1e-30]


@given(
    seed=st.integers(0, 2**32 - 1),
    changes=st.lists(st.tuples(st.integers(0, 33 * 6 - 1), st.sampled_from(SPECIAL)), max_size=40),
    same=st.booleans(),
)
@settings(deadline=None)
def test_any_keypoints_give_grades_and_no_exception(
    seed: int, changes: list[tuple[int, float]], same: bool
) -> None:
    table = np.random.default_rng(seed).normal(0, 1, (2, 33, 3)).astype(np.float32)
    if same:
        table[:] = 0.5
    for at, value in changes:
        table.flat[at] = value
    body = Body.of("blazepose33", table[0], table[1])
    signals = Signals(body)
    for measured in measure_body(signals, 30).values():
        assert measured.value is None or np.isfinite(measured.value)
    for name in NAMES:
        value, visibility = signals[name]
        assert visibility == 0.0 or np.isfinite(value)
