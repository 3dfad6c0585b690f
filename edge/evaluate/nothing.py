"""Clips in which nobody exercises: everything that is counted there is too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from edge.analyze import analyze
from edge.evaluate.keypoints import keypoints
from edge.evaluate.reps import AUTO, totals_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.vision.inference import Precision


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted in one clip, by exercise."""

    file: str
    duration_s: float
    reps: dict[str, int]
    partial_reps: dict[str, int]
    hold_s: dict[str, float]


def evaluate_nothing(
    clip: Path, *, precision: Precision, threads: int, progress: Callable[[], object] = lambda: None
) -> Found:
    """Everything that `auto` counts in `clip`. Raises CameraError, ModelError or ConfigError."""
    trace = keypoints(clip, precision=precision, threads=threads, progress=progress)
    report = analyze(trace, exercise=AUTO, progress=progress)
    sums = totals_of(report)
    return Found(
        file=clip.name,
        duration_s=report.duration_s,
        reps={name: reps for name, (reps, _, _) in sums.items() if reps},
        partial_reps={name: partial for name, (_, partial, _) in sums.items() if partial},
        hold_s={name: round(held, 2) for name, (_, _, held) in sums.items() if held},
    )
