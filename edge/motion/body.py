"""A body at one moment: the common joints in the picture and, where known, in space."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.motion.skeletons import JOINTS, SKELETONS

if TYPE_CHECKING:
    from edge.motion.lens import Lens

Array = npt.NDArray[np.float64]

MIDDLES = {
    "neck": ("shoulder_left", "shoulder_right"),
    "pelvis": ("hip_left", "hip_right"),
    "head": ("ear_left", "ear_right"),
}
"""Points of a body that lie half-way between two joints."""
POINTS = (*JOINTS, *MIDDLES)
INDEX = {name: index for index, name in enumerate(POINTS)}
_MIDDLE = np.array([[INDEX[side] for side in sides] for sides in MIDDLES.values()])
SEEN = 0.5
"""Visibility from which a joint counts as seen."""


@dataclass(frozen=True)
class Body:
    """The points (`POINTS`) of one subject; a joint that the skeleton lacks is NaN and unseen."""

    image: Array
    """float64[P, 2]: pixels, x right, y **up** (turned over, so that angles run the same way as in space)."""
    space: Array
    """float64[P, 3]: metres, x right, y up, z towards the camera; NaN where the model gives none."""
    visibility: Array
    """float64[P], 0-1; of a middle that of its better seen end."""
    lens: Lens | None = None
    """None: unknown; then the body is taken to stand far away, before a camera that looks straight ahead."""

    @classmethod
    def of(
        cls,
        skeleton: str,
        keypoints: npt.NDArray[np.float32],
        world: npt.NDArray[np.float32] | None,
        lens: Lens | None = None,
    ) -> Body:
        """From a subject of the link: keypoints float32[K, 3] (x, y, visibility), world float32[K, 3] or None.

        Raises KeyError for an unknown skeleton. Values that are not finite make the joint unseen.
        """
        source, target = _mapping(skeleton)
        count = len(POINTS)
        image = np.full((count, 2), np.nan)
        space = np.full((count, 3), np.nan)
        visibility = np.zeros(count)
        image[target] = keypoints[source, :2] * (1, -1)
        visibility[target] = keypoints[source, 2]
        if world is not None:
            space[target] = world[source]
        image[~np.isfinite(image)] = np.nan
        space[~np.isfinite(space)] = np.nan
        middle = slice(len(JOINTS), count)
        image[middle] = image[_MIDDLE].mean(axis=1)
        space[middle] = space[_MIDDLE].mean(axis=1)
        visibility[middle] = visibility[_MIDDLE].max(axis=1)
        known = np.isfinite(image).all(axis=1) & np.isfinite(visibility)
        return cls(image, space, np.where(known, np.clip(visibility, 0, 1), 0.0), lens)

    def seen(self, *joints: str) -> float:
        """Visibility (0-1) of the least visible of `joints`."""
        return float(self.visibility[[INDEX[joint] for joint in joints]].min())


@cache
def _mapping(skeleton: str) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    joints = SKELETONS[skeleton].joints
    return (
        np.array([joints[name] for name in JOINTS if name in joints]),
        np.array([INDEX[name] for name in JOINTS if name in joints]),
    )
