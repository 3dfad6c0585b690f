"""What a body looked like during a movement: every signal at both ends, throughout, and how far it travelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

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
_TAILS = (0.05, 0.95)
"""Quantiles between which lies how far a signal travels: single misread pictures are no movement."""
_MOMENTS = 64
"""More of them say nothing more."""
_PLACES = np.array([signal.unit == "place" for signal in SIGNAL_OF])
_LIMITS = np.where(_PLACES, SURE, VISIBLE)


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


def survey(window: Window, share: Array) -> Survey:
    """Look at a movement; `share` float64[T]: 0 at its start position, 1 at its far end."""
    step = max(len(window.times) // _MOMENTS, 1)
    values, visibility, share = window.values[::step], window.visibility[::step], share[::step]
    # A row a signal: sorting along memory is several times faster.
    values = np.ascontiguousarray(np.where(visibility >= _LIMITS, values, np.nan).T)
    ordered = np.sort(values, axis=1)
    least, middle, most = _quantiles(ordered, (_TAILS[0], 0.5, _TAILS[1]))
    trunk_px = window.trunk_px[::step]
    trunk_px = trunk_px[np.isfinite(trunk_px)]
    scale = np.where(_PLACES, np.median(trunk_px) if len(trunk_px) else np.nan, 1.0)
    ends = [
        _quantiles(np.sort(values[:, near], axis=1), (0.5,))[0]
        for near in (share <= NEAR_START, share >= NEAR_FAR)
    ]
    return Survey(
        start=ends[0].tolist(),
        far=ends[1].tolist(),
        always=middle.tolist(),
        travel=((most - least) / scale).tolist(),
        least=least.tolist(),
        most=most.tolist(),
        doubt=window.doubt[::step].mean(axis=0).tolist(),
        visibility=visibility.mean(axis=0).tolist(),
    )


def _quantiles(ordered: Array, shares: tuple[float, ...]) -> list[Array]:
    """Of the rows of `ordered` float64[C, T], each sorted with NaN at its end; NaN where too few are known."""
    columns, moments = ordered.shape
    known = moments - np.isnan(ordered).sum(axis=1)
    enough = known >= max(SEEN_SHARE * moments, 1)
    found = []
    for share in shares:
        at = share * np.maximum(known - 1, 0)
        low = at.astype(int)
        high = np.minimum(low + 1, np.maximum(known - 1, 0))
        if moments:
            across = np.arange(columns)
            value = ordered[across, low] * (1 - at + low) + ordered[across, high] * (at - low)
        else:
            value = np.full(columns, np.nan)
        found.append(np.where(enough, value, np.nan))
    return found
