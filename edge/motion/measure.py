"""Everything that can be measured of one body at one moment, by key of the metric catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.motion.angles import JOINT_ANGLES, joint_angles, trunk_lean
from edge.motion.grades import Measure, measure
from edge.motion.view import torso_yaw

if TYPE_CHECKING:
    from edge.motion.body import Body


def measure_body(body: Body, rate: float) -> dict[str, Measure]:
    """Every live metric of `body`; `rate` is the pictures a second at present."""
    angles = joint_angles(body)
    measures = {
        row.key: measure(value, visibility=seen, tilt=tilt, rate=rate)
        for row, value, tilt, seen in zip(
            JOINT_ANGLES, angles.value.tolist(), angles.tilt.tolist(), angles.visibility.tolist(), strict=True
        )
    }
    lean, tilt, seen = trunk_lean(body)
    measures["trunk_lean"] = measure(lean, visibility=seen, tilt=tilt, rate=rate)
    trunk_seen = body.seen("shoulder_left", "shoulder_right", "hip_left", "hip_right")
    # The view is itself a statement about depth: there is no plane that it could leave.
    measures["view_yaw"] = measure(torso_yaw(body), visibility=trunk_seen, tilt=0.0, rate=rate)
    return measures
