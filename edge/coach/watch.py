"""One exercise row watching one person: from signals to progress, from progress to repetitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.coach.counter import Counter, Excursion, Sample
from edge.coach.records import Repetition
from edge.motion.signals import SIDED

if TYPE_CHECKING:
    from edge.coach.exercise import Exercise, Gate, Part
    from edge.coach.records import Phase, Side
    from edge.motion.signals import Signals

VISIBLE = 0.4
"""Visibility below which a joint says nothing about a gate."""
GUESSED = 0.05
"""Visibility below which a limb's signal is left out: the model guesses it from the rest of the body."""
SEEN_SHARE = 0.3
"""Mean visibility over a movement for it to count: a limb may vanish behind the body, but not all the way."""
CLEARER = 0.35
"""A limb seen this much worse than the other is left out, too: it is hidden behind the body and guessed."""
BRIDGE_S = 1.5
"""Seconds without a usable signal after which the movement in progress is given up."""
GATE_SHARE = 0.7
"""Share of the frames that tell in which each gate must have been open."""
SAME = 0.5
"""Overlap (share of the shorter) from which both limbs' movements are one repetition."""
STILL_DEG = 45.0
"""Degrees by which a joint that should be still may move."""
HOLD_AFTER_S = 1.0
"""Seconds in position before a hold counts, from its beginning."""
HOLD_GAP_S = 0.5
"""Seconds out of position that do not end a hold."""


class _Reading(NamedTuple):
    progress: float
    lead: float
    visibility: float


class _Stillness:
    """The range of the joints that should not move, from one repetition to the next."""

    def __init__(self, row: Exercise) -> None:
        self._names = [_named(signal, side) for signal in row.still for side in ("left", "right")]
        self._low: dict[str, float] = {}
        self._high: dict[str, float] = {}

    def add(self, now: Signals) -> None:
        for name in self._names:
            value, visibility = now[name]
            if visibility >= VISIBLE:
                self._low[name] = min(value, self._low.get(name, value))
                self._high[name] = max(value, self._high.get(name, value))

    def take(self) -> bool:
        """Whether they were still since the last call."""
        still = all(self._high[name] - low <= STILL_DEG for name, low in self._low.items())
        self._low.clear()
        self._high.clear()
        return still


class Watch:
    """Counts one exercise for one person."""

    def __init__(self, row: Exercise) -> None:
        self.row = row
        self.reps = self.partial_reps = 0
        self.progress: float | None = None
        self.phase: Phase | None = None
        self.fit = 0.0
        """How well the latest repetition agrees with the textbook's, 0-1: its size, and the joints kept still."""
        self._stillness = _Stillness(row)
        limbs: dict[str, tuple[Side | None, ...]] = {
            "together": ("both",),
            "each": ("left", "right"),
            "whole": (None,),
        }
        self._limbs = {side: Counter(row.min_s, row.max_s) for side in limbs[row.sides]}
        self._seen_at: dict[Side | None, float] = {}
        """When each limb was last seen."""
        self._latest: dict[Side | None, Excursion] = {}

    def update(self, now: Signals, t: float) -> Repetition | None:
        """Feed one moment at `t` seconds; a repetition when one is complete."""
        complete = None
        self._stillness.add(now)
        readings: list[tuple[float, Phase]] = []
        for side, counter in self._limbs.items():
            reading = read(self.row.parts, side, now)
            if reading is None:
                continue
            if t - self._seen_at.get(side, t) > BRIDGE_S:
                counter.reset()
            self._seen_at[side] = t
            gates = tuple(is_open(gate, side, now, reading.progress) for gate in self.row.gates)
            excursion = counter.update(Sample(t, reading.progress, reading.lead, reading.visibility, gates))
            readings.append((reading.progress, counter.phase))
            if excursion is not None and _trusted(excursion) and not self._counted(side, excursion):
                self._latest[side] = excursion
                complete = self._repetition(side, excursion)
        if readings:
            self.progress, self.phase = max(readings, key=lambda reading: reading[0])
        return complete

    @property
    def under_way(self) -> bool:
        """Whether a movement is in progress."""
        return any(counter.under_way_since is not None for counter in self._limbs.values())

    def _counted(self, side: Side | None, new: Excursion) -> bool:
        """Whether the other limb's repetition was this one."""
        others = (old for limb, old in self._latest.items() if limb != side)
        return any(
            min(old.ended, new.ended) - max(old.began, new.began)
            > SAME * min(old.ended - old.began, new.ended - new.began)
            for old in others
        )

    def _repetition(self, side: Side | None, excursion: Excursion) -> Repetition:
        self.fit = min(excursion.span, 1 / excursion.span) if self._stillness.take() else 0.0
        self.reps += excursion.full
        self.partial_reps += not excursion.full
        for limb, counter in self._limbs.items():
            since = counter.under_way_since
            if limb != side and since is not None and since < excursion.peaked:
                side = "both"
        out, back = excursion.peaked - excursion.began, excursion.ended - excursion.peaked
        eccentric, concentric = (out, back) if self.row.out == "eccentric" else (back, out)
        is_angle = not self.row.parts[0].signal.endswith(("_gap", "_rise"))
        return Repetition(
            t=excursion.peaked,
            kind="rep" if excursion.full else "partial",
            side=side,
            duration_s=excursion.ended - excursion.began,
            eccentric_s=eccentric,
            concentric_s=concentric,
            range_deg=abs(excursion.high - excursion.low) if is_angle else None,
            peak_deg=excursion.high if is_angle else None,
        )


