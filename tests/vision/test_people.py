"""The pose pipeline on real footage."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from edge.motion.body import INDEX, Body
from edge.vision.detector import Detection
from edge.vision.people import People

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from edge.link import Subject

    Picture = npt.NDArray[np.uint8]
    Tensor = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def squats(data_dir: Path) -> list[Picture]:
    """One second of a woman doing squats."""
    capture = cv2.VideoCapture(str(data_dir / "exercise" / "squat_01.mp4"))
    frames = [np.asarray(capture.read()[1], np.uint8) for _ in range(24)]
    capture.release()
    return frames


def seen(pipeline: People, frames: list[Picture], start: int = 0) -> list[list[Subject]]:
    return [pipeline.process(frame, (start + i) / 24) for i, frame in enumerate(frames)]


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_one_person_with_one_id_and_joints_where_they_belong(
    models: Path, squats: list[Picture], precision: str
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


def test_a_moment_of_darkness_changes_no_id(models: Path, squats: list[Picture]) -> None:
    pipeline = People()
    seen(pipeline, squats[:10])
    assert pipeline.process(np.zeros_like(squats[0]), 10 / 24) == []
    (subject,) = pipeline.process(squats[11], 11 / 24)
    assert subject.id == 1


def test_another_size_and_a_reset_begin_anew(models: Path, squats: list[Picture]) -> None:
    pipeline = People()
    seen(pipeline, squats[:5])
    small = [np.asarray(cv2.resize(picture, (320, 180)), np.uint8) for picture in squats[5:10]]
    assert [subject.id for subject in seen(pipeline, small, 5)[-1]] == [2]
    pipeline.reset()
    assert [subject.id for subject in seen(pipeline, squats[10:15], 10)[-1]] == [3]


def test_nobody_in_a_picture_of_nothing(models: Path) -> None:
    pipeline = People()
    noise = np.random.default_rng(0).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    grey = np.full((16, 16, 3), 128, np.uint8)
    for picture in (np.zeros((360, 640, 3), np.uint8), noise, np.full((8, 2000, 3), 200, np.uint8), grey):
        assert all(pipeline.process(picture, number / 30) == [] for number in range(5))


class Counted:
    """Counts how often each network runs in a picture, and may break what it says."""

    def __init__(self, pipeline: People) -> None:
        self.detector = self.landmarks = 0
        self.broken = False
        for name in ("detector", "landmarks"):
            network = getattr(pipeline, name).network
            network.run = self._counting(name, network.run)

    def _counting(self, name: str, run: Callable[[Tensor], list[Tensor]]) -> Callable[[Tensor], list[Tensor]]:
        def counted(image: Tensor) -> list[Tensor]:
            setattr(self, name, getattr(self, name) + 1)
            outputs = run(image)
            return [np.full_like(output, np.nan) for output in outputs] if self.broken else outputs

        return counted

    def since(self) -> tuple[int, int]:
        """Runs of both since the last call."""
        counts, self.detector, self.landmarks = (self.detector, self.landmarks), 0, 0
        return counts


def test_who_is_found_roughly_is_read_once_more(
    models: Path, squats: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = People()
    counted, detect = Counted(pipeline), pipeline.detector.detect

    def roughly(*where: Any) -> list[Detection]:
        found = detect(*where)
        return [one._replace(roi=one.roi._replace(side=2 * one.roi.side)) for one in found]

    monkeypatch.setattr(pipeline.detector, "detect", roughly)
    shown = pipeline.process(squats[0], 0.0)
    assert counted.since() == (1, 2)
    assert len(shown) == 1  # she is seen clearly enough to be shown at once


@pytest.mark.parametrize("beside", [0.0, 0.4])
def test_a_find_that_is_not_sure_is_somebody_only_if_it_is_read_clearly(
    models: Path, squats: list[Picture], monkeypatch: pytest.MonkeyPatch, beside: float
) -> None:
    pipeline = People()
    counted, detect = Counted(pipeline), pipeline.detector.detect

    def unsure(*where: Any) -> list[Detection]:
        found = [roi for roi, score in detect(*where) if score >= 0.5]
        return [Detection(roi._replace(x=roi.x + beside * roi.side), 0.2) for roi in found]

    monkeypatch.setattr(pipeline.detector, "detect", unsure)
    shown = pipeline.process(squats[0], 0.0)
    assert counted.since() == (1, 1)
    assert len(shown) == (beside == 0)
    monkeypatch.setattr(pipeline.detector, "detect", lambda *_: [])
    pipeline.process(squats[1], 0.04)
    assert counted.since()[1] == (beside == 0)  # who was not clear is forgotten


@pytest.mark.parametrize(("margin", "found"), [(0.1, True), (-0.1, False)])
def test_who_is_half_outside_is_not_found_yet(
    models: Path, squats: list[Picture], monkeypatch: pytest.MonkeyPatch, margin: float, *, found: bool
) -> None:
    """The middle of her hips is 20 pixels inside, of a region of 300: outside for who asks for a tenth of that."""
    (there,) = (roi for roi, score in People().detector.detect(squats[0]) if score >= 0.5)
    cut = round(there.x) - 20
    monkeypatch.setattr("edge.vision.people._OUTSIDE", margin)
    pipeline = People()
    counted = Counted(pipeline)
    half = there._replace(x=there.x - cut)
    monkeypatch.setattr(pipeline.detector, "detect", lambda *_: [Detection(half, 0.9)])
    shown = pipeline.process(np.ascontiguousarray(squats[0][:, cut:]), 0.0)
    assert counted.since()[1] > 0
    monkeypatch.setattr(pipeline.detector, "detect", lambda *_: [])
    shown += pipeline.process(np.ascontiguousarray(squats[1][:, cut:]), 0.04)
    assert bool(shown) == found
    assert counted.since()[1] == found


def crowd(squats: list[Picture], number: int) -> Picture:
    """Eight times the same woman, each at another moment, in one picture of 1280 x 720."""
    picture = np.full((720, 1280, 3), 200, np.uint8)
    for place in range(8):
        row, column = divmod(place, 4)
        crop = squats[(number + 3 * place) % len(squats)][:, 200:440]
        small = cv2.resize(crop, (220, 330))
        picture[20 + 350 * row : 350 + 350 * row, 50 + 310 * column : 270 + 310 * column] = small
    return picture


def test_eight_people_take_turns_when_two_may_be_read(models: Path, squats: list[Picture]) -> None:
    pipeline = People(most=2)
    counted = Counted(pipeline)
    read: list[list[int]] = []
    waited: Counter[int] = Counter()
    for number in range(50):
        found = pipeline.process(crowd(squats, number), number / 12)
        detector, landmarks = counted.since()
        assert detector <= 1
        assert landmarks <= 2
        read.append([subject.id for subject in found])
        waited = Counter({one: waited[one] + 1 for one in pipeline.waits})
        assert max(waited.values(), default=0) < 8  # nobody starves: one of both readings is for who is known
    known = set().union(*read[-20:])
    assert len(known) == 8
    assert all(len(ids) + pipeline.waiting <= 8 for ids in read[-1:])
    assert pipeline.waiting >= 6
    assert sum(len(ids) for ids in read[-24:]) > 32  # the others looked who else is there


def test_one_person_who_is_followed_costs_hardly_a_run_of_the_detector(
    models: Path, squats: list[Picture]
) -> None:
    pipeline = People()
    counted = Counted(pipeline)
    for number in range(90):
        if number == 60:
            counted.since()
        pipeline.process(squats[min(number % 46, 46 - number % 46) % 24], number / 24)
    detector, landmarks = counted.since()
    assert detector <= 3  # in 1.25 s
    assert 30 <= landmarks <= 33


def test_nobody_is_followed_in_a_zone_that_is_ignored(models: Path, squats: list[Picture]) -> None:
    pipeline = People()
    assert seen(pipeline, squats[:5])[-1]
    left, right = (
        ((0.0, 0.0), (0.2, 0.0), (0.2, 1.0), (0.0, 1.0)),
        ((0.3, 0.0), (0.8, 0.0), (0.8, 1.0), (0.3, 1.0)),
    )
    pipeline.ignore((left,))
    assert seen(pipeline, squats[5:8], 5)[-1]
    pipeline.ignore((left, right))
    assert seen(pipeline, squats[8:14], 8) == [[]] * 6
    pipeline.ignore(())
    assert [subject.id for subject in seen(pipeline, squats[14:20], 14)[-1]] == [1]


def test_who_is_not_read_beside_others_is_shown_for_a_moment_and_not_in_a_zone_that_is_ignored(
    models: Path, squats: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = People("int8")
    (person,) = seen(pipeline, squats[:10])[-1]
    monkeypatch.setattr("edge.vision.crossing.is_alone", lambda *_: False)  # somebody is near,
    monkeypatch.setattr(pipeline, "_see", lambda *_: None)  # and nobody is to be read
    after = seen(pipeline, squats[10:], start=10)
    assert [one.id for one in after[0]] == [person.id]
    assert not any(after[8:])  # 0.3 s
    pipeline = People("int8")
    monkeypatch.undo()
    assert seen(pipeline, squats[:10])[-1]
    monkeypatch.setattr("edge.vision.crossing.is_alone", lambda *_: False)
    monkeypatch.setattr(pipeline, "_see", lambda *_: None)
    pipeline.ignore((((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),))
    assert seen(pipeline, squats[10:11], start=10) == [[]]


def test_who_leaves_and_comes_back_is_known_and_light_changes_nothing(
    models: Path, squats: list[Picture]
) -> None:
    pipeline = People()
    seen(pipeline, squats[:10])
    empty = np.full_like(squats[0], 236)
    assert pipeline.process(empty, 1.0) == []
    assert pipeline.process(empty, 3.0) == []
    back = [pipeline.process(picture, 4 + number / 24) for number, picture in enumerate(squats[:12])]
    assert [subject.id for subject in back[-1]] == [1]
    dim = [np.asarray(picture * 0.5, np.uint8) for picture in squats[12:18]]
    assert [subject.id for subject in seen(pipeline, dim, 120)[-1]] == [1]
    assert pipeline.waiting == 0


def test_outputs_that_are_no_numbers_are_nobody(models: Path, squats: list[Picture]) -> None:
    pipeline = People()
    counted = Counted(pipeline)
    seen(pipeline, squats[:5])
    counted.broken = True
    assert seen(pipeline, squats[5:7], 5) == [[], []]
    counted.broken = False
    assert [subject.id for subject in seen(pipeline, squats[7:12], 7)[-1]] == [1]
