"""The outputs of YOLO-pose, RTMPose and MoveNet as people: pure functions over arrays.

Written from the models' published forms: Ultralytics' guide to end-to-end detection and its export reference for
YOLO-pose; Jiang et al., "RTMPose", 2023, and Li et al., "SimCC", ECCV 2022; Google's model cards for MoveNet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from models.decode.picture import Affine
    from models.families import Decoder, Family

Array = npt.NDArray[np.float64]
Outputs = list[npt.NDArray[np.float32]]

_KEYPOINTS = 17
_OVERLAP = 0.7
"""IoU from which two boxes are one person: Ultralytics' own default."""
_MOST = 100
"""People in a picture; more are no gym."""


class Poses(NamedTuple):
    """People in a picture, the surest first."""

    points: Array
    """float64[P, K, 2]: x, y in pixels."""
    scores: Array
    """float64[P, K], 0-1, as the model gives them."""
    found: Array
    """float64[P], 0-1: how surely there is a person."""

    def moved(self, affine: Affine) -> Poses:
        """The same people in other pixels."""
        return self._replace(points=self.points @ affine[:, :2].T + affine[:, 2])

    def keep(self, indices: Sequence[int]) -> Poses:
        """Some of them, in this order."""
        return Poses(*(part[list(indices)] for part in self))

    def visibility(self, seen: float) -> Array:
        """float64[P, K], 0-1: the scores bent so that `seen`, where the model calls a keypoint seen, is 0.5."""
        return np.interp(self.scores, [0, seen, 1], [0, 0.5, 1])


def decode(
    decoder: Decoder, family: Family, outputs: Sequence[npt.NDArray[np.float32]], size: tuple[int, int]
) -> Poses:
    """The people in the outputs, in pixels of the network's input, which is `size` = width, height."""
    poses = _DECODERS[decoder]([np.asarray(output, np.float64) for output in outputs], size, family.found)
    whole = np.isfinite(poses.points).all(axis=(1, 2)) & np.isfinite(poses.scores).all(axis=1)
    sure = whole & (poses.found >= family.found)  # what is no number is not sure
    order = [index for index in np.argsort(-poses.found, kind="stable") if sure[index]][:_MOST]
    kept = poses.keep(order)
    return Poses(kept.points, np.clip(kept.scores, 0, 1), np.clip(kept.found, 0, 1))


def _yolo_grid(outputs: list[Array], _size: tuple[int, int], least: float) -> Poses:
    """[1, 56, N]: x, y, w, h of the box from its middle, score, 17 x (x, y, visibility)."""
    rows = _sure(outputs[0][0].T, 4, least)
    rows = rows[np.argsort(-rows[:, 4], kind="stable")]
    low, high = rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2
    return _triples(rows[:, 5:], rows[:, 4]).keep(_suppress(low, high))


def _yolo_end_to_end(outputs: list[Array], _size: tuple[int, int], least: float) -> Poses:
    """[1, N, 57]: x0, y0, x1, y1 of the box, score, class, 17 x (x, y, visibility); nobody is there twice."""
    rows = _sure(outputs[0][0], 4, least)
    return _triples(rows[:, 6:], rows[:, 4])


def _simcc(outputs: list[Array], size: tuple[int, int], _least: float) -> Poses:
    """[1, 17, s W] and [1, 17, s H]: how likely each cell is; a joint is as sure as the less sure of its axes."""
    places, peaks = [], []
    for table, length in zip((outputs[0][0], outputs[1][0]), size, strict=True):
        places.append(table.argmax(axis=1) * length / table.shape[1])
        peaks.append(table.max(axis=1))
    scores = np.minimum(*peaks)
    return Poses(np.stack(places, axis=1)[None], scores[None], np.clip(scores, 0, 1).mean()[None])


def _movenet_single(outputs: list[Array], size: tuple[int, int], _least: float) -> Poses:
    """[1, 1, 17, 3]: y, x as shares of the input, score; somebody is always there, so their mean is the find's."""
    people = outputs[0][0]
    return Poses(people[:, :, 1::-1] * size, people[:, :, 2], people[:, :, 2].mean(axis=1))


def _movenet_multi(outputs: list[Array], size: tuple[int, int], least: float) -> Poses:
    """[1, 6, 56]: 17 x (y, x, score), y0, x0, y1, x1 of the box, score."""
    rows = _sure(outputs[0][0], 55, least)
    people = rows[:, : 3 * _KEYPOINTS].reshape(-1, _KEYPOINTS, 3)
    return Poses(people[:, :, 1::-1] * size, people[:, :, 2], rows[:, 55])


_DECODERS: Mapping[Decoder, Callable[[list[Array], tuple[int, int], float], Poses]] = {
    "yolo_grid": _yolo_grid,
    "yolo_end_to_end": _yolo_end_to_end,
    "simcc": _simcc,
    "movenet_single": _movenet_single,
    "movenet_multi": _movenet_multi,
}


def _sure(rows: Array, score: int, least: float) -> Array:
    """The rows in which all is a number and the score high enough."""
    return np.asarray(rows[(rows[:, score] >= least) & np.isfinite(rows).all(axis=1)])


def _triples(table: Array, found: Array) -> Poses:
    """Rows of 17 x (x, y, visibility)."""
    people = table.reshape(-1, _KEYPOINTS, 3)
    return Poses(people[:, :, :2], people[:, :, 2], found)


def _suppress(low: Array, high: Array) -> list[int]:
    """Non-maximum suppression over boxes float64[N, 2] x 2, the surest first: the indices that stay."""
    area = np.prod(np.clip(high - low, 0, None), axis=1)
    alive = np.arange(len(low))
    kept: list[int] = []
    while len(alive) and len(kept) < _MOST:
        best = alive[0]
        kept.append(int(best))
        shared = np.prod(
            np.clip(np.minimum(high[best], high[alive]) - np.maximum(low[best], low[alive]), 0, None), axis=1
        )
        other = shared / (area[best] + area[alive] - shared + 1e-9) <= _OVERLAP
        other[0] = False
        alive = alive[other]
    return kept
