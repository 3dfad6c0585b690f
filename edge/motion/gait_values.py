"""How each number of a gait comes from a walk: lengths, times, shares, symmetry; NaN where there is none.

Definitions after Perry and Burnfield, Gait Analysis (2nd ed., 2010); the symmetry index is (L - R) / (L + R), 0 for
equal sides.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edge.motion.estimate import Estimate
from edge.motion.gait import FEET, PAIRS, RUNS
from edge.motion.sideplane import WALKING_DIP
from edge.motion.walk import Walk

Array = npt.NDArray[np.float64]
Compute = Callable[[Walk], Estimate]
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
_CONTACTS_VARY = 1.0
"""Percent of a stride by which noise alone makes strides vary."""
_WHOLE = 0.8
"""Share of a stride in which an angle must be known."""


def stride_time(walk: Walk) -> Estimate:
    """Seconds from a landing to the next of the same foot."""
    return Estimate.of([stride.time for stride in walk.gait.strides])


def stance(foot: str) -> Compute:
    """Percent of a stride in which the foot stands."""
    return lambda walk: Estimate.of([100 * stride.stance for stride in walk.strides(foot)])


def pulled_by(*feet: str) -> Callable[[Walk], float]:
    """Points by which the stances of these feet, added up, may be wrong for being unusual."""

    def pulled(walk: Walk) -> float:
        stances = [stance(foot)(walk).value for foot in feet]
        return sum(
            _PULL * abs(share - _USUAL_STANCE["run" if share < 100 * RUNS else "walk"]) for share in stances
        )

    return pulled


def pulled_sides(left: str, right: str) -> Callable[[Walk], float]:
    """The same of what compares two feet."""
    return lambda walk: _PULL_OF_SIDES * abs(stance(left)(walk).symmetry(stance(right)(walk)).value)


def symmetry(left: Compute, right: Compute) -> Compute:
    """The symmetry index of two numbers."""
    return lambda walk: left(walk).symmetry(right(walk))


def step_time(foot: str, other: str) -> Compute:
    """Seconds from a landing of the other foot to the next of this one."""

    def step(walk: Walk) -> Estimate:
        landings = sorted(
            [(t, foot) for t in walk.landings(foot)] + [(t, other) for t in walk.landings(other)]
        )
        return Estimate.of([b[0] - a[0] for a, b in pairwise(landings) if a[1] == other and b[1] == foot])

    return step


def step_length(foot: str) -> Compute:
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


def double_support(walk: Walk) -> Estimate:
    """Share of a stride in which both feet stand: what their stances are longer together than the stride."""
    both = stance("left")(walk).plus(stance("right")(walk))
    return Estimate(max(both.value - 100, 0.0), both.error)


def variability(walk: Walk) -> Estimate:
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


def seen_length(walk: Walk) -> Estimate:
    """Of a stride, from the steps while both feet stand; where they never do, the speed of a standing one tells."""
    strides = [_set_ahead(walk, a).plus(_set_ahead(walk, b)) for a, b in PAIRS[walk.species]]
    steps = strides[0] if len(strides) == 1 else strides[0].plus(strides[1]).times(0.5)
    if math.isfinite(steps.value):
        return steps
    value = walk.gait.speed * stride_time(walk).value
    return Estimate(value, _BY_SPEED * value)


def _dip(walk: Walk) -> float:
    """By what lengths in body heights are to be corrected: the longer the stride, the deeper the body sinks in it.

    A body over a leg of 0.53 heights sinks by a third of the rise of that inverted pendulum, on average.
    """
    if walk.species != "human" or walk.progress.plane != "image":
        return 1.0
    stride = seen_length(walk).value
    return (1 - _BENT_KNEES - (stride / 4) ** 2 / (2 * 0.53) / 3) / WALKING_DIP


def stride_length(walk: Walk) -> Estimate:
    """In body lengths."""
    return seen_length(walk).times(_dip(walk))


def speed(walk: Walk) -> Estimate:
    """In body lengths a second."""
    return stride_length(walk).over(stride_time(walk))


def per_stride(key: str, of: Callable[[Array], float]) -> Compute:
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


def middle(course: Array) -> float:
    """What a course is at in half of its moments or more."""
    return float(np.median(course))


def arm_swing(side: str) -> Compute:
    """From furthest back to furthest ahead of the upper arm against the trunk."""
    return swing_of(f"shoulder_flexion_{side}")


def swing_of(key: str) -> Compute:
    """Range of an angle in a stride, degrees."""
    return per_stride(key, lambda course: float(np.ptp(course)))


def metres(compute: Compute) -> Compute:
    """What is in body lengths, in metres; NaN where the height is not known."""
    return lambda walk: compute(walk).times(walk.height_m or math.nan)


def cadence(walk: Walk) -> Estimate:
    """Steps a minute."""
    return Estimate(120.0, 0.0).over(stride_time(walk))
