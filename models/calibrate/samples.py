"""Inputs of the two networks as they occur in use, cut from pictures by the float models themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from models.regions import (
    Region,
    anchors,
    crop,
    detector_input,
    landmark_input,
    letterbox,
)
from models.runtime import session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from models.regions import Picture

_LEAST_SCORE = 0.5


@dataclass
class Samples:
    """Squares of uint8 [size, size, 3], as the detector and the landmark network see them."""

    detector: list[Picture] = field(default_factory=list)
    landmark: list[Picture] = field(default_factory=list)


class Cutter:
    """Finds the person in a picture with the float models and cuts the samples out."""

    def __init__(self, detector: bytes, landmark: bytes) -> None:
        """Start the two float models."""
        self._detector = session(detector)
        self._landmark = session(landmark)
        self._anchors = anchors()

    def region(self, picture: Picture) -> Region | None:
        """Return the region that tracking would use for the clearest person, or None where nobody is found."""
        square, scale, left, top = letterbox(picture)
        boxes, scores = self._detector.run(["boxes", "scores"], {"image": detector_input(square)})
        best = int(scores[0, :, 0].argmax())
        if 1 / (1 + np.exp(-float(scores[0, best, 0]))) < _LEAST_SCORE:
            return None
        points = boxes[0, best, 4:8].reshape(2, 2) + self._anchors[best]
        first = Region.from_points(*((points - (left, top)) / scale))
        outputs = ["landmarks", "presence"]
        landmarks, presence = self._landmark.run(outputs, {"image": landmark_input(crop(picture, first))})
        if presence.item() < _LEAST_SCORE:
            return None
        matrix = first.matrix()
        hips, end = landmarks.reshape(39, 5)[33:35, :2] @ matrix[:, :2].T + matrix[:, 2]
        return Region.from_points(hips, end)

    def cut(self, sources: Iterable[Picture], *, copies: int, seed: int | np.random.Generator = 1) -> Samples:
        """Return the samples of pictures, each crop once as it is and `copies` times moved, turned and tinted.

        seed: or the generator to go on with, so that several calls give what one would.
        """
        rng = np.random.default_rng(seed)
        samples = Samples()
        for picture in sources:
            samples.detector.append(letterbox(picture)[0])
            if copies:
                samples.detector.append(letterbox(_zoomed(picture, rng))[0])
            region = self.region(picture)
            if region is not None:
                samples.landmark.append(crop(picture, region))
                samples.landmark.extend(_varied(picture, region, rng) for _ in range(copies))
        return samples


def _zoomed(picture: Picture, rng: np.random.Generator) -> Picture:
    """Return a part of the picture, half to nine tenths of its shorter side."""
    height, width = picture.shape[:2]
    side = int(min(height, width) * rng.uniform(0.5, 0.9))
    y, x = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
    return picture[y : y + side, x : x + side]


def _varied(picture: Picture, region: Region, rng: np.random.Generator) -> Picture:
    """Return a crop as a lost track, another light and another camera would give it."""
    side = region.side
    moved = Region(
        region.x + rng.normal(0, 0.04) * side,
        region.y + rng.normal(0, 0.04) * side,
        side * np.exp(rng.uniform(-0.2, 0.3)),
        region.rotation + np.radians(rng.normal(0, 15)),
    )
    square: Any = crop(picture, moved).astype(np.float32) / 255
    if rng.random() < 0.5:
        square = square[:, ::-1]
    square = square ** np.exp(rng.normal(0, 0.35)) * rng.uniform(0.5, 1.3) * rng.uniform(0.93, 1.07, 3)
    return np.asarray(np.clip(square * 255, 0, 255), np.uint8)
