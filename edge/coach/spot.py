"""What somebody does on the spot, ten seconds at a time: standing still, and jumping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.coach.summary import Mean
from edge.motion.body import INDEX
from edge.motion.jump import find_flights, measure_jumps
from edge.motion.lens import Lens
from edge.motion.sway import LEAST_S, measure_sway, read_sway
from edge.motion.track import Track

if TYPE_CHECKING:
    from edge.motion.body import Body
    from edge.motion.grades import Measure
    from edge.motion.jump import Flight

_OVERLAP_S = 2.5
"""Seconds that are looked at again, for a jump at the end of a stretch."""
_GAP_S = 1.0
_SEEN = 0.3
_STIRS = 0.15
"""Trunk lengths the hips must rise and fall for there to be a jump."""
_FASTEST_HZ = 250.0
_NO_LENS = Lens(1280, 720)
_BEST = 8
"""Jumps that are kept: the best of them is told."""


class Spot:
    """Takes the bodies of every moment and answers with the sway and the best jump of the session."""

    def __init__(self, species: str, height_m: float | None = None) -> None:
        """`height_m`: body height; None: no lengths in metres. Dogs are not measured here."""
        self._person = species == "human"
        self._height_m = height_m
        self._times: list[float] = []
        self._bodies: list[Body] = []
        self._fresh = 0
        """From which of them on nothing was looked at yet."""
        self._flights: list[Flight] = []
        self._landed = float("-inf")
        self._sway: dict[str, Mean] = {}

    def add(self, t: float, body: Body) -> None:
        """Take one moment at `t` seconds."""
        if not self._person:
            return
        if self._times:
            step = t - self._times[-1]
            if not 0 <= step <= _GAP_S:
                self.finish()
            elif step < 1 / _FASTEST_HZ:
                return
        self._times.append(t)
        self._bodies.append(body)
        if t - self._times[self._fresh] >= LEAST_S:
            self._read()
            keep = next(i for i, time in enumerate(self._times) if t - time <= _OVERLAP_S)
            self._times, self._bodies = self._times[keep:], self._bodies[keep:]
            self._fresh = len(self._times) - 1

    def finish(self) -> None:
        """Look at what has come since the last time."""
        if len(self._times) - self._fresh > 1:
            self._read()
        self._times, self._bodies, self._fresh = [], [], 0
        self._landed = float("-inf")

    def measures(self) -> dict[str, Measure]:
        """Every metric of sway and jumps by key; empty for somebody who did neither."""
        return {key: mean.measure() for key, mean in self._sway.items()} | measure_jumps(self._flights)

    def _read(self) -> None:
        track = _seen(Track.of(self._times, self._bodies))
        trunk = track.trunk_px
        hips = track.image[:, INDEX["pelvis"], 1]
        hips = hips[np.isfinite(hips)]
        if not trunk > 0 or not len(hips):
            return
        lens = self._bodies[-1].lens or _NO_LENS
        if np.ptp(hips) > _STIRS * trunk:
            flights = [one for one in find_flights(track, lens) if one.start > self._landed]
            if flights:
                self._landed = flights[-1].end
                best = sorted([*self._flights, *flights], key=lambda one: one.time, reverse=True)
                self._flights = best[:_BEST]
            return
        fresh = Track(
            *(column[self._fresh :] for column in (track.times, track.image, track.space, track.visibility))
        )
        sway = read_sway(fresh, tilt_known=lens.tilt is not None)
        if sway is not None:
            for key, measure in measure_sway(sway, self._height_m).items():
                self._sway.setdefault(key, Mean()).add(measure)


def _seen(track: Track) -> Track:
    """Without what was hardly seen."""
    image = np.where((track.visibility >= _SEEN)[:, :, None], track.image, np.nan)
    return Track(track.times, image, track.space, track.visibility)
