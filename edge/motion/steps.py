"""How far one foot is set before the other, read while both stand.

The two feet are seen at the same moments, so neither the speed of travel nor how the body goes to and fro between
them matters: that makes a step far surer than the speed of a standing foot times the time of a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.estimate import Estimate
from edge.motion.gait import FEET, PAIRS

if TYPE_CHECKING:
    from edge.motion.gait import Foot, Gait
    from edge.motion.progress import Progress

Array = npt.NDArray[np.float64]

_LONGEST = 0.3
"""Part of a stride that both feet can stand together after one has landed; longer, a contact was missed."""
_LEAST_MOMENTS = 2
_FLAT = (0.15, 0.55)
"""Part of a stance in which the whole foot is on the ground, or so little pitched that it looks as long."""


class StepLength(NamedTuple):
    """A foot is set before the other."""

    foot: str
    t: float
    length: float
    """Body lengths; negative where it lands behind the other."""
    common: float
    """Standard error that every step of this foot shares, body lengths: of the other foot's own length."""


def step_lengths(gait: Gait, progress: Progress, species: str) -> list[StepLength]:
    """Every step of which both feet are seen standing; in a run there is none."""
    if not gait.strides:
        return []
    stride = float(np.median([one.time for one in gait.strides]))
    feet = {foot.name: foot for foot in FEET[species]}
    own = {name: _foot_length(gait, progress, foot) for name, foot in feet.items()}
    found = []
    for pair in PAIRS[species]:
        for name, other in (pair, pair[::-1]):
            front = progress.ahead(feet[name].landing)
            back = progress.ahead(feet[other].leaving) - own[other].value
            lifts = [c.t for c in gait.contacts if (c.foot, c.kind) == (other, "lift")]
            for landing in (c.t for c in gait.contacts if (c.foot, c.kind) == (name, "contact")):
                lift = next((t for t in lifts if landing < t < landing + _LONGEST * stride), None)
                if lift is None:
                    continue
                apart = (front - back)[(progress.times >= landing) & (progress.times <= lift)]
                apart = apart[np.isfinite(apart)]
                if len(apart) >= _LEAST_MOMENTS:
                    found.append(StepLength(name, landing, float(np.mean(apart)), own[other].error))
    return found


def _foot_length(gait: Gait, progress: Progress, foot: Foot) -> Estimate:
    """From the point that lands to the one that leaves, while the foot is flat; of the strides' own means."""
    if foot.landing == foot.leaving:
        return Estimate(0.0, 0.0)
    ahead = progress.ahead(foot.leaving) - progress.ahead(foot.landing)
    found = []
    for stride in gait.strides:
        if stride.foot == foot.name:
            start, end = (stride.start + share * (stride.lift - stride.start) for share in _FLAT)
            flat = ahead[(progress.times >= start) & (progress.times <= end) & np.isfinite(ahead)]
            if len(flat):
                found.append(float(np.mean(flat)))
    return Estimate.of(found)
