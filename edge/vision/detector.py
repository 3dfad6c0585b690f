"""BlazePose's person detector: an SSD over 2,254 anchors on a 224 x 224 letterboxed picture.

Anchors and decoding follow MediaPipe's `pose_detection_cpu` graph (Bazarevsky et al., "BlazePose: On-device
Real-time Body Pose tracking", 2020).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edge.vision.background import Box
from edge.vision.inference import Network, Precision
from edge.vision.roi import Roi

SIZE = 224
SURE = 0.5
"""Score from which a find is somebody, most likely."""
_STRIDES = ((8, 2), (16, 2), (32, 6))
"""(pixels a cell, anchors a cell) of the detector's three grids."""

Array = npt.NDArray[np.float64]


class Detection(NamedTuple):
    """A person found in the picture."""

    roi: Roi
    score: float


class Detector:
    """Finds people in a picture or a part of it."""

    def __init__(self, precision: Precision, threads: int, threshold: float = SURE) -> None:
        """`threshold`: least score (0-1) of a detection."""
        self.network = Network("detector", precision, threads, ["boxes", "scores"])
        self.threshold = threshold

    def detect(self, bgr: npt.NDArray[np.uint8], window: Box | None = None) -> list[Detection]:
        """People in `bgr` uint8[H, W, 3], or in its part `window`, the best score first; in the picture's pixels."""
        part = window or Box(0, 0, bgr.shape[1], bgr.shape[0])
        image, scale, left, top = _letterbox(bgr[part.top : part.bottom, part.left : part.right])
        boxes, scores = self.network.run(image)
        found = merge(decode(boxes[0], scores[0, :, 0], self.threshold))
        found[:, 0:12:2] = (found[:, 0:12:2] - left) / scale + part.left
        found[:, 1:12:2] = (found[:, 1:12:2] - top) / scale + part.top
        return [Detection(Roi.from_alignment(row[4:6], row[6:8]), float(row[12])) for row in found]


def _anchors() -> npt.NDArray[np.float32]:
    """float32[2254, 2]: anchor centres in detector pixels."""
    grids = []
    for stride, count in _STRIDES:
        cells = SIZE // stride
        centre = (np.arange(cells) + 0.5) * stride
        grid = np.stack(np.meshgrid(centre, centre), -1).reshape(-1, 1, 2)
        grids.append(np.repeat(grid, count, axis=1).reshape(-1, 2))
    return np.concatenate(grids).astype(np.float32)


ANCHORS = _anchors()


def _letterbox(bgr: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], float, int, int]:
    """The network's input (black bars, -1..1, RGB), and the scale and offset that lead into it."""
    height, width = bgr.shape[:2]
    scale = SIZE / max(height, width)
    w, h = max(round(width * scale), 1), max(round(height * scale), 1)
    left, top = (SIZE - w) // 2, (SIZE - h) // 2
    canvas = np.zeros((SIZE, SIZE, 3), np.uint8)
    cv2.resize(bgr, (w, h), dst=canvas[top : top + h, left : left + w], interpolation=cv2.INTER_LINEAR)
    blob = cv2.dnn.blobFromImage(canvas, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
    return np.asarray(blob, np.float32), scale, left, top


def decode(boxes: npt.NDArray[np.float32], logits: npt.NDArray[np.float32], threshold: float) -> Array:
    """Rows of 13: box x0 y0 x1 y1, four keypoints x y, score; detector pixels.

    `boxes` float32[2254, 12] are offsets from the anchors, `logits` float32[2254].
    """
    score = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -60, 60)))
    keep = np.nonzero(score >= threshold)[0]
    raw, anchor = boxes[keep].astype(np.float64), ANCHORS[keep].astype(np.float64)
    centre, half = raw[:, :2] + anchor, raw[:, 2:4] / 2
    points = raw[:, 4:] + np.tile(anchor, 4)
    return np.concatenate([centre - half, centre + half, points, score[keep, None]], axis=1)


def merge(rows: Array, overlap: float = 0.3) -> Array:
    """Weighted non-maximum suppression: boxes that overlap (IoU) become their score-weighted mean.

    Those below `SURE` do not move one above it.
    """
    rows = rows[np.argsort(-rows[:, 12], kind="stable")]
    area = np.prod(rows[:, 2:4] - rows[:, 0:2], axis=1)
    alive = np.arange(len(rows))
    merged = []
    while len(alive):
        best = alive[0]
        low = np.maximum(rows[best, 0:2], rows[alive, 0:2])
        high = np.minimum(rows[best, 2:4], rows[alive, 2:4])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        same = shared / (area[best] + area[alive] - shared + 1e-9) > overlap
        same[0] = True
        group = rows[alive[same]]
        if rows[best, 12] >= SURE:
            group = group[group[:, 12] >= SURE]
        mean = np.average(group, axis=0, weights=group[:, 12])
        mean[12] = rows[best, 12]
        merged.append(mean)
        alive = alive[~same]
    return np.array(merged).reshape(-1, 13)
