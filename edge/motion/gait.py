"""Feet on the ground: contacts, strides and their shares, from the courses of the feet against the body.

A foot that stands is still on the ground: against the body it moves backwards at the speed of travel. So the speed
is that of the standing feet, on a floor as on a treadmill. The foot is furthest ahead about when it lands and
furthest behind about when it leaves (Zeni et al., Gait Posture 27:710, 2008); from there the moment is sought at
which its speed over the ground is lost or gained (O'Connor et al., Gait Posture 25:469, 2007).

The same code reads people and dogs: a row names the feet.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.smooth import least_width, smooth

if TYPE_CHECKING:
    from edge.motion.progress import Progress

Array = npt.NDArray[np.float64]
Kind = Literal["contact", "lift"]


class Level(NamedTuple):
    """Shares of the speed of travel between which a foot's speed over the ground is that of a standing one."""

    landed: float
    leaving: float

    def blurred(self, share: float) -> Level:
        """As smoothing blurs them: the wider (`share` of a stride) the sooner a foot seems to slow and to leave."""
        more = _BLUR * max(share - _UNBLURRED, 0.0)
        return Level(min(self.landed + more, 0.95), min(self.leaving + more, 0.95))


WALKING, RUNNING = Level(0.48, 0.34), Level(0.24, 0.03)
"""From generated walks and runs of known contacts (docs/accuracy.md); a foot that runs leaves faster."""
RUNS = 0.5
"""Stance below this share of a stride leaves a time without contact."""
_PROMINENCE = 0.25
"""Least sweep of a foot, from furthest behind to furthest ahead, as a share of the usual one."""
_SHORTEST_S, _LONGEST_S = 0.25, 2.5
"""A stride takes this long."""
_SHORTEST_SWING_S = {"human": 0.2, "dog": 0.06}
"""From furthest behind to furthest ahead, of a sprinter and of a small dog: what is shorter is a foot misread."""
_REGULAR = (0.65, 1.5)
"""What is shorter or longer than the usual stride by these factors has a contact too many, or misses one."""
_ON_HEEL, _ON_TOE = (0.1, 0.55), (0.3, 0.85)
"""Parts of a stance in which the heel and the toe surely stand still."""
_BLUR, _UNBLURRED = 5.0, 0.055
_SHARP = 0.085
"""Half width of the smoothing, as a share of a stride."""
_SEARCH = 0.2
"""The moment of contact is sought within this share of a stride from the extreme."""


class Foot(NamedTuple):
    """A foot: the point that lands first and the one that leaves last."""

    name: str
    landing: str
    leaving: str


FEET: dict[str, tuple[Foot, ...]] = {
    "human": (Foot("left", "heel_left", "toe_left"), Foot("right", "heel_right", "toe_right")),
    "dog": (
        Foot("front_left", "wrist_left", "wrist_left"),
        Foot("front_right", "wrist_right", "wrist_right"),
        Foot("hind_left", "ankle_left", "ankle_left"),
        Foot("hind_right", "ankle_right", "ankle_right"),
    ),
}


PAIRS: dict[str, tuple[tuple[str, str], ...]] = {
    "human": (("left", "right"),),
    "dog": (("front_left", "front_right"), ("hind_left", "hind_right")),
}
"""Feet that land by turns."""


class Contact(NamedTuple):
    """A foot lands or leaves."""

    t: float
    foot: str
    kind: Kind


class Stride(NamedTuple):
    """From a landing of a foot to its next."""

    foot: str
    start: float
    end: float
    lift: float
    """When it leaves in between."""

    @property
    def time(self) -> float:
        """Seconds."""
        return self.end - self.start

    @property
    def stance(self) -> float:
        """Share of the stride in which the foot is on the ground, 0-1."""
        return (self.lift - self.start) / self.time


class Gait(NamedTuple):
    """Contacts and strides of a walk, and the speed of travel in the unit of its positions."""

    contacts: list[Contact]
    strides: list[Stride]
    speed: float
    """Units a second; NaN without strides."""
    uneven: int = 0
    """Strides that were left out because the other foot of the pair did not land once in them."""


class _Extreme(NamedTuple):
    """A foot is furthest ahead, or furthest behind."""

    t: float
    reach: float
    """How far, in the unit of the positions."""