class HoldWatch:
    """Times how long a person stays in the position of a hold."""

    def __init__(self, row: Exercise) -> None:
        self.row = row
        self.hold_s = 0.0
        """All holds so far, in seconds."""
        self.holding = False
        self.present_s = 0.0
        """The present hold, in seconds."""
        self._since: float | None = None
        self._inside_at = 0.0

    def update(self, now: Signals, t: float) -> None:
        """Feed one moment at `t` seconds; the time between two moments far apart is not credited."""
        if self._since is not None and t - self._inside_at > HOLD_GAP_S:
            self._since, self.holding, self.present_s = None, False, 0.0
        if all(is_open(gate, "both", now, 1.0) for gate in self.row.gates):
            if self._since is None:
                self._since = self._inside_at = t
            gained = t - (self._inside_at if self.holding else self._since)
            self.holding = self.holding or gained >= HOLD_AFTER_S
            if self.holding:
                self.hold_s += gained
                self.present_s += gained
            self._inside_at = t


def _trusted(excursion: Excursion) -> bool:
    """Whether the movement was seen, and in a position in which it can be the exercise."""
    return excursion.allowed >= GATE_SHARE and excursion.visibility >= SEEN_SHARE


def read(parts: tuple[Part, ...], side: Side | None, now: Signals) -> _Reading | None:
    """Progress of a limb; with both limbs together their mean by visibility; None when none is seen.

    The mean, so that a misread limb costs half: one that moves alone makes half a repetition at most.
    """
    if side != "both":
        return _read_limb(parts, side, now)
    limbs = [limb for limb in (_read_limb(parts, "left", now), _read_limb(parts, "right", now)) if limb]
    if not limbs:
        return None
    clearest = max(limb.visibility for limb in limbs)
    clear = [limb for limb in limbs if limb.visibility >= CLEARER * clearest]
    progress, lead, visibility = np.average(
        clear, axis=0, weights=[limb.visibility for limb in clear]
    ).tolist()
    return _Reading(progress, lead, visibility)


def _read_limb(parts: tuple[Part, ...], side: Side | None, now: Signals) -> _Reading | None:
    """The parts' progress, weighted by how well each is seen."""
    total = weight = 0.0
    lead = None
    for part in parts:
        value, visibility = now[_named(part.signal, side)]
        if visibility < GUESSED:
            continue
        lead = value if lead is None else lead
        total += visibility * (value - part.rest) / (part.full - part.rest)
        weight += visibility
    return None if lead is None else _Reading(total / weight, lead, weight / len(parts))


def is_open(gate: Gate, side: Side | None, now: Signals, progress: float) -> bool | None:
    """Whether a gate is open; None where it does not apply at this `progress` or its joints are not seen."""
    if gate.when == "far_end" and progress < 0.5:
        return None
    names = [_named(gate.signal, limb) for limb in (("left", "right") if side in ("both", None) else (side,))]
    seen = [
        value for value, visibility in (now[name] for name in dict.fromkeys(names)) if visibility >= VISIBLE
    ]
    return gate.at_least <= sum(seen) / len(seen) <= gate.at_most if seen else None


def _named(signal: str, side: Side | None) -> str:
    return f"{signal}_{side}" if signal in SIDED else signal
