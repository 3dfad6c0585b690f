"""Which exercise is this? Every row watches; the one that explains the latest repetitions best is named.

Two repetitions are needed, and silence is an answer. What is named stays named until another row explains the latest
repetitions clearly better: names do not flicker.
"""

from __future__ import annotations

import math
from collections import deque
from heapq import nlargest
from statistics import fmean, stdev
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.coach.hold import HoldWatch
from edge.coach.judge import Verdict, human
from edge.coach.periodic import Periodic
from edge.coach.survey import survey
from edge.coach.watch import Movement, Watch, Watches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge.coach.exercise import Exercise
    from edge.coach.records import Phase, Repetition
    from edge.coach.survey import Survey
    from edge.motion.course import Course
    from edge.motion.signals import Signals

NEEDED = 2
"""Full repetitions before a row is believed."""
LATEST = 4
"""Movements that decide."""
WINDOW_S = 12.0
"""Seconds of the past that count, at least: slow repetitions reach further back."""
REFUSED = -3.0
"""Evidence of a movement that a row refuses, at most."""
LEAST = 3.0
"""Evidence below which nothing is named."""
KNOWN = 0.0
"""The same for what is known and not counted: it must not be counted as something that nobody described."""
DOUBT = 1.5
"""By how much the best of two rows must be better to be named after two repetitions; after three, by half of it."""
ALIKE = 0.3
"""Standard deviation of the logarithms of times and of ranges from one repetition to the next that is usual."""
UNLIKE = 6.0
"""The most that it counts against a row when its repetitions are not alike."""
MARGIN = 2.0
"""By how much another row must be better to take over."""
SETTLED_S = 0.3
"""Seconds after a movement until which other rows may see it, too: then it is decided."""
NEAR = 0.3
"""Share of a repetition's time up to which another row's far end may be the same one."""
QUIET_S = 4.0
"""Seconds without any repetition before a position is taken for a hold."""


class Score(NamedTuple):
    """How well a row explains what happened lately."""

    evidence: float
    """Mean of the latest movements, in nats; minus infinity with too few full repetitions."""
    repetitions: int
    """Full ones in which every bound holds."""


class Choice(NamedTuple):
    """What a moment has brought."""

    movements: list[Movement]
    """New repetitions of the chosen row. When the choice changes, those that made it: they happened before they had a
    name."""
    refused: list[Movement]
    """As large as its repetitions, and none of them."""
    changed: bool
    renamed: bool
    """It is another name for the movements of the row before."""


