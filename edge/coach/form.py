"""Form: what the rules of a row say of a repetition, or of a second of a hold, and whether it was seen well enough.

A rule speaks only of what the camera shows. An angle in a plane that is turned towards the camera, a distance that
lies along the line of sight, a joint that is hidden: the pose model has a number for them all the same, and from such
a number nobody is corrected. In between, the number must be further outside the bounds before it is called a fault.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from edge.coach.lanes import columns
from edge.motion.signals import COLUMN, SIGNAL_OF

if TYPE_CHECKING:
    from edge.coach.exercise import Bounds, Exercise, Rule
    from edge.coach.records import Repetition, Side
    from edge.coach.survey import Survey, When

Strictness = Literal["off", "gentle", "normal", "strict"]
"""How much a coach lets pass. `off`: nothing is said during a set."""
VISIBLE = 0.5
"""Mean visibility from which a joint's side counts."""
BOTH_VISIBLE = 0.65
"""The same where both sides are compared: what the body hides is guessed from the side that is seen."""
DOUBTED = 1.9
"""Doubt from which a value is no ground for a correction: it is known from depth alone."""
_WIDER: dict[Strictness, float] = {"off": 0.0, "gentle": 0.75, "normal": 0.0, "strict": -0.5}
"""Softnesses by which the bounds are moved outwards."""
_NARROWEST = 0.25
"""Share of the distance between two bounds by which each of them may be moved inwards."""
_TIME_SOFT = 0.15
"""Seconds by which the tempo of a repetition may be off."""
_SEEN_LIKE = {"belly_up": "trunk_lean", "stance_width": "knee_gap", "wrist_gap": "knee_gap"}
"""Signals that lie in the same plane of the body as another one, whose doubt is known."""


class Finding(NamedTuple):
    """What one rule says of one repetition."""

    rule: str
    """Its id."""
    value: float | None
    """Degrees, trunk lengths or seconds; None where it was not seen."""
    side: Side | None
    """The limb that moved."""
    off: float
    """How far outside the bounds, in softnesses of the value; 0 inside."""
    sure: bool
    """Whether it was seen well enough to say so."""

    @property
    def fault(self) -> bool:
        """Whether there is something to correct."""
        return self.sure and self.off > 0


class Form:
    """The rules of one row."""

    def __init__(self, row: Exercise, strictness: Strictness = "normal") -> None:
        self.rules: dict[str, Rule] = {rule.id: rule for rule in row.form}
        ways = {part.signal: part.full > part.rest for part in row.parts}
        self._checks = [_Check(rule, strictness, ways.get(rule.signal)) for rule in row.form]

    def __call__(self, seen: Survey, side: Side | None, repetition: Repetition | None) -> tuple[Finding, ...]:
        """One finding for each rule, in their order; `repetition`: None for a second of a hold."""
        return tuple(check(seen, side, repetition) for check in self._checks)


class _Check:
    """One rule, ready to be asked."""

    def __init__(self, rule: Rule, strictness: Strictness, rises: bool | None) -> None:
        """`rises`: whether the movement shows in the signal by its rise or by its fall; None: in neither."""
        self._rule = rule
        self._when = _when(rule, rises)
        if rule.of == "time":
            self._soft = _TIME_SOFT
        else:
            signal = SIGNAL_OF[columns(rule.signal, "both")[0]]
            # What is off throughout moves along: how far something travels is known better than where it is.
            self._soft = signal.soft / 2 if rule.of == "travel" else signal.soft
        self._bounds = _moved(rule.good, _WIDER[strictness] * self._soft)

    def __call__(self, seen: Survey, side: Side | None, repetition: Repetition | None) -> Finding:
        rule = self._rule
        if rule.of == "time":
            value = None if repetition is None else float(getattr(repetition, rule.signal))
            return self._finding(value, side, 1.0, sure=True)
        where = columns(rule.signal, "both" if rule.of == "apart" else side)
        values: list[float] = getattr(seen, self._when)
        known = [column for column in where if math.isfinite(values[column])]
        least = BOTH_VISIBLE if rule.of == "apart" else VISIBLE
        clear = [column for column in known if seen.visibility[column] >= least]
        if rule.of == "apart":
            both = len(clear) == len(where)
            value = abs(values[where[0]] - values[where[1]]) if len(known) == len(where) else None
            return self._finding(value, side, _doubt(seen, where), sure=both)
        read = clear or known
        value = sum(values[column] for column in read) / len(read) if read else None
        return self._finding(value, side, _doubt(seen, read), sure=bool(clear))

    def _finding(self, value: float | None, side: Side | None, doubt: float, *, sure: bool) -> Finding:
        if value is None:
            return Finding(self._rule.id, None, side, 0.0, sure=False)
        low, high = self._bounds
        beyond = max(low - value, value - high) / self._soft
        # The more of a value comes from depth, the further outside it must be.
        off = max(beyond - (doubt - 1), 0.0)
        return Finding(self._rule.id, value, side, off, sure=sure and doubt <= DOUBTED)


_STANDS: dict[str, When] = {
    "start": "start",
    "far": "far",
    "least": "least",
    "most": "most",
    "travel": "travel",
    "apart": "far",
    "time": "far",
}


def _when(rule: Rule, rises: bool | None) -> When:
    """Where the rule's number stands in a survey.

    The medians at both ends are of all moments near them. How deep somebody came, of what the repetition is counted
    by, is where it was furthest.
    """
    if rule.of in ("start", "far") and rises is not None:
        return "most" if (rule.of == "far") == rises else "least"
    return _STANDS[rule.of]


def _doubt(seen: Survey, where: list[int] | tuple[int, ...]) -> float:
    return max((max(seen.doubt[column], seen.doubt[_LIKE[column]]) for column in where), default=1.0)


def _like(column: int) -> int:
    name = SIGNAL_OF[column].name
    return COLUMN[_SEEN_LIKE[name]] if name in _SEEN_LIKE else column


_LIKE = [_like(column) for column in range(len(SIGNAL_OF))]


def _moved(good: Bounds, outwards: float) -> Bounds:
    """The bounds `outwards` by so much; inwards they never come near each other."""
    low, high = good
    by = max(outwards, -_NARROWEST * (high - low))
    return low - by, high + by
