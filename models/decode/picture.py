"""Pictures made to fit a network: the whole one within bars, or one person cut out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from models.families import Input

Picture = npt.NDArray[np.uint8]
Affine = npt.NDArray[np.float64]
"""float64[2, 3]: from pixels of the network's input to the picture's."""

_PADDING = 1.25
"""Top-down networks are trained on boxes so much larger than the person (MMPose's GetBBoxCenterScale)."""


class Box(NamedTuple):
    """Where a person is, in pixels of the picture: middle, width, height, and turn in radians (0: head up)."""

    x: float
    y: float
    width: float
    height: float
    turn: float = 0.0

    @classmethod
    def around(cls, points: npt.NDArray[np.float64]) -> Box:
        """The upright box around `points` float64[K, 2]."""
        low, high = points.min(axis=0), points.max(axis=0)
        (x, y), (width, height) = (low + high) / 2, high - low
        return cls(float(x), float(y), float(width), float(height))


def letterbox(bgr: Picture, width: int, height: int, fill: int) -> tuple[Picture, Affine]:
    """The whole of `bgr` uint8[H, W, 3], as large as it goes in the middle of `width` x `height`, bars around it."""
    rows, columns = bgr.shape[:2]
    scale = min(width / columns, height / rows)
    w, h = max(round(columns * scale), 1), max(round(rows * scale), 1)
    left, top = (width - w) // 2, (height - h) // 2
    canvas = np.full((height, width, 3), fill, np.uint8)
    cv2.resize(bgr, (w, h), dst=canvas[top : top + h, left : left + w], interpolation=cv2.INTER_LINEAR)
    return canvas, np.array([[1, 0, -left], [0, 1, -top]]) / scale


def cut(bgr: Picture, box: Box, width: int, height: int, fill: int) -> tuple[Picture, Affine]:
    """The person in `box`, upright, with some air, in the proportions of `width` x `height`."""
    tall = max(box.height, box.width * height / width, 1.0) * _PADDING
    scale = tall / height
    c, s = scale * np.cos(box.turn), scale * np.sin(box.turn)
    middle = np.array([box.x, box.y]) - np.array([[c, -s], [s, c]]) @ [width / 2, height / 2]
    affine = np.array([[c, -s, middle[0]], [s, c, middle[1]]])
    picture = cv2.warpAffine(
        bgr,
        affine,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(fill, fill, fill),
    )
    return np.asarray(picture, np.uint8), affine


def tensor(bgr: Picture, wanted: Input, element: str) -> npt.NDArray[np.generic]:
    """The network's input with a batch of one; `bgr` has its size already. `element`: int32, uint8 or float32."""
    rgb = bgr[:, :, ::-1]
    if element != "float32":
        values = rgb.astype(element)
    else:
        values = (rgb.astype(np.float32) - np.array(wanted.mean, np.float32)) / np.array(
            wanted.scale, np.float32
        )
    if wanted.layout == "NCHW":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values[None])
