"""A body at one moment: the common joints in the picture and, where known, in space."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
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
_XY, _SPACE, _VISIBILITY = slice(0, 2), slice(2, 5), 5
_LACKING = -1
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
        # Picture, space and visibility side by side; a last row for what the skeleton lacks.
        given = np.full((len(keypoints) + 1, 6), np.nan)
        given[:-1, _XY] = keypoints[:, :2]
        given[:-1, _VISIBILITY] = keypoints[:, 2]
        if world is not None:
            given[:-1, _SPACE] = world
        given[~np.isfinite(given)] = np.nan
        one, other = given.take(_ends(skeleton), axis=0)
        points = (one + other) / 2
        points[:, 1] *= -1
        visibility = np.maximum(one[:, _VISIBILITY], other[:, _VISIBILITY])
        known = np.isfinite(points[:, 0] + points[:, 1] + visibility)
        visibility = np.where(known, np.minimum(np.maximum(visibility, 0.0), 1.0), 0.0)
        return cls(points[:, _XY], points[:, _SPACE], visibility, lens)

    @cached_property
    def trunk_px(self) -> float:
        """Pixels from the middle of the hips to the middle of the shoulders; NaN where one is unknown."""
        line = self.image[INDEX["neck"]] - self.image[INDEX["pelvis"]]
        return math.sqrt(line @ line)

    def seen(self, *joints: str) -> float:
        """Visibility (0-1) of the least visible of `joints`."""
        return min(float(self.visibility[INDEX[joint]]) for joint in joints)


@cache
def _ends(skeleton: str) -> npt.NDArray[np.intp]:
    """int[2, P]: the two keypoints half-way between which each point lies: for a joint one and the same."""
    joints = SKELETONS[skeleton].joints
    ends = [MIDDLES.get(name, (name, name)) for name in POINTS]
    return np.array([[joints.get(pair[end], _LACKING) for pair in ends] for end in (0, 1)])
