"""What gait is in numbers, with their grades: a row a metric.

Dogs are measured by the same rows, for front and hind feet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.motion.gait import FEET
from edge.motion.gait_kind import LEAST_STRIDES, gait_kind, is_gait
from edge.motion.gait_values import (
    Compute,
    arm_swing,
    cadence,
    double_support,
    metres,
    middle,
    per_stride,
    pulled_by,
    pulled_sides,
    speed,
    stance,
    step_length,
    step_time,
    stride_length,
    stride_time,
    swing_of,
    symmetry,
    variability,
)
from edge.motion.grades import Grade, Measure, Reason, graded, size_reasons, view_reasons
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.motion.walk import Walk

_MANY_STRIDES = 4
_ENOUGH = 8
"""Strides from which their own spread says how sure their mean is."""
_ROUGH = 3.0
"""An error of so many times that of grade A is that of grade B."""
_VARIED = 8
"""Strides from which their variability says something."""
RATES: tuple[tuple[float, Grade], ...] = ((12.0, "none"), (20.0, "C"), (24.0, "B"))
"""Below so many pictures a second, contacts are told this well at best."""


@dataclass(frozen=True, kw_only=True)
class GaitMetric:
    """One row: how a metric is computed from a walk; NaN where it cannot be."""

    key: str
    species: tuple[str, ...] = ("human",)
    compute: Compute
    least: int = LEAST_STRIDES
    """Strides that are needed."""
    length: bool = False
    """A length, or a speed: the camera's tilt matters."""
    metres: bool = False
    """In metres: only with a known body height."""
    points: tuple[str, ...] = ()
    """What must be seen; empty: the feet."""
    within: float
    """An error up to this is that of grade A."""
    lasting: float = 0.0
    """The part of it that more strides do not take away (docs/accuracy.md)."""
    pulled: Callable[[Walk], float] | None = None
    """What comes to that where stances are unusual, in the metric's unit (see `gait_values`)."""
    relative: bool = False
    """`within` and `lasting` are shares of the value."""


_BOTH = ("human", "dog")
_TIME: dict[str, Any] = {"within": 0.02, "relative": True}
_STANCE: dict[str, Any] = {"within": 2.0, "lasting": 0.3}
_STANCE_OF_DOGS: dict[str, Any] = {"within": 2.0, "lasting": 0.7}
_LENGTH: dict[str, Any] = {"within": 0.02, "relative": True, "length": True}
GAIT_METRICS: tuple[GaitMetric, ...] = (
    GaitMetric(key="cadence", compute=cadence, **_TIME),
    GaitMetric(key="stride_time", species=_BOTH, compute=stride_time, **_TIME),
    GaitMetric(key="stride_length", species=_BOTH, compute=metres(stride_length), metres=True, **_LENGTH),
    GaitMetric(key="stride_length_relative", species=_BOTH, compute=stride_length, **_LENGTH),
    GaitMetric(
        key="gait_speed",
        species=_BOTH,
        compute=metres(speed),
        metres=True,
        **_LENGTH,
    ),
    GaitMetric(key="gait_speed_relative", species=_BOTH, compute=speed, **_LENGTH),
    GaitMetric(key="step_length_left", compute=metres(step_length("left")), metres=True, **_LENGTH),
    GaitMetric(key="step_length_right", compute=metres(step_length("right")), metres=True, **_LENGTH),
    GaitMetric(key="stance_left", compute=stance("left"), pulled=pulled_by("left"), **_STANCE),
    GaitMetric(key="stance_right", compute=stance("right"), pulled=pulled_by("right"), **_STANCE),
    GaitMetric(key="double_support", compute=double_support, pulled=pulled_by("left", "right"), within=4.0),
    GaitMetric(key="stride_time_cv", species=_BOTH, compute=variability, least=_VARIED, within=1.0),
    GaitMetric(
        key="step_time_symmetry",
        compute=symmetry(step_time("left", "right"), step_time("right", "left")),
        least=_MANY_STRIDES,
        within=0.02,
        lasting=0.003,
        pulled=pulled_sides("left", "right"),
    ),
    GaitMetric(
        key="step_length_symmetry",
        compute=symmetry(step_length("left"), step_length("right")),
        least=_MANY_STRIDES,
        within=0.02,
        lasting=0.002,
    ),
    GaitMetric(
        key="stance_symmetry",
        compute=symmetry(stance("left"), stance("right")),
        least=_MANY_STRIDES,
        within=0.02,
        pulled=pulled_sides("left", "right"),
    ),
    *(
        GaitMetric(
            key=f"arm_swing_{side}",
            compute=arm_swing(side),
            within=3.0,
            points=(f"shoulder_{side}", f"elbow_{side}"),
        )
        for side in ("left", "right")
    ),
    GaitMetric(
        key="arm_swing_symmetry",
        compute=symmetry(arm_swing("left"), arm_swing("right")),
        least=_MANY_STRIDES,
        within=0.02,
        points=("elbow_left", "elbow_right"),
    ),
    GaitMetric(
        key="gait_trunk_lean",
        compute=per_stride("forward_lean", middle),
        within=3.0,
        points=("neck", "pelvis"),
    ),
    GaitMetric(
        key="gait_neck_flexion",
        compute=per_stride("neck_flexion", middle),
        within=3.0,
        points=("head", "neck", "pelvis"),
    ),
    *(
        GaitMetric(
            key=f"hock_range_{side}",
            species=("dog",),
            compute=swing_of(f"knee_flexion_{side}"),  # the hock stands there in a dog's skeleton
            points=(f"hip_{side}", f"knee_{side}", f"ankle_{side}"),
            within=3.0,
        )
        for side in ("left", "right")
    ),
    *(
        GaitMetric(key=f"stance_{foot.name}", species=("dog",), compute=stance(foot.name), **_STANCE_OF_DOGS)
        for foot in FEET["dog"]
    ),
    *(
        GaitMetric(
            key=f"stance_symmetry_{end}",
            species=("dog",),
            compute=symmetry(stance(f"{end}_left"), stance(f"{end}_right")),
            least=_MANY_STRIDES,
            within=0.02,
            lasting=0.005,
        )
        for end in ("front", "hind")
    ),
)


