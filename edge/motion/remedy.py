"""How somebody must turn for the camera to see a plane of the body."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

Plane = Literal["sagittal", "frontal"]
_STEP = 10.0
"""Nobody turns to the degree."""
_SQUARELY = {"sagittal": (-90.0, 90.0), "frontal": (-180.0, 0.0, 180.0)}
"""Turns of the torso (`view.torso_yaw`) from which the plane lies in the picture's."""


class Turn(NamedTuple):
    """What to ask for."""

    degrees: float
    """0-90, in tens."""
    to: Literal["left", "right"]
    """The body's own."""


def turn_to_see(plane: Plane, yaw: float) -> Turn | None:
    """The shortest turn; None where the plane is seen already or `yaw` (degrees, NaN: unknown) does not tell.

    Who faces the camera (0) and turns to their own left shows it their right side (90).
    """
    if not math.isfinite(yaw):
        return None
    least = min((square - yaw for square in _SQUARELY[plane]), key=abs)
    degrees = _STEP * round(abs(least) / _STEP)
    if not degrees:
        return None
    return Turn(degrees, "left" if least > 0 else "right")
