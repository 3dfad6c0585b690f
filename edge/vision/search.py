"""Where the detector looks next: at most one part of the picture at a time, and often at none.

BlazePose's detector finds who fills half of its picture (recall 0.9) and misses who fills a fifth (0.1 to 0.2), so a
room is searched in parts: where somebody was lost a moment ago, where something moves that nobody followed explains,
and, in turn, overlapping tiles and the whole picture for those who keep still.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING

from edge.vision.background import Box

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge.vision.roi import Roi

_TILES = (0.75, 0.42)
"""Sides of the tiles, as shares of the picture's shorter side."""
_STEP = 0.7
"""From one tile to the next, as a share of its side."""
_LEAST_WINDOW = 0.3
"""Of the shorter side: below it, pictures are enlarged to nothing."""
_ROUND_BLOB, _ROUND_LOST = 1.5, 1.6
"""The window's side around a blob, and around where somebody was lost, in sizes of what is looked for."""
_FIRST_S, _FIRST_PACE_S = 2.5, 0.03
"""Seconds after the start, or after nobody was there, in which the room is searched, and between two looks then."""
_FIRST_TILES = 3
"""After the first look, at the whole, a room is searched by tiles for so many looks: the lowest show most of it."""
_EMPTY_S, _EMPTY_PACE_S = 10.0, 0.2
"""Seconds for which a room is searched in every picture after somebody was there; then this is between two looks: who
comes in moves."""
_CALM_S = (1.0, 0.5)
"""Seconds between two looks while nothing asks for one: with one person, and with more."""
_IMPATIENCE, _LONGEST_WAIT_S = 0.25, 4.0
"""A place that goes on asking is looked at again after this share of the time it has asked, or so many seconds."""
_SILENCE_S = (0.3, 1.0)
"""A place that was silent for so long asks anew: where somebody was lost, and where something moves."""
_STEADY_S, _PACE_S = 0.2, 0.1
"""While people are followed most of what else moves are their shadows, and what they uncover: at least so long
between two looks at one place, and at any two."""
_GROWN = 1.3
"""Where what moves has grown by so much since the last look, somebody comes in: they are looked at at once."""
_RIM, _COMES_S, _EXPECTED_S = 2, 1.0, 0.15
"""Pixels beside the picture's sides in which what moves comes in; for so many seconds it is watched more closely, as
long as it was seen so lately."""
_SAME = 0.5
"""Two windows look at the same place when their middles are nearer than this share of their sides."""


class _Place:
    """A place that asks for a look: since when, when it last did, and when it was given one.

    It stays where it was first: who walks on asks from a new one, and need not wait as long as a curtain.
    """

    def __init__(self, window: Box, t: float) -> None:
        self.window = window
        self.since = self.asked_at = t
        self.looked_at = -math.inf
        self._side = 0.0
        """Of the window that was looked at last."""

    def is_at(self, window: Box) -> bool:
        mine, side = self.window, max(self.window.width, window.width)
        dx = mine.left + mine.right - window.left - window.right
        dy = mine.top + mine.bottom - window.top - window.bottom
        return math.hypot(dx, dy) / 2 < _SAME * side

    def may_look(self, window: Box, t: float, least: float) -> bool:
        if _side(window) > _GROWN * self._side:
            return True
        rest = max(_IMPATIENCE * (self.looked_at - self.since), least)
        return t - self.looked_at >= min(rest, _LONGEST_WAIT_S)

    def look(self, window: Box, t: float) -> None:
        if _side(window) > _GROWN * self._side:
            self.since = t  # somebody else than what has been asking here
        self.looked_at, self._side = t, _side(window)


