"""Somebody's gait over a session, ten seconds at a time: a fixed amount of memory, however long they walk."""

from __future__ import annotations

from collections import Counter as Tally
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.coach.summary import typical_grade
from edge.motion.angles import ROW
from edge.motion.body import INDEX
from edge.motion.floor_lengths import floor_lengths
from edge.motion.gait import gait
from edge.motion.gait_kind import gait_kind
from edge.motion.gait_measures import measure_gait
from edge.motion.grades import Grade, Measure, Reason
from edge.motion.horizon import Horizon, Walked
from edge.motion.progress import progress
from edge.motion.track import Track
from edge.motion.walk import Walk

if TYPE_CHECKING:
    from edge.motion.body import Body
    from edge.motion.gait_kind import GaitKind
    from edge.motion.lens import Lens
    from edge.motion.progress import Progress

Array = npt.NDArray[np.float64]

STRETCH_S = 10.0
"""Seconds that are looked at together."""
GAP_S = 1.0
"""Out of sight for longer, the stretch ends: nobody knows what happened meanwhile."""
_LEAST_S = 1.5
_SEEN = 0.3
"""Visibility from which a point counts: the far leg of a side view is half hidden for much of a stride."""


_FEW: tuple[Reason, ...] = ("few_strides",)


class _Mean:
    """One metric so far: its mean, weighted with strides, and how well it was measured."""

    def __init__(self) -> None:
        self.total = self.weight = 0.0
        self.grades: Tally[Grade] = Tally()
        self.reasons: Tally[Reason] = Tally()
        self._few = False
        self._early: Tally[Grade] = Tally()
        """Those that were graded down for nothing but that there had been so few strides as yet."""

    def add(self, measure: Measure, strides: int) -> None:
        self._few = "few_strides" in measure.reasons
        if measure.reasons == _FEW:
            self._early[measure.grade] += strides
        elif not self._few:
            self.grades.subtract(self._early)
            self.grades[measure.grade] += self._early.total()
            self._early.clear()
        self.grades[measure.grade] += strides
        for reason in measure.reasons:
            self.reasons[reason] += strides
        if measure.value is not None:
            self.total += measure.value * strides
            self.weight += strides

    def measure(self) -> Measure:
        grade = typical_grade(self.grades)
        ordered = [reason for reason, _ in self.reasons.most_common()]
        reasons = tuple(reason for reason in ordered if self._few or reason != "few_strides")
        if grade == "A":
            reasons = ()
        return Measure(None if grade == "none" else self.total / self.weight, grade, reasons)


class Walks:
    """Takes the bodies of every moment and answers with the gait of the session."""

    def __init__(self, species: str, height_m: float | None = None) -> None:
        """`height_m`: body height, of a dog the length of its trunk; None: no lengths in metres."""
        self.kinds: Tally[GaitKind] = Tally()
        """Strides walked, run and trotted."""
        self.horizon = Horizon()
        """How the camera stands, as far as this walking showed it."""
        self._walked = Walked()
        self._species = species
        self._height_m = height_m
        self._means: dict[str, _Mean] = {}
        self._times: list[float] = []
        self._bodies: list[Body] = []
        self._angles: list[Array] = []

    @property
    def kind(self) -> GaitKind | None:
        """The most frequent gait; None where nobody walked."""
        return max(self.kinds, key=self.kinds.__getitem__, default=None)

    @property
    def tilt(self) -> float | None:
        """How far the camera looks down, where this walking showed it, in degrees."""
        return self.horizon.tilt

    def add(self, t: float, body: Body, angles: Array) -> None:
        """Take one moment at `t` seconds; `angles` float64[R]: its joint angles."""
        if self._times and not 0 < t - self._times[-1] <= GAP_S:
            self.finish()
        self._times.append(t)
        self._bodies.append(body)
        self._angles.append(angles)
        if t - self._times[0] >= STRETCH_S:
            self.finish()

    def finish(self) -> None:
        """Look at what has come since the last time."""
        times, bodies, angles = self._times, self._bodies, self._angles
        self._times, self._bodies, self._angles = [], [], []
        lens = bodies[-1].lens if bodies else None
        if lens is not None and times[-1] - times[0] >= _LEAST_S:
            track = Track.of(times, bodies).cleaned(_SEEN)
            level = replace(track, image=lens.levelled(track.image))
            kind = self._read(level, np.stack(angles), replace(lens, roll=0.0))
            if kind == "walk" and self._species == "human":
                self._walked.add(track, lens)
                self.horizon = self._walked.horizon()

    def _read(self, track: Track, angles: Array, lens: Lens) -> GaitKind | None:
        """Which gait is in `track`; None where nobody walks."""
        way = progress(track, self._species, lens)
        if way is None:
            return None
        walk = Walk(
            gait(way, self._species), way, self._species, self._height_m, track.rate, lens.tilt is not None,
            _courses(track, angles, way), track.trunk_px,
        )  # fmt: skip
        kind = gait_kind(walk)
        if kind is None:
            return None
        strides = len(walk.gait.strides)
        self.kinds[kind] += strides
        on_floor = floor_lengths(walk.gait, track, lens, self._species)
        for key, measure in (measure_gait(walk, self.kinds.total()) | on_floor).items():
            self._means.setdefault(key, _Mean()).add(measure, strides)
        return kind

    def measures(self) -> dict[str, Measure]:
        """Every metric of gait by key; empty where nobody walked."""
        return {key: mean.measure() for key, mean in self._means.items()}


def _courses(track: Track, angles: Array, way: Progress) -> dict[str, Array]:
    """Joint angles over the track, and how far the trunk leans forwards where the picture shows it, degrees."""
    courses = {key: angles[:, row] for key, row in ROW.items()}
    if way.plane == "image":
        trunk = track.image[:, INDEX["neck"]] - track.image[:, INDEX["pelvis"]]
        courses["forward_lean"] = np.degrees(np.arctan2(way.to_right * trunk[:, 0], trunk[:, 1]))
    return courses
