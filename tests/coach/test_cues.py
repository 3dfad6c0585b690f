"""What is said of a set's faults, and when."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.coach.cues import (
    AGAIN_REPETITIONS,
    AGAIN_S,
    FAR_OFF,
    LATEST,
    MOST_IMPROVE,
    MOST_PRAISE,
    QUIET_S,
    Advice,
)
from edge.coach.exercise import Exercise, Rule
from edge.coach.form import Finding
from edge.coach.library import exercises

if TYPE_CHECKING:
    from edge.coach.records import Cue

RULES = {
    name: Rule(
        id=name,
        signal="trunk_lean",
        good=(0, 10),
        weight=weight,
        cue={"en": f"{name}!", "ko": f"{name} 고치기"},
        praise={"en": f"Good {name}.", "ko": f"좋은 {name}."},
    )
    for name, weight in (("minor", 1), ("depth", 2), ("knees", 3))
}


def found(**off: float) -> list[Finding]:
    """How far off each rule is; those that are not named hold."""
    return [Finding(name, 0.0, "both", off.get(name, 0.0), sure=True) for name in RULES]


def said(
    repetitions: list[list[Finding]], every: float = 3.0, *, silent: bool = False
) -> list[tuple[int, str]]:
    """Number of the repetition and rule of each cue."""
    advice = Advice("squat", RULES, silent=silent)
    cues = [advice.add(n * every, findings) for n, findings in enumerate(repetitions)]
    return [(n, cue.rule) for n, cue in enumerate(cues) if cue is not None]


def test_nothing_is_said_of_good_form() -> None:
    assert said([found()] * 20) == []


def test_a_fault_must_be_seen_twice_in_three() -> None:
    assert said([found(depth=1), found(), found()]) == []
    assert said([found(depth=1), found(), found(depth=1)]) == [(2, "depth")]
    assert said([found(depth=1), found(), found(), found(depth=1)]) == []
    assert LATEST == 3


def test_what_may_hurt_is_said_at_once() -> None:
    assert said([found(knees=FAR_OFF + 0.1)]) == [(0, "knees")]
    assert said([found(knees=FAR_OFF - 0.1)]) == []
    assert said([found(depth=FAR_OFF + 5)]) == []


def test_nothing_is_said_after_the_fault_is_gone() -> None:
    assert said([found(depth=1)] + [found(depth=1, knees=5)] + [found()] * 8) == [(1, "knees")]


def test_one_at_a_time_the_most_important() -> None:
    assert said([found(minor=2, depth=2, knees=1)] * 2) == [(1, "depth")]
    assert said([found(minor=1, depth=0.4, knees=1)] * 2) == [(1, "knees")]


def test_what_is_seldom_counts_less() -> None:
    often, now = found(minor=1), found(minor=1, depth=1)
    assert said([often] * 2 + [now] * 2, every=QUIET_S / 3)[0] == (1, "minor")
    # Twice the weight, and in two of nine repetitions only.
    advice = Advice("squat", RULES)
    for n in range(7):
        advice.add(n * 0.1, found(minor=1) if n else found())
    later = [advice.add(100 + n * 0.1, now) for n in range(2)]
    assert [cue.rule for cue in later if cue] == ["minor"]


def test_the_same_cue_waits_longer_than_another() -> None:
    cues = said([found(depth=1)] * 30, every=1.0)
    assert [b - a for (a, _), (b, _) in pairwise(cues)] == [AGAIN_S] * (len(cues) - 1)
    slow = said([found(depth=1)] * 12, every=AGAIN_S)
    assert [b - a for (a, _), (b, _) in pairwise(slow)] == [AGAIN_REPETITIONS] * (len(slow) - 1)
    both = said([found(depth=1, minor=1)] * 10, every=1.0)
    assert both == [(1, "depth"), (1 + QUIET_S, "minor")]


def test_what_was_not_seen_is_no_fault_and_no_praise() -> None:
    advice = Advice("squat", RULES)
    unseen = [one._replace(sure=False) for one in found(depth=9, knees=9)]
    assert [advice.add(n * 9.0, unseen) for n in range(9)] == [None] * 9
    assert (advice.praise(), advice.improve()) == ((), ())


def test_silence() -> None:
    assert said([found(depth=2, knees=9)] * 20, silent=True) == []


def test_a_set_says_what_was_good_and_what_to_work_on() -> None:
    advice = Advice("squat", RULES)
    for n in range(10):
        advice.add(n * 2.0, found(depth=1 if n % 2 else 0, minor=0.5 if n == 3 else 0))
    assert [(one.rule, one.share) for one in advice.praise()] == [("knees", 1.0), ("minor", 0.9)]
    assert advice.praise()[0].text == RULES["knees"].praise
    assert [(one.rule, one.share) for one in advice.improve()] == [("depth", 0.5)]
    assert advice.improve()[0].text == RULES["depth"].cue


def test_one_repetition_is_no_ground_for_a_summary() -> None:
    advice = Advice("squat", RULES)
    advice.add(0.0, found(depth=2))
    assert (advice.praise(), advice.improve()) == ((), ())


def test_two_rules_of_the_same_words_are_told_once() -> None:
    twins = {
        name: Rule(id=name, signal="trunk_lean", good=(0, 10), cue={"en": "Up.", "ko": "위로."})
        for name in "ab"
    }
    advice = Advice("squat", twins)
    for n in range(3):
        advice.add(float(n), [Finding(name, 0.0, None, 1.0, sure=True) for name in "ab"])
    assert [one.rule for one in advice.improve()] == ["a"]


@pytest.mark.parametrize("row", exercises().values(), ids=lambda row: row.id)
def test_every_rule_can_be_said_in_both_languages(row: Exercise) -> None:
    for rule in row.form:
        advice = Advice(row.id, {rule.id: rule})
        finding = Finding(rule.id, 0.0, None, 9.0, sure=True)
        cues = [cue for n in range(3) if (cue := advice.add(float(n), [finding])) is not None]
        assert [set(cue.text) for cue in cues] == [{"en", "ko"}]


OFF = st.lists(st.fixed_dictionaries({name: st.floats(0, 4) for name in RULES}), min_size=1, max_size=60)


@settings(deadline=None, max_examples=100)
@given(OFF, st.floats(0.3, 12))
def test_whatever_happens_there_is_quiet_between_cues(course: list[dict[str, float]], every: float) -> None:
    advice = Advice("squat", RULES)
    cues: list[Cue] = []
    for n, off in enumerate(course):
        cue = advice.add(n * every, found(**off))
        if cue is not None:
            assert off[cue.rule] > 0
            cues.append(cue)
    for before, after in pairwise(cues):
        assert after.t - before.t >= QUIET_S
    for name in RULES:
        for before, after in pairwise([cue for cue in cues if cue.rule == name]):
            assert after.t - before.t >= max(AGAIN_S, AGAIN_REPETITIONS * every) - 1e-6
    assert len(advice.praise()) <= MOST_PRAISE
    assert len(advice.improve()) <= MOST_IMPROVE
    assert not {one.rule for one in advice.praise()} & {one.rule for one in advice.improve()}


@settings(deadline=None, max_examples=60)
@given(OFF)
def test_a_smaller_fault_is_never_said_before_a_greater_one_of_its_kind(
    course: list[dict[str, float]],
) -> None:
    """The first cue comes no later where everything is further off."""
    worse = [{name: value * 2 for name, value in off.items()} for off in course]
    first = said([found(**off) for off in course])
    assert not first or said([found(**off) for off in worse])[0][0] <= first[0][0]
