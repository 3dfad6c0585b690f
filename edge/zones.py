"""Parts of the camera's picture, drawn by the owner: polygons whose corners are shares of its width and height."""

from __future__ import annotations

import math
from statistics import fmean, pvariance
from typing import Annotated

from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]
Zone = Annotated[tuple[tuple[Share, Share], ...], Meta(min_length=3, max_length=32)]
"""Corners x, y from the top left, each 0-1; the last is joined to the first."""
Zones = Annotated[tuple[Zone, ...], Meta(max_length=16)]


_THIN = 0.005
"""Standard deviation of the corners, across the line through them, below which they lie in that line."""


def flat(zone: Zone) -> bool:
    """Whether the corners lie in a line or in a point, so that nothing is inside."""
    xs, ys = zip(*zone, strict=True)
    var_x, var_y = pvariance(xs), pvariance(ys)
    both = sum((x - fmean(xs)) * (y - fmean(ys)) for x, y in zone) / len(zone)
    across: float = (var_x + var_y) / 2 - math.hypot((var_x - var_y) / 2, both)
    return across < _THIN**2


def inside(zone: Zone, x: float, y: float) -> bool:
    """Whether the point lies in the zone (even-odd rule; not a number: nowhere)."""
    within = False
    before_x, before_y = zone[-1]
    for corner_x, corner_y in zone:
        if (corner_y > y) != (before_y > y):
            crossing = corner_x + (y - corner_y) * (before_x - corner_x) / (before_y - corner_y)
            within ^= x < crossing
        before_x, before_y = corner_x, corner_y
    return within
