"""Smooth courses between given values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def hermite(u: Array, start: Array, end: Array, v_start: Array, v_end: Array) -> Array:
    """Cubic from `start` at u = 0 to `end` at u = 1 with the given slopes (a unit of u)."""
    u2, u3 = u * u, u * u * u
    return np.asarray(
        start * (2 * u3 - 3 * u2 + 1)
        + v_start * (u3 - 2 * u2 + u)
        + end * (3 * u2 - 2 * u3)
        + v_end * (u3 - u2)
    )


def quintic(u: Array, start: float, end: float, v_start: float, v_end: float) -> Array:
    """As `hermite`, with no acceleration at either end."""
    u3, u4, u5 = u**3, u**4, u**5
    return np.asarray(
        start
        + v_start * (u - 6 * u3 + 8 * u4 - 3 * u5)
        + (end - start) * (10 * u3 - 15 * u4 + 6 * u5)
        + v_end * (-4 * u3 + 7 * u4 - 3 * u5)
    )


def ease(u: Array) -> Array:
    """From 0 to 1 with the least jerk (Flash and Hogan 1985); constant outside. Peak slope 1.875 at the middle."""
    u = np.clip(u, 0, 1)
    return np.asarray(10 * u**3 - 15 * u**4 + 6 * u**5)


def bump(u: Array) -> Array:
    """A hill from 0 over 1 to 0, level at both ends, highest at u = 0.4."""
    return np.asarray(u**2 * (1 - u) ** 3 / (0.4**2 * 0.6**3))


def through(t: Array, times: Array, values: Array) -> Array:
    """A smooth course through `values` at `times` (rising); `t` inside of them."""
    slopes = np.gradient(values, times)
    index = np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2)
    width = times[index + 1] - times[index]
    u = (t - times[index]) / width
    return hermite(u, values[index], values[index + 1], slopes[index] * width, slopes[index + 1] * width)
