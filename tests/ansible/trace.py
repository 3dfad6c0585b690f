"""A recording for boxes without a camera: somebody does squats, goes, and comes back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from edge.link import CameraState, Hello, PoseFrame
from edge.vision.trace import TraceWriter
from tests.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

RATE: Final = 15
"""Frames a second, unless told otherwise: several boxes share this machine with what provisions them."""
SQUATS_S: Final = 6
AWAY_S: Final = 14


def record(path: Path, rate: int = RATE) -> None:
    """A trace of a session and a pause after its end (ten seconds later), in which updates are allowed."""
    writer = TraceWriter(path, Hello(camera="cam0", source="generated", model="none", precision="fp32"))
    writer.write(CameraState(camera="cam0", state="live", monotonic_ns=0))
    for number in range(1, (SQUATS_S + AWAY_S) * rate):
        t = number / rate
        depth = (1 - math.cos(math.pi * t)) / 2
        figure = Figure(
            knee=(110 * depth, 110 * depth), hip=(100 * depth, 100 * depth), lean=35 * depth, yaw=40
        )
        writer.write(
            PoseFrame(
                camera="cam0",
                number=number,
                monotonic_ns=round(t * 1e9),
                utc_ns=None,
                width=640,
                height=480,
                timings={"total": 1.0},
                subjects=(figure.subject(),) if t < SQUATS_S else (),
            )
        )
    writer.close()
