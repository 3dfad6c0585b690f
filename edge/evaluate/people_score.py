"""How well several people are found and kept apart, by the measures that the field uses.

CLEAR MOT (Bernardin & Stiefelhagen, "Evaluating Multiple Object Tracking Performance", 2008): a person and a track
belong together while their boxes overlap enough; MOTA counts misses, false boxes and switches of identity. IDF1
(Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", 2016) asks for how
much of the time each person had one and the same track.

The boxes of people who cover each other say little of whose joints were read: those of somebody's stretched legs fit
who walks past as well. So, as in the tracking of poses (Andriluka et al., "PoseTrack: A Benchmark for Human Pose
Estimation and Tracking", 2018), joints decide to whom a track comes: to nobody while somebody else's are nearer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""
Points = npt.NDArray[np.floating]
"""float[N, 2]: joints in pixels, the same ones of everybody."""

OVERLAP = 0.5
"""Intersection over union from which a box is somebody's."""
SEEN = 0.5
"""Share of a body that must be visible for it to have to be found."""
COVERED = 0.2
"""Share of a body that another one hides, from which they cross."""
SETTLED_S = 2.0
"""Seconds after an event in which a switch of identity is the event's."""
LASTING_S = 0.5
"""Seconds from which a track is one: shorter ones are reported nowhere."""


class Truth(NamedTuple):
    """Somebody in one picture."""

    who: str
    joints: Points
    """Hidden ones, too."""
    height: float
    """Of the body upright, as a share of the picture's."""
    visible: float
    """Share of the body that is in the picture and not covered."""
    covered: float = 0.0
    """Share that others cover."""
    behind: float = 0.0
    """Share that things cover; the rest is outside of the picture."""
    by: str | None = None
    """Who covers most of them."""


