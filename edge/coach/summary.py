"""What remains of the measurements of a session: peaks, ranges and their grades, in a fixed amount of memory."""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING

import numpy as np

from edge.motion.grades import Grade, Measure, Reason
from edge.motion.symmetry import SIDE_VIEW
from wire.metrics import Metric, metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

_TAILS = (0.01, 0.99)
"""The ends of a range leave out the outermost hundredth of the moments: single misread pictures are no peak."""
_ENOUGH = 0.2
"""Share of the moments in which a metric must have been measurable for its session to have a value."""
_MOST = 0.8
"""Share of the measured moments that must be as good as the grade says."""


def typical_grade(grades: Tally[Grade]) -> Grade:
    """The best grade that most measured moments reach; `none` where too few were measured."""
    total = grades.total()
    measured = total - grades["none"]
    if not total or measured < _ENOUGH * total:
        return "none"
    reached = 0
    for grade in ("A", "B", "C"):
        reached += grades[grade]
        if reached >= _MOST * measured:
            return grade
    return "C"


class _Course:
    """One live metric so far: how often each whole degree occurred, and how well it was measured."""

    def __init__(self) -> None:
        self.degrees: dict[int, int] = {}
        self._told: dict[tuple[Grade, tuple[Reason, ...]], int] = {}

    def add(self, measure: Measure) -> None:
        value, grade, reasons = measure
        self._told[grade, reasons] = self._told.get((grade, reasons), 0) + 1
        if value is not None:
            degree = round(value)
            self.degrees[degree] = self.degrees.get(degree, 0) + 1

    def grade(self) -> Grade:
        """The one that most moments reach."""
        grades: Tally[Grade] = Tally()
        for (grade, _), count in self._told.items():
            grades[grade] += count
        return typical_grade(grades)

    def reasons(self) -> tuple[Reason, ...]:
        """Those that held for a good part of the moments, the most frequent first."""
        found: Tally[Reason] = Tally()
        for (_, reasons), count in self._told.items():
            for reason in reasons:
                found[reason] += count
        least = _ENOUGH * sum(self._told.values())
        return tuple(reason for reason, count in found.most_common() if count >= least)

    def quantile(self, share: float) -> float:
        """Degrees below which `share` of the measured moments lie."""
        degrees = sorted(self.degrees)
        total = np.cumsum([self.degrees[degree] for degree in degrees])
        return float(degrees[int(np.searchsorted(total, share * total[-1], side="left"))])


class Mean:
    """One metric over what happens several times (strides, repetitions): its mean, and how well it was measured."""

    def __init__(self) -> None:
        self.total = self.weight = 0.0
        self.grades: Tally[Grade] = Tally()
        self.reasons: Tally[Reason] = Tally()

    def add(self, measure: Measure, times: int = 1) -> None:
        """Take one measure that stands for `times` of them."""
        self.grades[measure.grade] += times
        for reason in measure.reasons:
            self.reasons[reason] += times
        if measure.value is not None:
            self.total += measure.value * times
            self.weight += times

    def measure(self) -> Measure:
        """The mean, with the grade that most of them reach."""
        grade = typical_grade(self.grades)
        reasons = tuple(reason for reason, _ in self.reasons.most_common()) if grade != "A" else ()
        return Measure(None if grade == "none" else self.total / self.weight, grade, reasons)


class Summary:
    """Takes the live metrics of every moment and answers with those of the session."""

    def __init__(self) -> None:
        self._courses: dict[str, _Course] = {}

    def add(self, measures: Mapping[str, Measure]) -> None:
        """Take one moment."""
        for key, measure in measures.items():
            course = self._courses.get(key)
            if course is None:
                course = self._courses[key] = _Course()
            course.add(measure)

    def measures(self) -> dict[str, Measure]:
        """Every metric of a session (statistic `peak` or `range`) by key."""
        return {
            key: self._measure(metric)
            for key, metric in metrics().items()
            if metric.of is not None and metric.of in self._courses
        }

    def from_the_side(self) -> bool:
        """Whether for most of the time one side of the body hid the other."""
        turn = self._courses.get("view_yaw")
        if turn is None:
            return False
        hidden = sum(
            count for degree, count in turn.degrees.items() if SIDE_VIEW[0] <= abs(degree) <= SIDE_VIEW[1]
        )
        return hidden > sum(turn.degrees.values()) / 2

    def _measure(self, metric: Metric) -> Measure:
        assert metric.of is not None
        course = self._courses[metric.of]
        grade, reasons = course.grade(), course.reasons()
        if grade == "none":
            return Measure(None, grade, reasons)
        low, high = (course.quantile(share) for share in _TAILS)
        value = high if metric.statistic == "peak" else high - low
        return Measure(value, grade, () if grade == "A" else reasons)
