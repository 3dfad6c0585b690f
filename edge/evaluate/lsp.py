"""Pictures labelled like Leeds Sports Pose (Johnson and Everingham, 2010): 14 joints of one person each.

`joints.json` beside the pictures maps each file to 14 x [x, y, labelled].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, NamedTuple

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from edge.errors import ConfigError
from edge.motion.skeletons import SKELETONS

if TYPE_CHECKING:
    from pathlib import Path

FILE = "joints.json"
JOINTS = (
    *("ankle_right", "knee_right", "hip_right", "hip_left", "knee_left", "ankle_left"),
    *("wrist_right", "elbow_right", "shoulder_right", "shoulder_left", "elbow_left", "wrist_left"),
    *("neck", "head_top"),
)
HEAD_TOP = 1.6
"""From the neck through the middle of the ears to the head's top, as a multiple of neck to ears (on lspet/calib, of
which nothing is evaluated, anything from 1.5 to 1.7 is as good)."""
_PICTURES = ("images", ".")
"""Folders in which the pictures may lie."""
_LONGEST_SIDE = 8192
_REMEDY = 'A label is {"a.jpg": [[x, y, 1], … 14 joints]}, as Leeds Sports Pose has them.'

Array = npt.NDArray[np.float64]
Reader = Callable[["Labelled"], Array | None]
"""The 14 joints of a labelled picture, float64[14, 2]; None where nobody is found."""
_Point = tuple[float, float, float]


class Labelled(NamedTuple):
    """One picture."""

    path: Path
    joints: Array
    """float64[14, 2]: x, y in pixels; NaN where there is no label."""

    def picture(self) -> npt.NDArray[np.uint8]:
        """uint8[H, W, 3], BGR; ConfigError where it cannot be read."""
        picture = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        if picture is None or max(picture.shape) > _LONGEST_SIDE:
            raise ConfigError(f"{self.path} is no picture that can be read", "Take it out of the labels.")
        return np.asarray(picture, np.uint8)


def read_labels(folder: Path) -> list[Labelled]:
    """The pictures labelled in `folder`, in their order; ConfigError where they are missing or wrong."""
    path = folder / FILE
    shape = dict[str, Annotated[list[_Point], msgspec.Meta(min_length=14, max_length=14)]]
    try:
        labels = msgspec.json.decode(path.read_bytes(), type=shape)
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}", f"Give a folder of pictures with {FILE}."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", _REMEDY) from error
    if not labels:
        raise ConfigError(f"{path} has no labels", _REMEDY)
    return [Labelled(_find(folder, name), _joints(points)) for name, points in labels.items()]


def _find(folder: Path, name: str) -> Path:
    for place in _PICTURES:
        path = folder / place / name
        if path.name == name and path.is_file():  # not a path that leads elsewhere
            return path
    raise ConfigError(f"{folder} has no picture {name}, which {FILE} labels", "Put it there, or take it out.")


def _joints(points: list[_Point]) -> Array:
    table = np.array(points, float)
    return np.where(table[:, 2:] > 0, table[:, :2], math.nan)


def from_skeleton(skeleton: str, points: npt.NDArray[np.floating]) -> Array:
    """The 14 joints float64[14, 2] of keypoints [K, 2 or more] of one of our skeletons.

    Twelve are the limbs' own. The neck is the middle of the shoulders; the head's top lies on the line from there
    through the middle of the ears. Both are among the 17 joints of COCO, so all models are mapped alike.
    """
    at = SKELETONS[skeleton].joints
    limbs = [points[at[joint], :2] for joint in JOINTS[:12]]
    neck = (points[at["shoulder_left"], :2] + points[at["shoulder_right"], :2]) / 2
    ears = (points[at["ear_left"], :2] + points[at["ear_right"], :2]) / 2
    return np.array([*limbs, neck, neck + HEAD_TOP * (ears - neck)], float)
