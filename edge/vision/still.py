"""The one person of a single picture, looked for with care: nobody is followed here, and time does not press.

The detector was trained on upright people. What it misses, or takes for half a person, it often finds in the picture
turned: so each turn gives candidates, the landmark network reads each of them, and what it believes most is kept.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.vision import landmarks
from edge.vision.detector import Detector
from edge.vision.landmarks import HIPS, RIM, LandmarkModel, Landmarks
from edge.vision.roi import Roi

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge.vision.inference import Precision

UPRIGHT = (0.0,)
ALL_ROUND = tuple(math.radians(degrees) for degrees in range(0, 360, 45))
_LIMBS = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
"""Shoulders to wrists and hips to ankles."""
_EACH = 2
"""Candidates that one turn of the picture gives at most."""


class StillReader:
    """Reads the person in single pictures."""

    def __init__(
        self,
        precision: Precision = "int8",
        threads: int = 1,
        *,
        turns: Sequence[float] = ALL_ROUND,
        readings: int = 3,
    ) -> None:
        """`turns`: how the picture is turned for the detector, radians. `readings`: of one candidate, each in the
        region that the one before said. ModelError where a network is missing or damaged.
        """
        self.detector = Detector(precision, threads)
        self.landmarks = LandmarkModel(precision, threads)
        self.turns = tuple(turns)
        self.readings = readings

    def read(self, bgr: npt.NDArray[np.uint8]) -> Landmarks | None:
        """The person in `bgr` uint8[H, W, 3] whom the landmark network believes most; None where nobody is found."""
        candidates = [roi for turn in self.turns for roi in self._detect(bgr, turn)[:_EACH]]
        seen = [self.read_in(bgr, roi) for roi in candidates]
        return max((one for one in seen if one.finite()), key=_belief, default=None)

    def read_in(self, bgr: npt.NDArray[np.uint8], roi: Roi) -> Landmarks:
        """The person in a region."""
        height, width = bgr.shape[:2]
        seen = self._once(bgr, roi)
        for _ in range(self.readings - 1):
            closer = Roi.from_alignment(seen.points[HIPS], seen.points[RIM])
            if not closer.usable(width, height):
                break
            seen = self._once(bgr, closer)
        return seen

    def _once(self, bgr: npt.NDArray[np.uint8], roi: Roi) -> Landmarks:
        return landmarks.decode(self.landmarks.network.run(self.landmarks.crop(bgr, roi)), roi)

    def _detect(self, bgr: npt.NDArray[np.uint8], turn: float) -> list[Roi]:
        """Regions that the detector finds in the picture turned by `turn` radians, the best first."""
        if not turn:
            return [found.roi for found in self.detector.detect(bgr)]
        height, width = bgr.shape[:2]
        side = math.hypot(height, width)  # so that no corner is cut off
        matrix = Roi(width / 2, height / 2, side, turn).matrix(round(side))
        turned = cv2.warpAffine(
            bgr, matrix, (round(side), round(side)), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        found = []
        for roi, _ in self.detector.detect(np.asarray(turned, np.uint8)):
            x, y = matrix @ (roi.x, roi.y, 1.0)
            found.append(Roi(float(x), float(y), roi.side, roi.turn + turn))
        return found


def _belief(seen: Landmarks) -> float:
    """How much the network believes in what it read: that somebody is there, and that the joints are seen."""
    return seen.presence * float(seen.visibility[_LIMBS].mean())
