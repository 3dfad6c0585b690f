"""Lengths of a walk in metres from a calibrated floor: where the feet stood, whoever it was.

Without a calibrated floor they come from the body height (edge.motion.gait_measures).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.floor import footprint, places
from edge.motion.gait import FEET
from edge.motion.grades import Measure, graded

if TYPE_CHECKING:
    from edge.motion.gait import Gait
    from edge.motion.grades import Grade, Reason
    from edge.motion.lens import Lens
    from edge.motion.track import Track

Array = npt.NDArray[np.float64]

_FLAT = (0.1, 0.5)
"""Part of a stance in which the heel surely stands."""
_GOES = 0.3
"""Metres between footprints that follow each other, from which the floor and no belt is walked on."""
_FAR = 8.0
"""Metres from the camera beyond which a pixel is too much floor."""
_MANY, _LEAST = 4, 2
"""Strides for a good mean, and for any."""


class Print(NamedTuple):
    """A foot stood here."""

    t: float
    foot: str
    place: Array
    """float64[2], metres."""


def footprints(gait: Gait, track: Track, lens: Lens, species: str) -> list[Print]:
    """Where each foot stood after each landing, in the order of time; only what was seen, and near enough."""
    if not gait.strides:
        return []
    stance = float(np.median([stride.lift - stride.start for stride in gait.strides]))
    where = places(track, lens, species)
    prints = [
        Print(
            contact.t,
            contact.foot,
            footprint(
                track.times,
                where[contact.foot],
                contact.t + _FLAT[0] * stance,
                contact.t + _FLAT[1] * stance,
            ),
        )
        for contact in gait.contacts
        if contact.kind == "contact" and where
    ]
    return [one for one in prints if np.linalg.norm(one.place) < _FAR]


def floor_lengths(gait: Gait, track: Track, lens: Lens, species: str) -> dict[str, Measure]:
    """`stride_length`, `gait_speed`, of people `step_length_*`, in metres; empty where the floor does not tell."""
    prints = footprints(gait, track, lens, species)
    at = {(one.t, one.foot): one.place for one in prints}
    strides = [
        (stride.time, float(np.linalg.norm(at[stride.end, stride.foot] - at[stride.start, stride.foot])))
        for stride in gait.strides
        if (stride.start, stride.foot) in at and (stride.end, stride.foot) in at
    ]
    if len(strides) < _LEAST:
        return {}
    length = float(np.mean([way for _, way in strides]))
    if length < _GOES:
        return {}
    reasons: dict[Reason, Grade] = {"few_strides": "B"} if len(strides) < _MANY else {}
    found = {
        "stride_length": graded(length, reasons),
        "gait_speed": graded(length / float(np.mean([time for time, _ in strides])), reasons),
    }
    if species == "human":
        left, right = FEET[species]
        for foot, other in ((left, right), (right, left)):
            steps = _steps(prints, foot.name, other.name)
            if steps:
                found[f"step_length_{foot.name}"] = graded(float(np.mean(steps)), reasons)
    return found


def _steps(prints: list[Print], foot: str, other: str) -> list[float]:
    """Ways along the direction of travel from a print of the other foot to the next one of this foot, metres."""
    way = np.polyfit([one.t for one in prints], np.array([one.place for one in prints]), 1)[0]
    way = way / np.linalg.norm(way)
    return [
        float((b.place - a.place) @ way) for a, b in pairwise(prints) if (a.foot, b.foot) == (other, foot)
    ]
