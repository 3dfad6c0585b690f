"""A movement that no row describes: whatever repeats is counted by its own rhythm.

The signals of the last seconds, each by the share of what bodies do, have one direction in which they vary most
(the first principal component). If the body's way along it repeats (autocorrelation), it is counted like any other
progress: between the ends that it shows itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.coach.counter import Counter
from edge.coach.records import Repetition
from edge.motion.signals import SIGNAL_OF

if TYPE_CHECKING:
    from edge.coach.counter import Excursion
    from edge.motion.course import Course, Window

Array = npt.NDArray[np.float64]

LOOK_S = 0.5
"""Seconds between two looks."""
WINDOW_S = 12.0
"""Seconds of the past that are looked at."""
CYCLES = 4
"""That must be alike before anything counts."""
_PERIOD_S = (0.5, WINDOW_S / CYCLES)
_ALIKE = 0.6
"""Autocorrelation from which a movement repeats."""
_SIZE = 0.06
"""Least standard deviation along the component, in shares of what bodies do."""
_SEEN = 0.5
"""Mean visibility from which a signal takes part."""
_ENDS = (10, 90)
"""Percentiles of the way that stand for its ends."""
_LEAST_MOMENTS = 30
_COLUMNS = np.array([index for index, signal in enumerate(SIGNAL_OF) if signal.unit != "place"])
_MIDDLE = np.array([(SIGNAL_OF[at].least + SIGNAL_OF[at].most) / 2 for at in _COLUMNS])
_SPAN = np.array([SIGNAL_OF[at].most - SIGNAL_OF[at].least for at in _COLUMNS])


class _Component(NamedTuple):
    """A direction in which the signals vary together."""

    weights: Array
    """float64[S] over `_COLUMNS`."""
    low: float
    high: float
    """Its ends: the start position, and the far end."""
    period_s: float

    def progress(self, values: Array) -> Array:
        """0 at the start position, 1 at the far end; `values` float64[..., C]."""
        shares = np.nan_to_num((values[..., _COLUMNS] - _MIDDLE) / _SPAN)
        return np.asarray((shares @ self.weights - self.low) / (self.high - self.low))


class Periodic:
    """Counts the cycles of whatever repeats."""

    def __init__(self) -> None:
        self._component: _Component | None = None
        self._counter = Counter(*_PERIOD_S)
        self._looked_at = self._moved_at = self._counted_until = float("-inf")
        self.progress: float | None = None

    @property
    def counter(self) -> Counter:
        """Of the movement at present."""
        return self._counter

    @property
    def active(self) -> bool:
        """Whether something repeats."""
        return self._component is not None

    def update(self, course: Course, values: Array, t: float, *, since: float) -> list[Repetition]:
        """Feed one moment at `t` seconds; the cycles that are complete.

        `values`: the signals, float64[C]. `since`: nothing before that time counts.
        """
        if self._component is None:
            if t - self._looked_at < LOOK_S:
                return []
            self._looked_at = t
            window = course.window(max(t - WINDOW_S, since, self._counted_until), t)
            self._component = _find(window)
            if self._component is None:
                return []
            return self._begin(self._component, window)
        self.progress = float(self._component.progress(values))
        excursion = self._counter.update(t, self.progress)
        if excursion is not None:
            self._moved_at = excursion.peaked
        elif t - self._moved_at > 2 * self._component.period_s + 1:
            self.stop()
        return _repetitions(excursion)

    def stop(self) -> None:
        """The movement is over, or has got a name."""
        self._counted_until = self._moved_at
        self._component = None
        self.progress = None

    def _begin(self, component: _Component, window: Window) -> list[Repetition]:
        """Count what was seen before it was known to repeat."""
        self._counter = Counter(max(component.period_s / 3, 0.25), 3 * component.period_s)
        found = []
        for t, progress in zip(
            window.times.tolist(), component.progress(window.values).tolist(), strict=True
        ):
            found += _repetitions(self._counter.update(t, progress))
        self._moved_at = found[-1].t if found else float(window.times[-1])
        return found


def _repetitions(excursion: Excursion | None) -> list[Repetition]:
    if excursion is None or not excursion.full or excursion.again:
        return []
    out, back = excursion.peaked - excursion.began, excursion.ended - excursion.peaked
    return [
        Repetition(
            t=excursion.peaked,
            kind="rep",
            side=None,
            duration_s=out + back,
            eccentric_s=out,
            concentric_s=back,
            range_deg=None,
            peak_deg=None,
        )
    ]


def _find(window: Window) -> _Component | None:
    """The component of a movement that repeats; None where nothing does."""
    if len(window.times) < _LEAST_MOMENTS:
        return None
    seen = window.visibility[:, _COLUMNS].mean(axis=0) >= _SEEN
    shares = (window.values[:, _COLUMNS] - _MIDDLE) / _SPAN
    seen &= np.isfinite(shares).mean(axis=0) > 1 - _ALIKE / 2
    shares = np.where(np.isfinite(shares) & seen, shares, 0.0)
    around = shares - shares.mean(axis=0)
    smooth = _smoothness(around)
    _, _, components = np.linalg.svd(around * smooth, full_matrices=False)
    weights = components[0] * smooth
    weights /= np.linalg.norm(weights) or 1.0
    way = shares @ weights
    if way.std() < _SIZE:
        return None
    period = _period(window.times, way)
    if period is None or window.times[-1] - window.times[0] < CYCLES * period:
        return None
    low, high = np.percentile(way, _ENDS)
    if abs(way[: max(len(way) // 20, 1)].mean() - low) > abs(way[: max(len(way) // 20, 1)].mean() - high):
        weights, low, high = -weights, -high, -low
    return _Component(weights, float(low), float(high), period)


def _smoothness(around: Array) -> Array:
    """Of each column, 0-1: what one moment says of the next. Trembling says nothing and takes no part."""
    spread = (around * around).sum(axis=0)
    alike = (around[1:] * around[:-1]).sum(axis=0) / np.where(spread > 0, spread, 1.0)
    return np.asarray(np.clip(2 * alike - 1, 0, 1))


def _period(times: Array, way: Array) -> float | None:
    """Seconds after which the way is like itself again; None where it is not."""
    rate = len(times) / (times[-1] - times[0])
    even = np.interp(np.arange(times[0], times[-1], 1 / rate), times, way)
    even = even - even.mean()
    size = len(even)
    spectrum = np.fft.rfft(even, 2 * size)
    alike = np.fft.irfft(spectrum * spectrum.conj())[:size]
    if alike[0] <= 0:
        return None
    alike = alike / alike[0] * size / np.arange(size, 0, -1)
    first, last = (min(round(period * rate), size - 2) for period in _PERIOD_S)
    peaks = [
        lag
        for lag in range(max(first, 1), last)
        if alike[lag] >= _ALIKE and alike[lag - 1] <= alike[lag] >= alike[lag + 1]
    ]
    return peaks[0] / rate if peaks else None
