"""Is this movement the row's? What the body looked like at both ends, against what the row says of it.

Each statement of a row (a bound, a joint that stays still) is worth the logarithm of how much better it foretells
what was seen than knowing nothing of the movement does: a narrow bound that holds says much, one that is missed
counts against the row. The sum is the row's evidence, in nats.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from edge.coach.lanes import columns
from edge.coach.survey import SEEN_SHARE
from edge.motion.signals import SIGNAL_OF

if TYPE_CHECKING:
    from edge.coach.exercise import Bounds, Exercise, Part
    from edge.coach.records import Side
    from edge.coach.survey import Survey, When
    from edge.motion.signals import Signal

_OTHER = "_other"

LEGS = 1.25
"""Least length of people's legs, in trunk lengths; in adults it is about 1.6."""
JUDGED = 0.6
"""Share of the statements that must be seen for a movement to tell what it is."""
LITTLE, MUCH = 2.0, 10.0
"""Sum of the squares of what bounds are missed by, in softnesses: up to which a movement is the row's, and up to
which it may be: one joint is misread altogether in many a picture."""
HALF = 0.5
"""Share of its best evidence that such a movement must have."""
CLEAN = 1.25
"""How many softnesses any bound may be missed by in a movement that tells what it is."""
_RAREST = 0.05
"""No statement is more surprising than that."""
_FLOOR = -3.0
"""No single statement counts for less: one misread joint must not outvote all others."""
_SAID: tuple[When, ...] = ("start", "far", "always", "travel")
"""Tables of a row that say what a movement looks like."""
_LEGS = columns("leg_length", None)
_STILL = (
    "knee_flexion",
    "hip_flexion",
    "elbow_flexion",
    "shoulder_elevation",
    "trunk_lean",
    "belly_up",
    "hip_split",
    "stance_width",
)
"""What stays about still unless a row names it."""
_TREMBLING = 0.1
"""Of what bodies do: how far a joint that stays still usually seems to travel."""
_LITTLE = 0.13
"""The same of any joint in any movement that is one of many that are still."""
_MANY = 0.75
"""Share of the joints that are, in any movement."""
_USUALLY = 0.6
"""Share of the movements in which a signal is where it is most of the time."""
_SIZE = 0.35
"""Spread of the size of repetitions, as the logarithm of their share of the textbook's."""


_STILLEST = -math.log(_TREMBLING) - math.log(_MANY / _LITTLE + 1 - _MANY)
"""What a joint that does not move at all says."""


class Verdict(NamedTuple):
    """What a row makes of a movement."""

    accepted: bool
    clean: bool
    """Whether every bound holds, and most could be judged."""
    evidence: float
    """Nats; 0 for what knowing nothing would say."""
    missed: str | None
    """The statement that was missed most, where that was too much: the signal's name."""
    low: float | None
    high: float | None
    """The leading angle at the start position and at the far end; None where it was not seen or is none."""


class _Statement(NamedTuple):
    """A bound, of one side or both."""

    signal: str
    when: When
    where: tuple[int, ...]
    """Columns of the signal."""
    bounds: Bounds
    soft: float
    """By how much a value may be off."""
    worth: float
    """Nats where it holds: how seldom a movement of which nothing is known does that."""

    def off(self, told: float, seen: Survey, *, full: bool = True) -> float:
        """By how many softnesses a value misses the bounds; a movement that is not `full` may fall short of them."""
        low, high = self.bounds
        beyond = max(low - told, told - high, 0.0)
        if not full and beyond and self._short(told, seen):
            return 0.0
        return beyond / (self.soft * seen.doubted(self.where)) if beyond else 0.0

    def _short(self, told: float, seen: Survey) -> bool:
        """Whether a value is on its way from the start position to the bounds."""
        if self.when == "travel":
            return told < self.bounds[0]
        start = seen.told("start", self.where) if self.when == "far" else None
        return start is not None and (start <= told < self.bounds[0] or self.bounds[1] < told <= start)


