"""Whom a page shows where nobody has chosen: the nearest to the camera, without going to and fro."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.motion.body import INDEX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.motion.body import Body

_LARGER, _FOR_S = 1.3, 3.0
"""Somebody else must be so much larger for so many seconds."""
_GONE_S = 3.0
"""Out of sight for longer, somebody else is shown."""
_MEMORY_S = 20.0
"""Somebody who bends looks smaller, and is not farther away."""
_ROWS = [
    *(INDEX[name] for name in ("neck", "pelvis")),
    *(INDEX[f"{joint}_{side}"] for side in ("left", "right") for joint in ("hip", "knee", "ankle")),
]


def length_px(body: Body) -> float:
    """Trunk, thigh and shank in pixels, which bending hardly changes; 0 where they are not known."""
    neck, pelvis, *legs = body.image.take(_ROWS, axis=0).tolist()
    lengths = [math.dist(hip, knee) + math.dist(knee, ankle) for hip, knee, ankle in (legs[:3], legs[3:])]
    length = math.dist(neck, pelvis) + max((one for one in lengths if math.isfinite(one)), default=0.0)
    return length if math.isfinite(length) else 0.0


class Foremost:
    """Follows the largest of those in view."""

    def __init__(self) -> None:
        self._who: int | None = None
        self._sizes: dict[int, tuple[float, float]] = {}
        """By id: how large lately, and when last seen."""
        self._rival: tuple[int, float] | None = None
        """Who is larger, and since when."""

    def update(self, t: float, sizes: Mapping[int, float]) -> int | None:
        """Whom to show at `t` seconds; None where nobody was seen for a while. `sizes`: pixels by id."""
        for who, size in sizes.items():
            before, seen = self._sizes.get(who, (0.0, t))
            self._sizes[who] = max(size, before * math.exp(-max(t - seen, 0.0) / _MEMORY_S)), t
        self._sizes = {who: known for who, known in self._sizes.items() if t - known[1] <= _GONE_S}
        if not self._sizes:
            self._who = self._rival = None
            return None
        largest = max(self._sizes, key=lambda who: self._sizes[who][0])
        if self._who not in self._sizes:
            self._who, self._rival = largest, None
        elif self._sizes[largest][0] <= _LARGER * self._sizes[self._who][0]:
            self._rival = None
        elif self._rival is None or self._rival[0] != largest:
            self._rival = largest, t
        elif t - self._rival[1] >= _FOR_S:
            self._who, self._rival = largest, None
        return self._who
