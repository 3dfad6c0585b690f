"""One set: its repetitions, what was said of them, and its summary; in a fixed amount of memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.coach.cues import Advice
from edge.coach.form import Form
from edge.coach.records import SetSummary

if TYPE_CHECKING:
    from edge.coach.exercise import Exercise
    from edge.coach.form import Strictness
    from edge.coach.records import Cue, Repetition
    from edge.coach.survey import Survey


class _Spread:
    """Mean and standard deviation of numbers that come one after the other (Welford, Technometrics 4:419, 1962)."""

    def __init__(self) -> None:
        self._count = 0
        self._mean = self._squares = 0.0

    def add(self, value: float) -> None:
        self._count += 1
        off = value - self._mean
        self._mean += off / self._count
        self._squares += off * (value - self._mean)

    def mean(self) -> float | None:
        return self._mean if self._count else None

    def relative(self) -> float | None:
        """Standard deviation over the mean."""
        if self._count < 2 or self._mean <= 0:
            return None
        return math.sqrt(self._squares / (self._count - 1)) / self._mean


class Set:
    """What happened in one set so far."""

    def __init__(self, row: Exercise, strictness: Strictness = "normal") -> None:
        self._strictness = strictness
        self.reps = self.partial = self.rejected = 0
        self.hold_s = 0.0
        self._limbs = {"left": 0, "right": 0}
        self._tempo, self._range = _Spread(), _Spread()
        self.rename(row)

    def rename(self, row: Exercise) -> None:
        """It was this exercise all along: what was found by the rules of the other does not count."""
        self.row = row
        self._form = Form(row, self._strictness)
        self._advice = Advice(row.id, self._form.rules, silent=self._strictness == "off")

    def judge(self, strictness: Strictness) -> None:
        """Let so much pass from now on: what was found by another measure does not count."""
        self._strictness = strictness
        self.rename(self.row)

    @property
    def limbs(self) -> tuple[int, int]:
        """Full repetitions of the left limb alone, and of the right one."""
        return self._limbs["left"], self._limbs["right"]

    def add(self, t: float, repetition: Repetition, seen: Survey) -> Cue | None:
        """Take a repetition that was counted at `t`, and what the body looked like; what is to be said now."""
        if repetition.kind == "rep":
            self.reps += 1
            self._tempo.add(repetition.duration_s)
            if repetition.range_deg is not None:
                self._range.add(repetition.range_deg)
            if repetition.side in self._limbs:
                self._limbs[repetition.side] += 1
        else:
            self.partial += 1
        return self._advice.add(t, self._form(seen, repetition.side, repetition))

    def hold(self, t: float, seen: Survey) -> Cue | None:
        """Take a second of a hold that ended at `t`; what is to be said now."""
        return self._advice.add(t, self._form(seen, None, None))

    def summary(self) -> SetSummary:
        """The set as it is now."""
        return SetSummary(
            exercise=self.row.id,
            praise=self._advice.praise(),
            improve=self._advice.improve(),
            reps=self.reps,
            partial_reps=self.partial,
            rejected_reps=self.rejected,
            left=self._limbs["left"],
            right=self._limbs["right"],
            hold_s=self.hold_s,
            tempo_s=self._tempo.mean(),
            tempo_spread=self._tempo.relative(),
            range_deg=self._range.mean(),
            range_spread=self._range.relative(),
        )
