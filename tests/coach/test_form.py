"""Faults that are posed are found, good form is left alone, and nobody is corrected for what is not seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.coach.coach import SHOWN_S, Coach
from edge.coach.exercise import Rule
from edge.coach.form import DOUBTED, Form, Strictness
from edge.coach.library import exercise
from edge.coach.survey import survey
from edge.motion.course import Course
from edge.motion.signals import COLUMNS, Signals
from tests.coach.textbook import HELD, TEXTBOOKS, Pose, Textbook, moments, seen
from tests.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.coach.form import Finding
    from edge.coach.records import CoachEvent
    from edge.coach.survey import Survey
    from edge.motion.body import Body

CUED = {"en", "ko"}


def watched(
    book: Textbook,
    choice: str,
    *,
    yaw: float | None = None,
    repetitions: int = 5,
    strictness: Strictness = "normal",
    hide: Callable[[Body], Body] = lambda body: body,
) -> tuple[Coach, list[CoachEvent]]:
    """A coach who has watched so many cycles from where the camera serves the exercise."""
    if yaw is None:
        yaw = 80 if exercise(choice).camera.startswith("side") else 8
    rng, coach, off, t = np.random.default_rng(3), Coach(choice, strictness=strictness), np.zeros(()), 0.0
    events: list[CoachEvent] = []
    for t, at in moments(book, repetitions):
        off = 0.85 * off + rng.normal(0, 0.004, at.shape)
        events += coach.update(Signals(hide(seen(at, yaw, off))), t)[1]
    return coach, events + coach.finish(t)


def cued(events: list[CoachEvent]) -> list[str]:
    return [event.cue.rule for event in events if event.cue is not None]


def changed(book: Textbook, pose: int, **angles: Any) -> Textbook:
    """The same exercise with one of its poses done otherwise."""
    poses = list(book.poses)
    poses[pose] = replace(poses[pose], **angles)
    return replace(book, poses=tuple(poses))


@pytest.mark.parametrize("name", [*TEXTBOOKS, *HELD])
def test_good_form_is_left_alone(name: str) -> None:
    _, events = watched((TEXTBOOKS | HELD)[name], name)
    assert any(event.kind in ("rep", "set_end") for event in events)
    assert cued(events) == []


FAULTS: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
    ("squat", "depth", 1, {"knee": 72, "hip": 62, "lean": 25}),
    ("squat", "trunk_lean", 1, {"lean": 70, "hip": 115}),
    ("squat", "knee_over_toe", 1, {"knee": 130, "hip": 60, "lean": 5}),
    ("biceps_curl", "height", 1, {"elbow": 75}),
    ("biceps_curl", "lockout", 0, {"elbow": 62}),
    ("biceps_curl", "lean_back", 1, {"lean": -25, "hip": -25}),
    ("lunge", "trunk_lean", 1, {"lean": 45, "hip": (125, 25)}),
    ("romanian_deadlift", "knees", 1, {"knee": 60}),
)


@pytest.mark.parametrize(("name", "rule", "pose", "angles"), FAULTS, ids=lambda value: str(value)[:24])
def test_a_fault_is_named(name: str, rule: str, pose: int, angles: dict[str, Any]) -> None:
    _, events = watched(changed(TEXTBOOKS[name], pose, **angles), name)
    assert rule in cued(events)
    cue = next(event.cue for event in events if event.cue is not None and event.cue.rule == rule)
    assert set(cue.text) == CUED
    assert cue.text == next(one for one in exercise(name).form if one.id == rule).cue


@pytest.mark.parametrize(("knee", "named"), [(79, True), (91, False)])
def test_depth_is_where_somebody_was_deepest(knee: float, named: bool) -> None:
    """The bound is 85 degrees: a median of all that is near the far end would ask for more."""
    bent = changed(TEXTBOOKS["squat"], 1, knee=knee, hip=knee - 8, lean=knee / 3)
    assert ("depth" in cued(watched(bent, "squat")[1])) == named


def test_knees_that_fall_inwards_are_seen_from_the_front() -> None:
    inwards = changed(TEXTBOOKS["squat"], 1, apart=-12)
    assert "knee_valgus" in cued(watched(inwards, "squat", yaw=5)[1])
    assert "knee_valgus" not in cued(watched(inwards, "squat", yaw=85)[1])


def test_a_plank_that_sags_is_named_while_it_is_held() -> None:
    straight = HELD["plank"]
    sagging = replace(straight, poses=tuple(replace(pose, lean=65, hip=-18) for pose in straight.poses))
    _, events = watched(sagging, "plank", yaw=85, repetitions=6)
    assert cued(events)[:1] == ["hip_sag"]
    summary = events[-1].summary
    assert summary is not None
    assert summary.hold_s > 5
    assert "hip_sag" in [remark.rule for remark in summary.improve]


def test_a_hidden_joint_gives_no_cue() -> None:
    def hide(body: Body) -> Body:
        return replace(body, visibility=body.visibility * 0.45)

    shallow = changed(TEXTBOOKS["squat"], 1, knee=72, hip=62, lean=25)
    _, clear = watched(shallow, "squat")
    _, hidden = watched(shallow, "squat", hide=hide)
    assert any(event.kind == "rep" for event in hidden)
    assert "depth" in cued(clear)
    assert "depth" not in cued(hidden)


def test_what_is_known_from_depth_alone_gives_no_cue() -> None:
    shallow = changed(TEXTBOOKS["squat"], 1, knee=72, hip=62, lean=25)
    _, events = watched(shallow, "squat", yaw=5)
    assert any(event.kind == "rep" for event in events)
    assert "depth" not in cued(events)


def test_nothing_is_said_where_silence_is_chosen_but_the_set_is_summed_up() -> None:
    shallow = changed(TEXTBOOKS["squat"], 1, knee=72, hip=62, lean=25)
    _, events = watched(shallow, "squat", strictness="off")
    assert cued(events) == []
    assert events[-1].summary is not None
    assert "depth" in [remark.rule for remark in events[-1].summary.improve]


def test_a_cue_is_shown_for_a_while() -> None:
    shallow = changed(TEXTBOOKS["squat"], 1, knee=72, hip=62, lean=25)
    coach, shown, said = Coach("squat"), [], []
    for t, at in moments(shallow, 5):
        state, events = coach.update(Signals(seen(at, 80, np.zeros_like(at))), t)
        shown += [t] if state.cue is not None else []
        said += [event.t for event in events if event.kind == "cue"]
    assert shown[0] == said[0]
    first = [t for t in shown if t < said[0] + 6]
    assert first[-1] - first[0] == pytest.approx(SHOWN_S, abs=0.2)


def test_movements_that_are_none_of_the_exercise_are_rejected_with_a_reason() -> None:
    """Knees and hips bend as in a squat, of somebody who lies on the back."""
    squats, lying = TEXTBOOKS["squat"], TEXTBOOKS["leg_raise"]
    rng, coach, off, t = np.random.default_rng(3), Coach("squat"), np.zeros(()), 0.0
    tucks = Textbook(poses=(Pose(lean=-80, hip=5, knee=5), Pose(lean=-80, hip=95, knee=95)), on=lying.on)
    events, start = [], 0.0
    for book in (squats, tucks):
        for at_s, at in moments(book, 3):
            t = start + at_s
            off = 0.85 * off + rng.normal(0, 0.004, at.shape)
            state, new = coach.update(Signals(seen(at, 80, off)), t)
            events += new
        start = t + 0.1
    rejected = [event for event in events if event.kind == "rejected_rep"]
    assert len(rejected) == state.rejected_reps == 3
    assert all(event.reason in {name.removesuffix("_left") for name in COLUMNS} for event in rejected)
    assert all(event.repetition is None for event in rejected)
    assert state.reps == 3


def test_the_summary_of_a_set_says_what_was_good_first() -> None:
    shallow = changed(TEXTBOOKS["squat"], 1, knee=72, hip=62, lean=25)
    summary = watched(shallow, "squat", repetitions=6)[1][-1].summary
    assert summary is not None
    assert summary.reps + summary.partial_reps == 6
    assert summary.tempo_s == pytest.approx(2.4, rel=0.1)
    assert summary.tempo_spread is not None
    assert summary.tempo_spread < 0.1
    assert summary.range_deg == pytest.approx(65, abs=10)
    assert summary.improve[0].rule == "depth"
    assert summary.improve[0].share == 1
    assert summary.praise
    assert not {one.rule for one in summary.praise} & {one.rule for one in summary.improve}


def test_limbs_of_a_set() -> None:
    summary = watched(TEXTBOOKS["lunge"], "lunge", repetitions=4)[1][-1].summary
    assert summary is not None
    assert (summary.left, summary.right, summary.reps) == (4, 4, 8)


def look(figure: Figure) -> Survey:
    course = Course()
    for n in range(3):
        course.add(n / 10, Signals(figure.body()))
    return survey(course.window(0, 1), np.ones(3))


def judged(rule: Rule, seen: Survey, strictness: Strictness = "normal") -> Finding:
    (found,) = Form(_row(rule), strictness)(seen, "both", None)
    return found


def _row(rule: Rule) -> Any:
    row = exercise("squat")
    return type(row)(id="one", name=row.name, parts=row.parts, form=(rule,))


def make(signal: str, low: float, high: float, of: str = "far") -> Rule:
    return Rule(id="one", signal=signal, of=of, good=(low, high), cue={"en": "So.", "ko": "이렇게."})  # type: ignore[arg-type]


STRICTER: tuple[Strictness, ...] = ("gentle", "normal", "strict")


@settings(deadline=None, max_examples=60)
@given(st.floats(5, 100), st.floats(-30, 120), st.floats(1, 80))
def test_the_stricter_the_more_is_a_fault(knee: float, low: float, width: float) -> None:
    body = look(Figure(knee=(knee, knee), hip=(knee / 2, knee / 2), yaw=85))
    rule = make("knee_flexion", low, low + width)
    offs = [judged(rule, body, one).off for one in STRICTER]
    assert offs == sorted(offs)
    assert judged(rule, body, "off").off == offs[1]
    middle = make("knee_flexion", knee - width, knee + width)
    assert [judged(middle, body, one).fault for one in STRICTER] == [False] * 3


def test_how_far_outside_is_told_in_softnesses() -> None:
    body = look(Figure(knee=(60, 60), hip=(60, 60), yaw=90))
    found = judged(make("knee_flexion", 84, np.inf), body)
    assert found.value == pytest.approx(60, abs=1)
    assert found.off == pytest.approx(2, abs=0.1)  # of 12 degrees
    assert found.fault
    assert found.side == "both"


def test_sides_are_compared_only_where_both_are_seen() -> None:
    uneven = Figure(abduction=(90, 50), yaw=0)
    rule = make("shoulder_elevation", 0, 20, "apart")
    assert judged(rule, look(uneven)).value == pytest.approx(40, abs=1)
    assert judged(rule, look(uneven)).fault
    course = Course()
    body = uneven.body()
    body.visibility[[index for index in range(len(body.visibility)) if index % 2]] *= 0.6
    course.add(0, Signals(body))
    assert not judged(rule, survey(course.window(0, 1), np.ones(1))).sure


def test_a_value_in_doubt_is_not_sure() -> None:
    body = look(Figure(knee=(60, 60), hip=(60, 60), yaw=0))
    found = judged(make("knee_flexion", 100, np.inf), body)
    assert found.off > 0
    assert not found.sure
    assert not found.fault
    assert max(body.doubt) > DOUBTED
