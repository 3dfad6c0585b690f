"""Whether somebody who was found is one of those who were lost a while ago."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.vision.track import Track

REMEMBER_S = 10.0
"""Seconds in which somebody who went is known when they are back."""
_NEAR = 0.3
"""In sides of the region: who is found so near to where somebody was lost is them, unless they look different."""
_OTHER, _SAME = 0.8, 0.45
"""Distances of appearance: another person for sure, and the same person wherever they are."""
_SPEED = 0.8
"""Sides of the region a second: how fast somebody may have gone on unseen."""
_LEAST_LOOKS = 2


def recall(found: Track, hidden: Iterable[Track], t: float) -> Track | None:
    """The best of the `hidden` whom `found` may be; None when they are somebody new."""
    costs = [(cost, track.id, track) for track in hidden if (cost := _cost(found, track, t)) is not None]
    return min(costs)[2] if costs else None


def _cost(found: Track, lost: Track, t: float) -> float | None:
    """How badly they fit; None when they are not the same."""
    gone = t - lost.seen_at
    if not 0 <= gone < REMEMBER_S:
        return None
    unlike = lost.appearance.between(found.appearance)
    away = min(
        math.hypot(found.roi.x - there.x, found.roi.y - there.y) / max(there.side, found.roi.side)
        for there in (lost.roi, lost.predicted(t))
    )
    if away < _NEAR and (unlike is None or unlike < _OTHER):
        return away + (unlike if unlike is not None else _SAME)
    if unlike is None or unlike > _SAME or found.appearance.looks < _LEAST_LOOKS:
        return None
    if away > _NEAR + _SPEED * gone:
        return None
    return 1 + unlike
