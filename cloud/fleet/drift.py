"""Whether the keypoints of a site became less certain: its last days against those before."""

from __future__ import annotations

from math import sqrt
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import msgspec
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

LATE_DAYS = 7
EARLY_DAYS = 28
FEWEST_DAYS = 4
"""In each of the two times."""
ERROR = 0.01
"""Two-sided chance that a site is called drifted without reason."""
LEAST = 0.02
"""A smaller change matters to nobody, however certain it is."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """The daily means of a site's keypoint confidence, 0 to 1."""

    late_mean: float
    late_spread: float
    """Standard deviation of the daily means."""
    late_days: int
    early_mean: float
    early_spread: float
    early_days: int
    change: float
    noise: float
    """A change up to this is what days differ by anyway."""
    drifted: bool


def drift(days: Mapping[date, float], today: date) -> Drift | None:
    """The last seven whole days against the 28 before; None where too few of them have a mean.

    The days are what is counted, not the boxes: what changes the light changes it for all boxes of a site.
    """
    ages = {(today - day).days: mean for day, mean in days.items()}
    late = [mean for age, mean in ages.items() if 1 <= age <= LATE_DAYS]
    early = [mean for age, mean in ages.items() if LATE_DAYS < age <= LATE_DAYS + EARLY_DAYS]
    n, m = len(late), len(early)
    if min(n, m) < FEWEST_DAYS:
        return None
    spread, early_spread = stdev(late), stdev(early)
    v, w = spread**2 / n, early_spread**2 / m
    freedom = (v + w) ** 2 / (v**2 / (n - 1) + w**2 / (m - 1)) if v + w > 0 else 1.0
    noise = float(special.stdtrit(freedom, 1 - ERROR / 2)) * sqrt(v + w)
    change = fmean(late) - fmean(early)
    return Drift(
        late_mean=fmean(late),
        late_spread=spread,
        late_days=n,
        early_mean=fmean(early),
        early_spread=early_spread,
        early_days=m,
        change=change,
        noise=noise,
        drifted=abs(change) > max(noise, LEAST),
    )
