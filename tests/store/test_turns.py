"""Which way to turn for a metric to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.store.turns import Turn, lead_plane, planes, seen_aslant, turn_for, turns, usual_yaw
from tests.store.samples import begin

if TYPE_CHECKING:
    from edge.motion.remedy import Plane
    from edge.store import Store


@pytest.mark.parametrize(
    ("key", "yaw", "turn"),
    [
        ("knee_flexion_left", 50.0, Turn(40.0, "left")),
        ("knee_rom_left", -50.0, Turn(40.0, "right")),
        ("shoulder_abduction_left", 50.0, Turn(50.0, "right")),
        ("knee_flexion_left", 90.0, None),
        ("knee_flexion_left", None, None),
        ("cadence", 0.0, None),
        ("shoulder_elevation_left", 50.0, None),
    ],
)
def test_by_the_plane_of_the_metric(key: str, yaw: float | None, turn: Turn | None) -> None:
    for grade in ("C", "none"):
        assert turn_for(seen_aslant(key, ("out_of_plane",)), grade, turns(yaw)) == turn
        assert seen_aslant(key, ("joint_hidden",)) is None
    assert turn_for(seen_aslant(key, ("oblique_view",)), "B", turns(yaw)) is None


@pytest.mark.parametrize(
    ("exercise", "plane"),
    [
        ("squat", "sagittal"),
        ("lateral_raise", "frontal"),
        ("plank", "sagittal"),
        ("juggling", None),
        (None, None),
    ],
)
def test_repetitions_lie_in_the_plane_of_their_exercise(exercise: str | None, plane: Plane | None) -> None:
    assert lead_plane(exercise) == plane
    assert seen_aslant("rep_range", ("out_of_plane",), lead_plane(exercise)) == plane


def test_every_metric_of_a_joint_has_a_plane() -> None:
    assert {"knee_flexion_left", "knee_rom_left", "trunk_lean_peak", "pelvis_obliquity"} <= planes().keys()


@pytest.mark.parametrize(
    ("yaws", "usual"),
    [
        ([170.0, -170.0, None], 180.0),
        ([40.0, 60.0], 50.0),
        ([0.0, 180.0, 90.0, -90.0], None),
        ([None], None),
        ([], None),
    ],
)
def test_where_somebody_stood_most_of_the_time(yaws: list[float | None], usual: float | None) -> None:
    found = usual_yaw(yaws)
    assert (found is None) == (usual is None)
    if found is not None:
        assert abs(found) == pytest.approx(usual)


def test_a_session_says_which_turn_would_have_helped(store: Store) -> None:
    session = begin(store)
    for t in range(20):
        store.add_sample(session, float(t), {"view_yaw": 20.0})
    store.add_measurement(session, "knee_rom_left", None, "none", ["out_of_plane"])
    store.add_measurement(session, "knee_rom_right", 80.0, "B", ["oblique_view"])
    store.end_session(session, t=20.0, reason="left")
    store.flush()
    measurements = store.session(session).measurements
    assert measurements["knee_rom_left"].turn == Turn(70.0, "left")
    assert measurements["knee_rom_right"].turn is None
