"""Which exercise is this? Every row watches; the one that explains the latest repetitions best is named.

A row explains a repetition well when the movement is as large as the row expects, and the more a row asks of the
body (gates, several signals), the more its agreement says. Two repetitions are needed, and silence is an answer.
"""

from __future__ import annotations

from collections import deque
from statistics import mean
from typing import TYPE_CHECKING

from edge.coach.watch import HoldWatch, Watch

if TYPE_CHECKING:
    from edge.coach.exercise import Exercise
    from edge.coach.records import Repetition
    from edge.motion.signals import Signals

NEEDED = 2
"""Full repetitions before a row is believed."""
WINDOW_S = 12.0
"""Seconds of the past that count, at least: slow repetitions reach further back."""
DETAIL = 0.04
"""Worth of each further signal or gate of a row."""
LEAST = 0.45
"""Score below which nothing is named."""
QUIET_S = 4.0
"""Seconds without any repetition before a position is taken for a hold."""
MARGIN = 0.15
"""By how much another row must be better to take over."""


class Candidate:
    """One row's watch, with the repetitions it saw lately."""

    def __init__(self, row: Exercise) -> None:
        self.row = row
        self.watch = Watch(row)
        self.seen: deque[tuple[Repetition, float]] = deque(maxlen=8)
        """(repetition, how well it fits the row, 0-1)."""

    def recent(self, t: float) -> list[tuple[Repetition, float]]:
        """The repetitions that still count, and how well each fits."""
        return [
            (repetition, fit)
            for repetition, fit in self.seen
            if t - repetition.t < max(WINDOW_S, 4 * repetition.duration_s)
        ]

    def score(self, t: float) -> float:
        """How well the row explains the latest repetitions; 0 with too few of them."""
        fits = [fit for repetition, fit in self.recent(t) if repetition.kind == "rep"]
        if len(fits) < NEEDED:
            return 0.0
        return mean(fits[-4:]) + DETAIL * (len(self.row.parts) + len(self.row.gates))


class Recogniser:
    """Chooses among rows while a person moves."""

    def __init__(self, rows: list[Exercise]) -> None:
        self.candidates = [Candidate(row) for row in rows if row.kind == "reps"]
        self.holds = [HoldWatch(row) for row in rows if row.kind == "hold"]
        self.chosen: Candidate | HoldWatch | None = None
        self._moved_at = float("-inf")
        self._counted_until = float("-inf")
        """End of the latest repetition that was handed over: nothing counts under two names."""

    def update(self, now: Signals, t: float) -> tuple[list[Repetition], bool]:
        """Feed one moment; (new repetitions of the chosen row, whether the choice changed).

        When the choice changes, the repetitions are those that made it: they happened before they had a name.
        """
        fresh: dict[str, Repetition] = {}
        for candidate in self.candidates:
            repetition = candidate.watch.update(now, t)
            if repetition is not None:
                candidate.seen.append((repetition, candidate.watch.fit))
                fresh[candidate.row.id] = repetition
        for hold in self.holds:
            hold.update(now, t)
        changed = self._choose(t, moved=bool(fresh))
        if not isinstance(self.chosen, Candidate):
            return [], changed
        new = [
            repetition
            for repetition, _ in (self.chosen.recent(t) if changed else self.chosen.recent(t)[-1:])
            if repetition.t > self._counted_until and (changed or self.chosen.row.id in fresh)
        ]
        if new:
            self._counted_until = new[-1].t
        return new, changed

    def _choose(self, t: float, *, moved: bool) -> bool:
        """Look for a better row when something new happened; True when the choice changed."""
        before = self.chosen
        if moved:
            self._moved_at = t
            best = max(self.candidates, key=lambda candidate: candidate.score(t))
            own = self.chosen.score(t) if isinstance(self.chosen, Candidate) else 0.0
            if best.score(t) > max(LEAST, own + MARGIN if own else 0.0):
                self.chosen = best
        elif t - self._moved_at > QUIET_S:
            self.chosen = next((hold for hold in self.holds if hold.present_s > QUIET_S), self.chosen)
        return self.chosen is not before
