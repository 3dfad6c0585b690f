"""A drawn person on whom pose models can be tried without any footage.

Standing, facing the camera, arms a little away from the body: BlazePose finds it with a score above 0.9. Drawn
with arithmetic only, so it is the same picture everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Point = tuple[float, float]

# Joints as shares of the picture's side, x from the left, y from the top. Left is the person's own left.
JOINTS: dict[str, Point] = {
    "left_shoulder": (0.57, 0.30),
    "right_shoulder": (0.43, 0.30),
    "left_elbow": (0.66, 0.42),
    "right_elbow": (0.34, 0.42),
    "left_wrist": (0.72, 0.53),
    "right_wrist": (0.28, 0.53),
    "left_hip": (0.545, 0.53),
    "right_hip": (0.455, 0.53),
    "left_knee": (0.57, 0.71),
    "right_knee": (0.43, 0.71),
    "left_ankle": (0.58, 0.88),
    "right_ankle": (0.42, 0.88),
}

_WALL, _SKIN, _HAIR = (150, 165, 180), (205, 160, 130), (60, 40, 25)
_SHIRT, _TROUSERS, _SHOE, _DARK, _LIPS = (
    (190, 50, 45),
    (45, 60, 110),
    (30, 30, 30),
    (30, 30, 30),
    (150, 70, 70),
)


def draw(size: int) -> NDArray[np.uint8]:
    """Return the picture, RGB [size, size, 3]."""
    picture = np.empty((size, size, 3))
    shade = 1 - 0.3 * np.linspace(0, 1, size)
    picture[:] = np.multiply.outer(shade, np.array(_WALL, float))[:, None, :]
    for start, end, width, end_width, colour in _limbs():
        _limb(picture, start, end, width, end_width, colour)
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def _limbs() -> list[tuple[Point, Point, float, float, tuple[int, int, int]]]:
    """Return what is drawn, back to front: both ends, both half widths, colour."""
    limbs = []
    for side, outwards in (("left", 1), ("right", -1)):
        hip, knee, ankle = (JOINTS[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        toe = (ankle[0] + 0.03 * outwards, ankle[1] + 0.03)
        limbs += [(hip, knee, 0.045, 0.034, _TROUSERS), (knee, ankle, 0.034, 0.022, _TROUSERS)]
        limbs.append((ankle, toe, 0.022, 0.018, _SHOE))
    limbs.append(((0.5, 0.16), (0.5, 0.27), 0.03, 0.03, _SKIN))
    for side in ("left", "right"):
        limbs.append((JOINTS[f"{side}_shoulder"], JOINTS[f"{side}_hip"], 0.045, 0.045, _SHIRT))
    limbs.append(((0.5, 0.31), (0.5, 0.52), 0.07, 0.06, _SHIRT))
    for side, outwards in (("left", 1), ("right", -1)):
        shoulder, elbow, wrist = (JOINTS[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
        hand = (wrist[0] + 0.012 * outwards, wrist[1] + 0.03)
        limbs += [(shoulder, elbow, 0.033, 0.026, _SHIRT), (elbow, wrist, 0.024, 0.018, _SKIN)]
        limbs.append((wrist, hand, 0.02, 0.016, _SKIN))
    limbs += [
        ((0.5, 0.135), (0.5, 0.145), 0.056, 0.052, _HAIR),
        ((0.5, 0.15), (0.5, 0.185), 0.05, 0.04, _SKIN),
    ]
    limbs += [((x, 0.155), (x, 0.155), 0.006, 0.006, _DARK) for x in (0.482, 0.518)]
    limbs += [
        ((0.5, 0.165), (0.5, 0.178), 0.006, 0.008, (180, 130, 105)),
        ((0.487, 0.2), (0.513, 0.2), 0.005, 0.005, _LIPS),
    ]
    return limbs


def _limb(
    picture: NDArray[np.float64],
    start: Point,
    end: Point,
    width: float,
    end_width: float,
    colour: tuple[int, int, int],
) -> None:
    """Draw a capsule, darker towards its edge, so that it looks round."""
    size = len(picture)
    y, x = np.mgrid[0:size, 0:size] / size + 0.5 / size
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy + 1e-9), 0, 1)
    distance = np.sqrt((x - start[0] - along * dx) ** 2 + (y - start[1] - along * dy) ** 2)
    radius = width + (end_width - width) * along
    cover = np.clip((radius - distance) * size + 0.5, 0, 1)[..., None]
    shade = (1 - 0.35 * np.clip(distance / radius, 0, 1) ** 2)[..., None]
    picture[:] = picture * (1 - cover) + np.array(colour) * shade * cover
