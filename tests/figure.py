"""A figure of known shape and known joint angles, as the pose model would see it: truth for tests of motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.link import Subject
from edge.motion.body import Body
from edge.motion.skeletons import SKELETONS

Array = npt.NDArray[np.float64]
NAMES = SKELETONS["blazepose33"].names

TRUNK, UPPER_ARM, FOREARM, THIGH, SHANK, FOOT = 0.52, 0.30, 0.26, 0.43, 0.42, 0.18
SHOULDER_HALF, HIP_HALF = 0.19, 0.11
FLOOR_PX = 520.0
ANKLES = [NAMES.index("left_ankle"), NAMES.index("right_ankle")]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Joint angles in degrees: (left, right) where there are two, both in the sense of the metric catalogue."""

    knee: tuple[float, float] = (0.0, 0.0)
    hip: tuple[float, float] = (0.0, 0.0)
    """Flexion of the thigh against the trunk, in the sagittal plane."""
    elbow: tuple[float, float] = (0.0, 0.0)
    abduction: tuple[float, float] = (10.0, 10.0)
    """Elevation of the upper arm to the side."""
    spread: tuple[float, float] = (0.0, 0.0)
    """Thighs to the side."""
    lean: float = 0.0
    """Trunk forwards from the vertical."""
    yaw: float = 0.0
    """Turn from the camera, as `torso_yaw` says it."""

    def world(self) -> npt.NDArray[np.float32]:
        """float32[33, 3]: metres, x right, y up, z towards the camera, hips in the origin."""
        at = {name: np.zeros(3) for name in NAMES}
        # The figure's own axes: x to its left, y up, z forwards (a person who faces the camera: z towards it).
        up = _turn_x(np.array([0.0, 1.0, 0.0]), self.lean)
        neck = TRUNK * up
        for side, sign, n in (("left", 1.0, 0), ("right", -1.0, 1)):
            hip = np.array([sign * HIP_HALF, 0, 0])
            shoulder = neck + np.array([sign * SHOULDER_HALF, 0, 0])
            down = -up
            thigh = _turn_x(_turn_z(down, sign * self.spread[n]), -self.hip[n])
            shank = _turn_x(thigh, self.knee[n])
            upper = _turn_z(down, sign * self.abduction[n])
            forearm = _turn_x(upper, -self.elbow[n])
            knee = hip + THIGH * thigh
            ankle = knee + SHANK * shank
            heel = ankle + 0.05 * shank
            elbow = shoulder + UPPER_ARM * upper
            wrist = elbow + FOREARM * forearm
            toe = heel + FOOT * _turn_x(shank, -90.0)
            for name, point in (
                ("hip", hip),
                ("knee", knee),
                ("ankle", ankle),
                ("heel", heel),
                ("foot_index", toe),
                ("shoulder", shoulder),
                ("elbow", elbow),
                ("wrist", wrist),
                ("pinky", wrist),
                ("index", wrist),
                ("thumb", wrist),
                ("ear", neck + 0.25 * up + np.array([sign * 0.07, 0, 0])),
            ):
                at[f"{side}_{name}"] = point
        at["nose"] = neck + 0.25 * up + np.array([0, 0, 0.1])
        points = np.stack([at[name] for name in NAMES])
        c, s = math.cos(math.radians(self.yaw)), math.sin(math.radians(self.yaw))
        x, y, z = points.T
        return np.stack([c * x + s * z, y, c * z - s * x], axis=1).astype(np.float32)

    def subject(
        self, *, noise: float = 0.0, rng: np.random.Generator | None = None, visible: float = 1.0
    ) -> Subject:
        """The figure as vision reports it, its lower ankle always as high.

        300 pixels a metre, `noise` metres of error in space and picture.
        """
        world = self.world()
        if rng is not None:
            world = world + rng.normal(0, noise, world.shape).astype(np.float32)
        picture = np.column_stack(
            [
                320 + 300 * world[:, 0],
                FLOOR_PX - 300 * (world[:, 1] - self.world()[ANKLES, 1].min()),
                np.full(len(world), visible),
            ]
        )
        return Subject(
            id=1,
            species="human",
            skeleton="blazepose33",
            score=1.0,
            keypoints=picture.astype("<f4").tobytes(),
            world=world.astype("<f4").tobytes(),
        )

    def body(
        self, *, noise: float = 0.0, rng: np.random.Generator | None = None, visible: float = 1.0
    ) -> Body:
        """The figure as motion sees it."""
        subject = self.subject(noise=noise, rng=rng, visible=visible)
        return Body.of(subject.skeleton, subject.points(), subject.world_points())


def _turn_x(vector: Array, degrees: float) -> Array:
    """Turn about the axis to the figure's left: positive leans up forwards, and brings a hanging limb back."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y, z = vector
    return np.array([x, c * y - s * z, s * y + c * z])


def _turn_z(vector: Array, degrees: float) -> Array:
    """Turn about the axis forwards: positive brings a hanging limb to the left."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y, z = vector
    return np.array([c * x - s * y, s * x + c * y, z])
