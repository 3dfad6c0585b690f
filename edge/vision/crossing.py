"""Two tracks on one person, and people who passed each other: who is who.

The landmark network reads the person in front, so the track of the one behind slips onto them. Then the track whose
own course and colours fit worse is the one whose person is hidden.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from edge.vision.appearance import look
from edge.vision.landmarks import HIPS, JOINTS, RIM
from edge.vision.roi import Roi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from edge.vision.landmarks import Landmarks
    from edge.vision.track import Track

    Array = npt.NDArray[np.float64]

_ONE, _MAYBE_ONE, _EMERGED = 0.1, 0.2, 0.15
"""Median distances of joints, in sides of the region, below which two tracks are on one person: where both are sure
to be people, where one is not, and where one was hidden by the other."""
_GROWN = 1.5
"""By how much a region may have grown or shrunk while its person was hidden."""
_NEAR, _APART = 0.3, 0.45
"""Distance of two middles, in sides of the larger region: near, colours may be the other's; apart, they are not."""
OPEN_S = 2.5
"""Seconds for which it is open who is read where one person hid another."""
_CLEARLY = 0.15
"""By how much colours must fit better the other way round before two people change their names."""
_OTHERS = 0.1
"""By how much place and colours must fit somebody near better than the one who was to be read."""
_PLACE, _ELSEWHERE = 3.0, 0.5
"""What the way from where somebody is weighs beside colours, in sides of the region, and the farthest that counts."""
_STRANGE, _KNOWN = 0.6, 0.45
"""Clothes: so unlike, they are not those of the one who was to be read; so alike, somebody has come out again."""
_AROUND = 0.6
"""Distance of two middles, in sides of the larger region, from which it cannot be the other who was read."""
_TWO = 0.7
"""By how much clothes must fit better than the other way round, in sum, of two who are nearly in one place."""
_BEFORE, _IN_FRONT = 0.05, 0.3
"""By how much lower feet are, in sides of the region, of who surely stands before another; and what that weighs."""
_UNSURE, _FAR = 0.5, 1.5
"""The cost of colours that were not seen, and of the farthest place."""
_LEAPS, _LEAST_LEAP = 1.5, 0.4
"""Joints jump that are so many times as fast as the person's usually are, and at least so many sides of the region a
second."""
_OVERLAPS, _LATELY_S = 0.12, 0.5
"""A body lies on another's whose joints are so near, in sides of the region, and were read so lately."""


def distance(a: Track, b: Track) -> float:
    """Between the middles of two regions, in sides of the larger."""
    return math.hypot(a.roi.x - b.roi.x, a.roi.y - b.roi.y) / max(a.roi.side, b.roi.side)


def is_one(a: Track, b: Track, least: float | None = None) -> bool:
    """Whether two tracks that were read lately are on the same person: their joints are nearer than `least`."""
    if a.last is None or b.last is None or distance(a, b) > _APART:
        return False
    if least is None:
        least = _MAYBE_ONE if "tentative" in (a.state, b.state) else _ONE
    return _gap(a, b) < least


def are_two(a: Track, b: Track) -> bool:
    """Whether two tracks that were read beside each other are on two people: each wore their own clothes."""
    unlike = _unlikeness(a, b, a.worn, b.worn)
    return unlike is not None and _exchanged(unlike) >= _TWO


def _gap(a: Track, b: Track) -> float:
    """Median distance of the joints, in sides of the larger region."""
    assert a.last is not None
    assert b.last is not None
    apart = np.linalg.norm(a.last.points[:JOINTS] - b.last.points[:JOINTS], axis=1)
    return float(np.median(apart)) / max(a.roi.side, b.roi.side)


def is_alone(track: Track, others: Iterable[Track], t: float) -> bool:
    """Whether what is read of `track` is theirs for sure: nobody is near, and nobody was just hidden by them."""
    return not any(
        t - other.seen_at < OPEN_S if other.lost_to is track else distance(track, other) < _NEAR
        for other in others
        if other is not track and (other.state == "followed" or other.lost_to is track)
    )


