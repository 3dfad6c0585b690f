"""Everything that can be measured of one body at one moment, by key of the metric catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.motion.angles import JOINT_ANGLES
from edge.motion.grades import Measure, measure
from edge.motion.view import torso_yaw

if TYPE_CHECKING:
    from edge.motion.signals import Signals


def measure_body(now: Signals, rate: float) -> dict[str, Measure]:
    """Every live metric of a body; `rate` is the pictures a second at present."""
    body, angles = now.body, now.angles
    measures = {
        row.key: measure(value, visibility=seen, tilt=tilt, rate=rate)
        for row, value, tilt, seen in zip(
            JOINT_ANGLES, angles.value.tolist(), angles.tilt.tolist(), angles.visibility.tolist(), strict=True
        )
    }
    seen = body.seen("shoulder_left", "shoulder_right", "hip_left", "hip_right")
    # The view is itself a statement about depth: there is no plane that it could leave.
    measures["view_yaw"] = measure(torso_yaw(body), visibility=seen, tilt=0.0, rate=rate)
    return measures
