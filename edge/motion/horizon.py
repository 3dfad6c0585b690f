"""How the camera stands, from people who walk before it: its tilt, its roll, and where the floor is.

On a level floor the same upright walker has feet and ears at heights whose shares of the camera's own height stay the
same, wherever the walker is; and the ears are over the feet. Only one vertical makes both so in every picture. Who
comes nearer or goes away shows the tilt, who crosses the picture the roll, and who does both shows both; how large
the share is says how high the camera is, in body heights. What a walk does not show is refused by its standard error.

A walker's head is ahead of the feet, by how much nobody knows: it is estimated along, in the direction of travel. So
somebody on a treadmill shows nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.body import INDEX

if TYPE_CHECKING:
    from edge.motion.lens import Lens
    from edge.motion.track import Track

Array = npt.NDArray[np.float64]

_STEP_S = 0.5
"""Pictures of so long are taken together, about a step: the body goes up and down in it."""
_LEAST_SEEN = 3
_LEAST, _MOST = 5, 240
"""Moments that are needed, and that are kept."""
_GOES = 0.3
"""Body heights a second, from which somebody goes somewhere."""
_EAR, _HEEL = 0.905, 0.045
"""Mean heights of a walker's ears and heels over the floor, in body heights (generated walks)."""
_TALL = _EAR - _HEEL
_NOISE = 0.015
"""Body heights by which ears and feet are read wrongly, at least."""
_EXPECTED = ((10.0, 25.0), (0.0, 10.0), (0.6, 0.5), (0.1, 0.06))
"""Mean and spread of tilt, roll (degrees), height and lean (body heights) to be expected before a walk is seen."""
_SURE_TILT, _SURE_ROLL, _SURE_ABOVE = 1.0, 0.75, 0.05
"""Standard errors up to which something counts as shown: degrees, degrees, share."""
_STARTS = [(tilt, roll) for tilt in np.arange(-30.0, 46.0, 7.5) for roll in (-8.0, 0.0, 8.0)]
_ROUNDS, _LONGEST_STEP, _SLOPE = 15, 10.0, 1e-4
_AHEAD = 0.05


class Horizon(NamedTuple):
    """How a camera stands; None for what was not shown."""

    tilt: float | None = None
    """Degrees by which it looks down."""
    roll: float | None = None
    """Degrees by which the picture's content is turned anticlockwise."""
    above: float | None = None
    """Over the floor, in heights of the body that walked."""


class Walked:
    """What one person's walking has shown of the camera so far: a fixed amount of memory."""

    def __init__(self) -> None:
        self._moments = np.empty((0, 6))
        """Ear's and feet's rays (x, y; x, y), and the heading: to the right and away, of length 1."""

    def add(self, track: Track, lens: Lens) -> None:
        """Take a track of somebody who walks upright, cleaned, as the picture has it, not levelled."""
        moments = np.concatenate([self._moments, _moments(track, lens)])
        while len(moments) > _MOST:
            moments = moments[::2]
        self._moments = moments

    def horizon(self) -> Horizon:
        """How the camera stands."""
        return _horizon(self._moments)


def _moments(track: Track, lens: Lens) -> Array:
    """float64[N, 6] of each step; of those in which the body goes somewhere."""
    rays = lens.rays(track.image)
    ear = rays[:, INDEX["head"]]
    feet = rays[:, [INDEX["heel_left"], INDEX["heel_right"]]].mean(axis=1)
    known = np.isfinite(ear).all(axis=1) & np.isfinite(feet).all(axis=1)
    number = np.floor((track.times - track.times[0]) / _STEP_S).astype(int)
    steps = [known & (number == n) for n in np.unique(number[known])]
    steps = [one for one in steps if one.sum() >= _LEAST_SEEN]
    if len(steps) < 3:
        return np.empty((0, 6))
    seen = np.array([np.concatenate([ear[one].mean(axis=0), feet[one].mean(axis=0)]) for one in steps])
    away = _TALL / np.maximum(np.linalg.norm(seen[:, :2] - seen[:, 2:], axis=1), 1e-6)
    place = np.stack([seen[:, [0, 2]].mean(axis=1) * away, away], axis=1)
    speed = np.gradient(place, [track.times[one].mean() for one in steps], axis=0)
    pace = np.linalg.norm(speed, axis=1, keepdims=True)
    goes = pace[:, 0] > _GOES
    return np.concatenate([seen[goes], speed[goes] / pace[goes]], axis=1)


