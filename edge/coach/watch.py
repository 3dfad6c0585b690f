"""Rows watching one person: from signals to movements, and from movements to repetitions of a row."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.coach.counter import Counter, Excursion
from edge.coach.judge import Judge, Verdict
from edge.coach.lanes import Lane, Lanes
from edge.coach.records import Repetition
from edge.coach.survey import survey
from edge.motion.course import Course

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.coach.exercise import Exercise, Part
    from edge.coach.records import Phase, Side
    from edge.coach.survey import Survey
    from edge.motion.signals import Signals

BRIDGE_S = 1.5
"""Seconds without a usable signal after which the movement in progress is given up."""
SAME = 0.3
"""Share of a repetition's time up to which both limbs' far ends are one repetition."""
SLOWER = (1.5, 1.0, 0.7)
"""How many times as long as the way back the way out may take in a movement that is looked at again."""
ASIDE = 0.7
"""Share of the other limb's way at the same time below which a limb only goes along with it."""
TOGETHER = 0.9
"""Share of the shorter movement in which both limbs are under way, from which they are one repetition."""
MEANWHILE = 0.8
"""Share of a movement's time in which the other limb was under way, too, from which it happened meanwhile."""
SAME_SIZE = 0.5
"""Share of one limb's way that the other must go, too."""
BEFORE_S = 0.5
"""Seconds before a movement that show its start position, and a jump that came before."""
UNTIL_COUNTED = 0.6
"""Share of a repetition's time from leaving the start position until it is counted, at least."""
ENOUGH, LATEST = 2, 4
"""At least and at most so many repetitions of a set tell what the next one is like,"""
ALIKE = 1.4
"""and by how many times it may differ from them."""
BRIEF = 0.25
"""Share of such a one for which a joint that otherwise keeps its place may have been read elsewhere."""
MISREAD = 2
"""So many of them may follow each other."""
_LIMBS: dict[str, tuple[Side | None, ...]] = {
    "together": ("both",),
    "each": ("left", "right"),
    "whole": (None,),
}


class Movement(NamedTuple):
    """What a row makes of a movement out and back."""

    repetition: Repetition
    """As it would count."""
    verdict: Verdict
    seen: Survey
    """What the body looked like meanwhile."""

    def overlaps(self, other: Repetition) -> bool:
        """Whether it was at its far end about when `other` was."""
        return abs(self.repetition.t - other.t) < min(self.repetition.duration_s, other.duration_s) / 2


class _Limb:
    """One lane and its counter."""

    def __init__(self, lane: int, side: Side | None, counter: Counter) -> None:
        self.lane = lane
        self.side = side
        self.counter = counter
        self.seen_at = 0.0
        self.progress: float | None = None
        self.latest: Excursion | None = None
        self.before: Excursion | None = None
        """The one before the latest."""
        self.accepted = False
        """Whether the latest was any row's."""

    def peaks(self) -> list[tuple[float, float]]:
        """When it was furthest, and how far: in the movement in progress, and in the latest one."""
        peaks = [] if self.counter.peak is None else [self.counter.peak]
        return peaks if self.latest is None else [*peaks, (self.latest.peaked, self.latest.span)]


