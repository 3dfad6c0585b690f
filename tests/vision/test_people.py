"""The pose pipeline on real footage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge.motion.body import INDEX, Body
from edge.vision.people import People

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from edge.link import Subject


@pytest.fixture(scope="module")
def squats(data_dir: Path) -> list[npt.NDArray[np.uint8]]:
    """One second of a woman doing squats."""
    capture = cv2.VideoCapture(str(data_dir / "exercise" / "squat_01.mp4"))
    frames = [np.asarray(capture.read()[1], np.uint8) for _ in range(24)]
    capture.release()
    return frames


def seen(pipeline: People, frames: list[npt.NDArray[np.uint8]], start: int = 0) -> list[list[Subject]]:
    return [pipeline.process(frame, (start + i) / 24) for i, frame in enumerate(frames)]


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_one_person_with_one_id_and_joints_where_they_belong(
    models: Path, squats: list[npt.NDArray[np.uint8]], precision: str
) -> None:
    pipeline = People(precision)  # type: ignore[arg-type]
    pictures = seen(pipeline, squats)
    assert all(pictures[3:])
    assert all(len(found) <= 1 for found in pictures)
    subjects = [found[0] for found in pictures if found]
    assert {subject.id for subject in subjects} == {1}
    body = Body.of("blazepose33", subjects[0].points(), subjects[0].world_points())
    heights = [body.image[INDEX[joint], 1] for joint in ("nose", "neck", "pelvis", "knee_left", "ankle_left")]
    assert heights == sorted(heights, reverse=True)
    world = [body.space[INDEX[joint], 1] for joint in ("nose", "neck", "pelvis", "knee_left", "ankle_left")]
    assert world == sorted(world, reverse=True)  # y up there, too
    assert 1.2 < world[0] - world[-1] < 2.2  # metres


def test_a_moment_of_darkness_changes_no_id(models: Path, squats: list[npt.NDArray[np.uint8]]) -> None:
    pipeline = People()
    seen(pipeline, squats[:10])
    assert pipeline.process(np.zeros_like(squats[0]), 10 / 24) == []
    (subject,) = pipeline.process(squats[11], 11 / 24)
    assert subject.id == 1


def test_another_size_and_a_reset_begin_anew(models: Path, squats: list[npt.NDArray[np.uint8]]) -> None:
    pipeline = People()
    seen(pipeline, squats[:5])
    small = [np.asarray(cv2.resize(picture, (320, 180)), np.uint8) for picture in squats[5:10]]
    assert [subject.id for subject in seen(pipeline, small, 5)[-1]] == [2]
    pipeline.reset()
    assert [subject.id for subject in seen(pipeline, squats[10:15], 10)[-1]] == [3]


def test_nobody_in_a_picture_of_nothing(models: Path) -> None:
    pipeline = People()
    noise = np.random.default_rng(0).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    for picture in (np.zeros((360, 640, 3), np.uint8), noise, np.full((8, 2000, 3), 200, np.uint8)):
        assert all(pipeline.process(picture, number / 30) == [] for number in range(5))
