"""A causal low-pass filter that follows fast movement and calms slow jitter.

One Euro filter: Casiez, Roussel, Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class OneEuro:
    """Smooths an array of values, each with its own speed-dependent cut-off."""

    def __init__(
        self, min_cutoff: Array | float, beta: Array | float, derivative_cutoff: float = 1.0
    ) -> None:
        """Cut-offs in Hz; `beta` in Hz per (scaled) unit and second: higher follows faster with less calm.

        One for all values, or one for each.
        """
        self.min_cutoff = min_cutoff
        self.beta = beta
        self.derivative_cutoff = derivative_cutoff
        self._value: Array | None = None
        self._speed: Array | None = None
        self._time = 0.0

    def __call__(self, value: Array, t: float, scale: Array | float = 1.0) -> Array:
        """`value` smoothed at time `t` (seconds, increasing); `scale` divides speeds (the size of the person).

        A scale is one for all values, or one for each.
        A time that stands still or goes back restarts the filter: there is no speed to be had from it. So does
        a value that was no number, which would otherwise stay for ever.
        """
        dt = t - self._time
        self._time = t
        follows = self._value is not None and dt > 0 and np.isfinite([value, self._value]).all()
        if self._value is None or self._speed is None or not follows:
            self._value, self._speed = value.copy(), np.zeros_like(value)
            return value.copy()
        raw_speed = (value - self._value) / (dt * np.maximum(scale, 1e-9))
        self._speed += _alpha(self.derivative_cutoff, dt) * (raw_speed - self._speed)
        cutoff = self.min_cutoff + self.beta * np.abs(self._speed)
        self._value = self._value + _alpha(cutoff, dt) * (value - self._value)
        return self._value.copy()


def _alpha(cutoff: Array | float, dt: float) -> Array:
    """Weight of a new sample for a first-order low-pass of `cutoff` Hz sampled every `dt` seconds."""
    rate = 2 * math.pi * dt * np.asarray(cutoff)
    return np.asarray(rate / (rate + 1))