class Track:
    """A movement that one row or several count: rows that differ in posture alone share it."""

    def __init__(self, row: Exercise, first_lane: int) -> None:
        self.limbs = [
            _Limb(first_lane + n, side, Counter(UNTIL_COUNTED * row.min_s, row.max_s))
            for n, side in enumerate(_LIMBS[row.sides])
        ]
        self.watches: list[Watch] = []

    @property
    def under_way(self) -> bool:
        """Whether a movement is in progress."""
        return any(limb.counter.under_way_since is not None for limb in self.limbs)

    def survey(self, limb: _Limb, excursion: Excursion, course: Course, brief: float = 0.0) -> Survey:
        """What the body looked like during an excursion; who was elsewhere for a share `brief` of it was misread."""
        before = limb.before.counted if limb.before else float("-inf")
        window = course.window(max(excursion.left - BEFORE_S, before), excursion.counted)
        share = (window.progress[:, limb.lane] - excursion.low) / excursion.span
        during = np.count_nonzero(window.times >= excursion.left)
        return survey(window, share, round(brief * during))

    def shorter(self, limb: _Limb, excursion: Excursion, course: Course, slower: float) -> Excursion | None:
        """The same movement, its way out at most so many times `slower` than the way back; None where it is anyway.

        Who gets down to the floor, or lifts a weight, and goes on with the first repetition leaves another start
        position than the one to which each repetition comes back.
        """
        back_s = max(excursion.ended - excursion.peaked, BEFORE_S)
        since = excursion.peaked - slower * back_s
        if since <= excursion.left:
            return None
        window = course.window(since, excursion.peaked)
        progress = np.fmin(window.progress[:, limb.lane], np.inf)  # unseen is no lowest point
        if not len(progress):
            return None
        at = int(progress.argmin())
        left, low = float(window.times[at]), float(progress[at])
        span = excursion.low + excursion.span - low
        if span <= 0:
            return None
        return excursion._replace(
            left=left, began=left, low=low, span=span, full=excursion.full and span >= limb.counter.full
        )

    def look_calmly(
        self, watch: Watch, limb: _Limb, excursion: Excursion, course: Course, refused: Movement | None
    ) -> Movement | None:
        """What a row makes of a movement that it refused, though it is like its latest: it may have been misread."""
        if refused is None or refused.verdict.accepted or not watch.goes_on(excursion):
            return refused
        seen = self.survey(limb, excursion, course, BRIEF)
        movement = watch.consider(limb.side, excursion, seen, calm=True)
        return movement if movement is not None and movement.verdict.accepted else refused

    def state(self) -> tuple[float | None, Phase]:
        """Progress and phase of the limb that is furthest."""
        limb = max(self.limbs, key=lambda limb: -1e9 if limb.progress is None else limb.progress)
        return limb.progress, limb.counter.phase


class Watch:
    """One row's view of a track."""

    def __init__(self, row: Exercise, track: Track) -> None:
        self.row = row
        self.track = track
        self._judge = Judge(row)
        self._latest: dict[Side | None, Excursion] = {}
        """The latest movement of each limb that was the row's."""
        self._alike: deque[Excursion] = deque(maxlen=LATEST)
        """The latest full ones that were, as they were seen."""
        self._misread = 0
        """How many since then were, but for a joint that was misread."""

    def goes_on(self, excursion: Excursion) -> bool:
        """Whether a movement is like the row's latest in time and size, so that it is probably one more."""
        if len(self._alike) < ENOUGH or self._misread >= MISREAD:
            return False
        return all(
            1 / ALIKE < size(excursion) / median(map(size, self._alike)) < ALIKE for size in (_time, _span)
        )

    def consider(
        self, side: Side | None, excursion: Excursion, seen: Survey, *, calm: bool = False
    ) -> Movement | None:
        """What the row makes of a movement; None where it is the other limb's, seen before.

        `calm`: in `seen` is not all that was seen of it.
        """
        if self._counted(side, excursion) or self._aside(side, excursion):
            return None
        verdict = self._judge(seen, side, full=excursion.full)
        if verdict.accepted:
            self._latest[side] = excursion
            self._misread = self._misread + 1 if calm else 0
            if excursion.full and not calm:
                self._alike.append(excursion)
        repetition = self._repetition(self._moving(side, excursion), excursion, verdict)
        return Movement(repetition, verdict, seen)

    def _counted(self, side: Side | None, new: Excursion) -> bool:
        """Whether the other limb's repetition was this one."""
        return any(_together(old, new) for limb, old in self._latest.items() if limb != side)

    def _aside(self, side: Side | None, excursion: Excursion) -> bool:
        """Whether the other limb makes a larger movement meanwhile: this one only goes along."""
        near = SAME * (excursion.ended - excursion.began)
        others = [limb for limb in self.track.limbs if limb.side != side]
        peaks = [limb.counter.peak for limb in others]
        return any(
            abs(peak[0] - excursion.peaked) < near and excursion.span < ASIDE * peak[1]
            for peak in peaks
            if peak is not None
        ) or any(
            excursion.span < ASIDE * other.span
            and min(other.counted, excursion.counted) - max(other.left, excursion.left)
            > MEANWHILE * (excursion.counted - excursion.left)
            for other in (limb.latest for limb in others)
            if other is not None
        )

    def _moving(self, side: Side | None, excursion: Excursion) -> Side | None:
        """`both`, where the other limb was at its far end at the same time.

        One that takes turns is on its way out while this one comes back: it is furthest only now.
        """
        near = min(SAME * (excursion.ended - excursion.began), (excursion.counted - excursion.peaked) / 2)
        for limb in self.track.limbs:
            if limb.side != side and any(
                abs(at - excursion.peaked) < near and span > SAME_SIZE * excursion.span
                for at, span in limb.peaks()
            ):
                return "both"
        return side

    def _repetition(self, side: Side | None, excursion: Excursion, verdict: Verdict) -> Repetition:
        out, back = excursion.peaked - excursion.began, excursion.ended - excursion.peaked
        eccentric, concentric = (out, back) if self.row.out == "eccentric" else (back, out)
        low, high = verdict.low, verdict.high
        return Repetition(
            t=excursion.peaked,
            kind="rep" if excursion.full else "partial",
            side=side,
            duration_s=excursion.ended - excursion.began,
            eccentric_s=eccentric,
            concentric_s=concentric,
            range_deg=None if low is None or high is None else abs(high - low),
            peak_deg=high,
        )