class Search:
    """Gives each picture's window for the detector, or none."""

    def __init__(self) -> None:
        self._shape = (0, 0)
        self._whole = False
        """Whether the last look was at the whole picture, which is every other one while nobody is followed."""
        self._rotation: Iterator[Box] = iter(())
        self._tiles = 0
        """Looks at the next of these, so far."""
        self._lost: list[_Place] = []
        self._moving: list[_Place] = []
        self._latest = self._moving
        """Which of both was looked at last."""
        self._alone_since: float | None = None
        self._empty_since: float | None = None
        """When the first picture was taken, or somebody was last followed."""
        self._looked = self._moved = self._came = -math.inf
        """When the last picture was searched, when the last one for what moves, and when somebody came in."""
        self.eager = False
        """Whether the last look was for somebody in particular, or one of the first at a room."""

    def reset(self) -> None:
        """Another scene: everything is looked at anew."""
        self._shape, self._whole = (0, 0), False
        self._lost, self._moving = [], []
        self._latest = self._moving
        self._alone_since = self._empty_since = None
        self._looked = self._moved = self._came = -math.inf

    def expects(self, t: float) -> bool:
        """Whether somebody seems to come in, so that every picture may be the first that shows enough of them."""
        return t - self._came < _EXPECTED_S

    def window(
        self, shape: tuple[int, int], t: float, lost: Sequence[Roi], blobs: Sequence[Box], followed: int
    ) -> Box | None:
        """The part of a picture of `shape` (H, W) to be searched at `t` seconds; None: spare the detector.

        `lost`: where people are thought to be who were lost just now; `blobs`: what moves unexplained;
        `followed`: how many people are followed.
        """
        if shape != self._shape:
            self.reset()
            self._shape = shape
            self._rotation, self._tiles = rotation(*shape), 0
        if not followed or self._alone_since is None:
            self._alone_since = t
        if followed or self._empty_since is None:
            self._empty_since = t
        if followed and t - self._moved < _PACE_S:
            blobs = [blob for blob in blobs if self._comes_in(blob)]
        empty = t - self._empty_since
        rests = empty > _EMPTY_S and t - self._looked < _EMPTY_PACE_S
        if not rests:
            self._whole = not followed and not self._whole and not 0 < self._tiles < _FIRST_TILES
        window = None
        self.eager = max(t - self._alone_since, empty) < _FIRST_S
        if self._whole and not rests:  # whoever comes in is near and large more often than not
            window = Box(0, 0, shape[1], shape[0])
        else:
            window = self._asked(t, lost, blobs, _STEADY_S if followed else 0.0)
            self.eager = self.eager or window is not None
            if window is None and not rests and self._turn(t, followed):
                window = next(self._rotation)
                self._tiles += 1
        if window is not None:
            self._looked = t
        return window

    def _asked(self, t: float, lost: Sequence[Roi], blobs: Sequence[Box], rest: float) -> Box | None:
        """Of the places that ask for a look the one that has waited longest; the lost and what moves by turns.

        Who comes in need not rest, and goes before what moves elsewhere.
        """
        around_lost = [(_around(*_circle(roi), self._shape), False) for roi in lost]
        around_blobs = [(_around(*_ball(blob), self._shape), self._comes_in(blob)) for blob in blobs]
        kinds = [
            (self._lost, around_lost, _SILENCE_S[0], 0.0),
            (self._moving, around_blobs, _SILENCE_S[1], rest),
        ]
        for places, windows, silence, least in sorted(kinds, key=lambda kind: kind[0] is self._latest):
            places[:] = [place for place in places if t - place.asked_at < silence]
            asking = [(not comes, _place(places, window, t), window) for window, comes in windows]
            if any(not stays and t - place.since < _COMES_S for stays, place, _ in asking):
                self._came = t
            ready = [one for one in asking if one[1].may_look(one[2], t, least if one[0] else 0.0)]
            if ready:
                _, chosen, window = min(ready, key=lambda one: (one[0], one[1].looked_at))
                chosen.look(window, t)
                self._latest = places
                self._moved = t if places is self._moving else self._moved
                return window
        return None

    def _comes_in(self, blob: Box) -> bool:
        return blob.left < _RIM or blob.right > self._shape[1] - _RIM

    def _turn(self, t: float, followed: int) -> bool:
        assert self._alone_since is not None
        if t - self._alone_since < _FIRST_S:
            return not followed or t - self._looked >= _FIRST_PACE_S
        return t - self._looked >= _CALM_S[followed > 1]


def _side(window: Box) -> int:
    return max(window.width, window.height)


def _place(places: list[_Place], window: Box, t: float) -> _Place:
    """The one of `places` that is at `window`, or a new one."""
    place = next((place for place in places if place.is_at(window)), None)
    if place is None:
        place = _Place(window, t)
        places.append(place)
    place.asked_at = t
    return place


def rotation(height: int, width: int) -> Iterator[Box]:
    """Tiles of the picture, the large ones first, and the whole, for ever."""
    short = min(height, width)
    sizes = [_tiles(height, width, round(short * share)) for share in _TILES]
    if min(len(tiles) for tiles in sizes) < 2:
        sizes = []
    while True:
        for tiles in sizes:
            yield from tiles
        yield Box(0, 0, width, height)


def _tiles(height: int, width: int, side: int) -> list[Box]:
    """Overlapping squares that cover the picture, the lowest row first, since people stand on the floor.

    In a row those that do not overlap come first: they show most of it.
    """
    if side < 32:
        return []
    rows, columns = _starts(height, side)[::-1], _starts(width, side)
    columns = columns[::2] + columns[1::2]
    return [Box(x, y, min(x + side, width), min(y + side, height)) for y, x in product(rows, columns)]


def _starts(length: int, side: int) -> list[int]:
    if side >= length:
        return [0]
    count = math.ceil((length - side) / (_STEP * side)) + 1
    return [round(index * (length - side) / (count - 1)) for index in range(count)]


def _circle(roi: Roi) -> tuple[float, float, float]:
    return roi.x, roi.y, _ROUND_LOST * roi.side


def _ball(blob: Box) -> tuple[float, float, float]:
    side = _ROUND_BLOB * max(blob.width, blob.height)
    return (blob.left + blob.right) / 2, (blob.top + blob.bottom) / 2, side


def _around(x: float, y: float, side: float, shape: tuple[int, int]) -> Box:
    """The square of `side` around a point, cut to the picture."""
    height, width = shape
    half = max(side, _LEAST_WINDOW * min(shape)) / 2
    x, y = min(max(x, 0.0), width), min(max(y, 0.0), height)
    return Box(
        max(math.floor(x - half), 0),
        max(math.floor(y - half), 0),
        min(math.ceil(x + half), width),
        min(math.ceil(y + half), height),
    )
