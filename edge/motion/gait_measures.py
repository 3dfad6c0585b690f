"""What gait is in numbers: lengths, times, shares, symmetry, with their grades.

Definitions after Perry and Burnfield, Gait Analysis (2nd ed., 2010); the symmetry index is (L - R) / (L + R), 0 for
equal sides. Dogs are measured by the same rows, for front and hind feet.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edge.motion.estimate import Estimate
from edge.motion.gait import FEET, PAIRS, RUNS
from edge.motion.grades import Grade, Measure, Reason, graded, size_reasons, view_reasons
from edge.motion.sideplane import WALKING_DIP
from edge.motion.walk import Walk
from wire.metrics import metrics

Array = npt.NDArray[np.float64]
GaitKind = Literal["walk", "run", "trot"]
LEAST_STRIDES = 2
"""Strides from which there is a gait at all."""
_MANY_STRIDES = 4
_ENOUGH = 8
"""Strides from which their own spread says how sure their mean is."""
_ROUGH = 3.0
"""An error of so many times that of grade A is that of grade B."""
_CONTACTS_VARY = 1.0
"""Percent of a stride by which noise alone makes strides vary."""
_BY_SPEED = 0.02
"""Standard error of a length by the speed of a standing foot, as a share."""
_BENT_KNEES = 0.0105
"""What a walker's ear is lower for knees that are never quite straight, in body heights (generated walks)."""
_USUAL_STANCE = {"walk": 63.0, "run": 41.0}
"""Stances in percent at which contacts are read without a lasting error.

A foot counts as landed at a fixed share of the speed of travel. The longer the swing, the longer it takes to slow
down, so shorter stances are read too long and longer ones too short, at any speed (generated gaits of 28 to 68 %).
"""
_PULL = 0.3
"""Of the distance between the usual stance and the one that is read, by which it is read wrongly."""
_PULL_OF_SIDES = 0.37
"""The same of the symmetry of stances, and what of it the times of steps are wrong by."""
_VARIED = 8
"""Strides from which their variability says something."""
_DIAGONAL = 0.15
"""Shares of a stride by which diagonal feet may land apart in a trot."""
_TURN = (0.25, 0.75)
"""Shares of a stride between which the other foot of a pair lands, also of somebody who limps."""
_EVEN = 0.5
"""Share of the strides in which the other foot of the pair must land once."""
_WHOLE = 0.8
"""Share of a stride in which an angle must be known."""
_QUICKEST_S = {"human": 0.5, "dog": 0.2}
"""A sprinter's stride, and a small dog's."""
_LEAST_SWEEP = 0.12
"""Body lengths a foot must go ahead and back: less is shuffling on the spot."""
RATES: tuple[tuple[float, Grade], ...] = ((12.0, "none"), (20.0, "C"), (24.0, "B"))
"""Below so many pictures a second, contacts are told this well at best."""


Compute = Callable[[Walk], Estimate]


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
    """What comes to that where stances are unusual, in the metric's unit (see `_USUAL_STANCE`)."""
    relative: bool = False
    """`within` and `lasting` are shares of the value."""


def _stride_time(walk: Walk) -> Estimate:
    return Estimate.of([stride.time for stride in walk.gait.strides])


def _stance(foot: str) -> Compute:
    return lambda walk: Estimate.of([100 * stride.stance for stride in walk.strides(foot)])


def _pulled(*feet: str) -> Callable[[Walk], float]:
    """Points by which the stances of these feet, added up, may be wrong for being unusual."""

    def pulled(walk: Walk) -> float:
        stances = [_stance(foot)(walk).value for foot in feet]
        return sum(
            _PULL * abs(stance - _USUAL_STANCE["run" if stance < 100 * RUNS else "walk"])
            for stance in stances
        )

    return pulled


def _pulled_sides(left: str, right: str) -> Callable[[Walk], float]:
    """The same of what compares two feet."""
    return lambda walk: _PULL_OF_SIDES * abs(_stance(left)(walk).symmetry(_stance(right)(walk)).value)


def _symmetry(left: Compute, right: Compute) -> Compute:
    return lambda walk: left(walk).symmetry(right(walk))


def _step_time(foot: str, other: str) -> Compute:
    """Seconds from a landing of the other foot to the next of this one."""

    def step(walk: Walk) -> Estimate:
        landings = sorted(
            [(t, foot) for t in walk.landings(foot)] + [(t, other) for t in walk.landings(other)]
        )
        return Estimate.of([b[0] - a[0] for a, b in pairwise(landings) if a[1] == other and b[1] == foot])

    return step


