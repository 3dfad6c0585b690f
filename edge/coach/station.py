"""A place on the floor that owns the set: whoever stands in it is counted, and nobody else.

For a camera that sees more than one place, as in a gym. Where somebody stands is told by the middle of the ankles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.zones import inside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.zones import Zone

STAYS_S = 2.0
"""Seconds out of the place after which somebody has left it, and seconds in it after which somebody takes it over:
feet leave the floor in a jump, and others walk through."""
_EDGE = 1e-6


class Station:
    """Knows whose turn it is, from one moment to the next."""

    def __init__(self, zone: Zone) -> None:
        """`zone`: where it is in the picture."""
        self.zone = zone
        self._owner: int | None = None
        """Who stands in it or stood in it last."""
        self._inside: dict[int, tuple[float, float]] = {}
        """Since when, and when last, in it: of those who have not left it."""

    def update(self, t: float, feet: Mapping[int, tuple[float, float]]) -> int | None:
        """Who is to be counted at `t` seconds; None while nobody is.

        `feet`: x, y as shares of the picture, by id, of those who are seen. Who is not seen has not moved.
        """
        for who, (x, y) in feet.items():
            if inside(self.zone, _within(x), _within(y)):
                since, _ = self._inside.get(who, (t, t))
                self._inside[who] = since, t
        self._inside = {
            who: (since, last) for who, (since, last) in self._inside.items() if t - last <= STAYS_S
        }
        if self._owner not in self._inside:
            return self._next(t, feet)
        return self._owner

    def _next(self, t: float, feet: Mapping[int, tuple[float, float]]) -> int | None:
        """Who takes the place: the longest in it, and of those who came together the nearest to the camera."""
        waits = 0.0 if self._owner is None else STAYS_S
        standing = [
            (since, -feet[who][1], who)
            for who, (since, last) in self._inside.items()
            if who in feet and last == t and t - since >= waits
        ]
        if not standing:
            return None
        self._owner = min(standing)[2]
        return self._owner


def _within(share: float) -> float:
    """Feet that the picture cuts off stand at its edge."""
    return min(max(share, _EDGE), 1 - _EDGE)
