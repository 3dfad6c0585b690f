"""Is a difference between two measurements more than their noise?

The minimal detectable change at 95 %: MDC95 = 1.96 * sqrt(2) * SEM (Weir, J Strength Cond Res 19:231, 2005), where
SEM is the standard error of one measurement. The table change.toml has it by metric and grade, from generated motion
with measured noise (tests/truth/measure_change.py writes it); a person's own repeats, once there are enough of them,
add the person's own variation.
"""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from statistics import stdev
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.motion.grades import Grade, Measure

FACTOR = 1.96 * math.sqrt(2)
"""From the standard error of a measurement to the least change."""
_REPEATS = 5
"""A person's own repeats from which their spread is believed."""
Direction = Literal["increased", "decreased", "not_detectable"]


class Change(NamedTuple):
    """What can be said of a difference."""

    direction: Direction
    difference: float | None
    """After less before; None where one of them has no value."""
    least: float | None
    """The minimal detectable change in the unit of the metric; None where nobody knows it."""


@cache
def errors() -> dict[str, dict[str, float]]:
    """Standard error of measurement by metric and grade (A, B, C), in the metric's unit."""
    text = resources.files("edge.motion").joinpath("change.toml").read_bytes()
    return msgspec.toml.decode(text, type=dict[str, dict[str, float]])


def standard_error(key: str, grade: Grade, repeats: Sequence[float] = ()) -> float | None:
    """Of the metric `key` at `grade`; None where it is not known.

    `repeats`: values of the same person at the same time, such as of the repetitions of a set. The mean of n of them
    has their standard deviation over sqrt(n); it is taken where it is larger than the table's error, and alone where
    the table has none.
    """
    rows = errors().get(key, {})
    # What was never measured at this grade is known no better than at the next worse.
    known = (
        next((rows[g] for g in ("A", "B", "C") if g >= grade and g in rows), None)
        if grade != "none"
        else None
    )
    if len(repeats) < _REPEATS:
        return known
    own = stdev(repeats) / math.sqrt(len(repeats))
    return own if known is None else max(own, known)


def least_change(errors_of_both: tuple[float, float]) -> float:
    """The minimal detectable change between two measurements of these standard errors."""
    return 1.96 * math.hypot(*errors_of_both)


def changed(
    key: str,
    before: Measure,
    after: Measure,
    *,
    repeats_before: Sequence[float] = (),
    repeats_after: Sequence[float] = (),
) -> Change:
    """Whether the metric `key` changed from `before` to `after` by more than can be noise."""
    if before.value is None or after.value is None:
        return Change("not_detectable", None, None)
    difference = after.value - before.value
    first = standard_error(key, before.grade, repeats_before)
    second = standard_error(key, after.grade, repeats_after)
    if first is None or second is None or not math.isfinite(difference):
        return Change("not_detectable", difference, None)
    least = least_change((first, second))
    if abs(difference) <= least:
        return Change("not_detectable", difference, least)
    return Change("increased" if difference > 0 else "decreased", difference, least)