class Candidate:
    """One row, with the movements it saw lately."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.row = watch.row
        self._seen: deque[Movement] = deque(maxlen=16)

    def add(self, movement: Movement) -> None:
        """Take the newest movement."""
        self._seen.append(movement)

    @property
    def under_way(self) -> bool:
        """Whether a movement is in progress."""
        return self.watch.track.under_way

    def state(self) -> tuple[float | None, Phase]:
        """Progress and phase."""
        return self.watch.track.state()

    def recent(self, t: float) -> list[Movement]:
        """The movements that still count."""
        return _recent(self._seen, t)

    def knows(self, movement: Movement) -> bool:
        """Whether it saw a repetition at the same time."""
        return any(one.verdict.accepted and movement.overlaps(one.repetition) for one in self._seen)

    def score(self, t: float) -> Score:
        """How well the row explains the latest movements."""
        recent = self.recent(t)
        clean = sum(one.verdict.clean and one.repetition.kind == "rep" for one in recent)
        if clean < NEEDED:
            return Score(float("-inf"), clean)
        evidence = (
            one.verdict.evidence if one.verdict.accepted else min(one.verdict.evidence, REFUSED)
            for one in recent[-LATEST:]
        )
        # Everyday movements need not be alike: they are known so that nothing else is made of them.
        unlike = 0.0 if self.row.kind == "other" else _unlike(recent[-LATEST:])
        return Score(fmean(evidence) - unlike, clean)


def _recent(seen: Iterable[Movement], t: float) -> list[Movement]:
    return [one for one in seen if t - one.repetition.t < max(WINDOW_S, 4 * one.repetition.duration_s)]


class Rhythm:
    """Whatever repeats."""

    def __init__(self, row: Exercise) -> None:
        self.row = row
        self._periodic = Periodic()
        self._seen: deque[Movement] = deque(maxlen=16)

    @property
    def under_way(self) -> bool:
        """Whether something repeats now."""
        return self._periodic.active

    def state(self) -> tuple[float | None, Phase]:
        """Progress and phase."""
        return self._periodic.progress, self._periodic.counter.phase

    def stop(self) -> None:
        """The movement has got a name."""
        self._periodic.stop()

    def update(
        self, now: Signals, course: Course, t: float, *, since: float = float("-inf")
    ) -> list[Movement]:
        """Feed one moment; the cycles that are complete, of those that began after `since`."""
        cycles = [
            Movement(one, _RHYTHMIC, _look(course, one))
            for one in self._periodic.update(course, now.arrays[0], t, since=since)
        ]
        if self.row.species == "human":
            cycles = [one for one in cycles if human(one.seen)]
        self._seen += cycles
        return cycles

    def recent(self, t: float) -> list[Movement]:
        """The cycles that still count."""
        return _recent(self._seen, t)


_RHYTHMIC = Verdict(accepted=True, clean=True, evidence=0.0, missed=None, low=None, high=None)


def _look(course: Course, cycle: Repetition) -> Survey:
    window = course.window(cycle.t - cycle.duration_s / 2, cycle.t + cycle.duration_s / 2)
    return survey(window, np.ones(len(window.times)))


Chosen = Candidate | HoldWatch | Rhythm


def _unlike(movements: Sequence[Movement]) -> float:
    """Nats against movements that are not alike: who exercises repeats, who gestures does not."""
    found = 0.0
    for sizes in (
        [one.repetition.duration_s for one in movements],
        [one.repetition.range_deg for one in movements if one.repetition.range_deg],
    ):
        if len(sizes) > 1:
            logs = [math.log(max(size, 1e-3)) for size in sizes]
            found += (stdev(logs) / ALIKE) ** 2
    return min(found, UNLIKE)


class Given:
    """The exercise that somebody has chosen: what is the row's counts at once."""

    def __init__(self, row: Exercise) -> None:
        self._watches = Watches([] if row.kind in ("hold", "rhythm") else [row])
        self._hold = HoldWatch(row) if row.kind == "hold" else None
        self._rhythm = Rhythm(row) if row.kind == "rhythm" else None
        self.chosen: Chosen = self._hold or self._rhythm or Candidate(self._watches.watches[0])

    @property
    def under_way(self) -> bool:
        """Whether a movement is in progress."""
        return self.chosen.under_way

    @property
    def course(self) -> Course:
        """Every signal of the last minute."""
        return self._watches.course

    def claimed(self, _movement: Movement) -> bool:
        """Whether another row knows the movement: there is none."""
        return False

    def update(self, now: Signals, t: float) -> Choice:
        """Feed one moment; the choice does not change."""
        movements = [movement for _, movement in self._watches.update(now, t)]
        if self._hold is not None:
            values, visibility = (array.tolist() for array in now.arrays)
            self._hold.update(values, visibility, self._watches.course, t)
        if self._rhythm is not None:
            movements = self._rhythm.update(now, self._watches.course, t)
        return Choice([one for one in movements if one.verdict.accepted], _refused(movements), False, False)


