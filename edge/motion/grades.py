"""How far a number can be trusted, and why.

A  seen well and in the picture's plane
B  usable: a mild angle, or depth from the model
C  rough: strongly foreshortened, hardly visible, or too few pictures a second
none  not measurable from here: there is no value
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from edge.motion.angles import IN_PLANE, OUT_OF_PLANE
from edge.motion.body import SEEN

Grade = Literal["A", "B", "C", "none"]
Reason = Literal[
    "joint_hidden", "low_visibility", "oblique_view", "out_of_plane", "low_frame_rate", "monocular_depth"
]

_ORDER: tuple[Grade, ...] = ("A", "B", "C", "none")
_WELL_SEEN = 0.8
_MIN_RATE = 12.0
"""Pictures a second below which the fast part of a movement falls between two of them."""


class Measure(NamedTuple):
    """A value with its grade; no value where it cannot be measured."""

    value: float | None
    grade: Grade
    reasons: tuple[Reason, ...] = ()


def measure(value: float, *, visibility: float, tilt: float, rate: float) -> Measure:
    """Grade a value.

    `visibility`: of the least visible joint, 0-1. `tilt`: degrees by which the plane of the
    movement is turned out of the picture's (NaN: unknown, there is no depth). `rate`: pictures a second.
    """
    if not visibility >= SEEN or not math.isfinite(value):
        return Measure(None, "none", ("joint_hidden",))
    reasons: list[Reason] = []
    rank = 0
    if visibility < _WELL_SEEN:
        reasons.append("low_visibility")
        rank = 1
    if not math.isfinite(tilt):
        reasons.append("oblique_view")
        rank = max(rank, 1)
    elif tilt > OUT_OF_PLANE:
        reasons += ["out_of_plane", "monocular_depth"]
        rank = 2
    elif tilt > IN_PLANE:
        reasons += ["oblique_view", "monocular_depth"]
        rank = max(rank, 1)
    if rate < _MIN_RATE:
        reasons.append("low_frame_rate")
        rank = 2
    return Measure(value, _ORDER[rank], tuple(reasons))
