"""What browsers are told of somebody: the turn that would help stands with what it helps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec import UNSET

from edge.coach.observer import Observer
from edge.web.subject import subject_frame
from tests.coach.test_observer import frame
from tests.figure import Figure

if TYPE_CHECKING:
    from edge.web.messages import SubjectFrame


def told(exercise: str, yaw: float) -> SubjectFrame:
    observer = Observer(exercise)
    for number in range(1, 4):
        (seen,) = observer.update(frame(number, Figure(yaw=yaw, knee=(40, 40)).subject()))
    return subject_frame(seen, 640, 480)


@pytest.mark.parametrize(
    ("exercise", "yaw", "turn"),
    [
        ("squat", 50.0, (40.0, "left")),
        ("squat", 90.0, None),
        ("squat", 40.0, (50.0, "left")),
        ("auto", 40.0, (40.0, "right")),
        ("auto", 0.0, None),
        ("plank", 40.0, (50.0, "left")),
        ("plank", -40.0, (50.0, "right")),
        ("jumping_jack", 40.0, (40.0, "right")),
        ("jumping_jack", 0.0, None),
        ("pull_up", 10.0, None),
        ("standing_balance", 50.0, (50.0, "right")),
    ],
)
def test_the_turn_is_the_one_that_the_exercise_needs(
    exercise: str, yaw: float, turn: tuple[float, str] | None
) -> None:
    coach = told(exercise, yaw).coach
    assert coach is not None
    found = None if coach.turn is None else (coach.turn.degrees, coach.turn.to)
    assert found == turn


def test_a_turn_stands_only_where_it_helps() -> None:
    message: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(told("plank", 0.0)))
    measures = message["coach"]["measures"]
    rough = [key for key, one in measures.items() if "turn" in one]
    assert "knee_flexion_left" in rough
    assert measures["knee_flexion_left"]["turn"]["degrees"] == 90
    for key in rough:
        assert measures[key]["grade"] in {"C", "none"}
        assert {"oblique_view", "out_of_plane"} & set(measures[key]["reasons"])
    assert "shoulder_level" not in rough


def test_who_is_partly_outside_the_picture_is_cut_off() -> None:
    observer = Observer("squat")
    (seen,) = observer.update(frame(1, Figure().subject()))
    x, y = seen.subject.points()[:, :2].T
    wide, high = math.ceil(x.max()), math.ceil(y.max())
    for width, height, cut in ((wide, high, False), (wide - 2, high, True), (wide, high - 2, True)):
        coach = subject_frame(seen, width, height).coach
        assert coach is not None
        assert coach.cut_off is cut


def test_nobody_is_turned_out_of_the_view_of_their_exercise() -> None:
    coach = told("jumping_jack", 0.0).coach
    assert coach is not None
    assert coach.measures["knee_flexion_left"].grade == "C"
    assert {measure.turn for measure in coach.measures.values()} == {UNSET}
