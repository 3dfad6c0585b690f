"""From pixels to the side plane of somebody who walks: what perspective and a tilted camera do, undone.

The camera stands still and looks at a subject on a level floor. How far away the subject is follows from its
height: between floor and ear lie 0.925 of it (ANSUR II, tragion height over stature).

The tilt is the lens's own. The model's depth does not tell it: on clips of level cameras its bodies lean to the
camera by 13 to 17 degrees in side views and by 5 to 8 in front views.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.motion.body import INDEX

if TYPE_CHECKING:
    from edge.motion.lens import Lens
    from edge.motion.track import Track

Array = npt.NDArray[np.float64]

EAR_HEIGHT = 0.925
"""Height of the ear over the floor, in body heights."""
WALKING_DIP = 0.985
"""A walker's ear is at this share of its standing height, on average: knees bend, and legs are oblique."""


@dataclass(frozen=True)
class SidePlane:
    """Every point as an upright plane through the subject shows it, at a horizontal distance of 1."""

    across: Array
    """float64[T, P]: to the right."""
    above: Array
    """float64[T, P]: over the camera."""
    distance: Array
    """float64[T]: of the subject, in body heights; NaN throughout where it cannot be told."""


def side_plane(track: Track, lens: Lens) -> SidePlane:
    """A track of a person, cleaned, in an upright plane."""
    phi = math.radians(lens.tilt or 0.0)
    right = (track.image[:, :, 0] - lens.width / 2) / lens.focal
    up = (
        track.image[:, :, 1] + lens.height / 2
    ) / lens.focal  # pictures of a track have y up, from their top
    above = np.tan(np.arctan(up) - phi)
    across = right * (math.cos(phi) - above * math.sin(phi))
    return SidePlane(across, above, _distance(track.times, above))


def level(space: Array, tilt: float) -> Array:
    """Space float64[..., 3] of a camera that looks down by `tilt` degrees, turned upright."""
    c, s = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
    x, y, z = space[..., 0], space[..., 1], space[..., 2]
    return np.stack([x, c * y + s * z, c * z - s * y], axis=-1)


def _distance(times: Array, above: Array) -> Array:
    """Horizontal distance in body heights at each moment, by a straight line through all of them."""
    ear = above[:, INDEX["head"]]
    heels = above[:, [INDEX["heel_left"], INDEX["heel_right"]]]
    known = np.isfinite(ear) & np.isfinite(heels).any(axis=1)
    distance = np.full(len(times), np.nan)
    if known.sum() < 5:
        return distance
    span = ear[known] - np.nanmin(heels[known], axis=1)
    t = times[known] - times[known].mean()
    # The nearness of somebody who walks on a straight line is not linear in time, the distance is.
    slope, middle = np.polyfit(t, EAR_HEIGHT * WALKING_DIP / np.maximum(span, 1e-6), 1)
    line = middle + slope * (times - times[known].mean())
    return line if line.min() > 0 else distance
