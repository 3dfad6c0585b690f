"""What a subject costs the hub in a frame: angles, coach, and what is looked at every ten seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edge.coach.coach import AUTO
from edge.coach.observer import Observer
from edge.link import PoseFrame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.link import Record


class MotionCost(msgspec.Struct, frozen=True):
    """Milliseconds of processor time for a subject and frame."""

    p50_ms: float
    """Of most frames."""
    mean_ms: float
    """Of all: with repetitions that are read, and gait, sway and jumps every ten seconds."""
    frames: int


def motion_cost(records: Iterable[Record]) -> MotionCost:
    """Replay recorded keypoints through an observer; zeros where nobody is in them."""
    observer, spent = Observer(AUTO), []
    for record in records:
        if not isinstance(record, PoseFrame):
            continue
        start = time.process_time_ns()
        observer.update(record)
        took = (time.process_time_ns() - start) / 1e6
        if record.subjects:
            spent.append(took / len(record.subjects))
    if not spent:
        return MotionCost(0.0, 0.0, 0)
    return MotionCost(round(float(np.median(spent)), 4), round(float(np.mean(spent)), 4), len(spent))
