"""From which side the camera sees the body."""

from __future__ import annotations

import math

from edge.motion.body import INDEX, Body


def torso_yaw(body: Body) -> float:
    """Turn of the torso from the camera in degrees, -180 to 180; NaN without world keypoints.

    0: facing the camera; 90: the right side turned to it; -90: the left side; 180: the back. From the line between
    the shoulders and the one between the hips, seen from above.
    """
    across = (
        body.space[INDEX["shoulder_left"]]
        - body.space[INDEX["shoulder_right"]]
        + body.space[INDEX["hip_left"]]
        - body.space[INDEX["hip_right"]]
    )
    return math.degrees(math.atan2(-across[2], across[0]))
