"""Whether somebody walks, runs or trots at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from edge.motion.gait import FEET, PAIRS, RUNS
from edge.motion.gait_values import seen_length, stride_time

if TYPE_CHECKING:
    from edge.motion.walk import Walk

GaitKind = Literal["walk", "run", "trot"]
LEAST_STRIDES = 2
"""Strides from which there is a gait at all."""
_DIAGONAL = 0.15
"""Shares of a stride by which diagonal feet may land apart in a trot."""
_TURN = (0.25, 0.75)
"""Shares of a stride between which the other foot of a pair lands, also of somebody who limps."""
_EVEN = 0.5
"""Share of the strides in which the other foot of the pair must land once."""
_QUICKEST_S = {"human": 0.5, "dog": 0.2}
"""A sprinter's stride, and a small dog's."""
_LEAST_SWEEP = 0.12
"""Body lengths a foot must go ahead and back: less is shuffling on the spot."""


def is_gait(walk: Walk) -> bool:
    """Whether feet go ahead and back by turns as they do in a gait."""
    if any(not walk.strides(foot.name) for foot in FEET[walk.species]):
        return False
    if len(walk.gait.strides) < LEAST_STRIDES or not seen_length(walk).value > _LEAST_SWEEP:
        return False
    if stride_time(walk).value < _QUICKEST_S[walk.species]:
        return False
    if len(walk.gait.strides) < _EVEN * (len(walk.gait.strides) + walk.gait.uneven):
        return False
    return all(_by_turns(walk, left, right) for left, right in PAIRS[walk.species])


def _by_turns(walk: Walk, left: str, right: str) -> bool:
    """Whether each foot lands about half-way between the landings of the other."""
    phases = [
        (t - stride.start) / stride.time
        for foot, other in ((left, right), (right, left))
        for stride in walk.strides(foot)
        for t in walk.landings(other)
        if stride.start < t < stride.end
    ]
    return bool(phases) and _TURN[0] < float(np.median(phases)) < _TURN[1]


def gait_kind(walk: Walk) -> GaitKind | None:
    """Walk, run or trot; None where it is no gait."""
    if not is_gait(walk):
        return None
    stance = float(np.median([stride.stance for stride in walk.gait.strides]))
    if walk.species == "human":
        return "run" if stance < RUNS else "walk"
    return "trot" if _diagonal_lag(walk) < _DIAGONAL else "walk"


def _diagonal_lag(walk: Walk) -> float:
    """How far apart diagonal feet land, as a share of a stride, 0-0.5."""
    lags = [
        min(abs(t - other) for other in walk.landings(b))
        for a, b in (("front_left", "hind_right"), ("front_right", "hind_left"))
        for t in walk.landings(a)
    ]
    return float(np.median(lags)) / stride_time(walk).value
