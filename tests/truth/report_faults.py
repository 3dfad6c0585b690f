"""From which views a squat's depth is corrected: `python -m tests.truth.report_faults` (docs/form.md).

Squats of a posed body, each misread by 8 mm (in depth by 16).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge.coach.coach import Coach
from edge.motion.signals import Signals
from tests.coach.textbook import TEXTBOOKS, moments, seen

CAMERAS = (85, 60, 45, 30)
"""Degrees to the side."""
KNEES = (65, 75, 80, 90, 100)
"""Degrees of flexion; the row asks for 85."""
REPETITIONS = 15
_LASTS, _TREMBLES_M = 0.85, 0.0042
"""Share of a misreading that is there in the next picture, and what is new in it: 8 mm together."""


def said(yaw: float, knee: float) -> str:
    """In how many squats the depth is called a fault; `silent` where it is judged in none."""
    book = TEXTBOOKS["squat"]
    deepest = replace(book.poses[1], knee=knee, hip=knee + 5, lean=knee / 3)
    squat = replace(book, poses=(book.poses[0], deepest))
    rng, coach, off = np.random.default_rng(3), Coach("squat"), np.zeros(())
    for t, at in moments(squat, REPETITIONS):
        off = _LASTS * off + rng.normal(0, _TREMBLES_M, at.shape)
        coach.update(Signals(seen(at, yaw, off)), t)
    assert coach._set is not None
    depth = coach._set._advice._tallies["depth"]
    return str(depth.faults) if depth.seen else "silent"


def main() -> None:
    """Print in how many squats of each depth, from each view, the depth is called a fault."""
    print("| camera | " + " | ".join(map(str, KNEES)) + " |\n| --- |" + " --- |" * len(KNEES))
    for yaw in CAMERAS:
        print(f"| {yaw} degrees | " + " | ".join(said(yaw, knee) for knee in KNEES) + " |")


if __name__ == "__main__":
    main()
