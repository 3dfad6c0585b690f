"""How far a number can be trusted, and why.

A  seen well and in the picture's plane
B  usable: a mild angle, or depth from the model
C  rough: strongly foreshortened, hardly visible, or too few pictures a second
none  not measurable from here: there is no value
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from edge.motion.angles import IN_PLANE, OUT_OF_PLANE
from edge.motion.body import SEEN

if TYPE_CHECKING:
    from collections.abc import Mapping

Grade = Literal["A", "B", "C", "none"]
Reason = Literal[
    "joint_hidden", "low_visibility", "oblique_view", "out_of_plane", "low_frame_rate", "monocular_depth",
    "no_gait", "few_strides", "not_calibrated", "tilt_unknown", "fast_movement", "too_far", "far_side",
    "unusual_stance",
]  # fmt: skip

_ORDER: tuple[Grade, ...] = ("A", "B", "C", "none")
WELL_SEEN = 0.8
"""Visibility from which it takes nothing from a grade."""
_UNKNOWN: dict[Reason, Grade] = {"joint_hidden": "none"}
MIN_RATE = 12.0
"""Pictures a second below which the fast part of a movement falls between two of them."""


TREMBLING: tuple[tuple[float, Grade], ...] = ((6.0, "C"), (2.0, "B"))
"""Above so many degrees of mean error by noise alone, an angle is this good at best (docs/accuracy.md)."""
SIZES: tuple[tuple[float, Grade], ...] = ((30.0, "C"), (60.0, "B"))
"""Of a trunk of fewer pixels nothing is measured better: below 60 the noise of keypoints was not measured."""


class Measure(NamedTuple):
    """A value with its grade; no value where it cannot be measured."""

    value: float | None
    grade: Grade
    reasons: tuple[Reason, ...] = ()


def measure(
    value: float,
    *,
    visibility: float,
    tilt: float,
    rate: float,
    trembling: float = 0.0,
    trunk_px: float = math.inf,
    tilt_known: bool = True,
) -> Measure:
    """Grade a value.

    `visibility`: of the least visible joint, 0-1. `tilt`: degrees by which the plane of the
    movement is turned out of the picture's (NaN: unknown, there is no depth). `rate`: pictures a second.
    `trembling`: mean error by noise, in the value's unit. `trunk_px`: length of the trunk in the picture.
    `tilt_known`: of the camera, where the value is measured against the vertical.
    """
    reasons = view_reasons(visibility, tilt)
    if rate < MIN_RATE:
        reasons["low_frame_rate"] = "C"
    if not tilt_known:
        reasons["tilt_unknown"] = "B"
    for most, grade in TREMBLING:
        if trembling > most:
            reasons.setdefault("fast_movement", grade)
    return graded(value, reasons | size_reasons(trunk_px))


def size_reasons(trunk_px: float) -> dict[Reason, Grade]:
    """What the size in the picture takes from the grade."""
    found: dict[Reason, Grade] = {}
    for least, grade in SIZES:
        if trunk_px < least:
            found.setdefault("too_far", grade)
    return found


def view_reasons(visibility: float, tilt: float) -> dict[Reason, Grade]:
    """What the view takes from the grade: each reason with the best grade that it allows."""
    reasons: dict[Reason, Grade] = {}
    if not visibility >= SEEN:
        reasons["joint_hidden"] = "none"
    elif visibility < WELL_SEEN:
        reasons["low_visibility"] = "B"
    if not math.isfinite(tilt):
        reasons["oblique_view"] = "B"
    elif tilt > OUT_OF_PLANE:
        reasons |= {"out_of_plane": "C", "monocular_depth": "C"}
    elif tilt > IN_PLANE:
        reasons |= {"oblique_view": "B", "monocular_depth": "B"}
    return reasons


def graded(value: float, reasons: Mapping[Reason, Grade]) -> Measure:
    """A value with the worst of the grades that its reasons allow; what is not measurable names only why not."""
    if not math.isfinite(value):
        reasons = {**_UNKNOWN, **reasons, **_UNKNOWN}  # the first reason, whatever else is said of it
    grade: Grade = max(reasons.values(), key=_ORDER.index, default="A")
    if grade == "none":
        return Measure(None, "none", tuple(reason for reason, best in reasons.items() if best == "none"))
    return Measure(value, grade, tuple(reasons))
