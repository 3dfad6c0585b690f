"""From which side the camera sees the body."""

from __future__ import annotations

import math

import numpy as np

from edge.motion.body import INDEX, Body

TORSO = np.array([INDEX[name] for name in ("shoulder_left", "shoulder_right", "hip_left", "hip_right")])


def torso_yaw(body: Body) -> float:
    """Turn of the torso from the camera in degrees, -180 to 180; NaN without world keypoints.

    0: facing the camera; 90: the right side turned to it; -90: the left side; 180: the back. From the line between
    the shoulders and the one between the hips, seen from above.
    """
    left_shoulder, right_shoulder, left_hip, right_hip = body.space.take(TORSO, axis=0)
    across = left_shoulder - right_shoulder + left_hip - right_hip
    return math.degrees(math.atan2(-across[2], across[0]))
