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
HOLE_S = 0.25
"""Seconds without a moment after which the start position may be another one than the latest that was seen."""
REST_S = 0.3
"""Seconds near a position that make it one to start from: before, somebody may be on the way already."""
OVER_S = 0.2
"""Seconds without going farther back after which a way back is over."""


def _time_share(distance: float) -> float:
    """Share of the time of a smooth movement (half a cosine) in which `distance` of it is covered."""
    return math.acos(1 - 2 * distance) / math.pi


_LEAVING = _time_share(NEAR)
_COUNTED = _time_share(RETURN)


class Excursion(NamedTuple):
    """One movement out and back.

    It is complete before the person is back, so its beginning and end are extrapolated from the middle part that was
    seen, as those of a smooth movement: within a tenth of its duration.
    """

    full: bool
    left: float
    """Seconds: the last moment near the start position."""
    began: float
    peaked: float
    counted: float
    """When enough of the way back was seen."""
    ended: float
    low: float
    """Progress at the start position."""
    span: float
    """Size in textbook repetitions."""
    again: bool = False
    """It is the one before, now that its way back is over: its start position had not been seen."""


class _Way:
    """The excursion in progress."""

    __slots__ = ("high", "high_at", "joined", "left_at", "low", "trough", "trough_at", "turned_at")

    def __init__(
        self, low: float, left_at: float, t: float, progress: float, *, joined: bool = False
    ) -> None:
        self.joined = joined
        """It was under way already when somebody came in sight: `low` is where, and no start position."""
        self.low = low
        self.left_at = left_at
        """The last moment near the start position."""
        self.high = self.trough = progress
        """The far end so far, and the lowest point since."""
        self.high_at = self.trough_at = self.turned_at = t
        """`turned_at`: the last moment near the far end."""

    @property
    def span(self) -> float:
        return self.high - self.low

    def add(self, t: float, progress: float) -> float:
        """Take one moment; the share of the way that has been gone back."""
        if progress > self.high:
            self.high = self.trough = progress
            self.high_at = self.trough_at = t
        elif progress < self.trough:
            self.trough, self.trough_at = progress, t
        back = (self.high - progress) / (self.high - self.low)
        if back < NEAR:  # back at the far end: what was between was no way back
            self.turned_at = self.trough_at = t
            self.trough = progress
        return back

    def join(self, low: float) -> None:
        """Its start position is known by now: the one that it came back to, if that is beyond the first sight."""
        if self.joined:
            self.joined, self.low = False, min(self.low, low)

    def excursion(self, *, full: bool, counted: float, ended: float) -> Excursion:
        out = (self.high_at - self.left_at) / (1 - _LEAVING)
        return Excursion(
            full=full,
            left=self.left_at,
            began=self.high_at - out,
            peaked=self.high_at,
            counted=counted,
            ended=ended,
            low=self.low,
            span=self.span,
        )


