"""What was measured of the pose model on real footage: `noise.toml`, by `measure_noise`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = npt.NDArray[np.float64]

_LIKE = {
    "paw": "ankle", "middle": "knee", "top": "hip", "tail_base": "hip", "tail_end": "knee", "withers": "shoulder",
    "pinky": "wrist", "index": "wrist", "thumb": "wrist",
}  # fmt: skip
"""Points that were not measured, and which of the measured ones stands for them. A dog's are an assumption."""
_VIEWS = (0.26, 0.71, 0.97)
"""Sine of the turn from the camera in the middle of each class of view."""


@cache
def measured() -> Mapping[str, Any]:
    """The table of `noise.toml`."""
    return tomllib.loads((Path(__file__).parent / "noise.toml").read_text())


def group(name: str) -> str:
    """The measured group of joints that a point of a person or dog belongs to."""
    part = name.removeprefix("left_").removeprefix("right_").removeprefix("front_").removeprefix("hind_")
    part = _LIKE.get(part, part)
    return part if part in measured()["joint"] else "head"


def visibility(names: tuple[str, ...], facing: Array) -> Array:
    """Usual visibility of points, float64[T, K].

    `facing` float64[T, K]: sine of the turn from the camera; positive on the side that is turned to it.
    """
    rows = [measured()["visibility"]["joint"][group(name)] for name in names]
    near, far = (
        np.stack(
            [np.interp(np.abs(turn), _VIEWS, row[side]) for row, turn in zip(rows, facing.T, strict=True)],
            axis=1,
        )
        for side in ("near", "far")
    )
    # Where neither side is nearer, one table passes over into the other.
    share = np.clip(facing / _VIEWS[0], -1, 1) / 2 + 0.5
    return np.asarray(share * near + (1 - share) * far)
