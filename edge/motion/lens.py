"""The camera's lens, as far as angles and lengths need it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

USUAL_FIELD = 66.0
"""Degrees across the picture: webcams have 55 to 80, the Raspberry Pi's Camera Module 3 has 66."""


@dataclass(frozen=True)
class Lens:
    """The camera as far as it matters here."""

    width: int
    height: int
    field: float = USUAL_FIELD
    """Degrees across the width."""

    tilt: float | None = None
    """Degrees by which the camera looks down; None: unknown, and taken as none."""

    roll: float = 0.0
    """Degrees by which the picture's content is turned anticlockwise."""

    above: float | None = None
    """Metres from the floor to the camera; None: unknown."""

    @cached_property
    def up(self) -> tuple[float, float, float]:
        """The vertical on the camera's own axes."""
        tilt, roll = math.radians(self.tilt or 0.0), math.radians(self.roll)
        return -math.sin(roll) * math.cos(tilt), math.cos(roll) * math.cos(tilt), math.sin(tilt)

    def levelled(self, pixels: Array) -> Array:
        """Pixels [..., 2] as a camera without roll would see them; y up, as in a body."""
        if not self.roll:
            return pixels
        c, s = math.cos(math.radians(self.roll)), math.sin(math.radians(self.roll))
        middle = (self.width / 2, -self.height / 2)
        x, y = pixels[..., 0] - middle[0], pixels[..., 1] - middle[1]
        turned = pixels.copy()
        turned[..., 0], turned[..., 1] = c * x + s * y + middle[0], c * y - s * x + middle[1]
        return turned

    @cached_property
    def focal(self) -> float:
        """Pixels."""
        return self.width / 2 / math.tan(math.radians(self.field / 2))

    def rays(self, pixels: Array) -> Array:
        """Tangents, to the right and up, of the directions from the optical axis in which pixels [..., 2] lie.

        The pixels' y runs up from the picture's top, as in a body.
        """
        return (pixels - (self.width / 2, -self.height / 2)) / self.focal