def _step_length(foot: str) -> Compute:
    """How far before the other foot this one is set, in body lengths.

    Negative where a foot is only drawn up to the other and lands behind it, as of some who limp.
    """

    def step(walk: Walk) -> Estimate:
        found = _set_ahead(walk, foot)
        return found.times(_dip(walk))

    return step


def _set_ahead(walk: Walk, foot: str) -> Estimate:
    steps = [step for step in walk.steps if step.foot == foot]
    if not steps:
        return Estimate(math.nan, math.nan)
    return Estimate.of([step.length for step in steps]).plus(Estimate(0.0, steps[0].common))


def _double_support(walk: Walk) -> Estimate:
    """Share of a stride in which both feet stand: what their stances are longer together than the stride."""
    both = _stance("left")(walk).plus(_stance("right")(walk))
    return Estimate(max(both.value - 100, 0.0), both.error)


def _variability(walk: Walk) -> Estimate:
    """Coefficient of variation of the stride time, of each foot's own strides, in percent."""
    ratios, number = [], 0
    for foot in FEET[walk.species]:
        times = [stride.time for stride in walk.strides(foot.name)]
        if len(times) > 2:
            ratios.append(100 * np.std(times, ddof=1) / np.mean(times))
            number += len(times)
    if not ratios:
        return Estimate(math.nan, math.nan)
    value = float(np.mean(ratios))
    return Estimate(value, math.hypot(value / math.sqrt(2 * number), _CONTACTS_VARY))


def _seen_length(walk: Walk) -> Estimate:
    """Of a stride, from the steps while both feet stand; where they never do, the speed of a standing one tells."""
    strides = [_set_ahead(walk, a).plus(_set_ahead(walk, b)) for a, b in PAIRS[walk.species]]
    steps = strides[0] if len(strides) == 1 else strides[0].plus(strides[1]).times(0.5)
    if math.isfinite(steps.value):
        return steps
    value = walk.gait.speed * _stride_time(walk).value
    return Estimate(value, _BY_SPEED * value)


def _dip(walk: Walk) -> float:
    """By what lengths in body heights are to be corrected: the longer the stride, the deeper the body sinks in it.

    A body over a leg of 0.53 heights sinks by a third of the rise of that inverted pendulum, on average.
    """
    if walk.species != "human" or walk.progress.plane != "image":
        return 1.0
    stride = _seen_length(walk).value
    return (1 - _BENT_KNEES - (stride / 4) ** 2 / (2 * 0.53) / 3) / WALKING_DIP


def _stride_length(walk: Walk) -> Estimate:
    return _seen_length(walk).times(_dip(walk))


def _speed(walk: Walk) -> Estimate:
    return _stride_length(walk).over(_stride_time(walk))


def _per_stride(key: str, of: Callable[[Array], float]) -> Compute:
    """Mean over the strides of what `of` says of an angle's course in each, degrees."""

    def mean(walk: Walk) -> Estimate:
        course, times = walk.course(key), walk.progress.times
        found = []
        for stride in walk.gait.strides:
            inside = course[(times >= stride.start) & (times <= stride.end)]
            if len(inside) and np.isfinite(inside).mean() > _WHOLE:
                found.append(of(inside[np.isfinite(inside)]))
        return Estimate.of(found)

    return mean


def _middle(course: Array) -> float:
    return float(np.median(course))


def _swing(side: str) -> Compute:
    """From furthest back to furthest ahead of the upper arm against the trunk."""
    return _swing_of(f"shoulder_flexion_{side}")


def _swing_of(key: str) -> Compute:
    """Range of an angle in a stride, degrees."""
    return _per_stride(key, lambda course: float(np.ptp(course)))


def _metres(compute: Compute) -> Compute:
    return lambda walk: compute(walk).times(walk.height_m or math.nan)


def _cadence(walk: Walk) -> Estimate:
    return Estimate(120.0, 0.0).over(_stride_time(walk))


