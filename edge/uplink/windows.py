"""From the measures of every frame to one record for each subject and ten seconds. No I/O, no clock."""

from __future__ import annotations

import cmath
import math
from collections import Counter as Tally
from typing import TYPE_CHECKING, NamedTuple

from edge.coach.summary import Summary, typical_grade
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge.coach.records import CoachEvent
    from edge.motion.grades import Grade, Measure
    from wire.messages import Grade as KnownGrade

WINDOW_S = 10.0
DIGITS = 2
"""Of a metric's value as it is sent: a hundredth of a degree is finer than any camera sees."""


class Stretch(NamedTuple):
    """What one subject did in one window; times in seconds on the clock of the frames."""

    begin: float
    duration_s: float
    exercise: str | None
    """The latest that was recognised or given."""
    reps: int
    partial_reps: int
    metrics: dict[str, float]
    """By key of the catalogue: live metrics as their mean, peaks and ranges as those of the window."""
    grades: dict[str, KnownGrade]


class _Mean:
    """The mean of one live metric; of a direction (-180 to 180 degrees) the mean direction."""

    def __init__(self, key: str) -> None:
        metric = metrics()[key]
        self._is_direction = (metric.unit, metric.minimum, metric.maximum) == ("deg", -180.0, 180.0)
        self._total = 0j
        self.grades: Tally[Grade] = Tally()

    def add(self, measure: Measure) -> None:
        self.grades[measure.grade] += 1
        if measure.value is not None:
            self._total += (
                cmath.rect(1, math.radians(measure.value)) if self._is_direction else complex(measure.value)
            )

    def value(self) -> float:
        if self._is_direction:
            return math.degrees(cmath.phase(self._total))
        return self._total.real / (self.grades.total() - self.grades["none"])


class _Open:
    """A window that is still filled."""

    def __init__(self, begin: float) -> None:
        self.begin = begin
        self._last = begin
        self._means: dict[str, _Mean] = {}
        self._summary = Summary()
        self._events: Tally[str] = Tally()
        self._exercise: str | None = None

    def add(
        self, t: float, measures: Mapping[str, Measure], events: Iterable[CoachEvent], exercise: str | None
    ) -> None:
        self._last = t
        self._summary.add(measures)
        for key, measure in measures.items():
            mean = self._means.get(key)
            if mean is None:
                mean = self._means[key] = _Mean(key)
            mean.add(measure)
        self.count(events)
        self._exercise = exercise or self._exercise

    def count(self, events: Iterable[CoachEvent]) -> None:
        self._events.update(event.kind for event in events)

    def close(self) -> Stretch:
        values: dict[str, float] = {}
        grades: dict[str, KnownGrade] = {}
        for key, mean in self._means.items():
            grade = typical_grade(mean.grades)
            if grade != "none":
                values[key], grades[key] = round(mean.value(), DIGITS), grade
        for key, measure in self._summary.measures().items():
            if measure.value is not None and measure.grade != "none":
                values[key], grades[key] = round(measure.value, DIGITS), measure.grade
        return Stretch(
            begin=self.begin,
            duration_s=round(self._last - self.begin, 3),
            exercise=self._exercise,
            reps=self._events["rep"],
            partial_reps=self._events["partial_rep"],
            metrics=values,
            grades=grades,
        )


class Windows:
    """The windows of one subject: they follow each other every ten seconds from when it was first seen."""

    def __init__(self, first_seen: float) -> None:
        self._first_seen = first_seen
        self._open: _Open | None = None

    def take(
        self, t: float, measures: Mapping[str, Measure], events: Iterable[CoachEvent], exercise: str | None
    ) -> Stretch | None:
        """Take one frame at `t` seconds; the window before when it is complete."""
        begin = self._first_seen + WINDOW_S * math.floor((t - self._first_seen) / WINDOW_S)
        complete = None
        if self._open is None or begin > self._open.begin:
            complete = self.finish()
            self._open = _Open(begin)
        self._open.add(t, measures, events, exercise)
        return complete

    def finish(self, events: Iterable[CoachEvent] = ()) -> Stretch | None:
        """The subject is gone: the window so far, with what happened since the last frame."""
        complete, self._open = self._open, None
        if complete is None:
            return None
        complete.count(events)
        return complete.close()
