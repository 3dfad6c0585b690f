"""A session against the one before: has a number changed by more than the error of both?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from edge.motion.change import changed
from edge.motion.grades import Measure
from edge.store.records import Change, Earlier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.store.records import ExerciseTotal, Measurement, Session


def main_exercise(totals: Sequence[ExerciseTotal]) -> str | None:
    """The exercise with most full repetitions, of two holds the longer one; None where there was none."""
    most = max(totals, key=lambda one: (one.reps, one.hold_s), default=None)
    return None if most is None else most.exercise


def compared(now: Session, before: Session) -> Session:
    """`now` with what can be said of its measurements against those of `before`."""
    return replace(
        now,
        compared_with=Earlier(id=before.id, started=before.started),
        measurements={
            key: replace(one, change=_change(key, now, before)) for key, one in now.measurements.items()
        },
    )


def _change(key: str, now: Session, before: Session) -> Change | None:
    after, earlier = now.measurements[key], before.measurements.get(key)
    if earlier is None or after.value is None or earlier.value is None:
        return None
    found = changed(
        key,
        _measure(earlier),
        _measure(after),
        repeats_before=_repeats(key, before),
        repeats_after=_repeats(key, now),
    )
    if found.difference is None or found.least is None:
        return None
    return Change(
        direction=found.direction, before=earlier.value, difference=found.difference, least=found.least
    )


def _measure(one: Measurement) -> Measure:
    return Measure(one.value, one.grade)


def _repeats(key: str, session: Session) -> list[float]:
    """What the full repetitions of the main exercise gave for a metric of repetitions; empty for any other."""
    main = main_exercise(session.exercises)
    values = (
        one.measures[key].value
        for done in session.sets
        if done.exercise == main
        for one in done.repetitions
        if one.kind == "rep" and key in one.measures
    )
    return [value for value in values if value is not None]