class Judge:
    """One row's opinion of movements."""

    def __init__(self, row: Exercise) -> None:
        self._species, self._prior = row.species, row.prior
        self._parts = row.parts
        self._sizes = [_size(part) for part in row.parts]
        said = [(name, when, bounds) for when in _SAID for name, bounds in getattr(row, when).items()]
        self._statements: dict[Side | None, list[_Statement]] = {
            side: [_statement(name, when, bounds, side) for name, when, bounds in said]
            for side in ("left", "right", "both", None)
        }
        named = {name for name, _, _ in said if not name.endswith(_OTHER)}
        named |= {part.signal for part in row.parts} | set(row.free)
        bare = {name.removesuffix("_left").removesuffix("_right") for name in named}
        self._still = [columns(name, "both") for name in _STILL if name not in bare]

    def __call__(self, seen: Survey, side: Side | None, *, full: bool = True) -> Verdict:
        """Judge a movement of a limb, a full or a partial one, by what was seen of it."""
        evidence, best, penalty, judged, worst, missed = 0.0, 0.0, 0.0, 0, 0.0, None
        for statement in self._statements[side]:
            told = seen.told(statement.when, statement.where)
            if told is None:
                continue
            off = statement.off(told, seen, full=full)
            evidence += max(statement.worth - off * off, _FLOOR)
            best += statement.worth
            penalty += min(off, -_FLOOR) ** 2
            judged += 1
            if off > worst:
                worst, missed = off, statement.signal
        lead = columns(self._parts[0].signal, side)
        low = high = None
        if SIGNAL_OF[lead[0]].unit == "deg":
            low, high = seen.told("start", lead), seen.told("far", lead)
        if penalty > MUCH:
            return Verdict(False, False, min(evidence, 0.0), missed, low, high)
        parts = [size.evidence(seen, columns(size.part.signal, side)) for size in self._sizes]
        still = [_stillness(where, seen) for where in self._still]
        evidence += sum(parts) + sum(still)
        best += sum(size.worth for size in self._sizes) + _STILLEST * len(still)
        visible = max(seen.visibility[column] for column in lead)
        fits = penalty <= LITTLE or (penalty <= MUCH and evidence >= HALF * best)
        accepted = fits and visible >= SEEN_SHARE and self._human(seen)
        clean = accepted and worst <= CLEAN and judged >= JUDGED * len(self._statements[side])
        return Verdict(accepted, clean, evidence + self._prior, None if accepted else missed, low, high)

    def _human(self, seen: Survey) -> bool:
        """Whether a row for people saw one of them."""
        return self._species != "human" or human(seen)


def human(seen: Survey) -> bool:
    """Whether somebody has the legs of people, as far as they are seen."""
    legs = seen.told("always", _LEGS)
    return legs is None or legs >= LEGS


class _Size(NamedTuple):
    """A part, and what it is worth when it moves as far as it should."""

    part: Part
    worth: float

    def evidence(self, seen: Survey, where: tuple[int, ...]) -> float:
        """What the size of the movement says."""
        travelled = seen.told("travel", where)
        if travelled is None:
            return 0.0
        off = math.log(max(travelled / abs(self.part.full - self.part.rest), 1e-3)) / _SIZE
        return max(self.worth - off * off / 2, _FLOOR)


def _size(part: Part) -> _Size:
    size = abs(part.full - part.rest)
    row = SIGNAL_OF[columns(part.signal, "both")[0]]
    return _Size(part, -math.log(_mass(row, "travel", size * math.exp(-_SIZE), size * math.exp(_SIZE))))


@lru_cache(8192)  # every coach watches the same rows
def _statement(name: str, when: When, bounds: Bounds, side: Side | None) -> _Statement:
    signal = name.removesuffix(_OTHER)
    if signal != name and side in ("left", "right"):
        side = "right" if side == "left" else "left"
    where = columns(signal, side)
    row = SIGNAL_OF[where[0]]
    # What is off throughout moves along: how far something travels is known better than where it is.
    soft = row.soft / 2 if when == "travel" else row.soft
    # A value at a bound's edge may be off by a softness to either side.
    mass = _mass(row, when, bounds[0] - soft, bounds[1] + soft)
    return _Statement(signal, when, where, bounds, soft, -math.log(mass))


def _mass(row: Signal, when: When, low: float, high: float) -> float:
    """Share of all movements in which a signal is (or travels) from `low` to `high`, _RAREST to 1."""
    least, most = (0.0, row.most - row.least) if when == "travel" else (row.least, row.most)
    low, high = max(low, least), min(high, most)
    mass = max(high - low, 0.0) / (most - least)
    if when == "travel":
        usual = math.exp(-low / (most * _LITTLE)) - math.exp(-high / (most * _LITTLE))
        mass += _MANY * (usual - mass)
    else:
        usual = max(min(high, row.usual[1]) - max(low, row.usual[0]), 0.0) / (row.usual[1] - row.usual[0])
        mass += _USUALLY * (usual - mass)
    return min(max(mass, _RAREST), 1.0)


def _stillness(where: tuple[int, ...], seen: Survey) -> float:
    """What it says that a joint was as still as it should be."""
    travelled = seen.told("travel", where)
    if travelled is None:
        return 0.0
    row = SIGNAL_OF[where[0]]
    share = travelled / (row.most - row.least)
    still = -math.log(_TREMBLING) - share / _TREMBLING
    return max(still - math.log(_MANY * math.exp(-share / _LITTLE) / _LITTLE + 1 - _MANY), _FLOOR)
