"""The calibration marker on the floor: found in pictures, and told as where the floor is; no picture leaves here.

A square of 4 x 4 ArUco modules (Garrido-Jurado et al., Pattern Recognition 47:2280, 2014). It is looked for only
while nobody is in view: a picture every few seconds, and several in a row once it was found, whose median is told.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.link import MARKER_SIDE_M, MarkerSeen

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

DICTIONARY, NUMBER = cv2.aruco.DICT_4X4_50, 0
_SEARCH_S, _AGAIN_S = 3.0, 30.0
"""Seconds between two looks: until it was found, and afterwards, to notice that the camera was moved."""
_IN_A_ROW_S = 0.1
_PICTURES = 15
"""Pictures whose median is taken."""
_STEADY = 0.04
"""Of the marker's side in pixels: by how much its corners may differ between pictures."""
_LEAST_PX = 20.0
"""The marker's height in the picture, across its longest side: below it, lengths are off by more than 2 %."""
_PX_A_MODULE, _MARGIN, _SMOOTH = 8, 0.2, 1
"""Of the pattern that is laid over the picture: its size, its margin in modules, the smoothing of both."""
_AROUND_PX, _ALIKE = 12, 0.85
_HALF = MARKER_SIDE_M / 2
_CORNERS = np.array([(-_HALF, _HALF), (_HALF, _HALF), (_HALF, -_HALF), (-_HALF, -_HALF)])
"""Metres from the middle of the marker, as the finder orders them: from the top left, clockwise."""


class Finder:
    """Finds the marker in one picture."""

    def __init__(self) -> None:
        """Corners are refined to parts of a pixel."""
        settings = cv2.aruco.DetectorParameters()
        settings.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
        settings.cornerRefinementWinSize = 4
        settings.minMarkerPerimeterRate = 0.02
        self._detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(DICTIONARY), settings)

    def corners(self, bgr: npt.NDArray[np.uint8]) -> Array | None:
        """The corners float64[4, 2] in pixels, or None: not there, there twice, or too small."""
        found, numbers, _ = self._detector.detectMarkers(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))
        if numbers is None:
            return None
        ours = [
            corners.reshape(4, 2).astype(float)
            for corners, number in zip(found, numbers.ravel(), strict=True)
            if number == NUMBER
        ]
        if len(ours) != 1:
            return None
        area = cv2.contourArea(ours[0].astype(np.float32))
        return ours[0] if area / _longest(ours[0]) >= _LEAST_PX else None


class MarkerWatch:
    """Decides when to look, and tells the median of what it saw."""

    def __init__(self, camera: str) -> None:
        """For one camera that stands still."""
        self._camera = camera
        self._finder = Finder()
        self._next = -math.inf
        self._seen: list[Array] = []
        self._sum: Array | None = None
        """Of the pictures in which it was seen."""
        self._size = (0, 0)

    def look(self, bgr: npt.NDArray[np.uint8], at_ns: int, *, anyone: bool) -> MarkerSeen | None:
        """Look at a picture if it is time to; what was seen, once enough pictures agree."""
        t, size = at_ns / 1e9, (bgr.shape[1], bgr.shape[0])
        if size != self._size:
            self._next, self._size = -math.inf, size
            self._seen = []
        if anyone:
            self._seen = []
        if anyone or t < self._next:
            return None
        corners = self._finder.corners(bgr)
        if corners is None:
            self._seen = []
            self._next = t + _SEARCH_S
            return None
        grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).astype(float)
        self._sum = grey if self._sum is None or not self._seen else self._sum + grey
        self._seen.append(corners)
        self._next = t + _IN_A_ROW_S
        if len(self._seen) < _PICTURES:
            return None
        seen, self._seen = np.array(self._seen), []
        self._next = t + _AGAIN_S
        return self._told(seen, at_ns)

    def _told(self, seen: Array, at_ns: int) -> MarkerSeen | None:
        corners = np.median(seen, axis=0)
        spread = float(np.median(np.linalg.norm(seen - corners, axis=2)))
        if spread > _STEADY * _longest(corners):
            return None  # the camera or the page moves
        assert self._sum is not None
        homography = _fitted(self._sum / len(seen), corners)
        if homography is None:
            return None
        return MarkerSeen(
            camera=self._camera,
            monotonic_ns=at_ns,
            width=self._size[0],
            height=self._size[1],
            homography=tuple(map(float, homography.ravel())),  # type: ignore[arg-type]
            spread_px=spread,
        )


def _fitted(grey: Array, corners: Array) -> Array | None:
    """The homography that lays the whole pattern best over a picture; corners alone are some tenths of a pixel off.

    By enhanced correlation (Evangelidis and Psarakis, IEEE PAMI 30:1858, 2008). None where it fits badly.
    """
    template, to_metres = _template()
    start = cv2.findHomography(_CORNERS, corners)[0] @ to_metres
    low = np.maximum(np.floor(corners.min(axis=0) - _AROUND_PX), 0).astype(int)
    high = np.ceil(corners.max(axis=0) + _AROUND_PX).astype(int)
    crop = grey[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    moved = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]], float)
    first = (moved @ start).astype(np.float32)
    rule = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-6)
    try:
        alike, found = cv2.findTransformECC(
            template,
            crop,
            np.asarray(first / first[2, 2], np.float32),
            cv2.MOTION_HOMOGRAPHY,
            rule,
            np.ones(crop.shape, np.uint8),
            _SMOOTH,
        )
    except cv2.error:
        return None
    if alike < _ALIKE:
        return None
    # A picture's first pixel has its middle at 0 for OpenCV, and at a half for everybody else here.
    back = np.array([[1, 0, low[0] + 0.5], [0, 1, low[1] + 0.5], [0, 0, 1]], float)
    homography = back @ found @ np.linalg.inv(to_metres)
    return np.asarray(homography / homography[2, 2])


@cache
def _template() -> tuple[npt.NDArray[np.float32], Array]:
    """The pattern from above with its margin, float32[N, N], and 3 x 3 from its pixels to metres on the floor."""
    black = np.pad(modules(), 1)
    drawn = np.where(np.repeat(np.repeat(black, _PX_A_MODULE, 0), _PX_A_MODULE, 1), 0, 255).astype(np.float32)
    margin = round(_PX_A_MODULE * (1 - _MARGIN))
    drawn = np.ascontiguousarray(drawn[margin:-margin, margin:-margin])
    metre = MARKER_SIDE_M / len(modules()) / _PX_A_MODULE
    middle = (len(drawn) - 1) / 2
    return drawn, np.array([[metre, 0, -middle * metre], [0, -metre, middle * metre], [0, 0, 1]])


def _longest(corners: Array) -> float:
    """Pixels of the longest side."""
    return float(np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1).max())


def modules() -> npt.NDArray[np.bool_]:
    """Which modules of the marker are black, bool[6, 6], its border among them."""
    image = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(DICTIONARY), NUMBER, 6)
    return np.asarray(image < 128)
