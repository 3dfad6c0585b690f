"""BlazePose's landmark model: 33 joints and two alignment points in a rotated 256 x 256 crop of one person."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edge.vision.inference import Network, Precision

if TYPE_CHECKING:
    from edge.vision.roi import Roi

SIZE = 256
JOINTS, OUTPUTS = 33, 39
HIPS, RIM = 33, 34
"""Alignment points among the model's 39: the middle of the hips, and the rim of the body's circle."""
_WINDOW = np.arange(-3, 4)
"""The 7 x 7 cells of the heatmap around a landmark that refine it."""
_MOMENTS = np.column_stack([np.tile(_WINDOW, 7), np.repeat(_WINDOW, 7), np.ones(49)])
"""float64[49, 3]: x and y of these cells from the middle one, and 1."""
_LEAST_JOINTS = 12
_MIN_PEAK = 0.5
_SCALE = np.float32(1 / 255)
_LARGE = 400_000
"""Pixels of a region from which another channel costs more than it saves."""

Array = npt.NDArray[np.float64]


class Landmarks(NamedTuple):
    """What the model says of one crop."""

    points: Array
    """float64[39, 2]: x, y in the picture's pixels."""
    visibility: Array
    """float64[39]: how surely a joint is inside the picture and not hidden, 0-1."""
    world: Array
    """float64[33, 3]: metres from the middle of the hips; x right, y up, z towards the camera."""
    presence: float
    """How surely there is a person at all, 0-1."""
    peaks: Array = np.ones(OUTPUTS)
    """float64[39]: how clearly the heatmap shows each joint where it is said to be, 0-1. `presence` takes a dog for a
    person; here nothing of a dog is clear."""

    def clearness(self, width: int, height: int) -> float:
        """Mean of the joints' peaks, 0-1: 0.6 to 0.9 for people, below 0.6 for dogs, lamps and coats.

        Of a picture of `width` and `height`: what lies outside of it cannot be clear, and is not counted while enough
        is inside.
        """
        xy = self.points[:JOINTS]
        inside = ((xy >= 0) & (xy < (width, height))).all(axis=1)
        return float(self.peaks[:JOINTS][inside].sum() / max(inside.sum(), _LEAST_JOINTS))

    def finite(self) -> bool:
        """Whether every value is a number."""
        return all(bool(np.isfinite(part).all()) for part in self)


class LandmarkModel:
    """Reads the joints of the person in a region."""

    def __init__(self, precision: Precision, threads: int) -> None:
        self.network = Network("landmark", precision, threads, ["landmarks", "presence", "heatmap", "world"])

    def crop(self, bgr: npt.NDArray[np.uint8], roi: Roi) -> npt.NDArray[np.float32]:
        """The network's input float32[1, 3, 256, 256], RGB, 0-1."""
        return blob(cut(bgr, roi))


def cut(bgr: npt.NDArray[np.uint8], roi: Roi) -> npt.NDArray[np.uint8]:
    """A region of a picture, uint8[256, 256, 3]."""
    matrix = roi.matrix(SIZE)
    (a, b, x), (c, d, y) = matrix.tolist()
    left, right = _span(x, a * SIZE, b * SIZE, bgr.shape[1])
    top, bottom = _span(y, c * SIZE, d * SIZE, bgr.shape[0])
    # OpenCV warps four channels in a third of the time of three, with the same result.
    fourth = (right - left) * (bottom - top) < _LARGE
    if fourth:
        wide = np.empty((bottom, right, 4), np.uint8)  # what is not filled is not read either
        cv2.cvtColor(bgr[top:bottom, left:right], cv2.COLOR_BGR2BGRA, dst=wide[top:bottom, left:right])
    picture = cv2.warpAffine(
        wide if fourth else bgr,
        matrix,
        (SIZE, SIZE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR) if fourth else picture, np.uint8)


def _span(corner: float, across: float, down: float, length: int) -> tuple[int, int]:
    """From where to where, of `length` pixels, a square is read that begins at `corner` and has these two sides."""
    low = corner + min(across, 0.0) + min(down, 0.0)
    high = corner + max(across, 0.0) + max(down, 0.0)
    first = min(max(math.floor(low) - 1, 0), length - 1)
    return first, max(min(math.ceil(high) + 2, length), first + 1)


def blob(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """A cut region as the network takes it: float32[1, 3, 256, 256], RGB, 0-1."""
    image = np.empty((1, 3, *picture.shape[:2]), np.float32)
    for plane, channel in zip(image[0], reversed(cv2.split(picture)), strict=True):
        np.multiply(channel, _SCALE, out=plane)
    return image


def decode(outputs: list[npt.NDArray[np.float32]], roi: Roi) -> Landmarks:
    """The model's raw outputs (landmarks, presence, heatmap, world) as joints in the picture."""
    raw, presence, heatmap, world = outputs
    table = raw.reshape(-1, 5).astype(np.float64)
    matrix = roi.matrix(SIZE)
    crop_xy, peaks = refine(table[:, :2], heatmap[0])
    seen = 1 / (1 + np.exp(-np.clip(table[:, 3:5], -60, 60)))
    return Landmarks(
        points=crop_xy @ matrix[:, :2].T + matrix[:, 2],
        visibility=seen.min(axis=1),
        world=_upright(world.reshape(-1, 3)[:JOINTS].astype(np.float64), roi.turn),
        presence=float(presence.ravel()[0]),
        peaks=peaks,
    )


def _upright(world: Array, turn: float) -> Array:
    """The crop's world axes (x right, y down, z away) turned back and named as ours (y up, z to the camera)."""
    c, s = math.cos(turn), math.sin(turn)
    x, y, z = world.T
    return np.stack([c * x - s * y, -(s * x + c * y), -z], axis=1)


def refine(points: Array, heatmap: npt.NDArray[np.float32]) -> tuple[Array, Array]:
    """Move each landmark to the centre of mass of its heatmap nearby; the points, and the height of each peak (0-1).

    `points` float64[K, 2] in crop pixels, `heatmap` float32[K, h, w] logits. A landmark outside the map or
    without a clear peak stays where it is (MediaPipe's RefineLandmarksFromHeatmapCalculator).
    """
    count, height, width = heatmap.shape
    size = np.array([width, height])
    inside = np.asarray(((points >= 0) & (points < SIZE)).all(axis=1))
    cell = np.where(inside[:, None], points * (size / SIZE), 0).astype(np.int64)
    x, y = cell.T
    xs, ys = x[:, None] + _WINDOW, y[:, None] + _WINDOW
    rows = np.arange(count)[:, None] * height + ys
    logits = heatmap.ravel().take(rows[:, :, None] * width + xs[:, None], mode="clip")
    within = ((ys >= 0) & (ys < height))[:, :, None] & ((xs >= 0) & (xs < width))[:, None]
    mass = (within / (1 + np.exp(-logits.astype(np.float64)))).reshape(count, -1)
    peaks = mass.max(axis=1)
    moments = mass @ _MOMENTS
    centre = cell + moments[:, :2] / np.maximum(moments[:, 2:], 1e-12)
    clear = inside & (peaks >= _MIN_PEAK)
    return np.where(clear[:, None], centre * (SIZE / size), points), np.where(inside, peaks, 0.0)