class Crossings:
    """Remembers who met whom, and settles who is who."""

    def __init__(self) -> None:
        self._met: set[tuple[Track, Track]] = set()

    def reset(self) -> None:
        """Another scene."""
        self._met = set()

    def settle(self, bgr: npt.NDArray[np.uint8], read: Sequence[Track]) -> list[Track]:
        """Of the tracks that were just read in `bgr` those whose person is hidden or is another's."""
        losers: list[Track] = []
        for a, b in combinations(read, 2):
            if a in losers or b in losers or not is_one(a, b):
                continue
            unlike = _unlike(bgr, a, b)
            if unlike is None or _exchanged(unlike) < _TWO:
                losers.append(_loser(a, b, unlike))
        self._met = {pair for pair in self._met if all(track.state == "followed" for track in pair)}
        standing = [track for track in read if track.state == "followed" and track not in losers]
        for a, b in combinations(standing, 2):
            pair = (a, b) if a.id < b.id else (b, a)
            gap = distance(a, b)
            if gap < _NEAR:
                self._met.add(pair)
            elif gap > _APART and pair in self._met:
                self._met.remove(pair)
                _name(bgr, a, b)
        return losers


def sort_out(bgr: npt.NDArray[np.uint8], found: Track, other: Track, t: float) -> None:
    """Somebody was hidden by `other` and is `found` again, or so it seems: perhaps it is the other way round."""
    if other.seen_at < t:
        return  # where the other is now is not known
    here, there = _fit(bgr, found, t), _fit(bgr, other, t)
    if here(other) + there(found) < here(found) + there(other):
        found.swap_names(other)


def neighbour(track: Track, others: Iterable[Track]) -> Track | None:
    """Who is followed so near to `track` that they may hide them."""
    near = [other for other in others if other is not track and other.state == "followed"]
    nearest = min(near, key=lambda other: distance(track, other), default=None)
    return nearest if nearest is not None and distance(track, nearest) < _APART else None


def whose(
    track: Track, seen: Landmarks, worn: Array | None, tracks: Iterable[Track], t: float
) -> Track | None:
    """Whose body, in the clothes `worn`, was read for `track`; None: nobody's who is known.

    It is theirs, or of who is near or hidden there: another's who wears those clothes, and is nearer to where it is,
    or should be by now; of others who stray clothes alone must tell. It is nobody's who is known if it wears the
    clothes of none of them, unless it moved as they do: half covered, clothes are the other's in part.
    """
    read = Roi.from_alignment(seen.points[HIPS], seen.points[RIM])
    own = track.appearance.distance(worn)
    if own is None:
        return track

    def cost(one: Track, unlike: float) -> float:
        there = _place(one, t)
        away = math.hypot(read.x - there.x, read.y - there.y) / max(read.side, there.side)
        return unlike + _PLACE * min(away, _ELSEWHERE)

    costs = [(cost(track, own) - _OTHERS, 0, own, track)]
    for number, other in enumerate(tracks, 1):
        there, unlike = _place(other, t), other.appearance.distance(worn)
        away = math.hypot(there.x - track.roi.x, there.y - track.roi.y)
        if (
            other is not track
            and other.state != "tentative"
            and t - other.seen_at <= OPEN_S
            and away < _AROUND * max(there.side, track.roi.side)
            and unlike is not None
            and not (other.strays and unlike + _CLEARLY > own)
        ):
            costs.append((cost(other, unlike), number, unlike, other))
    *_, unlike, nearest = min(costs)
    if nearest is track and not _jumps(track, seen, t):
        return track
    return nearest if unlike < (_STRANGE if nearest is track else _KNOWN) else None


def is_dressed_as(track: Track, worn: Array | None) -> bool:
    """Whether the clothes `worn` are those of `track`'s person, as far as they are known."""
    unlike = track.appearance.distance(worn)
    return unlike is None or unlike < _KNOWN


def leaps(track: Track, seen: Landmarks, tracks: Iterable[Track], t: float) -> bool:
    """Whether a body read for `track` is where another was, and not where they can have got as they usually move.

    Of one before another both may be read as one body: the legs of one, the head and arms of the other.
    """
    return _jumps(track, seen, t) and any(
        other is not track
        and other.state == "followed"
        and t - other.seen_at <= _LATELY_S
        and _off(other, seen, t) < _OVERLAPS * max(track.roi.side, other.roi.side)
        for other in tracks
    )


def _jumps(track: Track, seen: Landmarks, t: float) -> bool:
    """Whether the joints were faster than they usually are, if a body is theirs; False where that is not known."""
    return track.stirred(seen, t) > max(_LEAPS * track.stirs, _LEAST_LEAP)


def _off(track: Track, seen: Landmarks, t: float) -> float:
    """Median distance of the joints of a reading from where those of `track` should be by now, in pixels."""
    if track.last is None:
        return math.inf
    there = track.last.points[:JOINTS] + track.velocity * (t - track.seen_at)
    return float(np.median(np.linalg.norm(seen.points[:JOINTS] - there, axis=1)))


