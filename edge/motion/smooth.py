"""Courses over time made clean: outliers out, noise down, speeds known, and what was not seen left unseen.

Local quadratic regression (Cleveland, J Am Stat Assoc 74:829, 1979) with a tricube kernel: at evenly spaced times it
is a Savitzky-Golay filter, but it also takes uneven ones, weights and gaps. It is zero-phase: for reports, not for
live use.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

HALF_WIDTH_S = 0.12
"""Seconds on each side that are looked at: keeps movement up to about 6 Hz, as usual for gait (Winter, 1974)."""
_LEAST_NEIGHBOURS = 1.6
"""The half width reaches over this many intervals between pictures, at least."""
_ENOUGH = 1e-3
"""Determinant of the normalised moments below which too few moments are near."""
_OUTLIER = 4.0
"""Robust standard deviations from the median of the neighbours from which a value is none (Hampel)."""
_HAMPEL_HALF = 3


class Smooth(NamedTuple):
    """Courses and their speeds; NaN where there was too little near by."""

    value: Array
    """float64[T, C]"""
    speed: Array
    """float64[T, C], per second"""


def smooth(
    times: Array, values: Array, weights: Array | None = None, half_width_s: float = HALF_WIDTH_S
) -> Smooth:
    """Courses `values` float64[T, C] at `times` float64[T] (seconds, rising), NaN where unseen.

    `weights` float64[T, C], 0 or more: how much each value counts.
    """
    count = len(values)
    if count < 3:
        return Smooth(values.copy(), np.full_like(values, np.nan))
    width = least_width(times, half_width_s)
    first = np.searchsorted(times, times - width, "left")
    last = np.searchsorted(times, times + width, "right")
    reach = int((last - first).max())
    near = first[:, None] + np.arange(reach)
    inside = near < last[:, None]
    near = np.minimum(near, count - 1)
    x = (times[near] - times[:, None]) / width
    far = np.minimum(np.abs(x), 1.0)
    falls = 1 - far * far * far
    kernel = np.where(inside, falls * falls * falls, 0.0)
    known = np.isfinite(values) if weights is None else np.isfinite(values) & (weights > 0)
    weight = known.astype(float) if weights is None else np.where(known, weights, 0.0)
    weighted = np.where(known, weight * values, 0.0)
    # Moments of the weights and of the values: the normal equations of a parabola in x.
    powers = np.empty((count, 5, reach))
    powers[:, 0] = kernel
    for k in range(1, 5):
        powers[:, k] = powers[:, k - 1] * x
    m = np.moveaxis(powers @ weight[near], 1, 0)
    v = np.moveaxis(powers[:, :3] @ weighted[near], 1, 0)
    value, slope = _parabola(m, v)
    # A parabola through points that are all on one side of a moment says nothing about it.
    between = _seen_around(times, known, width)
    return Smooth(np.where(between, value, np.nan), np.where(between, slope / width, np.nan))


def least_width(times: Array, half_width_s: float) -> float:
    """The half width that is used: enough for the pictures that there are."""
    gaps = np.sort(np.diff(times))
    usual = (gaps[(len(gaps) - 1) // 2] + gaps[len(gaps) // 2]) / 2
    return max(half_width_s, _LEAST_NEIGHBOURS * float(usual))


def _parabola(m: Array, v: Array) -> tuple[Array, Array]:
    """Value and slope at 0 of the least-squares parabola with these moments; NaN where it is not determined."""
    m0, m1, m2, m3, m4 = m
    a, b, c = m2 * m4 - m3 * m3, m2 * m3 - m1 * m4, m1 * m3 - m2 * m2
    d, e = m0 * m4 - m2 * m2, m1 * m2 - m0 * m3
    determinant = m0 * a + m1 * b + m2 * c
    with np.errstate(divide="ignore", invalid="ignore"):
        sound = determinant > _ENOUGH * m2 * m2 * m2
        value = (a * v[0] + b * v[1] + c * v[2]) / determinant
        slope = (b * v[0] + d * v[1] + e * v[2]) / determinant
    return np.where(sound, value, np.nan), np.where(sound, slope, np.nan)


def _seen_around(times: Array, known: npt.NDArray[np.bool_], width: float) -> npt.NDArray[np.bool_]:
    """Whether each moment lies in or between seen ones that are near: no value is made up beyond them."""
    count = len(times)
    index = np.arange(count)[:, None]
    before = np.maximum.accumulate(np.where(known, index, -1), axis=0)
    after = np.minimum.accumulate(np.where(known, index, count)[::-1], axis=0)[::-1]
    there = (before >= 0) & (after < count)
    since = times[:, None] - times[np.maximum(before, 0)]
    until = times[np.minimum(after, count - 1)] - times[:, None]
    return np.asarray(there & (since <= width) & (until <= width))


def without_outliers(values: Array, least: float) -> Array:
    """`values` float64[T, C] with NaN for what is far from the median of its neighbours (Hampel's test).

    `least`: a difference up to this is never an outlier, in the unit of the values.
    """
    count = len(values)
    if count < 3:
        return values.copy()
    windows = _windows(values, min(_HAMPEL_HALF, (count - 1) // 2))
    middle = _nanmedian(windows)
    away = np.abs(values - middle)
    out = away > least
    spread = 1.4826 * _nanmedian(np.abs(windows[out] - middle[out][:, None]))
    out[out] = away[out] > _OUTLIER * spread
    return np.where(out, np.nan, values)


def running_median(values: Array, half: int) -> Array:
    """The median of each moment's value and of `half` before and after it, of what is known; float64[T, C]."""
    return _nanmedian(_windows(values, half))


def _windows(values: Array, half: int) -> Array:
    """float64[T, C, 2 half + 1]: each moment with its neighbours; NaN beyond the ends."""
    padded = np.pad(values, ((half, half), (0, 0)), constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0)


def _nanmedian(windows: Array) -> Array:
    """Median over the last axis of what is finite; NaN where nothing is. np.nanmedian warns and is slow."""
    ordered = np.sort(windows, axis=-1)  # NaN last
    number = np.isfinite(windows).sum(axis=-1)
    first = windows.shape[-1] * np.arange(number.size).reshape(number.shape)
    low, high = ordered.take(first + np.maximum(number - 1, 0) // 2), ordered.take(first + number // 2)
    return np.asarray(np.where(number > 0, (low + high) / 2, np.nan))