class Recogniser:
    """Chooses among rows while a person moves."""

    def __init__(self, rows: Sequence[Exercise]) -> None:
        self.watches = Watches([row for row in rows if row.kind in ("reps", "other")])
        self.watches.known.clear()
        self.candidates = {watch: Candidate(watch) for watch in self.watches.watches}
        self.holds = [HoldWatch(row) for row in rows if row.kind == "hold"]
        self.rhythm = next((Rhythm(row) for row in rows if row.kind == "rhythm"), None)
        self.chosen: Chosen | None = None
        self._explained_at = float("-inf")
        """When a row last explained what happens."""
        self._moved_at = float("-inf")
        self._decide_at = float("inf")
        self._counted_until = float("-inf")
        """Far end of the latest repetition that was handed over: nothing counts under two names."""

    @property
    def under_way(self) -> bool:
        """Whether a movement of the chosen row is in progress."""
        return self.chosen is not None and self.chosen.under_way

    @property
    def course(self) -> Course:
        """Every signal of the last minute."""
        return self.watches.course

    def claimed(self, movement: Movement) -> bool:
        """Whether another row than the chosen one knows the movement."""
        return any(candidate.knows(movement) for candidate in self.candidates.values())

    def update(self, now: Signals, t: float) -> Choice:
        """Feed one moment."""
        fresh = self.watches.update(now, t)
        for watch, movement in fresh:
            self.candidates[watch].add(movement)
        values, visibility = (array.tolist() for array in now.arrays)
        for hold in self.holds:
            hold.update(values, visibility, self.watches.course, t)
        before = self.chosen
        self._choose(t, moved=any(movement.verdict.clean for _, movement in fresh))
        cycles = self._cycles(now, t)
        chosen, changed = self.chosen, self.chosen is not before
        if changed:
            self.watches.known = {chosen.watch.track} if isinstance(chosen, Candidate) else set()
        if not isinstance(chosen, Candidate):
            return Choice(cycles, [], changed, False)
        movements = chosen.recent(t) if changed else [one for watch, one in fresh if watch is chosen.watch]
        new = [
            one
            for one in movements
            if one.verdict.accepted
            and one.repetition.t > self._counted_until + NEAR * one.repetition.duration_s
        ]
        if new:
            self._counted_until = new[-1].repetition.t
        return Choice(
            new, [] if changed else _refused(movements), changed, changed and _same(before, chosen, t)
        )

    def _cycles(self, now: Signals, t: float) -> list[Movement]:
        """Of what repeats, while no row explains it."""
        if self.rhythm is None:
            return []
        if t - self._explained_at < WINDOW_S:
            self.rhythm.stop()
            return []
        cycles = self.rhythm.update(now, self.course, t, since=max(self._explained_at, self._counted_until))
        if cycles:
            self.chosen = self.rhythm
            self._counted_until = cycles[-1].repetition.t
        return cycles

    def _choose(self, t: float, *, moved: bool) -> None:
        """Look for a better row when something new happened."""
        before = self.chosen
        if moved:
            self._moved_at = t
            self._decide_at = min(self._decide_at, t + SETTLED_S)
        if t >= self._decide_at:
            self._decide_at = float("inf")
            scores = {candidate: candidate.score(t) for candidate in self.candidates.values()}
            best, second = nlargest(2, scores, key=lambda candidate: scores[candidate].evidence)
            if scores[best].evidence > (KNOWN if best.row.kind == "other" else LEAST):
                self._explained_at = t
            own = scores[before].evidence if isinstance(before, Candidate) else float("-inf")
            if own > float("-inf"):
                least = own + MARGIN
            else:
                # The more repetitions there are, the less another row that is almost as good matters.
                least = max(LEAST, scores[second].evidence + DOUBT / max(scores[best].repetitions - 1, 1))
            if best is not before and scores[best].evidence > least:
                self.chosen = best
        elif t - self._moved_at > QUIET_S:
            self.chosen = next((hold for hold in self.holds if hold.present_s > QUIET_S), self.chosen)


def _refused(movements: list[Movement]) -> list[Movement]:
    return [one for one in movements if not one.verdict.accepted and one.repetition.kind == "rep"]


def _same(before: Chosen | None, after: Candidate, t: float) -> bool:
    """Whether `after` saw the movements of the row before, too, and explains them better."""
    if before is None or isinstance(before, HoldWatch):
        return False
    old = [one for one in before.recent(t) if one.verdict.accepted]
    new = [one for one in after.recent(t) if one.verdict.accepted]
    pairs = [(a, b) for a in old for b in new if a.overlaps(b.repetition)]
    better = sum(b.verdict.evidence - a.verdict.evidence for a, b in pairs)
    return 2 * len(pairs) >= len(old) > 0 and better > 0