def measure_gait(walk: Walk, strides: int = 0) -> dict[str, Measure]:
    """Every row for the species, graded. `strides`: those of the session so far, where there were more."""
    rows = [row for row in GAIT_METRICS if walk.species in row.species]
    if not is_gait(walk):
        return {row.key: Measure(None, "none", ("no_gait",)) for row in rows}
    return {row.key: _measure(row, walk, max(strides, len(walk.gait.strides))) for row in rows}


def _measure(row: GaitMetric, walk: Walk, strides: int) -> Measure:
    if row.metres and walk.height_m is None:
        return Measure(None, "none", ("not_calibrated",))
    (value, error), known = row.compute(walk), metrics()[row.key]
    if not known.minimum <= value <= known.maximum:
        value = float("nan")
    points = row.points or tuple(foot.landing for foot in FEET[walk.species])
    seen = float(np.mean([np.nanmean(walk.progress.weight(point)) for point in points]))
    reasons: dict[Reason, Grade] = view_reasons(seen, walk.progress.turn) | size_reasons(walk.trunk_px)
    for least, grade in RATES:
        if walk.rate < least:
            reasons.setdefault("low_frame_rate", grade)
    if len(walk.gait.strides) < row.least:
        reasons["few_strides"] = "none"
    else:
        more = row.pulled(walk) if row.pulled is not None else 0.0
        error *= math.sqrt(len(walk.gait.strides) / strides)
        reasons |= _precision(row, value, error, strides, more)
    if row.length and walk.progress.plane == "image" and not walk.tilt_known:
        reasons["tilt_unknown"] = "B"
    if row.metres and gait_kind(walk) == "run":
        reasons["not_calibrated"] = "B"  # a runner's height over the floor is known less well
    return graded(value, reasons)


def _precision(row: GaitMetric, value: float, error: float, strides: int, more: float) -> dict[Reason, Grade]:
    """What few strides take from the grade: how far off the mean of so many may be, in 95 of 100 cases.

    `more`: error that lasts for unusual stances, in the metric's unit.
    """
    unit = abs(value) if row.relative else 1.0

    def reach(wrong: float) -> Grade:
        if strides < _MANY_STRIDES or not wrong <= (_ROUGH * row.within - row.lasting) * unit:
            return "C"
        return "A" if wrong <= (row.within - row.lasting) * unit and strides >= _ENOUGH else "B"

    by_chance, in_all = reach(2 * error), reach(2 * error + more)
    found: dict[Reason, Grade] = {} if by_chance == "A" else {"few_strides": by_chance}
    return found if in_all == by_chance else {**found, "unusual_stance": in_all}
