"""Pictures of the calibration marker on a floor, as the cameras of the generated truth would take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from edge.link import MARKER_SIDE_M
from edge.vision.marker import modules

if TYPE_CHECKING:
    from tests.truth.camera import Pinhole

Picture = npt.NDArray[np.uint8]

_PAGE = (0.210, 0.297)
_PX_A_METRE = 2000
_FINER = 2


def page() -> Picture:
    """The printed page, from above, uint8[H, W]."""
    width, height = (round(side * _PX_A_METRE) for side in _PAGE)
    paper = np.full((height, width), 235, np.uint8)
    side = round(MARKER_SIDE_M * _PX_A_METRE)
    black = np.repeat(np.repeat(modules(), side // 6, axis=0), side // 6, axis=1)
    top, left = (height - side) // 2, (width - side) // 2
    paper[top : top + side, left : left + side] = np.where(black, 25, 235)
    return paper


def picture(
    camera: Pinhole,
    place: tuple[float, float],
    turn: float = 0.0,
    *,
    noise: float = 2.0,
    blur: float = 0.8,
    hidden: float = 0.0,
    seed: int = 0,
) -> Picture:
    """What `camera` takes: uint8[H, W, 3].

    The page lies at `place` (x, z) on the floor, turned by `turn` degrees. `noise`: standard deviation of the
    brightness; `blur`: sigma in pixels; `hidden`: share of the page under something, from one side.
    """
    dice = np.random.default_rng(seed)
    paper = page()
    height, width = paper.shape
    if hidden:
        paper[:, : round(hidden * width)] = 110
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    along = (corners - (width / 2, height / 2)) / _PX_A_METRE
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    x, z = along[:, 0] * c - along[:, 1] * s + place[0], along[:, 0] * s + along[:, 1] * c + place[1]
    # Seen from above, with y up, x to the right is z towards the viewer.
    pixels = camera.project(np.stack([x, np.zeros(4), z], axis=1))
    to_picture = cv2.getPerspectiveTransform(
        (corners - 0.5).astype(np.float32), (pixels * _FINER - 0.5).astype(np.float32)
    )
    size = (camera.size[0] * _FINER, camera.size[1] * _FINER)
    floor = np.full((size[1], size[0]), 140, np.uint8)
    cv2.warpPerspective(
        paper, to_picture, size, dst=floor, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_TRANSPARENT
    )
    seen = cv2.resize(floor, camera.size, interpolation=cv2.INTER_AREA).astype(float)
    if blur:
        seen = cv2.GaussianBlur(seen, (0, 0), blur)
    seen = seen[:, :, None] + noise * dice.standard_normal((*seen.shape, 3))
    return np.asarray(np.clip(np.rint(seen), 0, 255), np.uint8)
