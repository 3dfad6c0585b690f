"""Angles taken again from drawn points by plain vector geometry, to hold against the stated ones."""

from __future__ import annotations

import numpy as np

from tests.truth.motion import SIDES, Array, Motion


def angles(motion: Motion, points: Array) -> dict[str, Array]:
    """Every angle of a person that its points alone determine; degrees float64[T]."""

    def at(name: str) -> Array:
        return points[:, motion.names.index(name)]

    def middle(joint: str) -> Array:
        return (at(f"left_{joint}") + at(f"right_{joint}")) / 2

    found = {}
    trunk = middle("shoulder") - middle("hip")
    found["trunk_lean"] = between(trunk, np.array([0.0, 1.0, 0.0]))
    for side in SIDES:
        shoulder, elbow, wrist, hip, knee, ankle, heel, toe = (
            at(f"{side}_{joint}")
            for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "foot_index")
        )
        found[f"knee_flexion_{side}"] = between(knee - hip, ankle - knee)
        found[f"elbow_flexion_{side}"] = between(elbow - shoulder, wrist - elbow)
        found[f"shoulder_elevation_{side}"] = between(elbow - shoulder, -trunk)
        found[f"ankle_dorsiflexion_{side}"] = 90 - between(knee - ankle, toe - heel)
        # In the sagittal plane alone: the trunk and the thigh as they look from the side.
        thigh = knee - hip
        found[f"hip_flexion_{side}"] = np.degrees(
            np.arctan2(thigh[:, 1], thigh[:, 0]) - np.arctan2(-trunk[:, 1], -trunk[:, 0])
        )
    return found


def between(a: Array, b: Array) -> Array:
    """Degrees between vectors."""
    b = np.broadcast_to(b, a.shape)
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), (a * b).sum(axis=1)))
