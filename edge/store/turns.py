"""Which way somebody must turn for a metric to be measured better: the plane it lies in, and how that is seen."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Literal

import msgspec

from edge.coach.library import exercises
from edge.motion.angles import JOINT_ANGLES
from edge.motion.remedy import Plane, turn_to_see
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge.coach.exercise import Exercise

_SHOWS: dict[str, Plane] = {"side": "sagittal", "front": "frontal"}
"""The plane that the view of an exercise shows."""
_VIEW = frozenset({"oblique_view", "out_of_plane"})
"""Reasons that another view would take away."""
_ROUGH = frozenset({"C", "none"})
_STEADY = 0.8
"""Length of the mean direction (1: never moved) from which somebody's turn is one for the whole session."""


class Turn(msgspec.Struct, frozen=True):
    """What to ask of whoever is measured."""

    degrees: float
    to: Literal["left", "right"]
    """The body's own."""


Turns = dict[Plane, Turn | None]


@cache
def planes() -> dict[str, Plane]:
    """The plane of the body in which each joint metric lies, by its key; none of those that bend to every side."""
    rows: dict[str, Plane] = {row.key: row.plane for row in JOINT_ANGLES if not row.anywhere}
    return rows | {key: rows[metric.of] for key, metric in metrics().items() if metric.of in rows}


def lead_plane(exercise: str | None) -> Plane | None:
    """The plane in which an exercise is done: of its view, or of its leading angle, or else the camera's for it."""
    row = exercises().get(exercise or "")
    if row is None:
        return None
    return _SHOWS.get(row.view) or next(
        (planes()[f"{part.signal}_left"] for part in row.parts if f"{part.signal}_left" in planes()),
        camera_plane(row),
    )


def camera_plane(row: Exercise) -> Plane | None:
    """The plane that the camera shows where the exercise wants it; None where it stands anywhere."""
    return None if row.kind == "rhythm" else _SHOWS[row.camera.removesuffix("_low")]


def turns(yaw: float | None) -> Turns:
    """For each plane the turn that shows it, from a torso turned by `yaw` degrees; None: unknown."""
    found: Turns = {}
    for plane in ("sagittal", "frontal"):
        turn = turn_to_see(plane, math.nan if yaw is None else yaw)
        found[plane] = None if turn is None else Turn(turn.degrees, turn.to)
    return found


def seen_aslant(key: str, reasons: Iterable[str], lead: Plane | None = None) -> Plane | None:
    """The plane of the metric `key` where `reasons` say that it was not seen squarely; None where it is another.

    `lead`: the plane of the exercise, in which the metrics of its repetitions lie.
    """
    if _VIEW.isdisjoint(reasons):
        return None
    plane = planes().get(key)
    if plane is None and lead is not None and key in metrics() and metrics()[key].statistic == "repetition":
        return lead
    return plane


def turn_for(plane: Plane | None, grade: str, known: Mapping[Plane, Turn | None]) -> Turn | None:
    """What would help a metric of this grade that was not seen squarely in `plane`; None where a turn would not."""
    return None if plane is None or grade not in _ROUGH else known[plane]


def usual_yaw(yaws: Iterable[float | None]) -> float | None:
    """The direction, in degrees, in which somebody stood most of the time; None where there was none."""
    known = [math.radians(yaw) for yaw in yaws if yaw is not None]
    if not known:
        return None
    x, y = sum(map(math.cos, known)) / len(known), sum(map(math.sin, known)) / len(known)
    return math.degrees(math.atan2(y, x)) if math.hypot(x, y) >= _STEADY else None
