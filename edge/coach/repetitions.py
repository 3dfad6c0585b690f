"""Every repetition in numbers, a moment after it was counted: when its way back is over, too."""

from __future__ import annotations

from collections import Counter as Tally
from collections import deque
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec.structs import replace

from edge.coach.library import exercise
from edge.coach.records import CoachEvent, RepetitionMeasure
from edge.coach.summary import Mean
from edge.motion.angles import ROW
from edge.motion.repetition import (
    Course,
    Moments,
    both_limbs,
    measure_repetition,
    read_repetition,
)
from edge.motion.signals import SIDED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.coach.exercise import Exercise
    from edge.coach.records import Repetition, Side
    from edge.motion.angles import Angles
    from edge.motion.grades import Measure
    from edge.motion.signals import Signals

KEPT_S = 45.0
"""Seconds of angles that are kept: a repetition takes up to 30, and an exercise is named after some of them."""
_FASTEST_HZ = 125.0
"""More moments a second say nothing more about a repetition."""
_AFTER_S = 0.4
"""How long after its estimated end a repetition is read, and again until the way back is over."""
_PATIENCE_S = 2.0
_BEFORE_S = 1.0
"""Seconds before a repetition's beginning that are read with it."""


class _Lead(NamedTuple):
    """The angle that leads an exercise."""

    signal: str
    sign: float
    """-1 where it falls on the way out."""


class _Waiting(NamedTuple):
    """A repetition that was counted and is still going on."""

    event: CoachEvent
    moments: Moments
    due: float


class Repetitions:
    """The angles of the last seconds of one subject, its repetitions in numbers, and their means."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, Angles]] = deque()
        self._waiting: list[_Waiting] = []
        self._far_end = float("-inf")
        self._means: dict[str, dict[str, Mean]] = {}
        self._measured: Tally[str] = Tally()

    def update(self, now: Signals, t: float, events: Iterable[CoachEvent]) -> list[CoachEvent]:
        """Take one moment at `t` seconds and what the coach said of it; events `rep_measured` that are due."""
        if self._kept and t < self._kept[-1][0]:
            self._kept.clear()
            self._waiting.clear()
        if not self._kept or t - self._kept[-1][0] >= 1 / _FASTEST_HZ:
            self._kept.append((t, now.angles))
        while t - self._kept[0][0] > KEPT_S:
            self._kept.popleft()
        for event in events:
            self._expect(event)
        if not self._waiting or t < self._waiting[0].due:
            return []
        return self._read(t)

    def finish(self) -> list[CoachEvent]:
        """Nothing more comes: measure what is waiting."""
        return self._read(float("inf"))

    def measures(self) -> dict[str, Measure]:
        """Means over the full repetitions of the exercise with most of them, by key; empty without any."""
        main = max(self._measured, key=self._measured.__getitem__, default=None)
        return {} if main is None else {key: mean.measure() for key, mean in self._means[main].items()}

    def _expect(self, event: CoachEvent) -> None:
        done = event.repetition
        if done is None:
            return
        out = done.eccentric_s if exercise(event.exercise).out == "eccentric" else done.concentric_s
        began = done.t - out
        moments = Moments(began, done.t, began + done.duration_s, self._far_end)
        self._far_end = done.t
        self._waiting.append(_Waiting(event, moments, moments.ended + _AFTER_S))

    def _read(self, t: float) -> list[CoachEvent]:
        waiting, self._waiting = self._waiting, []
        events = []
        for one in waiting:
            measures = self._measure(one, t) if t >= one.due else None
            if measures is None:
                later = max(one.due, min(t, one.moments.ended + _PATIENCE_S) + _AFTER_S / 2)
                self._waiting.append(one._replace(due=later))
            elif measures:
                events.append(self._told(one.event, measures))
        return events

    def _measure(self, one: _Waiting, t: float) -> dict[str, Measure] | None:
        """None: the way back is not over yet; empty: there is nothing to measure."""
        row = exercise(one.event.exercise)
        lead, done = _lead(row), one.event.repetition
        if lead is None or done is None:
            return {}
        limbs, settled = {}, True
        for side in _limbs(lead.signal, done.side):
            found = read_repetition(self._course(lead.signal, side, one.moments), one.moments, lead.sign)
            if found is not None:
                limbs[side] = measure_repetition(found, row.out)
                settled = settled and found.settled
        if not settled and t < one.moments.ended + _PATIENCE_S:
            return None
        return both_limbs(limbs) if limbs else {}

    def _course(self, signal: str, side: str, moments: Moments) -> Course:
        at = ROW[f"{signal}_{side}" if side else signal]
        rows = [
            (t, angles.value[at], angles.visibility[at], angles.tilt[at])
            for t, angles in takewhile(lambda kept: kept[0] > moments.began - _BEFORE_S, reversed(self._kept))
        ]
        return Course(*np.array(rows[::-1], float).reshape(-1, 4).T)

    def _told(self, event: CoachEvent, measures: dict[str, Measure]) -> CoachEvent:
        assert event.repetition is not None
        if event.kind == "rep":
            self._measured[event.exercise] += 1
            means = self._means.setdefault(event.exercise, {})
            for key, measure in measures.items():
                means.setdefault(key, Mean()).add(measure)
        told = {key: RepetitionMeasure(*measure) for key, measure in measures.items()}
        return replace(event, kind="rep_measured", repetition=_with(event.repetition, told))


def _with(repetition: Repetition, measures: dict[str, RepetitionMeasure]) -> Repetition:
    return replace(repetition, measures=measures)


def _lead(row: Exercise) -> _Lead | None:
    """The first angle among the row's signals; None where it has none."""
    for part in row.parts:
        if part.signal in ROW or f"{part.signal}_left" in ROW:
            return _Lead(part.signal, 1.0 if part.full > part.rest else -1.0)
    return None


def _limbs(signal: str, side: Side | None) -> tuple[str, ...]:
    if signal not in SIDED:
        return ("",)
    return ("left", "right") if side in ("both", None) else (side,)