def _time(one: Excursion) -> float:
    return one.counted - one.left


def _span(one: Excursion) -> float:
    return one.span


def _together(one: Excursion, other: Excursion) -> bool:
    """Whether two limbs made one repetition: alternating ones are half a repetition apart."""
    apart = abs(one.peaked - other.peaked)
    if apart < SAME * min(one.ended - one.began, other.ended - other.began):
        return True
    # At a far end that is held, either may be furthest at any time.
    shorter = min(one.counted - one.left, other.counted - other.left)
    both = min(one.counted, other.counted) - max(one.left, other.left)
    return both > TOGETHER * shorter and apart < shorter / 2


class Watches:
    """All rows that watch one person. What they have in common is computed once."""

    def __init__(self, rows: Sequence[Exercise]) -> None:
        """`rows`: of repetitions, or movements that are known and not counted."""
        self.watches: list[Watch] = []
        tracks: dict[tuple[tuple[Part, ...], str, float, float], Track] = {}
        lanes: list[Lane] = []
        for row in rows:
            key = (row.parts, row.sides, row.min_s, row.max_s)
            if key not in tracks:
                tracks[key] = Track(row, len(lanes))
                lanes += [Lane(row.parts, side) for side in _LIMBS[row.sides]]
            self.watches.append(Watch(row, tracks[key]))
            tracks[key].watches.append(self.watches[-1])
        self.known: set[Track] = set(tracks.values())
        """Tracks of what somebody is known to do: partial repetitions matter there, and more than a second look."""
        self._limbs = [(limb, track) for track in tracks.values() for limb in track.limbs]
        self._lanes = Lanes(lanes) if lanes else None
        self.course = Course(len(lanes))

    def update(self, now: Signals, t: float) -> list[tuple[Watch, Movement]]:
        """Feed one moment at `t` seconds: the movements that are complete, as each row sees them."""
        if self._lanes is None:
            self.course.add(t, now)
            return []
        progress = self._lanes.progress(*now.arrays)
        self.course.add(t, now, progress)
        complete = []
        for (limb, track), way in zip(self._limbs, progress.tolist(), strict=True):
            limb.progress = way
            if way != way:  # noqa: PLR0124 - not a number: the limb is not seen
                limb.progress = None
                continue
            if t - limb.seen_at > BRIDGE_S:
                limb.counter.reset()
            limb.seen_at = t
            excursion = limb.counter.update(t, way)
            if excursion is None or (excursion.again and limb.accepted):
                continue
            if excursion.full or track in self.known:
                if not excursion.again:
                    limb.before = limb.latest
                limb.latest = excursion
                complete.append((limb, track, excursion))
        found = []
        for limb, track, excursion in complete:
            seen = track.survey(limb, excursion, self.course)
            looks = [(watch, watch.consider(limb.side, excursion, seen)) for watch in track.watches]
            again = SLOWER if track in self.known else SLOWER[-1:]
            for slower in again if excursion.full else ():
                if any(movement is None or movement.verdict.accepted for _, movement in looks):
                    break
                shorter = track.shorter(limb, excursion, self.course, slower)
                if shorter is not None:
                    seen = track.survey(limb, shorter, self.course)
                    looks = [(watch, watch.consider(limb.side, shorter, seen)) for watch in track.watches]
            if excursion.full and track in self.known:
                looks = [
                    (watch, track.look_calmly(watch, limb, excursion, self.course, movement))
                    for watch, movement in looks
                ]
            limb.accepted = any(movement is None or movement.verdict.accepted for _, movement in looks)
            found += [(watch, movement) for watch, movement in looks if movement is not None]
        return found
