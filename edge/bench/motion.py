"""What a subject costs the hub in a frame: motion, which measures, and the coach, which counts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edge.coach.coach import AUTO, Coach
from edge.coach.observer import Observer
from edge.link import PoseFrame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.coach.records import CoachEvent, CoachState
    from edge.link import Record
    from edge.motion.signals import Signals


class Part(msgspec.Struct, frozen=True):
    """Milliseconds of processor time for a subject and frame."""

    p50_ms: float = 0.0
    """Of most frames."""
    mean_ms: float = 0.0
    """Of all."""


class MotionCost(msgspec.Struct, frozen=True):
    """The hub's work on keypoints."""

    motion: Part = Part()
    """Angles, grades and summary; in the mean also repetitions, and gait, sway and jumps every ten seconds."""
    coach: Part = Part()
    """Counting, with every exercise watching."""
    frames: int = 0


class _TimedCoach(Coach):
    """Knows how long it took."""

    spent_ns = 0

    def update(self, now: Signals | None, t: float) -> tuple[CoachState, list[CoachEvent]]:
        start = time.process_time_ns()
        said = super().update(now, t)
        self.spent_ns += time.process_time_ns() - start
        return said


def motion_cost(records: Iterable[Record]) -> MotionCost:
    """Replay recorded keypoints through an observer; zeros where nobody is in them."""
    observer, subjects = Observer(AUTO), 0
    whole, coach = [], []
    for record in records:
        if not isinstance(record, PoseFrame):
            continue
        before = _coach_ns(observer)
        start = time.process_time_ns()
        observer.update(record)
        took = time.process_time_ns() - start
        if record.subjects and not _begin_timing(observer):
            subjects += len(record.subjects)
            whole.append(took / len(record.subjects))
            coach.append((_coach_ns(observer) - before) / len(record.subjects))
    if not whole:
        return MotionCost()
    start = time.process_time_ns()
    observer.finish()
    last = (time.process_time_ns() - start) / subjects  # of what was kept for the next look
    motion = np.subtract(whole, coach)
    return MotionCost(_part(motion, last), _part(np.array(coach)), len(whole))


def _coach_ns(observer: Observer) -> int:
    coaches = (person.coach for person in observer.people.values())
    return sum(coach.spent_ns for coach in coaches if isinstance(coach, _TimedCoach))


def _begin_timing(observer: Observer) -> bool:
    """Time the coaches of those who have just come; whether there are any."""
    new = [person for person in observer.people.values() if not isinstance(person.coach, _TimedCoach)]
    for person in new:
        person.coach = _TimedCoach(AUTO)
    return bool(new)


def _part(spent_ns: np.typing.NDArray[np.float64], once_ns: float = 0.0) -> Part:
    return Part(
        round(float(np.median(spent_ns)) / 1e6, 4), round((float(np.mean(spent_ns)) + once_ns) / 1e6, 4)
    )
