"""From a picture to the two networks' inputs, after MediaPipe's pose landmark graph.

A region is the turned square around one person that the landmark network sees: centre x, y and side in pixels
of the picture, and rotation in radians (0 when the person stands upright).
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

DETECTOR_SIZE = 224
LANDMARK_SIZE = 256
HEATMAP_SIZE = 64
LANDMARKS = 39

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Region(NamedTuple):
    """The square around a person."""

    x: float
    y: float
    side: float
    rotation: float

    @classmethod
    def from_points(cls, centre: NDArray[np.floating], end: NDArray[np.floating]) -> Region:
        """Return the region of a hip centre and the point that gives its size and direction, both (x, y)."""
        dx, dy = float(end[0] - centre[0]), float(end[1] - centre[1])
        rotation = math.pi / 2 - math.atan2(-dy, dx)
        return cls(float(centre[0]), float(centre[1]), 2.5 * math.hypot(dx, dy), rotation)

    def matrix(self) -> NDArray[np.float64]:
        """Return the 2x3 matrix from crop pixels to picture pixels."""
        cos = math.cos(self.rotation) * self.side / LANDMARK_SIZE
        sin = math.sin(self.rotation) * self.side / LANDMARK_SIZE
        half = LANDMARK_SIZE / 2
        return np.array(
            [[cos, -sin, self.x - (cos - sin) * half], [sin, cos, self.y - (sin + cos) * half]], np.float64
        )


@functools.cache
def anchors() -> Floats:
    """Return the centres of the detector's 2254 anchors [2254, 2] in input pixels: strides 8, 16 and 32."""
    layers = []
    for stride, boxes in ((8, 2), (16, 2), (32, 6)):
        centres = (np.arange(DETECTOR_SIZE // stride) + 0.5) * stride
        grid = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)
        layers.append(np.repeat(grid, boxes, axis=0))
    return np.concatenate(layers).astype(np.float32)


def letterbox(picture: Picture) -> tuple[Picture, float, int, int]:
    """Return the detector's square [224, 224, 3], its scale to the picture, and the left and top margins."""
    height, width = picture.shape[:2]
    scale = DETECTOR_SIZE / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    left, top = (DETECTOR_SIZE - size[0]) // 2, (DETECTOR_SIZE - size[1]) // 2
    square = np.zeros((DETECTOR_SIZE, DETECTOR_SIZE, 3), np.uint8)
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    square[top : top + size[1], left : left + size[0]] = resized
    return square, scale, left, top


def crop(picture: Picture, region: Region) -> Picture:
    """Return the landmark network's square [256, 256, 3]."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (LANDMARK_SIZE, LANDMARK_SIZE)
    square = cv2.warpAffine(picture, region.matrix(), size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(square, np.uint8)


def detector_input(square: Picture) -> Floats:
    """Return f32[1, 3, 224, 224] in -1..1."""
    return (square.astype(np.float32) / np.float32(127.5) - np.float32(1)).transpose(2, 0, 1)[None]


def landmark_input(square: Picture) -> Floats:
    """Return f32[1, 3, 256, 256] in 0..1."""
    return (square.astype(np.float32) / np.float32(255)).transpose(2, 0, 1)[None]


def refined(landmarks: Floats, heatmap: Floats, *, window: int = 7, least: float = 0.5) -> Floats:
    """Return landmarks [39, 2] in crop pixels, moved to the centre of mass of their heatmap's window.

    landmarks: [1, 195]; heatmap: logits [1, 39, 64, 64]. A landmark whose window holds no probability of
    `least` stays. Source: MediaPipe, RefineLandmarksFromHeatmapCalculator.
    """
    points: Floats = landmarks.reshape(LANDMARKS, -1)[:, :2].copy()
    reach, step = window // 2, LANDMARK_SIZE / HEATMAP_SIZE
    for point, logits in zip(points, heatmap[0], strict=True):
        column, row = int(point[0] / step), int(point[1] / step)
        if not (0 <= column < HEATMAP_SIZE and 0 <= row < HEATMAP_SIZE):
            continue
        rows = np.arange(max(row - reach, 0), min(row + reach + 1, HEATMAP_SIZE))
        columns = np.arange(max(column - reach, 0), min(column + reach + 1, HEATMAP_SIZE))
        chance = 1 / (1 + np.exp(-logits[np.ix_(rows, columns)].astype(np.float64)))
        if chance.max() >= least:
            point[0] = (chance.sum(axis=0) * columns).sum() / chance.sum() * step
            point[1] = (chance.sum(axis=1) * rows).sum() / chance.sum() * step
    return points