def _axes(tilt: float, roll: float) -> tuple[Array, Array, Array]:
    """To the right, ahead and up on the camera's own axes, of a camera that stands so (degrees)."""
    a, b = math.radians(tilt), math.radians(roll)
    up = np.array([-math.sin(b) * math.cos(a), math.cos(b) * math.cos(a), math.sin(a)])
    ahead = np.array([0.0, 0.0, -1.0]) + up[2] * up
    ahead /= np.linalg.norm(ahead)
    return np.cross(ahead, up), ahead, up


def _seen(rays: Array, axes: tuple[Array, Array, Array]) -> tuple[Array, Array]:
    """Tangents, to the right and up, of rays float64[N, 2] to a level camera; NaN for what is not before it."""
    right, ahead, up = axes
    full = np.column_stack([rays, np.full(len(rays), -1.0)])
    depth = full @ ahead
    depth = np.where(depth > _AHEAD, depth, np.nan)
    return full @ right / depth, full @ up / depth


def _residuals(moments: Array, guess: Array) -> Array:
    """How far ears are from being as high, and over the feet, as they should be, in parts of the noise.

    `guess`: tilt, roll, height of the camera, and how far a head is ahead of the feet (body heights). The last rows
    are what is expected of these.
    """
    axes = _axes(guess[0], guess[1])
    ear, above = _seen(moments[:, :2], axes)
    feet, below = _seen(moments[:, 2:4], axes)
    aside, further = guess[3] * moments[:, 4], guess[3] * moments[:, 5]
    away = (_TALL - above * further) / np.maximum(above - below, 1e-6)
    heights = above * (away + further) + guess[2] - _EAR
    beside = ear * (away + further) - feet * away - aside
    left = np.nan_to_num(np.concatenate([heights, beside]), nan=1.0)
    expected = [(one - mean) / spread for one, (mean, spread) in zip(guess, _EXPECTED, strict=True)]
    return np.concatenate([np.clip(left, -1, 1) / _NOISE, expected])


def _slopes(moments: Array, guess: Array) -> Array:
    """Of the residuals, by what is sought: float64[rows, 4]."""
    return np.stack(
        [
            (_residuals(moments, guess + _SLOPE * one) - _residuals(moments, guess - _SLOPE * one))
            / (2 * _SLOPE)
            for one in np.eye(4)
        ],
        axis=1,
    )


def _horizon(moments: Array) -> Horizon:
    if len(moments) < _LEAST:
        return Horizon()
    starts = [
        np.array([tilt, roll, _camera_height(moments, tilt, roll), _EXPECTED[3][0]]) for tilt, roll in _STARTS
    ]
    guess = min(starts, key=lambda one: float(np.sum(_residuals(moments, one) ** 2)))
    for _ in range(_ROUNDS):
        left, slopes = _residuals(moments, guess), _slopes(moments, guess)
        step = np.linalg.lstsq(slopes, -left, rcond=None)[0]
        guess = guess + step * min(1.0, _LONGEST_STEP / max(float(np.abs(step[:2]).max()), 1e-9))
        if np.abs(step).max() < 1e-5:
            break
    left, slopes = _residuals(moments, guess), _slopes(moments, guess)
    spread = max(1.0, float(left @ left) / max(len(left) - 2 * len(guess), 1))
    errors = np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes)) * spread)
    tilt, roll, above = (float(one) for one in guess[:3])
    told = errors[:3] <= (_SURE_TILT, _SURE_ROLL, _SURE_ABOVE * abs(above))
    return Horizon(
        tilt if told[0] else None,
        roll if told[1] else None,
        above if told[0] and told[2] and above > 0 else None,
    )


def _camera_height(moments: Array, tilt: float, roll: float) -> float:
    """In body heights, if the camera stood so."""
    axes = _axes(tilt, roll)
    above, below = (_seen(moments[:, at], axes)[1] for at in (slice(0, 2), slice(2, 4)))
    heights = _EAR - above * _TALL / np.maximum(above - below, 1e-6)
    known = heights[np.isfinite(heights)]
    return float(np.median(known)) if len(known) else 0.0
