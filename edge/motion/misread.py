"""Joints that were read somewhere else for a moment: where somebody passes, theirs are taken for them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge.motion.smooth import running_median

Array = npt.NDArray[np.float64]

_BRIEF = 0.5
"""Share of what a course travels that is left of it where all else was brief."""
_ENDS = (0.05, 0.95)


def without_brief(values: Array, longest: int) -> Array:
    """Courses that keep to a level but for brief excursions, without these; all others as they are.

    `values`: float64[T, C], NaN where unseen. `longest`: moments that such an excursion has at most. What moves to
    and fro keeps to no level: it is left as it is. What only trembles does so less.
    """
    if longest < 1 or len(values) <= 2 * longest:
        return values
    calm = running_median(values, longest)
    calm[~np.isfinite(values)] = np.nan
    return np.where(_travel(calm) < _BRIEF * _travel(values), calm, values)


def _travel(values: Array) -> Array:
    """float64[C]: from the 5th to the 95th percentile of what is seen; NaN where nothing is."""
    ordered = np.sort(values, axis=0)  # NaN last
    last = np.maximum(np.isfinite(values).sum(axis=0) - 1, 0)
    low, high = (
        np.take_along_axis(ordered, np.round(share * last).astype(np.intp)[None], axis=0)[0]
        for share in _ENDS
    )
    return np.asarray(high - low)
