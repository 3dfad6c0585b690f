"""Finds people whom nobody follows yet, or who were lost: where to look, and what the detector sees there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from edge.vision import landmarks
from edge.vision.background import Background
from edge.vision.detector import SURE, Detection
from edge.vision.erasing import erase, everyone
from edge.vision.roi import Roi
from edge.vision.search import Search

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    from edge.vision.background import Box
    from edge.vision.detector import Detector
    from edge.vision.room import Room
    from edge.vision.track import Track

LEAST_SCORE = 0.1
"""Of what the detector should tell: of a small person half in its window it is no surer."""
_SIZES = (0.3, 1.0)
"""Size of a region in sides of the window, in which a find that is less sure may be somebody."""
_LINGER_S = 1.0
"""Seconds in which the place where someone was lost is read again even where the detector sees nobody."""
_LOOK_FOR_S = 2.0
"""Seconds in which the detector is sent to where someone was lost."""
_WATCH_S = 0.1
"""Seconds between two looks at what moves, while people are followed."""
_EXPLAINED, _BESIDE = 0.22, 0.12
"""A find nearer than this to a known person, in sides of the larger region, is that person: where they hide nobody,
and where they do."""


class Finds(NamedTuple):
    """Where people may be whom nobody follows, the best first."""

    sure: list[Roi]
    perhaps: list[Roi]
    """Worth a reading where there is one left, and nobody unless it is a clear one."""


class Finder:
    """One look of the detector at a picture, at most, and at what moves in it."""

    def __init__(self, detector: Detector, room: Room) -> None:
        """`room`: what is to be seen where those who are followed are painted over."""
        self._detector, self._room = detector, room
        self._background, self._search = Background(), Search()
        self._watched_at = -math.inf

    def reset(self) -> None:
        """Another scene."""
        self._watched_at = -math.inf
        self._background.reset()
        self._search.reset()

    def look(self, bgr: npt.NDArray[np.uint8], t: float, tracks: Sequence[Track]) -> Finds:
        """Who is seen in `bgr` uint8[H, W, 3] at `t` seconds beside those of `tracks` who are not hidden."""
        height, width = bgr.shape[:2]
        here = [track for track in tracks if track.state != "hidden"]
        lost = [track for track in tracks if track.state == "hidden" and t - track.seen_at < _LOOK_FOR_S]
        lost.sort(key=lambda track: -track.seen_at)
        blobs: list[Box] = []
        if not here or t - self._watched_at >= _WATCH_S or self._search.expects(t):
            self._watched_at = t
            blobs = self._background.blobs(bgr, t, [one.outline() for one in here if one.last is not None])
        sought = [(one, one.predicted(t)) for one in lost]
        sought = [(one, roi) for one, roi in sought if 0 <= roi.x < width and 0 <= roi.y < height]
        window = self._search.window((height, width), t, [roi for _, roi in sought], blobs, len(here))
        if window is None:
            return Finds([], [])
        seen = self._detect(bgr, window, t, tracks)
        sure = sorted((roi for roi, score in seen if score >= SURE), key=lambda roi: -roi.side)
        sure += [roi for one, roi in sought if t - one.seen_at < _LINGER_S]
        perhaps = [roi for roi, score in seen if score < SURE and fits(roi, window)]
        return Finds(sure, perhaps if self._search.eager else [])

    def _detect(
        self, bgr: npt.NDArray[np.uint8], window: Box, t: float, tracks: Iterable[Track]
    ) -> list[Detection]:
        """Whom the detector sees in a part of the picture without those who are followed."""
        x, y = (window.left + window.right) / 2, (window.top + window.bottom) / 2
        region = Roi(x, y, max(window.width, window.height), 0.0)
        others = everyone(tracks, region, t)
        empty = None if others is None else self._room.under(region)
        if others is None or empty is None:
            return self._detector.detect(bgr, window)
        picture = erase(landmarks.cut(bgr, region), region, others, empty)
        scale = region.side / landmarks.SIZE
        left, top = x - region.side / 2, y - region.side / 2
        return [
            Detection(Roi(left + roi.x * scale, top + roi.y * scale, roi.side * scale, roi.turn), score)
            for roi, score in self._detector.detect(picture)
        ]


def is_known(roi: Roi, tracks: Sequence[Track], t: float) -> bool:
    """Whether a find is somebody who is followed, and not who stands beside or behind them."""
    before = [
        track.lost_to for track in tracks if track.state == "hidden" and t - track.seen_at < _LOOK_FOR_S
    ]
    return any(
        math.hypot(roi.x - track.roi.x, roi.y - track.roi.y)
        < (_BESIDE if track in before else _EXPLAINED) * max(roi.side, track.roi.side)
        for track in tracks
        if track.state != "hidden" and not track.strays
    )


def fits(roi: Roi, window: Box) -> bool:
    """Whether somebody in `window` may be so large, and there: in a small part of a room much looks like someone."""
    inside = window.left <= roi.x <= window.right and window.top <= roi.y <= window.bottom
    return inside and _SIZES[0] < roi.side / max(window.width, window.height) < _SIZES[1]
