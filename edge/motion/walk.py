"""Somebody's gait with all that it was read from: what its measures are computed of."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.motion.smooth import HALF_WIDTH_S, smooth
from edge.motion.steps import StepLength, step_lengths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.motion.gait import Gait, Stride
    from edge.motion.progress import Progress

Array = npt.NDArray[np.float64]

_SHARP = 0.085
"""Half width of the smoothing of angles, as a share of a stride."""


@dataclass(frozen=True)
class Walk:
    """A gait and what it was read from."""

    gait: Gait
    progress: Progress
    species: str
    height_m: float | None
    """Of a person: body height; of a dog: length of the trunk. None: not calibrated."""
    rate: float
    """Pictures a second."""
    tilt_known: bool = False
    """Whether lengths account for the camera's tilt."""
    courses: Mapping[str, Array] = field(default_factory=dict)
    """float64[T] each, degrees, at the times of `progress`: joint angles by key, and `forward_lean`."""

    trunk_px: float = math.inf
    """Length of the trunk in the picture."""

    def course(self, key: str) -> Array:
        """float64[T]: a course, smoothed; NaN where unknown."""
        known = self.courses.get(key)
        if known is None:
            return np.full(len(self.progress.times), np.nan)
        stride = float(np.median([stride.time for stride in self.gait.strides])) if self.gait.strides else 1.0
        width = min(HALF_WIDTH_S, _SHARP * stride)  # a small dog's stride is quick
        return smooth(self.progress.times, known[:, None], half_width_s=width).value[:, 0]

    @cached_property
    def steps(self) -> list[StepLength]:
        """Steps whose length is seen."""
        return step_lengths(self.gait, self.progress, self.species)

    def strides(self, foot: str) -> list[Stride]:
        """Strides of one foot."""
        return [stride for stride in self.gait.strides if stride.foot == foot]

    def landings(self, foot: str) -> list[float]:
        """Times at which a foot lands."""
        return [
            contact.t for contact in self.gait.contacts if contact.foot == foot and contact.kind == "contact"
        ]
