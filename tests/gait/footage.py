"""Real walks, read once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from edge.coach.walks import Walks
from edge.link import PoseFrame
from edge.motion.body import Body
from edge.motion.gait import gait
from edge.motion.lens import Lens
from edge.motion.progress import progress
from edge.motion.signals import Signals
from edge.motion.track import Track
from edge.vision.source import open_source

if TYPE_CHECKING:
    from pathlib import Path

    from edge.motion.gait import Gait

HEIGHT = 1.75
"""Metres: nobody measured these people; shares, times and angles do not depend on it."""
_SEEN = 0.3


class Seen(NamedTuple):
    """One person of a clip."""

    times: list[float]
    bodies: list[Body]

    def walks(self) -> Walks:
        """Their gait as the box measures it."""
        found = Walks("human", HEIGHT)
        for t, body in zip(self.times, self.bodies, strict=True):
            found.add(t, body, Signals(body).angles.value)
        found.finish()
        return found

    def gait(self) -> Gait:
        """Their contacts, from all the time at once."""
        lens = self.bodies[-1].lens
        assert lens is not None
        way = progress(Track.of(self.times, self.bodies).cleaned(_SEEN), "human", lens)
        assert way is not None
        return gait(way, "human")


@cache
def people(clip: Path) -> tuple[Seen, ...]:
    """Everyone who is seen in a clip for a second and a half or longer."""
    found: dict[int, Seen] = {}
    source = open_source(str(clip), threads=2)
    try:
        for record in source.stream():
            if not isinstance(record, PoseFrame):
                continue
            lens = Lens(record.width, record.height)
            for one in record.subjects:
                seen = found.setdefault(one.id, Seen([], []))
                seen.times.append(record.monotonic_ns / 1e9)
                seen.bodies.append(Body.of(one.skeleton, one.points(), one.world_points(), lens))
    finally:
        source.close()
    return tuple(seen for seen in found.values() if seen.times[-1] - seen.times[0] >= 1.5)
