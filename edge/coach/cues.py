"""One cue at a time: what to say of the faults in a set, when, and what to say when it is over.

A coach who corrects everything at once is not heard. So only the most important fault is named, only when it was
seen again, and not before the person had time to act upon the cue before. Texts are those of the rows.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from edge.coach.records import Cue, Remark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from edge.coach.exercise import Rule
    from edge.coach.form import Finding

QUIET_S = 6.0
"""Seconds after a cue in which nothing is said."""
AGAIN_S = 15.0
"""Seconds after a cue before the same one is said again,"""
AGAIN_REPETITIONS = 4
"""and repetitions (of a hold: seconds) in which its rule was seen since."""
LATEST = 3
"""Repetitions that decide whether a fault repeats,"""
REPEATED = 2
"""and in how many of them it must have been seen."""
DANGEROUS = 3.0
"""Weight of a rule from which a fault is named at once,"""
FAR_OFF = 1.5
"""where it is so many softnesses outside."""
_FURTHEST = 3.0
"""Further off counts no more."""
HELD = 0.8
"""Share of the repetitions in which a rule must hold to be praised."""
IMPROVE = 1 / 3
"""Share of them in which it must be broken to be named at the end of a set."""
LEAST_SEEN = 2
"""Repetitions in which a rule must have been seen for the set to say anything of it."""
MOST_PRAISE, MOST_IMPROVE = 2, 2


class _Tally:
    """One rule in one set."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.latest: deque[float] = deque(maxlen=LATEST)
        """How far off it was, in the repetitions that showed it."""
        self.seen = self.faults = self.since = 0
        """`since`: repetitions that showed it since it was last named."""
        self.off = 0.0
        """Sum over the faults, each up to _FURTHEST."""
        self.said_at = float("-inf")

    def add(self, off: float) -> None:
        self.latest.append(off)
        self.seen += 1
        self.since += 1
        self.faults += off > 0
        self.off += min(off, _FURTHEST)

    @property
    def share(self) -> float:
        """Of the repetitions that showed it, those with the fault."""
        return self.faults / self.seen if self.seen else 0.0

    @property
    def importance(self) -> float:
        return self.rule.weight * min(self.latest[-1], _FURTHEST) * self.share

    def due(self, t: float) -> bool:
        """Whether it may be named now, by itself."""
        off = self.latest[-1]
        said = self.said_at > float("-inf")
        if off <= 0 or (said and (t - self.said_at < AGAIN_S or self.since < AGAIN_REPETITIONS)):
            return False
        if self.rule.weight >= DANGEROUS and off >= FAR_OFF:
            return True
        return sum(one > 0 for one in self.latest) >= REPEATED


class Advice:
    """The findings of one set, and what has been said of them."""

    def __init__(self, exercise: str, rules: Mapping[str, Rule], *, silent: bool = False) -> None:
        """`silent`: nothing is said before the set is over."""
        self.exercise = exercise
        self._tallies = {name: _Tally(rule) for name, rule in rules.items()}
        self._silent = silent
        self._said_at = float("-inf")

    def add(self, t: float, findings: Iterable[Finding]) -> Cue | None:
        """Take one repetition (of a hold: one second) at `t` seconds; what is to be said now, if anything."""
        told = []
        for finding in findings:
            if finding.sure:
                told.append(tally := self._tallies[finding.rule])
                tally.add(finding.off)
        if self._silent or t - self._said_at < QUIET_S:
            return None
        due = [tally for tally in told if tally.due(t)]
        if not due:
            return None
        worst = max(due, key=lambda tally: tally.importance)
        worst.said_at = self._said_at = t
        worst.since = 0
        return Cue(t=t, exercise=self.exercise, rule=worst.rule.id, text=worst.rule.cue)

    def praise(self) -> tuple[Remark, ...]:
        """What was good, the most important first, with the share of repetitions in which it was."""
        return self._best(
            MOST_PRAISE,
            lambda tally: tally.rule.weight if 1 - tally.share >= HELD else 0.0,
            lambda tally: (tally.rule.praise, 1 - tally.share),
        )

    def improve(self) -> tuple[Remark, ...]:
        """What to work on, the most important first, with the share of repetitions in which it was wrong."""
        return self._best(
            MOST_IMPROVE,
            lambda tally: tally.rule.weight * tally.off / tally.seen if tally.share >= IMPROVE else 0.0,
            lambda tally: (tally.rule.cue, tally.share),
        )

    def _best(
        self,
        most: int,
        worth: Callable[[_Tally], float],
        remark: Callable[[_Tally], tuple[dict[str, str] | None, float]],
    ) -> tuple[Remark, ...]:
        told = [tally for tally in self._tallies.values() if tally.seen >= LEAST_SEEN and worth(tally) > 0]
        remarks: list[Remark] = []
        for tally in sorted(told, key=worth, reverse=True):
            text, share = remark(tally)
            if text is not None and text not in [one.text for one in remarks]:
                remarks.append(Remark(rule=tally.rule.id, text=text, share=share))
        return tuple(remarks[:most])
