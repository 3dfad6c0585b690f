"""What a body looked like during a movement: every signal at both ends, throughout, and how far it travelled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.misread import without_brief
from edge.motion.signals import SIGNAL_OF

if TYPE_CHECKING:
    from edge.motion.course import Window

Array = npt.NDArray[np.float64]
When = Literal["start", "far", "always", "travel", "least", "most"]

VISIBLE = 0.4
"""Visibility from which a joint says something."""
SURE = 0.65
"""The same where something in the picture is followed: where a hidden foot is drawn means nothing."""
SEEN_SHARE = 0.3
"""Share of the moments in which a signal must be seen."""
NEAR_START, NEAR_FAR = 0.25, 0.75
"""Shares of the movement below and above which a moment belongs to its ends."""
_QUANTILES = np.array([(1, 0.5), (2, 0.5), (0, 0.5), (0, 0.05), (0, 0.95)])
"""Stretch (all of it, its start, its far end) and share: `start`, `far`, `always`, `least` and `most`.

How far a signal travels lies between the last two: single misread pictures are no movement.
"""
_MOMENTS = 64
"""More of them say nothing more."""
_PLACES = np.array([signal.unit == "place" for signal in SIGNAL_OF])
_LIMITS = np.where(_PLACES, SURE, VISIBLE)
_STRETCH, _SHARE = _QUANTILES[:, 0].astype(int), _QUANTILES[:, 1:]
_ROW = _STRETCH[:, None] * len(_PLACES) + np.arange(len(_PLACES))


class Survey(NamedTuple):
    """By column of `signals.COLUMNS`; NaN where it was not seen."""

    start: list[float]
    """Median near the start position."""
    far: list[float]
    """Median near the far end."""
    always: list[float]
    """Median."""
    travel: list[float]
    """From the 5th to the 95th percentile; of places in trunk lengths."""
    least: list[float]
    most: list[float]
    """These percentiles."""
    doubt: list[float]
    """Mean, from 1: by how much more than usual the values may be off."""
    visibility: list[float]
    """Mean, 0-1."""

    def told(self, when: When, where: tuple[int, ...]) -> float | None:
        """The mean over the columns `where` that were seen; None without any."""
        values: list[float] = getattr(self, when)
        seen = [value for column in where if (value := values[column]) == value]
        return sum(seen) / len(seen) if seen else None

    def doubted(self, where: tuple[int, ...]) -> float:
        """By how much more than usual the columns `where` may be off, 1 and more."""
        return sum(self.doubt[column] for column in where) / len(where)


def survey(window: Window, share: Array, brief: int = 0) -> Survey:
    """Look at a movement; `share` float64[T]: 0 at its start position, 1 at its far end.

    `brief`: excursions from what else stays in place that last no more moments than that are taken for misread.
    """
    values = window.values
    if brief:
        values = without_brief(np.where(window.visibility >= _LIMITS, values, np.nan), brief)
    step = max(len(window.times) // _MOMENTS, 1)
    visibility, share = window.visibility[::step], share[::step]
    moments, signals = visibility.shape
    if not moments:
        return Survey(*[[math.nan] * signals] * len(Survey._fields))
    stretches = np.array((np.ones(moments, bool), share <= NEAR_START, share >= NEAR_FAR))
    seen = visibility >= _LIMITS
    # A row a signal, in each stretch, sorted along memory: what was not seen comes last.
    ordered = np.full((len(stretches), signals, moments), np.nan)
    np.copyto(ordered.transpose(0, 2, 1), values[::step], where=seen & stretches[..., None])
    ordered.sort()
    known = stretches.astype(float) @ seen
    known[known < np.maximum(SEEN_SHARE * stretches.sum(axis=1), 1)[:, None]] = np.nan
    start, far, always, least, most = _quantiles(ordered, known)
    trunk_px = np.sort(window.trunk_px[::step])
    scale = np.where(_PLACES, trunk_px[max(np.isfinite(trunk_px).sum() - 1, 0) // 2], 1.0)
    return Survey(
        start=start.tolist(),
        far=far.tolist(),
        always=always.tolist(),
        travel=((most - least) / scale).tolist(),
        least=least.tolist(),
        most=most.tolist(),
        doubt=(np.add.reduce(window.doubt[::step]) / moments).tolist(),
        visibility=(np.add.reduce(visibility) / moments).tolist(),
    )


def _quantiles(ordered: Array, known: Array) -> Array:
    """Each of _QUANTILES, float64[Q, C], of `ordered` float64[S, C, T], in each of which the first `known` count.

    Linear between the two next to it; NaN where `known` is.
    """
    last = known[_STRETCH] - 1
    at = _SHARE * last
    below = np.floor(at)
    unknown = np.isnan(at)
    place = np.where(unknown, 0.0, below).astype(np.intp)
    place += _ROW * ordered.shape[-1]
    values = ordered.reshape(-1)
    first = values.take(place)
    second = values.take(place + (below < last))
    return np.asarray(first + (at - below) * (second - first))