class _Course(NamedTuple):
    """A foot's speeds against the body, and about when it lands and leaves."""

    foot: Foot
    landing: Array
    leaving: Array
    fronts: list[float]
    backs: list[float]


def gait(progress: Progress, species: str) -> Gait:
    """Contacts and strides of someone who walks, trots or runs; empty where nobody does."""
    period = _period(progress, FEET[species])
    courses = _courses(progress, FEET[species], _SHARP * period, _SHORTEST_SWING_S[species])
    speeds = [speed for course in courses for speed in _stance_speeds(progress, course)]
    if not speeds:
        return Gait([], [], float("nan"))
    speed = _typical(speeds)
    share = least_width(progress.times, _SHARP * period) / period
    runs = _read(progress.times, courses, speed, period, RUNNING.blurred(share), PAIRS[species])
    if _typical_stance(runs) < RUNS:
        return runs
    return _read(progress.times, courses, speed, period, WALKING.blurred(share), PAIRS[species])


def _courses(
    progress: Progress, feet: tuple[Foot, ...], half_width_s: float, shortest_swing_s: float
) -> list[_Course]:
    times = progress.times
    landing, leaving = (
        smooth(
            times,
            np.stack([progress.ahead(point) for point in points], axis=1),
            np.stack([progress.weight(point) for point in points], axis=1),
            half_width_s,
        )
        for points in ([foot.landing for foot in feet], [foot.leaving for foot in feet])
    )
    found = []
    for column, foot in enumerate(feet):
        fronts = _extremes(times, landing.value[:, column])
        backs = _extremes(times, -leaving.value[:, column])
        fronts, backs = _by_turns(fronts, backs, shortest_swing_s)
        found.append(
            _Course(
                foot,
                landing.speed[:, column],
                leaving.speed[:, column],
                [one.t for one in fronts],
                [one.t for one in backs],
            )
        )
    return found


def _by_turns(
    fronts: list[_Extreme], backs: list[_Extreme], shortest_s: float
) -> tuple[list[_Extreme], list[_Extreme]]:
    """When the foot is furthest ahead and furthest behind by turns, and swings no faster than a foot can."""
    kept: list[tuple[_Extreme, bool]] = []
    for one, ahead in sorted([(one, True) for one in fronts] + [(one, False) for one in backs]):
        if kept and kept[-1][1] == ahead:
            kept[-1] = max(kept[-1], (one, ahead), key=lambda turn: turn[0].reach)
        elif kept and ahead and one.t - kept[-1][0].t < shortest_s:
            kept.pop()
        else:
            kept.append((one, ahead))
    return [one for one, ahead in kept if ahead], [one for one, ahead in kept if not ahead]


def _read(
    times: Array,
    courses: list[_Course],
    speed: float,
    period: float,
    level: Level,
    pairs: tuple[tuple[str, str], ...],
) -> Gait:
    reach = _SEARCH * period
    contacts: list[Contact] = []
    strides: list[Stride] = []
    landings: dict[str, list[float]] = {}
    for course in courses:
        name = course.foot.name
        lands = landings[name] = sorted(
            _crossing(times, course.landing, -speed * (1 - level.landed), t, t + reach) for t in course.fronts
        )
        leaves = sorted(
            _crossing(times, course.leaving, -speed * (1 - level.leaving), t, t - reach) for t in course.backs
        )
        contacts += [Contact(t, name, "contact") for t in lands]
        contacts += [Contact(t, name, "lift") for t in leaves]
        strides += _strides(name, lands, leaves)
    other = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    by_turns = [
        stride
        for stride in strides
        if sum(stride.start < t < stride.end for t in landings[other[stride.foot]]) == 1
    ]
    usual = float(np.median([stride.time for stride in by_turns])) if by_turns else period
    regular = [stride for stride in by_turns if _REGULAR[0] < stride.time / usual < _REGULAR[1]]
    regular.sort(key=lambda stride: stride.start)
    return Gait(sorted(contacts), regular, speed, len(strides) - len(by_turns))


def _typical_stance(found: Gait) -> float:
    return float(np.median([stride.stance for stride in found.strides])) if found.strides else 1.0


