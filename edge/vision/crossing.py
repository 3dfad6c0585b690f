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
from edge.vision.landmarks import JOINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge.vision.track import Track

_ONE = 0.1
"""Median distance of joints, in sides of the region, below which two tracks are on one person."""
_NEAR, _APART = 0.5, 0.6
"""Distance of two middles, in sides of the larger region: near, colours may be the other's; apart, they are not."""
_CLEARLY = 0.15
"""By how much colours must fit better the other way round before two people change their names."""
_UNSURE = 0.5
"""The cost of colours that were not seen."""


def distance(a: Track, b: Track) -> float:
    """Between the middles of two regions, in sides of the larger."""
    return math.hypot(a.roi.x - b.roi.x, a.roi.y - b.roi.y) / max(a.roi.side, b.roi.side)


def is_one(a: Track, b: Track) -> bool:
    """Whether two tracks that were read lately are on the same person."""
    if a.last is None or b.last is None or distance(a, b) > _NEAR:
        return False
    apart = np.linalg.norm(a.last.points[:JOINTS] - b.last.points[:JOINTS], axis=1)
    return float(np.median(apart)) < _ONE * max(a.roi.side, b.roi.side)


def is_crowded(track: Track, others: Sequence[Track]) -> bool:
    """Whether somebody else's clothes may be in the picture of `track`."""
    return any(other is not track and distance(track, other) < _NEAR for other in others)


class Crossings:
    """Remembers who met whom, and settles who is who."""

    def __init__(self) -> None:
        self._met: set[tuple[Track, Track]] = set()

    def reset(self) -> None:
        """Another scene."""
        self._met = set()

    def settle(self, bgr: npt.NDArray[np.uint8], read: Sequence[Track], t: float) -> list[Track]:
        """Of the tracks that were just read in `bgr` those whose person is hidden or is another's."""
        losers: list[Track] = []
        for a, b in combinations(read, 2):
            if a in losers or b in losers:
                continue
            if is_one(a, b):
                losers.append(_weaker(bgr, a, b, t))
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


def _weaker(bgr: npt.NDArray[np.uint8], a: Track, b: Track, t: float) -> Track:
    """Of two tracks on one person the one that should let go; the younger where nothing speaks against it."""
    older, younger = (
        (a, b)
        if (a.state != "tentative", -a.id, a.readings) > (b.state != "tentative", -b.id, b.readings)
        else (b, a)
    )
    if younger.state == "tentative":
        return younger
    assert older.last is not None
    seen = look(bgr, older.last)

    def cost(track: Track) -> float:
        there = track.predicted(t)
        away = math.hypot(track.roi.x - there.x, track.roi.y - there.y) / there.side
        unlike = track.appearance.distance(seen)
        return min(away, 1.0) + (_UNSURE if unlike is None else unlike)

    return older if cost(older) > cost(younger) + _CLEARLY else younger


def _name(bgr: npt.NDArray[np.uint8], a: Track, b: Track) -> None:
    """After two people met: their names the other way round, if colours clearly say so."""
    assert a.last is not None
    assert b.last is not None
    looks = look(bgr, a.last), look(bgr, b.last)
    costs = [track.appearance.distance(seen) for track in (a, b) for seen in looks]
    if any(cost is None for cost in costs):
        return
    aa, ab, ba, bb = (cost for cost in costs if cost is not None)
    if ab + ba < aa + bb - 2 * _CLEARLY:
        a.id, b.id = b.id, a.id
        a.appearance, b.appearance = b.appearance, a.appearance