class Picture(NamedTuple):
    """What is in one picture, and what was said of it."""

    t: float
    """Seconds."""
    truths: Sequence[Truth]
    tracks: Mapping[int, Points]
    """Joints by id."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Person-frames: pictures of somebody who is visible enough."""

    frames: int = 0
    found: int = 0
    acquired_frames: int = 0
    """Those after somebody was found for the first time."""
    acquired_found: int = 0

    def __add__(self, other: Found) -> Found:
        """Both together."""
        return Found(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """What tests identity, how often it happened, and in how many of them somebody changed identity."""

    happened: int = 0
    switched: int = 0
    lasting: int = 0
    """Those of them after which somebody had another identity than before."""

    def __add__(self, other: Events) -> Events:
        """Both together."""
        return Events(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Of one scene."""

    seconds: float
    by_height: dict[str, Found]
    """By class of height (`height_class`)."""
    first_found_s: list[float | None]
    """Seconds until each person was found for the first time; None: never."""
    switches: int
    """Of identity, all of them."""
    crossings: Events
    """One person before another."""
    hidings: Events
    """Somebody behind a thing."""
    returns: Events
    """Somebody out of the picture and back."""
    unprovoked: int
    """Switches without any of these."""
    false_tracks: int
    """Lasting tracks that were nobody's for most of their time."""
    fragments: int
    """How often somebody was lost and found again."""
    mota: float
    idf1: float
    owners: dict[int, str]
    """Track to the person it was for most of its time; false tracks are not there."""
    moments: list[str]
    """When identities switched, in words for those who look for the cause."""


def height_class(height: float) -> str:
    """`.15`, `.2`, `.3`, `.4` or `.5`: people from this height on, as a share of the picture's."""
    for low in (0.5, 0.4, 0.3, 0.2):
        if height >= low - 0.01:
            return f"{low:.1f}"
    return "0.15"


def score(pictures: Sequence[Picture]) -> Score:
    """Follow everyone through `pictures`, which are in the order of time."""
    matches = _matches(pictures)
    switches = _switches(pictures, matches)
    names = _names(pictures)
    events = {kind: [one for who in names for one in _events(pictures, who, kind)] for kind in _EVENTS}
    blamed: dict[str, set[_Event]] = defaultdict(set)
    unprovoked, moments = 0, []
    for t, who, before, after in switches:
        causes = [
            (kind, event)
            for kind, happened in events.items()
            for event in happened
            if who in event.who and event.start <= t <= event.end + SETTLED_S
        ]
        for kind, event in causes:
            blamed[kind].add(event)
        unprovoked += not causes
        why = ", ".join(sorted({kind for kind, _ in causes})) or "nothing happened"
        moments.append(f"{t:.2f} s: {who} was {before}, is {after} ({why})")
    counted = {
        kind: Events(
            happened=len(happened),
            switched=len(blamed[kind]),
            lasting=sum(_changed(pictures, matches, one) for one in blamed[kind]),
        )
        for kind, happened in events.items()
    }
    owners, false = _owners(pictures, matches)
    due = sum(truth.visible >= SEEN for picture in pictures for truth in picture.truths)
    missed = sum(
        truth.visible >= SEEN and truth.who not in match
        for picture, match in zip(pictures, matches, strict=True)
        for truth in picture.truths
    )
    wrong = sum(len(picture.tracks) - len(match) for picture, match in zip(pictures, matches, strict=True))
    return Score(
        seconds=pictures[-1].t - pictures[0].t,
        by_height=_found(pictures, matches),
        first_found_s=_first_found(pictures, matches),
        switches=len(switches),
        crossings=counted["crossing"],
        hidings=counted["hidden"],
        returns=counted["away"],
        unprovoked=unprovoked,
        false_tracks=false,
        fragments=_fragments(pictures, matches),
        mota=1 - (missed + wrong + len(switches)) / max(due, 1),
        idf1=_idf1(pictures, matches),
        owners=owners,
        moments=moments,
    )


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def assignment(table: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """(row, column) of the best one-to-one assignment of a table of gains float64[N, M], none of them negative.

    Exact, by dynamic programming over the subsets of the shorter side: there are eight people at most, and a box
    needs no solver for that.
    """
    if table.shape[0] > table.shape[1]:
        return sorted((row, column) for column, row in assignment(table.T))
    best: dict[int, tuple[float, tuple[tuple[int, int], ...]]] = {0: (0.0, ())}
    for column in range(table.shape[1]):
        for taken, (gain, pairs) in list(best.items()):
            for row in range(table.shape[0]):
                with_it = taken | 1 << row
                if with_it != taken and table[row, column] > 0:
                    more = gain + float(table[row, column])
                    if more > best.get(with_it, (-1.0, ()))[0]:
                        best[with_it] = (more, (*pairs, (row, column)))
    return sorted(max(best.values())[1])


def _matches(pictures: Iterable[Picture]) -> list[dict[str, int]]:
    """Who is which track in each picture: who was together stays together while it fits, then the best sum.

    Who is hardly visible gets what is left, and is not known by it: a box of those before them fits them, too.
    """
    last: dict[str, int] = {}
    matches = []
    for picture in pictures:
        match: dict[str, int] = {}
        for truth in picture.truths:
            track = last.get(truth.who, -1)
            if track in picture.tracks and track not in match.values() and fit(truth, picture.tracks[track]):
                match[truth.who] = track
        seen = _seen(picture.truths)
        fits = _nearest(picture)
        for people in (fits.keys() & seen, fits.keys() - seen):
            match |= _best({who: fits[who] for who in fits if who in people - match.keys()}, match)
        last |= {who: track for who, track in match.items() if who in seen}
        matches.append(match)
    return matches


def fit(truth: Truth, joints: Points) -> float:
    """How much the boxes overlap; 0 where it is not enough."""
    shared = overlap(box_of(truth.joints), box_of(joints))
    return shared if shared >= OVERLAP else 0.0


def _nearest(picture: Picture) -> dict[str, dict[int, float]]:
    """By person the tracks that fit them and are nearer to nobody else, and how well they fit."""
    nearest: dict[str, dict[int, float]] = {truth.who: {} for truth in picture.truths}
    if not picture.truths:
        return nearest
    for track, joints in picture.tracks.items():
        truth = min(picture.truths, key=lambda truth: _apart(truth.joints, joints))
        if fit(truth, joints):
            nearest[truth.who][track] = fit(truth, joints)
    return nearest


def _apart(a: Points, b: Points) -> float:
    """Median distance of the joints in pixels."""
    return float(np.median(np.linalg.norm(a - b, axis=1)))


def box_of(joints: Points) -> Box:
    """Around all of them."""
    (left, top), (right, bottom) = joints.min(axis=0).tolist(), joints.max(axis=0).tolist()
    return left, top, right, bottom


def _seen(truths: Iterable[Truth]) -> set[str]:
    """Who is visible enough to have to be found."""
    return {truth.who for truth in truths if truth.visible >= SEEN}


def _best(fits: Mapping[str, Mapping[int, float]], taken: Mapping[str, int]) -> dict[str, int]:
    """The pairs of people and tracks not `taken` that overlap most in sum."""
    free = sorted({track for tracks in fits.values() for track in tracks} - set(taken.values()))
    if not free:
        return {}
    names = list(fits)
    table = np.array([[fits[who].get(track, 0.0) for track in free] for who in names])
    return {names[row]: free[column] for row, column in assignment(table) if table[row, column]}


def _switches(
    pictures: Sequence[Picture], matches: list[dict[str, int]]
) -> list[tuple[float, str, int, int]]:
    """(when, who, track before, track after)."""
    last: dict[str, int] = {}
    found = []
    for picture, match in zip(pictures, matches, strict=True):
        seen = {who: track for who, track in match.items() if who in _seen(picture.truths)}
        found += [
            (picture.t, who, last[who], track) for who, track in seen.items() if last.get(who, track) != track
        ]
        last |= seen
    return found


def _crossing(truth: Truth | None) -> bool:
    return truth is not None and truth.covered >= COVERED


def _hidden(truth: Truth | None) -> bool:
    return truth is not None and truth.visible < SEEN and truth.behind >= COVERED


def _away(truth: Truth | None) -> bool:
    return truth is None or 1 - truth.visible - truth.covered - truth.behind > SEEN


_EVENTS = {"crossing": _crossing, "hidden": _hidden, "away": _away}


class _Event(NamedTuple):
    """Something that tests identity."""

    who: frozenset[str]
    """Whose."""
    start: float
    end: float


def _names(pictures: Sequence[Picture]) -> list[str]:
    return sorted({truth.who for picture in pictures for truth in picture.truths})


def _events(pictures: Sequence[Picture], who: str, kind: str) -> list[_Event]:
    """Each event that somebody was seen before and after."""
    course = [(one.t, next((truth for truth in one.truths if truth.who == who), None)) for one in pictures]
    seen = [index for index, (_, truth) in enumerate(course) if truth is not None and truth.visible >= SEEN]
    if not seen:
        return []
    events: list[_Event] = []
    for t, truth in course[seen[0] : seen[-1] + 1]:
        if not _EVENTS[kind](truth):
            continue
        whose = {who}
        if kind == "crossing" and truth is not None and truth.by is not None:
            whose.add(truth.by)
        if events and t - events[-1].end < LASTING_S:
            events[-1] = _Event(events[-1].who | whose, events[-1].start, t)
        else:
            events.append(_Event(frozenset(whose), t, t))
    return events


def _changed(pictures: Sequence[Picture], matches: list[dict[str, int]], event: _Event) -> bool:
    """Whether somebody's track is another one some time after an event than before it."""
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    for picture, match in zip(pictures, matches, strict=True):
        seen = {who: track for who, track in match.items() if who in _seen(picture.truths)}
        if picture.t < event.start:
            before |= seen
        elif picture.t <= event.end + SETTLED_S or not event.who <= after.keys():
            after |= seen
    return any(before.get(who, after.get(who)) != after.get(who, before.get(who)) for who in event.who)


def _found(pictures: Sequence[Picture], matches: list[dict[str, int]]) -> dict[str, Found]:
    ever: set[str] = set()
    by_height: dict[str, Found] = {}
    for picture, match in zip(pictures, matches, strict=True):
        ever |= match.keys()
        for truth in picture.truths:
            if truth.visible < SEEN:
                continue
            name, found, acquired = height_class(truth.height), truth.who in match, truth.who in ever
            by_height[name] = by_height.get(name, Found()) + Found(
                frames=1, found=found, acquired_frames=acquired, acquired_found=found and acquired
            )
    return dict(sorted(by_height.items()))


def _first_found(pictures: Sequence[Picture], matches: list[dict[str, int]]) -> list[float | None]:
    came: dict[str, float] = {}
    found: dict[str, float] = {}
    for picture, match in zip(pictures, matches, strict=True):
        for truth in picture.truths:
            if truth.visible >= SEEN:
                came.setdefault(truth.who, picture.t)
            if truth.who in match:
                found.setdefault(truth.who, picture.t)
    return [max(found[who] - t, 0.0) if who in found else None for who, t in came.items()]


def _owners(pictures: Sequence[Picture], matches: list[dict[str, int]]) -> tuple[dict[int, str], int]:
    """Whose each lasting track was, and how many were nobody's for most of their time."""
    times: dict[int, list[float]] = defaultdict(list)
    whose: dict[int, Counter[str]] = defaultdict(Counter)
    for picture, match in zip(pictures, matches, strict=True):
        for track in picture.tracks:
            times[track].append(picture.t)
        for who, track in match.items():
            whose[track][who] += 1
    owners, false = {}, 0
    for track, seen in times.items():
        most = whose[track].most_common(1)
        if most:
            owners[track] = most[0][0]
        if sum(whose[track].values()) < len(seen) / 2:
            owners.pop(track, None)
            false += seen[-1] - seen[0] >= LASTING_S
    return owners, false


def _fragments(pictures: Sequence[Picture], matches: list[dict[str, int]]) -> int:
    """How often somebody who is visible was lost and found again."""
    lost: set[str] = set()
    ever: set[str] = set()
    fragments = 0
    for picture, match in zip(pictures, matches, strict=True):
        fragments += len(lost & match.keys())
        ever |= match.keys()
        lost -= match.keys()
        lost |= {
            one.who
            for one in picture.truths
            if one.visible >= SEEN and one.who in ever and one.who not in match
        }
    return fragments


def _idf1(pictures: Sequence[Picture], matches: list[dict[str, int]]) -> float:
    """Share of boxes of the one-to-one assignment of people to tracks that is the best over the whole time.

    As in CLEAR MOT, who is hardly visible is neither due nor wrong.
    """
    people = _names(pictures)
    tracks = sorted({track for picture in pictures for track in picture.tracks})
    together: Counter[tuple[str, int]] = Counter()
    due = boxes = 0
    for picture, match in zip(pictures, matches, strict=True):
        passed_over = {truth.who for truth in picture.truths if truth.visible < SEEN}
        due += len(picture.truths) - len(passed_over)
        boxes += len(picture.tracks) - sum(who in passed_over for who in match)
        for truth in picture.truths:
            if truth.who in passed_over:
                continue
            together.update(
                (truth.who, track) for track, joints in picture.tracks.items() if fit(truth, joints)
            )
    if not people or not tracks:
        return 0.0
    table: npt.NDArray[np.float64] = np.array(
        [[together[who, track] for track in tracks] for who in people], np.float64
    )
    best = sum(float(table[pair]) for pair in assignment(table))
    return 2 * best / max(due + boxes, 1)