_BOTH = ("human", "dog")
_TIME: dict[str, Any] = {"within": 0.02, "relative": True}
_STANCE: dict[str, Any] = {"within": 2.0, "lasting": 0.3}
_STANCE_OF_DOGS: dict[str, Any] = {"within": 2.0, "lasting": 0.7}
_LENGTH: dict[str, Any] = {"within": 0.02, "relative": True, "length": True}
GAIT_METRICS: tuple[GaitMetric, ...] = (
    GaitMetric(key="cadence", compute=_cadence, **_TIME),
    GaitMetric(key="stride_time", species=_BOTH, compute=_stride_time, **_TIME),
    GaitMetric(key="stride_length", species=_BOTH, compute=_metres(_stride_length), metres=True, **_LENGTH),
    GaitMetric(key="stride_length_relative", species=_BOTH, compute=_stride_length, **_LENGTH),
    GaitMetric(
        key="gait_speed",
        species=_BOTH,
        compute=_metres(_speed),
        metres=True,
        **_LENGTH,
    ),
    GaitMetric(key="gait_speed_relative", species=_BOTH, compute=_speed, **_LENGTH),
    GaitMetric(key="step_length_left", compute=_metres(_step_length("left")), metres=True, **_LENGTH),
    GaitMetric(key="step_length_right", compute=_metres(_step_length("right")), metres=True, **_LENGTH),
    GaitMetric(key="stance_left", compute=_stance("left"), pulled=_pulled("left"), **_STANCE),
    GaitMetric(key="stance_right", compute=_stance("right"), pulled=_pulled("right"), **_STANCE),
    GaitMetric(key="double_support", compute=_double_support, pulled=_pulled("left", "right"), within=4.0),
    GaitMetric(key="stride_time_cv", species=_BOTH, compute=_variability, least=_VARIED, within=1.0),
    GaitMetric(
        key="step_time_symmetry",
        compute=_symmetry(_step_time("left", "right"), _step_time("right", "left")),
        least=_MANY_STRIDES,
        within=0.02,
        lasting=0.003,
        pulled=_pulled_sides("left", "right"),
    ),
    GaitMetric(
        key="step_length_symmetry",
        compute=_symmetry(_step_length("left"), _step_length("right")),
        least=_MANY_STRIDES,
        within=0.02,
        lasting=0.002,
    ),
    GaitMetric(
        key="stance_symmetry",
        compute=_symmetry(_stance("left"), _stance("right")),
        least=_MANY_STRIDES,
        within=0.02,
        pulled=_pulled_sides("left", "right"),
    ),
    *(
        GaitMetric(
            key=f"arm_swing_{side}",
            compute=_swing(side),
            within=3.0,
            points=(f"shoulder_{side}", f"elbow_{side}"),
        )
        for side in ("left", "right")
    ),
    GaitMetric(
        key="arm_swing_symmetry",
        compute=_symmetry(_swing("left"), _swing("right")),
        least=_MANY_STRIDES,
        within=0.02,
        points=("elbow_left", "elbow_right"),
    ),
    GaitMetric(
        key="gait_trunk_lean",
        compute=_per_stride("forward_lean", _middle),
        within=3.0,
        points=("neck", "pelvis"),
    ),
    GaitMetric(
        key="gait_neck_flexion",
        compute=_per_stride("neck_flexion", _middle),
        within=3.0,
        points=("head", "neck", "pelvis"),
    ),
    *(
        GaitMetric(
            key=f"hock_range_{side}",
            species=("dog",),
            compute=_swing_of(f"knee_flexion_{side}"),  # the hock stands there in a dog's skeleton
            points=(f"hip_{side}", f"knee_{side}", f"ankle_{side}"),
            within=3.0,
        )
        for side in ("left", "right")
    ),
    *(
        GaitMetric(key=f"stance_{foot.name}", species=("dog",), compute=_stance(foot.name), **_STANCE_OF_DOGS)
        for foot in FEET["dog"]
    ),
    *(
        GaitMetric(
            key=f"stance_symmetry_{end}",
            species=("dog",),
            compute=_symmetry(_stance(f"{end}_left"), _stance(f"{end}_right")),
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


def is_gait(walk: Walk) -> bool:
    """Whether feet go ahead and back by turns as they do in a gait."""
    if any(not walk.strides(foot.name) for foot in FEET[walk.species]):
        return False
    if len(walk.gait.strides) < LEAST_STRIDES or not _seen_length(walk).value > _LEAST_SWEEP:
        return False
    if _stride_time(walk).value < _QUICKEST_S[walk.species]:
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
    return float(np.median(lags)) / _stride_time(walk).value


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
