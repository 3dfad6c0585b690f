"""A clip to measure with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """One second of noise, twice as wide as the pipelines are given it."""
    path = tmp_path / "noise.mp4"
    random = np.random.default_rng(0)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (1280, 320))
    for _ in range(30):
        writer.write(random.integers(0, 256, (320, 1280, 3), dtype=np.uint8))
    writer.release()
    return path
