"""A generated figure exercises before the coach."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.coach.coach import REST_S, Coach
from edge.motion.signals import Signals
from tests.coach.textbook import HELD, points, seen
from tests.figure import Figure

if TYPE_CHECKING:
    from edge.coach.records import CoachEvent, CoachState

RATE = 30.0
Pose = Callable[[float], Figure]
"""Figure at a share (0-1) of the way to the far end."""

POSES: dict[str, Pose] = {
    "squat": lambda p: Figure(knee=(110 * p, 110 * p), hip=(100 * p, 100 * p), lean=35 * p),
    "biceps_curl": lambda p: Figure(elbow=(15 + 120 * p, 15 + 120 * p), abduction=(8, 8)),
    "jumping_jack": lambda p: Figure(abduction=(15 + 140 * p, 15 + 140 * p), spread=(28 * p, 28 * p)),
    "lateral_raise": lambda p: Figure(abduction=(12 + 80 * p, 12 + 80 * p)),
    "lunge": lambda p: Figure(knee=(95 * p, 95 * p), hip=(80 * p, -15 * p)),
}
VIEWS = {"squat": 50, "biceps_curl": 60, "jumping_jack": 5, "lateral_raise": -10, "lunge": 70}


def kinds(events: list[CoachEvent]) -> list[str]:
    """What was counted, without what was said of it."""
    return [event.kind for event in events if event.kind not in ("cue", "set_summary")]


def wave(seconds: float) -> list[float]:
    n = round(seconds * RATE)
    return [(1 - math.cos(2 * math.pi * i / n)) / 2 for i in range(n)]


def play(
    coach: Coach, pose: Pose, course: list[float], *, yaw: float = 0, noise: float = 0.01, start: float = 0.0
) -> tuple[CoachState, list[CoachEvent], float]:
    rng = np.random.default_rng(7)
    events: list[CoachEvent] = []
    t = start
    for i, progress in enumerate(course):
        t = start + i / RATE
        figure = pose(progress)
        body = Figure(**{**figure.__dict__, "yaw": yaw}).body(noise=noise, rng=rng)
        state, new = coach.update(Signals(body), t)
        events += new
    return state, events, t


@pytest.mark.parametrize("name", POSES)
@pytest.mark.parametrize("choice", ["given", "auto"])
def test_generated_set(name: str, choice: str) -> None:
    course = [0.0] * 30 + wave(2.0) * 7 + [0.0] * 30
    coach = Coach(name if choice == "given" else "auto")
    state, events, _ = play(coach, POSES[name], course, yaw=VIEWS[name])
    assert (state.exercise, state.reps, state.partial_reps) == (name, 7, 0)
    assert state.given == (choice == "given")
    assert kinds(events) == ["set_start", *["rep"] * 7]
    reps = [event.t for event in events if event.kind == "rep"]
    assert reps == pytest.approx([2.0 + 2 * i for i in range(7)], abs=0.15)
    assert events[0].t == pytest.approx(1.0, abs=0.25)
    durations = [event.repetition.duration_s for event in events if event.repetition]
    assert durations == pytest.approx([2.0] * 7, rel=0.25)  # of single moments with 1 cm of noise
    ended, _ = coach.finish(99)
    assert ended.t == pytest.approx(15.0, abs=0.25)


def test_alternating_arms_count_each_and_both_together_once() -> None:
    rest = [0.0] * 20
    left = [(p, 0.0) for p in wave(1.5)]
    right = [(0.0, p) for p in wave(1.5)]
    both = [(p, p) for p in wave(1.5)]
    coach = Coach("biceps_curl")
    rng = np.random.default_rng(1)
    events = []
    for i, (a, b) in enumerate([(p, p) for p in rest] + left + right + left + both + [(p, p) for p in rest]):
        figure = Figure(elbow=(15 + 120 * a, 15 + 120 * b), abduction=(8, 8), yaw=40)
        state, new = coach.update(Signals(figure.body(noise=0.005, rng=rng)), i / RATE)
        events += new
    assert state.reps == 4
    assert [e.repetition.side for e in events if e.repetition] == ["left", "right", "left", "both"]


def test_nothing_counts_under_two_names() -> None:
    """Back to an exercise: what was counted before is not counted again."""
    coach = Coach("auto")
    events: list[CoachEvent] = []
    t = 0.0
    for name in ("squat", "biceps_curl", "squat", "lateral_raise", "jumping_jack"):
        _, new, t = play(coach, POSES[name], [0.0] * 30 + wave(1.8) * 5, yaw=VIEWS[name], start=t + 1 / RATE)
        events += new
    times = [event.t for event in events if event.repetition]
    assert times == sorted(times)
    assert min(b - a for a, b in pairwise(times)) > 1.0
    totals = {name: reps for name, (reps, _, _) in coach.totals().items()}
    assert sum(totals.values()) == 25
    assert (totals["squat"], totals["biceps_curl"]) == (10, 5)


def test_slow_repetitions_are_one_set() -> None:
    coach = Coach("squat")
    _, events, _ = play(coach, POSES["squat"], [0.0] * 20 + wave(25.0) * 3)
    assert kinds(events) == ["set_start", "rep", "rep", "rep"]


def test_set_ends_after_a_rest_and_the_next_begins() -> None:
    coach = Coach("squat")
    _, _first, t = play(coach, POSES["squat"], [0.0] * 20 + wave(2) * 3)
    rested, ended, t = play(coach, POSES["squat"], [0.0] * round((REST_S + 2) * RATE), start=t)
    assert kinds(ended) == ["set_end"]
    assert rested.set_reps == 0
    state, _second, t = play(coach, POSES["squat"], wave(2) * 2 + [0.0] * 10, start=t)
    assert (state.reps, state.set_reps, state.set_number) == (5, 2, 2)
    assert kinds(coach.finish(t)) == ["set_end"]
    assert coach.totals() == {"squat": (5, 0, 0.0)}


def test_a_hold_is_not_credited_while_nobody_is_seen() -> None:
    at = points(HELD["plank"].poses[0])
    plank = Signals(seen(at, 80, np.zeros_like(at)))
    coach = Coach("plank")
    for i in range(90):
        coach.update(plank, i / RATE)
    state, _ = coach.update(plank, 33.0)
    assert state.hold_s == pytest.approx(3, abs=0.1)
    for i in range(60):
        state, _ = coach.update(plank, 33 + i / RATE)
    assert state.hold_s == pytest.approx(5, abs=0.1)


def test_short_loss_of_sight_is_bridged_long_loss_is_not_invented() -> None:
    course = wave(2.0) * 3
    for gap, reps in ((range(70, 80), 3), (range(60, 120), 2)):
        coach = Coach("squat")
        for i, p in enumerate([0.0] * 10 + course + [0.0] * 10):
            now = None if i in gap else Signals(POSES["squat"](p).body())
            state, _ = coach.update(now, i / RATE)
        assert state.reps == reps


def test_hidden_body_counts_nothing() -> None:
    coach = Coach("squat")
    for i, p in enumerate(wave(2.0) * 3):
        state, events = coach.update(Signals(POSES["squat"](p).body(visible=0.1)), i / RATE)
        assert not events
    assert state.reps == 0


def test_held_clap_counts_once_and_hands_must_part() -> None:
    """Arms forward, hands apart or together; a clap that is held is one."""

    def pose(p: float) -> Figure:
        # elbows forward; the upper arms' abduction brings the hands together
        return Figure(elbow=(95, 95), abduction=(14 - 26 * p, 14 - 26 * p))

    coach = Coach("hand_clap")
    course = [0.0] * 15 + wave(0.6) * 4 + wave(0.6)[:9] + [1.0] * 90 + wave(0.6)[9:] + [0.0] * 15
    state, _, _ = play(coach, pose, course, noise=0.003)
    assert state.reps == 5


def test_standing_still_is_unknown() -> None:
    state, events, _ = play(Coach("auto"), POSES["squat"], [0.0] * 300)
    assert state.exercise is None
    assert not events
