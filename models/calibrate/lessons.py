"""What the landmark network is trained on: varied crops of calibration pictures, with the float model's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from models.calibrate.footage import CLIPS, pictures
from models.regions import LANDMARK_SIZE, landmark_input
from models.runtime import session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from models.calibrate.samples import Cutter
    from models.regions import Floats, Picture

_FRAMES_PER_CLIP = 8  # as calibration takes them
# One crop in so many is left out of the training, to judge by: of stills, and of clips. Each comes from the same
# picture as one that is trained on, which it differs from: what clips kept back say counts, not these.
_JUDGED = (8, 6)
_VARIED = 0.7
_TINTED = 0.6


class Crops(NamedTuple):
    """Landmark crops [256, 256, 3]: to train on, those of stills apart from those of clips, and to judge by."""

    stills: list[Picture]
    clips: list[Picture]
    judged: list[Picture]


def crops(cutter: Cutter, sources: Sequence[Path], stills: int | None = None) -> Crops:
    """Return the crops that calibration on these folders, pictures and clips is made with; stills come first.

    stills: how many of them, from the first, count as crops of stills, where not those that pictures gave.
    """
    found = (sorted(path.rglob("*")) if path.is_dir() else [path] for path in sources)
    files = [file for each in found for file in each if file.is_file()]
    moving = [file for file in files if file.suffix.lower() in CLIPS]
    rng = np.random.default_rng(1)
    still = [file for file in files if file not in moving]
    made = cutter.cut(pictures(still, _FRAMES_PER_CLIP), copies=1, seed=rng).landmark
    border = len(made) if stills is None else stills
    made += cutter.cut(pictures(moving, _FRAMES_PER_CLIP), copies=1, seed=rng).landmark
    return split(made[:border], made[border:])


def split(stills: Sequence[Picture], clips: Sequence[Picture]) -> Crops:
    """Return the crops with those left out that results are judged by."""
    groups = list(zip((stills, clips), _JUDGED, strict=True))
    trained = [[crop for i, crop in enumerate(group) if i % every] for group, every in groups]
    judged = [crop for group, every in groups for crop in group[::every]]
    return Crops(trained[0], trained[1], judged)


class Lessons:
    """An endless course of batches, the same for the same crops; half of each from stills, half from clips."""

    def __init__(
        self, fp32: bytes, groups: Sequence[Sequence[Picture]], *, size: int = 8, seed: int = 5
    ) -> None:
        """Start the float model. `size`: crops of a batch, shared out over the `groups` that are not empty."""
        self._groups = [group for group in groups if len(group)]
        self._each = size // max(len(self._groups), 1)
        self._rng = np.random.default_rng(seed)
        self._teacher = session(fp32, threads=1)
        self._outputs = [output.name for output in self._teacher.get_outputs()]

    def batch(self) -> tuple[Floats, dict[str, Floats]]:
        """Return inputs f32[N, 3, 256, 256] and the float model's outputs f32[N, ...] by name."""
        rng = self._rng
        chosen = [group[int(rng.integers(len(group)))] for group in self._groups for _ in range(self._each)]
        inputs = [landmark_input(varied(crop, rng) if rng.random() < _VARIED else crop) for crop in chosen]
        answers = [self._teacher.run(self._outputs, {"image": one}) for one in inputs]
        wanted = (np.concatenate(output) for output in zip(*answers, strict=True))
        return np.concatenate(inputs), dict(zip(self._outputs, wanted, strict=True))


def varied(crop: Picture, rng: np.random.Generator) -> Picture:
    """Return a crop mirrored, turned, resized, moved and tinted, each by chance."""
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    degrees, zoom = rng.normal(0, 10), np.exp(rng.uniform(-0.12, 0.2))
    matrix: Any = cv2.getRotationMatrix2D((LANDMARK_SIZE // 2, LANDMARK_SIZE // 2), degrees, 1 / zoom)
    matrix[:, 2] += rng.normal(0, 5, 2)
    size = (LANDMARK_SIZE, LANDMARK_SIZE)
    moved = cv2.warpAffine(np.ascontiguousarray(crop), matrix, size, borderMode=cv2.BORDER_REPLICATE)
    square: Any = moved.astype(np.float32) / 255
    if rng.random() < _TINTED:
        square = square ** np.exp(rng.normal(0, 0.3)) * rng.uniform(0.6, 1.25) * rng.uniform(0.94, 1.06, 3)
    return np.asarray(np.clip(square * 255, 0, 255), np.uint8)