def _place(track: Track, t: float) -> Roi:
    """Where somebody is, or should be by now."""
    return track.predicted(t) if track.state == "hidden" else track.to_read(t)


def _unlike(bgr: npt.NDArray[np.uint8], a: Track, b: Track) -> Array | None:
    """How unlike their clothes two are who were just read (`_unlikeness`)."""
    assert a.last is not None
    assert b.last is not None
    return _unlikeness(a, b, look(bgr, a.last), look(bgr, b.last))


def _unlikeness(a: Track, b: Track, *looks: Array | None) -> Array | None:
    """float64[2, 2]: how unlike the clothes of `a` and of `b` (columns) either of two looks (rows) is."""
    costs = [cost for worn in looks for one in (a, b) if (cost := one.appearance.distance(worn)) is not None]
    return np.array(costs).reshape(2, 2) if len(costs) == 4 else None


def _exchanged(unlike: Array) -> float:
    """By how much the clothes of two would fit worse if each were the other."""
    return float(unlike[0, 1] + unlike[1, 0] - unlike[0, 0] - unlike[1, 1])


def _loser(a: Track, b: Track, unlike: Array | None) -> Track:
    """Of two tracks on one person the one that should let go: by clothes, and as who stands in front is read.

    The younger where nothing speaks against it.
    """
    tentative = [track for track in (a, b) if track.state == "tentative"]
    if tentative:
        return min(tentative, key=lambda track: track.readings)
    against = [0.0, 0.0] if unlike is None else unlike.sum(axis=0).tolist()
    against[1] += _IN_FRONT * _nearer(a, b)
    _, _, loser, winner = max((against[0], a.id, a, b), (against[1], b.id, b, a))
    loser.lost_to = winner
    return loser


def is_before(a: Track, b: Track) -> bool:
    """Whether `a` surely stands nearer to the camera than `b`."""
    return _nearer(a, b) == 1


def _nearer(a: Track, b: Track) -> float:
    """From 1, where `a` surely stands nearer to the camera than `b`, to -1; 0 where there is no saying."""
    lower = (a.floor - b.floor) / max(a.roi.side, b.roi.side)
    return 0.0 if math.isnan(lower) else min(max(lower / _BEFORE, -1.0), 1.0)


def is_behind(track: Track, tracks: Sequence[Track], t: float) -> bool:
    """Whether somebody is hidden by another who is still followed, and may be seen again any moment."""
    other = track.lost_to
    hidden = track.state == "hidden" and other is not None and other in tracks and other.state == "followed"
    return hidden and t - track.seen_at < OPEN_S


def emerges(bgr: npt.NDArray[np.uint8], lost: Track, found: Track, read: Iterable[Track], t: float) -> bool:
    """Whether `found`, who was read where `lost` should be by now, is them, and nobody of those who were just `read`.

    Where it is still the one who stands before them, it is asked anew who of the two it is.
    """
    for other in read:
        if other.state != "tentative" and distance(found, other) < _APART and _gap(found, other) < _EMERGED:
            if other is lost.lost_to:
                fit = _fit(bgr, other, t)
                if fit(lost) + _CLEARLY < fit(other):
                    lost.swap_names(other)
            return False
    assert found.last is not None
    there, unlike = lost.predicted(t), lost.appearance.distance(look(bgr, found.last))
    return (
        (unlike is None or unlike < _KNOWN)
        and math.hypot(found.roi.x - there.x, found.roi.y - there.y) < _NEAR * there.side
        and 1 / _GROWN < found.roi.side / there.side < _GROWN
    )


def _fit(bgr: npt.NDArray[np.uint8], body: Track, t: float) -> Callable[[Track], float]:
    """How badly the place and the clothes where `body` is read fit somebody's own course and colours."""
    assert body.last is not None
    seen, roi = look(bgr, body.last), body.roi

    def cost(track: Track) -> float:
        there = track.predicted(t)
        away = math.hypot(roi.x - there.x, roi.y - there.y) / max(roi.side, there.side)
        unlike = track.appearance.distance(seen)
        return min(away, _FAR) + (_UNSURE if unlike is None else unlike)

    return cost


def _name(bgr: npt.NDArray[np.uint8], a: Track, b: Track) -> None:
    """After two people met: their names the other way round, if colours clearly say so."""
    unlike = _unlike(bgr, a, b)
    if unlike is not None and _exchanged(unlike) < -2 * _CLEARLY:
        a.swap_names(b)
