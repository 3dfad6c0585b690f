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
        for joint in ("ear", "shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "heel", "toe")
        for side in ("left", "right")
    ),
    "withers",
    "tail_base",
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


_LIMBS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))


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
        joints[f"hand_{side}"] = at[f"{side}_index"]
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


def _coco17() -> Skeleton:
    # Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014: no feet.
    sided = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    names = ("nose", *(f"{side}_{joint}" for joint in sided for side in ("left", "right")))
    at = {name: index for index, name in enumerate(names)}
    joints = {"nose": 0} | {
        f"{joint}_{side}": at[f"{side}_{joint}"] for joint in sided[1:] for side in ("left", "right")
    }
    edges = [
        (at[f"{side}_{a}"], at[f"{side}_{b}"])
        for side in ("left", "right")
        for a, b in (*_LIMBS, ("shoulder", "hip"), ("eye", "ear"))
    ]
    edges += [(at[f"left_{joint}"], at[f"right_{joint}"]) for joint in ("shoulder", "hip")]
    edges += [(0, at["left_eye"]), (0, at["right_eye"])]
    pairs = tuple((at[f"left_{joint}"], at[f"right_{joint}"]) for joint in sided)
    return Skeleton(names=names, edges=tuple(edges), pairs=pairs, joints=joints)


def _lsp14() -> Skeleton:
    # Johnson and Everingham, "Clustered Pose and Nonlinear Appearance Models", BMVC 2010: no face, no feet.
    names = (
        *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
        *("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
        *("neck", "head_top"),
    )
    at = {name: index for index, name in enumerate(names)}
    sided = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    joints = {f"{joint}_{side}": at[f"{side}_{joint}"] for joint in sided for side in ("left", "right")}
    edges = [(at[f"{side}_{a}"], at[f"{side}_{b}"]) for side in ("left", "right") for a, b in _LIMBS]
    edges += [
        (at["neck"], at[f"{side}_{joint}"]) for side in ("left", "right") for joint in ("shoulder", "hip")
    ]
    edges += [(at["left_hip"], at["right_hip"]), (at["neck"], at["head_top"])]
    pairs = tuple((at[f"left_{joint}"], at[f"right_{joint}"]) for joint in sided)
    return Skeleton(names=names, edges=tuple(edges), pairs=pairs, joints=joints)


def _dog24() -> Skeleton:
    """A dog's keypoints in the order of StanfordExtra (Biggs et al., "Who Left the Dogs Out?", ECCV 2020).

    Each leg has a top, a middle and a paw. So that a dog's limbs pass through the code for arms and legs, they stand
    for the three places of a limb: front top, middle, paw as shoulder, elbow, wrist; hind ones as hip, knee, ankle.
    That is a place in the chain and no anatomy: the front top is the elbow and the middle the carpus, the hind top
    is the stifle and the middle the hock (keypoint_definitions.csv of the data set calls the tops "Elbow" in Animal
    Pose's terms; in its samples they lie at half the height of the back, the middles at a fifth). Shoulder and hip
    joints are not among the points. So `knee_flexion` of this skeleton is the flexion of the hock, `elbow_flexion`
    that of the carpus. The trunk's ends are the withers and the base of the tail.
    """
    legs = tuple(
        f"{side}_{limb}_{place}"
        for side in ("left", "right")
        for limb in ("front", "hind")
        for place in ("paw", "middle", "top")
    )
    names = (
        *legs,
        *("tail_base", "tail_end", "left_ear_base", "right_ear_base", "nose", "chin"),
        *("left_ear_tip", "right_ear_tip", "left_eye", "right_eye", "withers", "throat"),
    )
    at = {name: index for index, name in enumerate(names)}
    joints = {name: at[name] for name in ("nose", "withers", "tail_base")}
    edges = []
    for side in ("left", "right"):
        joints[f"ear_{side}"] = at[f"{side}_ear_base"]
        for limb, trunk, chain in (
            ("front", "withers", ("shoulder", "elbow", "wrist")),
            ("hind", "tail_base", ("hip", "knee", "ankle")),
        ):
            top, middle, paw = (at[f"{side}_{limb}_{place}"] for place in ("top", "middle", "paw"))
            joints |= dict(zip((f"{joint}_{side}" for joint in chain), (top, middle, paw), strict=True))
            edges += [(at[trunk], top), (top, middle), (middle, paw)]
        edges += [(at[f"{side}_ear_base"], at[f"{side}_ear_tip"]), (at["nose"], at[f"{side}_eye"])]
        edges += [(at[f"{side}_eye"], at[f"{side}_ear_base"])]
    edges += [
        (at[a], at[b])
        for a, b in (
            ("withers", "tail_base"),
            ("tail_base", "tail_end"),
            ("withers", "throat"),
            ("throat", "chin"),
            ("chin", "nose"),
        )
    ]
    mirrored = [name for name in names if name.startswith("left_")]
    pairs = tuple((at[name], at[name.replace("left_", "right_")]) for name in mirrored)
    return Skeleton(names=names, edges=tuple(edges), pairs=pairs, joints=joints)


SKELETONS: Mapping[str, Skeleton] = {
    "blazepose33": _blazepose33(),
    "coco17": _coco17(),
    "lsp14": _lsp14(),
    "dog24": _dog24(),
}