def _period(progress: Progress, feet: tuple[Foot, ...]) -> float:
    """Seconds of a stride, roughly: how sharply a foot's course may bend follows from it."""
    ahead = np.stack([progress.ahead(foot.landing) for foot in feet], axis=1)
    courses = smooth(progress.times, ahead).value
    turns = [[one.t for one in _extremes(progress.times, course)] for course in courses.T]
    gaps = [gap for times in turns for gap in np.diff(times).tolist()]
    return float(np.median(gaps)) if gaps else 1.0


def _extremes(times: Array, course: Array) -> list[_Extreme]:
    """The maxima that stand out, between samples; NaN in the course separates its parts."""
    known = course[np.isfinite(course)]
    if len(known) < 5:
        return []
    least = _PROMINENCE * float(np.subtract(*np.percentile(known, [95, 5])))
    peaks: list[int] = []
    low = high = None
    values = course.tolist()
    for index, value in enumerate(values):
        if not math.isfinite(value):
            low = high = None
            continue
        if high is None:
            low = value if low is None else min(low, value)
            high = index if value - low > least else None
        elif value > values[high]:
            high = index
        elif values[high] - value > least:
            peaks.append(high)
            low, high = value, None
    return [_Extreme(_summit(times, course, index), values[index]) for index in peaks]


def _summit(times: Array, course: Array, index: int) -> float:
    """Time of the summit of the parabola through a maximum and its neighbours."""
    t = float(times[index])
    if not 0 < index < len(course) - 1:
        return t
    before, after = float(times[index - 1]) - t, float(times[index + 1]) - t
    fall, rise = (
        float(course[index - 1] - course[index]) / before,
        float(course[index + 1] - course[index]) / after,
    )
    bend = (rise - fall) / (after - before)
    return t + min(max((bend * before - fall) / (2 * bend), before), after) if bend < 0 else t


def _stance_speeds(progress: Progress, course: _Course) -> list[float]:
    """Speeds backwards against the body: of the heel early in each stance, of the toe late in it."""
    found = []
    for front in course.fronts:
        back = next((t for t in course.backs if t > front), None)
        if back is None or not 0.1 < back - front < _LONGEST_S:
            continue
        for point, (start, end) in ((course.foot.landing, _ON_HEEL), (course.foot.leaving, _ON_TOE)):
            inside = _between(progress.times, front + start * (back - front), front + end * (back - front))
            ahead, t = progress.ahead(point)[inside], progress.times[inside]
            known = np.isfinite(ahead)
            if known.sum() >= 3:
                t, ahead = t[known] - t[known].mean(), ahead[known]
                found.append(-float(t @ ahead / (t @ t)))
    return [speed for speed in found if speed > 0]


def _between(times: Array, start: float, end: float) -> slice:
    """The moments from `start` to `end`."""
    first, after = np.searchsorted(times, start, "left"), np.searchsorted(times, end, "right")
    return slice(int(first), int(after))


def _typical(values: list[float]) -> float:
    """Mean without the outer tenths."""
    ordered = sorted(values)
    cut = len(ordered) // 10
    return float(np.mean(ordered[cut : len(ordered) - cut]))


def _crossing(times: Array, speed: Array, level: float, start: float, end: float) -> float:
    """When `speed` falls through `level` on the way from `start` to `end`, which may lie before; else `start`."""
    inside = _between(times, min(start, end), max(start, end))
    step = 1 if end > start else -1
    t = np.append(start, times[inside][::step])
    v = np.append(np.interp(start, times, speed), speed[inside][::step])
    below = np.flatnonzero(v <= level)
    if not len(below) or below[0] == 0:
        return start
    at = int(below[0])
    share = (v[at - 1] - level) / (v[at - 1] - v[at])
    return float(t[at - 1] + share * (t[at] - t[at - 1]))


def _strides(foot: str, lands: list[float], leaves: list[float]) -> list[Stride]:
    found = []
    for start, end in pairwise(lands):
        lifts = [t for t in leaves if start < t < end]
        if len(lifts) == 1 and _SHORTEST_S < end - start < _LONGEST_S:
            found.append(Stride(foot, start, end, lifts[0]))
    return found
