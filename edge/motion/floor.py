"""The floor: how a camera stands over it, and where on it something is, in metres.

A square of known size on the floor tells the first (Zhang, IEEE PAMI 22:1330, 2000, with the focal length given); the
second is where the ray of a pixel meets the floor.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.body import INDEX
from edge.motion.gait import FEET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.motion.lens import Lens
    from edge.motion.track import Track

Array = npt.NDArray[np.float64]

_ROUNDS = 12
_STEP = 1e-6
_HORIZON = 0.03
"""Sine of the angle below the horizon from which a ray meets the floor near enough."""
_LEAST_SEEN = 2
"""Pictures of a foot that stands."""
_TILTS, _ROLL, _ABOVE = (-30.0, 85.0), 45.0, (0.05, 6.0)
"""What a camera in a home may be."""


class Stand(NamedTuple):
    """How a camera stands."""

    tilt: float
    """Degrees by which it looks down."""
    roll: float
    """Degrees by which the picture's content is turned anticlockwise."""
    above: float
    """Metres over the floor."""
    error_px: float
    """How far the square that such a camera would see is from the one that was seen, root mean square."""


def stand(homography: Sequence[float], side: float, lens: Lens) -> Stand | None:
    """How the camera stands that sees a square of `side` metres by `homography`; None where none can.

    `homography`: 3 x 3 by rows, from metres on the floor (from the square's middle) to pixels, y down.
    """
    h = np.array(homography, float).reshape(3, 3)
    half = side / 2
    corners = np.array([(-half, half), (half, half), (half, -half), (-half, -half)])
    seen = np.column_stack([corners, np.ones(4)]) @ h.T
    if not np.isfinite(h).all() or (np.abs(seen[:, 2]) < 1e-12).any() or np.ptp(np.sign(seen[:, 2])):
        return None
    pixels = seen[:, :2] / seen[:, 2:]
    rays = lens.rays(pixels * (1, -1))
    f = lens.focal
    to_rays = np.array([[1 / f, 0, -lens.width / 2 / f], [0, -1 / f, lens.height / 2 / f], [0, 0, -1]])
    g = to_rays @ h * np.sign(seen[0, 2])
    scale = (np.linalg.norm(g[:, 0]) + np.linalg.norm(g[:, 1])) / 2
    if not scale > 0:
        return None
    u, _, v = np.linalg.svd(np.column_stack([g[:, 0], g[:, 1], np.cross(g[:, 0], g[:, 1]) / scale]))
    turn, place = u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v, g[:, 2] / scale
    turn, place = _refined(turn, place, corners, rays)
    error = f * float(np.sqrt(np.mean(np.sum((_project(turn, place, corners) - rays) ** 2, axis=1))))
    up = turn[:, 2]
    tilt, roll = math.degrees(math.asin(np.clip(up[2], -1, 1))), math.degrees(math.atan2(-up[0], up[1]))
    found = Stand(float(tilt), float(roll), float(-place @ up), error)
    sane = _TILTS[0] < tilt < _TILTS[1] and abs(roll) < _ROLL and _ABOVE[0] < found.above < _ABOVE[1]
    return found if sane and math.isfinite(error) else None


def _project(turn: Array, place: Array, corners: Array) -> Array:
    points = corners @ turn[:, :2].T + place
    return np.asarray(points[:, :2] / np.minimum(points[:, 2:], -1e-9) * -1)


def _refined(turn: Array, place: Array, corners: Array, rays: Array) -> tuple[Array, Array]:
    """The rotation and place whose square lies nearest to what was seen (Gauss and Newton's method)."""

    def moved(step: Array) -> tuple[Array, Array]:
        return _rotation(step[:3]) @ turn, place + step[3:]

    for _ in range(_ROUNDS):
        left = (rays - _project(turn, place, corners)).ravel()
        slopes = np.stack(
            [
                (_project(*moved(np.asarray(_STEP * axis)), corners) - _project(turn, place, corners)).ravel()
                / _STEP
                for axis in np.eye(6)
            ],
            axis=1,
        )
        step = np.asarray(np.linalg.lstsq(slopes, left, rcond=None)[0], float)
        if not np.isfinite(step).all():
            break
        turn, place = moved(step)
        if np.abs(step).max() < 1e-10:
            break
    return turn, place


def _rotation(axis: Array) -> Array:
    """Rodrigues' formula."""
    angle = float(np.linalg.norm(axis))
    x, y, z = axis / max(angle, 1e-15)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + math.sin(angle) * k + (1 - math.cos(angle)) * k @ k)


def on_floor(pixels: Array, lens: Lens, over: float = 0.0) -> Array:
    """Metres [..., 2] to the right of and ahead of the camera of pixels [..., 2] (y up) that are `over` the floor.

    NaN where the height of the camera is not known, and near the horizon.
    """
    if lens.above is None:
        return np.full(pixels.shape, np.nan)
    up = np.array(lens.up)
    ahead = np.array([0.0, 0.0, -1.0]) + up[2] * up
    ahead = ahead / np.linalg.norm(ahead)
    right = np.cross(ahead, up)
    rays = lens.rays(pixels)
    rays = np.concatenate([rays, np.full((*rays.shape[:-1], 1), -1.0)], axis=-1)
    down = -(rays @ up) / np.sqrt((rays * rays).sum(axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = np.where(down > _HORIZON, -(lens.above - over) / (rays @ up), np.nan)
    return np.asarray(np.stack([reach * (rays @ right), reach * (rays @ ahead)], axis=-1))


def places(track: Track, lens: Lens, species: str) -> dict[str, Array]:
    """Where on the floor each foot would be if it stood: float64[T, 2] metres by foot; empty without calibration."""
    if lens.above is None:
        return {}
    return {foot.name: on_floor(track.image[:, INDEX[foot.landing]], lens) for foot in FEET[species]}


def footprint(times: Array, place: Array, start: float, end: float) -> Array:
    """Where a foot stood between `start` and `end`, float64[2] metres: the middle of what was seen of it."""
    inside = place[(times >= start) & (times <= end)]
    known = inside[np.isfinite(inside).all(axis=1)]
    return np.median(known, axis=0) if len(known) >= _LEAST_SEEN else np.full(2, np.nan)
