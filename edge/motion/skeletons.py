"""Skeletons: what the keypoints of a model are called, which belong together, and which joints they are.

A row a skeleton. `joints` maps the common joints, which `motion` works with, to indices of the model's keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

JOINTS = (
    "nose",
    *(
        f"{joint}_{side}"
        for joint in ("ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "toe")
        for side in ("left", "right")
    ),
)
"""The common joints of a body."""


@dataclass(frozen=True, kw_only=True)
class Skeleton:
    """One model's set of keypoints."""

    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    """Pairs of keypoints to draw a line between."""
    pairs: tuple[tuple[int, int], ...]
    """(left, right) keypoints that are mirror images."""
    joints: Mapping[str, int]
    """Index of each common joint this skeleton has."""


def _blazepose33() -> Skeleton:
    # As MediaPipe numbers them: the face, then each joint left and right.
    face = (
        *("nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye"),
        *("right_eye_outer", "left_ear", "right_ear", "mouth_left", "mouth_right"),
    )
    sided = (
        *("shoulder", "elbow", "wrist", "pinky", "index", "thumb"),
        *("hip", "knee", "ankle", "heel", "foot_index"),
    )
    names = (*face, *(f"{side}_{joint}" for joint in sided for side in ("left", "right")))
    at = {name: index for index, name in enumerate(names)}
    joints = {"nose": 0}
    for side in ("left", "right"):
        for joint in ("ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel"):
            joints[f"{joint}_{side}"] = at[f"{side}_{joint}"]
        joints[f"toe_{side}"] = at[f"{side}_foot_index"]
    limbs = (
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
        ("wrist", "index"),
        ("shoulder", "hip"),
        ("hip", "knee"),
        ("knee", "ankle"),
        ("ankle", "heel"),
        ("heel", "foot_index"),
        ("ankle", "foot_index"),
    )
    edges = [(at[f"{side}_{a}"], at[f"{side}_{b}"]) for side in ("left", "right") for a, b in limbs]
    edges += [(at[f"left_{joint}"], at[f"right_{joint}"]) for joint in ("shoulder", "hip")]
    edges += [(at["nose"], at["left_eye"]), (at["nose"], at["right_eye"])]
    edges += [(at["left_eye"], at["left_ear"]), (at["right_eye"], at["right_ear"]), (9, 10)]
    pairs = [(at[f"left_{joint}"], at[f"right_{joint}"]) for joint in sided]
    pairs += [(1, 4), (2, 5), (3, 6), (7, 8), (9, 10)]
    return Skeleton(names=names, edges=tuple(edges), pairs=tuple(pairs), joints=joints)


SKELETONS: Mapping[str, Skeleton] = {"blazepose33": _blazepose33()}
