"""Counting: a repetition is an excursion from the start position to the far end and back.

The counter sees one number a moment: progress, 0 at the start position and 1 at the far end of a textbook
repetition. It looks for turning points and believes one only after the signal has come back by a share of the
excursion, so that trembling, a stepped descent or a pause on the way are no repetitions of their own. How much is
enough follows the person's own range, within what anatomy allows. Causal: a decision uses the past alone.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from edge.coach.records import Phase

STIR = 0.3
"""Least excursion that is a movement at all, in textbook repetitions."""
FULL = 0.55
"""Excursion from which a repetition is a full one, until the person's own range is known."""
FULL_LIMITS = (0.4, 0.75)
"""Within these the person's own range decides: FULL_SHARE of the median of the latest excursions."""
FULL_SHARE = 0.6
STIR_SHARE = 0.35
RETURN = 0.6
"""Share of the excursion to come back by until it counts."""
MISREAD = 1 / 3
"""Share of the shortest repetition's time that the way back takes at least: a picture or two may be misread."""
NEAR = 0.15
"""Share of the excursion within which a position counts as one of its ends."""
AGAIN = 0.5
"""Share of the way back to leave a turning point by for the next repetition: the person rests elsewhere now."""
LATEST = 5


def _time_share(distance: float) -> float:
    """Share of the time of a smooth movement (half a cosine) in which `distance` of it is covered."""
    return math.acos(1 - 2 * distance) / math.pi


_LEAVING = _time_share(NEAR)
_COUNTED = _time_share(RETURN)


class Sample(NamedTuple):
    """What a counter needs to know of one moment."""

    t: float
    """Seconds, increasing."""
    progress: float
    """0 at the start position, 1 at the far end of a textbook repetition."""
    lead: float
    """The leading signal's own value, reported with the repetition."""
    visibility: float
    """How well the joints behind it are seen, 0-1."""
    gates: tuple[bool | None, ...] = ()
    """For each condition of the exercise whether it holds; None where it cannot be told or does not apply."""


class Excursion(NamedTuple):
    """One movement out and back.

    It is complete before the person is back, so its beginning and end are extrapolated from the middle part that was
    seen, as those of a smooth movement: within a tenth of its duration.
    """

    full: bool
    began: float
    """Seconds."""
    peaked: float
    ended: float
    span: float
    """Size in textbook repetitions."""
    low: float
    high: float
    """The leading signal at the start position and at the far end."""
    visibility: float
    """Mean of its samples."""
    allowed: float
    """The least share of the samples, over all conditions, in which one held; 1 where none could be judged."""


class _Way:
    """The excursion in progress."""

    def __init__(self, low: Sample, left_at: float, now: Sample) -> None:
        self.low = low
        self.left_at = left_at
        """The last moment near the start position."""
        self.high = self.trough = now
        """The far end so far, and the lowest point since."""
        self.turned_at = now.t
        """The last moment near the far end."""
        self.samples = 0
        self.visibility = 0.0
        self.judged = [0] * len(now.gates)
        self.held = [0] * len(now.gates)

    @property
    def span(self) -> float:
        return self.high.progress - self.low.progress

    def add(self, now: Sample) -> None:
        self.samples += 1
        for at, holds in enumerate(now.gates):
            self.judged[at] += holds is not None
            self.held[at] += holds is True
        self.visibility += now.visibility
        if now.progress > self.high.progress:
            self.high = self.trough = now
        if now.progress < self.trough.progress:
            self.trough = now
        if self.back(now) < NEAR:  # back at the far end: what was between was no way back
            self.turned_at = now.t
            self.trough = now

    def back(self, now: Sample) -> float:
        """Share of the way that has been gone back."""
        return (self.high.progress - now.progress) / self.span

    def excursion(self, *, full: bool, ended: float) -> Excursion:
        out = (self.high.t - self.left_at) / (1 - _LEAVING)
        return Excursion(
            full=full,
            began=self.high.t - out,
            peaked=self.high.t,
            ended=ended,
            span=self.span,
            low=self.low.lead,
            high=self.high.lead,
            visibility=self.visibility / self.samples,
            allowed=min((held / n for held, n in zip(self.held, self.judged, strict=True) if n), default=1.0),
        )


class Counter:
    """Counts the excursions of one progress signal."""

    def __init__(self, min_s: float, max_s: float) -> None:
        """`min_s`, `max_s`: bounds in seconds for one repetition, from leaving the start to counting."""
        self._bounds = (min_s, max_s)
        self._spans: deque[float] = deque(maxlen=LATEST)
        self.reset()

    def reset(self) -> None:
        """Forget the excursion in progress; the person's range stays known."""
        self._low: Sample | None = None
        self._left_at = 0.0
        self._way: _Way | None = None
        self.phase: Phase = "ready"

    @property
    def stir(self) -> float:
        """How far to leave the start position for a repetition to begin."""
        return max(STIR, STIR_SHARE * median(self._spans)) if len(self._spans) >= 2 else STIR

    @property
    def full(self) -> float:
        """Excursion from which a repetition is a full one for this person."""
        if len(self._spans) < 3:
            return FULL
        low, high = FULL_LIMITS
        return min(max(FULL_SHARE * median(self._spans), low), high)

    @property
    def under_way_since(self) -> float | None:
        """When the movement in progress left the start position; None at rest."""
        return self._way.left_at if self._way else None

    def update(self, now: Sample) -> Excursion | None:
        """Feed one moment; returns an excursion at the moment it is complete."""
        way = self._way
        if way is None:
            self._wait(now)
            return None
        way.add(now)
        back = way.back(now)
        if back < NEAR:
            self.phase = "peak" if way.span >= self.full else "out"
        else:
            self.phase = "back"
        on_the_way_s = now.t - way.turned_at
        if back >= RETURN and on_the_way_s >= MISREAD * self._bounds[0]:
            rest = (now.t - way.turned_at) * (1 - _COUNTED) / (_COUNTED - _LEAVING)
            return self._complete(way, counted=now, ended=now.t + rest, next_low=now)
        fall, rise = way.high.progress - way.trough.progress, now.progress - way.trough.progress
        if on_the_way_s >= self._bounds[0] and fall >= self.stir and rise >= max(self.stir, AGAIN * fall):
            excursion = self._complete(way, counted=way.trough, ended=way.trough.t, next_low=way.trough)
            self._way = _Way(way.trough, way.trough.t, now)
            self.phase = "out"
            return excursion
        if now.t - way.left_at > self._bounds[1]:
            self.reset()  # no repetition takes that long: where the person is now is the start position
        return None

    def _complete(self, way: _Way, *, counted: Sample, ended: float, next_low: Sample) -> Excursion | None:
        """End the way; an excursion if it took as long as a repetition may."""
        full = way.span >= self.full
        self._way, self._low, self._left_at = None, next_low, next_low.t
        shortest, longest = self._bounds
        if not shortest <= counted.t - way.left_at <= longest:
            return None
        self._spans.append(way.span)
        return way.excursion(full=full, ended=ended)

    def _wait(self, now: Sample) -> None:
        """At or near the start position: follow it down, and notice when it is left."""
        if self._low is None or now.progress <= self._low.progress:
            self._low = now
        if now.progress <= self._low.progress + NEAR:
            self._left_at = now.t
            self.phase = "ready"
        if now.progress >= self._low.progress + self.stir:
            self._way = _Way(self._low, self._left_at, now)
            self.phase = "out"
