"""How far the camera looks down, from people who come nearer and go away.

On a level floor the same upright person has feet and ears at heights over the floor whose shares of the camera's own
height stay the same, however far away they are. Only one tilt makes that so for every picture: the one that puts the
horizon right. Somebody who only crosses the picture at one distance shows nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.motion.body import INDEX

if TYPE_CHECKING:
    from edge.motion.lens import Lens
    from edge.motion.track import Track

Array = npt.NDArray[np.float64]

_TILTS = np.arange(-35.0, 45.1, 0.25)
_LEAST_CHANGE = 0.15
"""Share by which the apparent size must change."""
_LEAST_MOMENTS = 30
_SURE = 3.0
"""Degrees beside the best tilt at which the error must be clearly larger."""
_CLEARLY = 1.3


def horizon_tilt(track: Track, lens: Lens) -> float | None:
    """Degrees by which the camera looks down; None where the track does not tell.

    `track` of somebody who walks upright, cleaned. The result does not use the lens's own tilt.
    """
    rays = lens.rays(track.image)[:, :, 1]
    ear = rays[:, INDEX["head"]]
    heels = rays[:, [INDEX["heel_left"], INDEX["heel_right"]]]
    known = np.isfinite(ear) & np.isfinite(heels).all(axis=1)
    if known.sum() < _LEAST_MOMENTS:
        return None
    ear, foot = np.arctan(ear[known]), np.arctan(heels[known].min(axis=1))
    size = ear - foot
    low, high = np.percentile(size, [5, 95])
    if not low > 0 or high / low < 1 + _LEAST_CHANGE:
        return None
    errors = np.array([_error(ear, foot, np.radians(tilt)) for tilt in _TILTS])
    best = int(errors.argmin())
    step = round(_SURE / 0.25)
    beside = [errors[index] for index in (best - step, best + step) if 0 <= index < len(errors)]
    if len(beside) < 2 or min(beside) < _CLEARLY * errors[best]:
        return None
    return float(_TILTS[best])


def _error(ear: Array, foot: Array, tilt: float) -> float:
    """Error of the one share that holds for all pictures, in parts of the apparent size."""
    a, b = np.tan(ear - tilt), np.tan(foot - tilt)
    share = float(a @ b) / float(b @ b)
    return float(np.sqrt(np.mean(((a - share * b) / (a - b)) ** 2)))
