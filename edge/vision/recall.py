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
_OTHER, _SAME = 0.6, 0.42
"""Distances of appearance: another person, and the same person wherever they are."""
_BLINK_S = 1.0
"""Whoever is found in the very place so soon is them, whatever they look like, if nobody stood before them and they
did not go out of the picture."""
_SLACK, _SPEED = 0.5, 1.0
"""In sides of the region, and those a second: how far somebody may have gone on unseen."""
_LEAST_LOOKS = 2
_GROWN = 1.8
"""By how much somebody's region may have grown or shrunk, by another pose or distance."""
_BEHIND_S = 3.0
"""Seconds in which whoever appears where somebody went behind another is them."""


def recall(found: Track, hidden: Iterable[Track], t: float) -> Track | None:
    """The best of the `hidden` whom `found` may be; None when they are somebody new."""
    costs = [(cost, track.id, track) for track in hidden if (cost := _cost(found, track, t)) is not None]
    return min(costs)[2] if costs else None


def may_be(found: Track, lost: Track, t: float) -> bool:
    """Whether `found`, whose clothes are not known yet, is of the size of `lost`, and where they may have got."""
    return _is_as_large(found, lost) and _away(found, lost, t) < _SLACK + _SPEED * (t - lost.seen_at)


def _is_as_large(found: Track, lost: Track) -> bool:
    return 1 / _GROWN < found.roi.side / lost.roi.side < _GROWN


def _away(found: Track, lost: Track, t: float) -> float:
    """In sides of the larger region, from where they were lost or should be by now."""
    return min(
        math.hypot(found.roi.x - there.x, found.roi.y - there.y) / max(there.side, found.roi.side)
        for there in (lost.roi, lost.predicted(t))
    )


def _cost(found: Track, lost: Track, t: float) -> float | None:
    """How badly they fit; None when they are not the same."""
    gone = t - lost.seen_at
    if not 0 <= gone < REMEMBER_S:
        return None
    if not _is_as_large(found, lost):
        return None
    unlike, away = lost.appearance.between(found.appearance), _away(found, lost, t)
    blinked = gone < _BLINK_S and lost.lost_to is None and not lost.has_left
    if away < _NEAR and (blinked or (unlike is not None and unlike < _OTHER)):
        return away + (unlike if unlike is not None else _SAME)
    reached = away < _SLACK + _SPEED * gone
    if lost.lost_to is not None and gone < _BEHIND_S and reached and (unlike is None or unlike < _OTHER):
        return away + (unlike if unlike is not None else _SAME)
    if unlike is None or unlike > _SAME or found.appearance.looks < _LEAST_LOOKS or not reached:
        return None
    return 1 + unlike