class Counter:
    """Counts the excursions of one progress signal."""

    def __init__(self, min_s: float, max_s: float) -> None:
        """`min_s`, `max_s`: bounds in seconds for one repetition, from leaving the start to counting."""
        self._bounds = (min_s, max_s)
        self._spans: deque[float] = deque(maxlen=LATEST)
        self.stir = STIR
        """How far to leave the start position for a repetition to begin."""
        self.full = FULL
        """Excursion from which a repetition is a full one for this person."""
        self.reset()

    def reset(self) -> None:
        """Forget the excursion in progress; the person's range stays known."""
        self._low: float | None = None
        self._low_at = self._left_at = 0.0
        self._latest = 0.0
        self._joined: tuple[float, float] | None = None
        """Since when somebody has been in sight whose start position is not known yet, and the lowest until then."""
        self._open: tuple[_Way, bool] | None = None
        """A way whose start position was not seen and whose way back is not over, and whether it was told of."""
        self._way: _Way | None = None
        self.phase: Phase = "ready"

    @property
    def under_way_since(self) -> float | None:
        """When the movement in progress left the start position; None at rest."""
        return self._way.left_at if self._way else None

    @property
    def peak(self) -> tuple[float, float] | None:
        """Of the movement in progress: the time of the far end so far, and the way there; None at rest."""
        return (self._way.high_at, self._way.span) if self._way else None

    def update(self, t: float, progress: float) -> Excursion | None:
        """Feed one moment at `t` seconds; returns an excursion at the moment it is complete.

        `progress`: 0 at the start position, 1 at the far end of a textbook repetition.
        """
        way = self._way
        if way is None:
            if self._low is None or (t - self._latest > HOLE_S and self._low_at == self._latest):
                self._joined = t, progress if self._low is None else self._low
            self._wait(t, progress)
            self._latest = t
            return self._at_home(t, progress)
        self._latest = t
        back = way.add(t, progress)
        if back < NEAR:
            self.phase = "peak" if way.span >= self.full else "out"
        else:
            self.phase = "back"
        on_the_way_s = t - way.turned_at
        if back >= RETURN and on_the_way_s >= MISREAD * self._bounds[0]:
            rest = on_the_way_s * (1 - _COUNTED) / (_COUNTED - _LEAVING)
            done = self._complete(way, counted=t, ended=t + rest, low=progress)
            if way.joined:
                self._open = way, done is not None
            return done
        fall, rise = way.high - way.trough, progress - way.trough
        if on_the_way_s >= self._bounds[0] and fall >= self.stir and rise >= max(self.stir, AGAIN * fall):
            way.join(way.trough)
            excursion = self._complete(way, counted=way.trough_at, ended=way.trough_at, low=way.trough)
            self._way = _Way(way.trough, way.trough_at, t, progress)
            self.phase = "out"
            return excursion
        if t - way.left_at > self._bounds[1]:
            self.reset()  # no repetition takes that long: where the person is now is the start position
        return None

    def _at_home(self, t: float, progress: float) -> Excursion | None:
        """Once its way back is over, that tells how large a movement was whose start position was not seen."""
        low, low_at = self._low, self._low_at
        if self._open is None or low is None:
            return None
        way, told = self._open
        if progress - low < NEAR * (way.high - low) and t - low_at < OVER_S:
            return None
        self._open = None
        if told:
            self._spans.pop()
        way.join(low)
        done = self._tell(way, counted=low_at, ended=low_at)
        return done._replace(again=told) if done else None

    def _complete(self, way: _Way, *, counted: float, ended: float, low: float) -> Excursion | None:
        """End the way; an excursion if it took as long as a repetition may."""
        self._way, self._low, self._low_at, self._left_at = None, low, counted, counted
        if way.joined and way.span < self.full:
            return None  # how large it is, the way back will tell
        return self._tell(way, counted=counted, ended=ended)

    def _tell(self, way: _Way, *, counted: float, ended: float) -> Excursion | None:
        shortest, longest = self._bounds
        if not shortest <= counted - way.left_at <= longest:
            return None
        full = way.span >= self.full
        self._remember(way.span)
        return way.excursion(full=full, counted=counted, ended=ended)

    def _remember(self, span: float) -> None:
        self._spans.append(span)
        if len(self._spans) >= 2:
            self.stir = max(STIR, STIR_SHARE * median(self._spans))
        if len(self._spans) >= 3:
            low, high = FULL_LIMITS
            self.full = min(max(FULL_SHARE * median(self._spans), low), high)

    def _wait(self, t: float, progress: float) -> None:
        """At or near the start position: follow it down, and notice when it is left."""
        if self._low is None or progress < self._low:
            self._low, self._low_at = progress, t
        if progress <= self._low + NEAR:
            self._left_at = t
            self.phase = "ready"
        elif progress >= self._low + self.stir:
            self._way = _Way(self._low, self._left_at, t, progress, joined=self._just_joined(self._low))
            self._joined = None
            self.phase = "out"

    def _just_joined(self, low: float) -> bool:
        """Whether the start position `low`, which is left now, is only where somebody came in sight."""
        if self._joined is None or low <= 0:
            return False
        since, lowest = self._joined
        return self._left_at - since < REST_S and low > lowest - NEAR / 2
