"""A generated squat as the camera saw it, with what a recording has of trouble, and its exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec.structs import replace

from edge.analyze import analyze
from edge.link import Hello, PoseFrame
from edge.vision.trace import TraceWriter
from tests.truth.camera import Camera
from tests.truth.exercises import squat

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FPS = 25.0
LATE, GAP, HIDDEN, BACK = 10, (60, 65), 30, 80
"""Pictures (from 1): nobody is there before LATE and in GAP; the right wrist is hidden at HIDDEN; BACK comes with
the time of the one before it."""
RIGHT_WRIST = 16


def write_trace(path: Path, frames: Iterable[PoseFrame]) -> Path:
    writer = TraceWriter(path, Hello(camera="cam0", source="generated", model="none", precision="fp32"))
    for frame in frames:
        writer.write(frame)
    writer.close()
    return path


def troubled(frames: list[PoseFrame]) -> list[PoseFrame]:
    result = []
    for number, frame in enumerate(frames, 1):
        if number < LATE or GAP[0] <= number < GAP[1]:
            result.append(replace(frame, subjects=()))
        elif number == HIDDEN:
            (one,) = frame.subjects
            points = one.points().copy()
            points[RIGHT_WRIST, 2] = 0.1
            hidden = replace(one, keypoints=points.astype("<f4").tobytes())
            result.append(replace(frame, subjects=(hidden,)))
        elif number == BACK:
            result.append(replace(frame, monotonic_ns=frames[number - 2].monotonic_ns))
        else:
            result.append(frame)
    return result


@pytest.fixture(scope="session")
def frames() -> list[PoseFrame]:
    return troubled(Camera(yaw=90).see(squat(), FPS))


@pytest.fixture(scope="session")
def exported(frames: list[PoseFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of every format that needs no extra."""
    folder = tmp_path_factory.mktemp("exports")
    trace = write_trace(folder / "clip.trace", frames)
    analyze(trace, exercise="squat", out=folder / "out", formats=("trc", "mot", "csv", "json"))
    return folder / "out"


def rows(frames: list[PoseFrame]) -> list[int]:
    """Indices of the pictures that an export has: from the first to the last with somebody, at rising times."""
    seen = [index for index, frame in enumerate(frames) if frame.subjects]
    assert np.diff([frame.monotonic_ns for frame in frames]).min() == 0
    return [index for index in range(seen[0], seen[-1] + 1) if index != BACK - 1]
