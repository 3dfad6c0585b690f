"""The pipelines of models that were brought: who is where, who is who, and who is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.errors import ModelError
from edge.link import KEYPOINTS, Hello, PoseFrame
from edge.motion.skeletons import SKELETONS
from edge.vision.detector import Detector
from edge.vision.file import FileCamera
from edge.vision.imported import OneByOne, WholePicture, box_of, open_imported
from edge.vision.namer import Namer
from edge.vision.source import PixelSource, open_pipeline, open_source
from models import families, imported
from models.decode import Box
from models.figure import draw
from tests.conftest import ROOT
from tests.models.brought import BODY, kept, movenet_multi, picture, simcc, yolo_grid
from tests.vision.clips import write_clip
from tests.vision.serving import Vision, receive

if TYPE_CHECKING:
    from pathlib import Path

    from edge.link import Subject


@pytest.fixture(autouse=True)
def kept_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is brought; the detector stays where it is."""
    monkeypatch.setattr(imported, "model_dir", lambda: tmp_path)


def test_every_family_is_complete_and_described() -> None:
    described = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    for name in families.names():
        row = families.family(name)
        assert row.name == name
        assert KEYPOINTS[row.skeleton] == row.keypoints == len(SKELETONS[row.skeleton].names)
        assert 0 < row.seen < 1
        assert 0 < row.found < 1
        assert row.forms
        assert row.licence
        assert f"`{name}`" in described


def middle(subject: Subject) -> tuple[float, float]:
    x, y = subject.points()[:, :2].mean(axis=0)
    return float(x), float(y)


@pytest.mark.parametrize("family", ["yolo-pose", "movenet"])
def test_somebody_found_twice_is_shown_and_keeps_the_name(family: str) -> None:
    kept(family, {"yolo-pose": yolo_grid, "movenet": movenet_multi}[family]())
    pipeline = open_imported("tiny", "int8", 1)
    assert type(pipeline) is WholePicture
    assert pipeline.precision == "fp32"
    assert pipeline.process(picture(320, 240, 100, 120), 0.0) == []
    for number in range(1, 10):
        (subject,) = pipeline.process(picture(320, 240, 100 + 4 * number, 120), number / 10)
        assert (subject.id, subject.skeleton, subject.world) == (1, "coco17", None)
        x, y = BODY.mean(axis=0) * 5 + (100 + 4 * number, 120)
        assert middle(subject) == pytest.approx((x, y), abs=8)
        assert (subject.points()[:, 2] > 0.5).all()
    assert pipeline.timings["total"] >= pipeline.timings["model"] > 0
    pipeline.reset()
    assert pipeline.process(picture(320, 240, 140, 120), 2.0) == []
    assert [each.id for each in pipeline.process(picture(320, 240, 140, 120), 2.1)] == [2]


def test_joints_beyond_the_picture_are_not_seen() -> None:
    kept("yolo-pose", yolo_grid())
    pipeline = open_imported("tiny", "fp32", 1)
    for t in (0.0, 0.1):
        subjects = pipeline.process(picture(256, 128, 130, 124), t)
    points = subjects[0].points()
    below = points[:, 1] >= 128
    assert below.any()
    assert (points[below, 2] == 0).all()
    assert (points[~below, 2] > 0.5).all()


def test_zones_and_the_number_of_people() -> None:
    kept("yolo-pose", yolo_grid())
    pipeline = open_imported("tiny", "fp32", 1)
    pipeline.ignore((((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),))
    for t in (0.0, 0.1, 0.2):
        assert pipeline.process(picture(128, 128, 30, 60), t) == []
    for t in (0.3, 0.4):
        seen = pipeline.process(picture(128, 128, 100, 60), t)
    assert len(seen) == 1
    pipeline.most = 0
    assert pipeline.process(picture(128, 128, 100, 60), 0.5) == []


def test_one_by_one_finds_whom_our_detector_finds(models: Path) -> None:
    kept("rtmpose", simcc())
    pipeline = open_imported("tiny", "fp32", 1)
    assert type(pipeline) is OneByOne
    figure = np.ascontiguousarray(draw(256)[:, :, ::-1])
    figure[98:103, 126:131] = 255  # on the chest
    assert pipeline.process(figure, 0.0) == []
    assert pipeline.timings["detect"] > 0
    (subject,) = pipeline.process(figure, 0.1)
    assert pipeline.timings["detect"] == 0  # somebody is followed
    x, y = middle(subject)
    assert (x, y) == pytest.approx((128, 100), abs=6)
    assert pipeline.process(np.zeros_like(figure), 5.0) == []


def test_two_places_with_one_person_become_one(models: Path) -> None:
    kept("rtmpose", simcc())
    pipeline = open_imported("tiny", "fp32", 1)
    assert isinstance(pipeline, OneByOne)
    scene = picture(320, 240, 160, 120)
    assert pipeline.process(scene, 0.0) == []  # our detector sees nobody in it
    pipeline._places = [(Box(150, 120, 60, 120), 0.0), (Box(170, 125, 60, 120), 0.0)]
    for t in (0.1, 0.2):
        seen = pipeline.process(scene, t)
    assert [each.id for each in seen] == [1]


def test_the_detectors_region_becomes_a_box_around_the_whole_person(models: Path) -> None:
    figure = np.ascontiguousarray(draw(256)[:, :, ::-1])
    box = box_of(Detector("int8", 1).detect(figure)[0].roi)
    half = box.height / 2 * 1.25  # what is cut out
    assert box.y - half < 0.12 * 256  # above the head
    assert box.y + half > 0.92 * 256  # below the feet
    assert abs(box.x - 128) < 10


def test_the_source_takes_the_model_that_is_named(tmp_path: Path, models: Path) -> None:
    kept("yolo-pose", yolo_grid())
    clip = write_clip(tmp_path / "clip.mp4", frames=6)
    source = open_source(str(clip), model="tiny")
    assert isinstance(source, PixelSource)
    assert (source.hello.model, source.hello.precision) == ("tiny", "fp32")
    frames = [record for record in source.stream() if isinstance(record, PoseFrame)]
    assert [len(frame.subjects) for frame in frames] == [0, 1, 1, 1, 1, 1]
    assert type(open_pipeline("blazepose", "int8", 1)).__name__ == "People"
    with pytest.raises(ModelError, match="no model named 'nobody'"):
        open_source(str(clip), model="nobody")
    assert isinstance(FileCamera(clip), FileCamera)


@pytest.mark.parametrize("told", ["by option", "by environment"])
def test_the_vision_process_takes_the_model_that_is_named(told: str, tmp_path: Path) -> None:
    kept("movenet", movenet_multi())
    clip = write_clip(tmp_path / "clip.mp4", frames=60)
    options = ["--model", "tiny"] if told == "by option" else []
    environment = {"KINEBOX_IMPORTED": str(tmp_path / "imported")}
    if told == "by environment":
        environment["KINEBOX_MODEL"] = "tiny"
    with Vision(tmp_path / "link", clip, "--loop", *options, **environment) as vision:
        subscriber = vision.connect()
        records = receive(subscriber, 12)
        vision.stop()
    assert isinstance(records[0], Hello)
    assert (records[0].model, records[0].precision) == ("tiny", "fp32")
    subjects = [each for record in records if isinstance(record, PoseFrame) for each in record.subjects]
    assert {each.skeleton for each in subjects} == {"coco17"}


def body(x: float, y: float = 100.0) -> np.ndarray:
    return BODY * 4 + (x, y)


def test_two_who_walk_past_each_other_at_a_distance_keep_their_names() -> None:
    namer = Namer()
    for number in range(40):
        left, right = body(50 + 5 * number, 60), body(250 - 5 * number, 160)
        order = (left, right) if number % 2 else (right, left)  # the model's order means nothing
        people = namer.update(np.array(order), number / 30)
        if number == 1:
            names = {id(one): one.id for one in people}
    last = people if number % 2 else people[::-1]
    assert sorted(names.values()) == [1, 2]
    assert {id(one): one.id for one in people} == names
    assert last[0].points[:, 0].mean() > last[1].points[:, 0].mean()


def test_who_is_back_near_the_same_place_is_known_and_who_is_late_is_not() -> None:
    namer = Namer()
    for t in (0.0, 0.1):
        (one,) = namer.update(np.array([body(100)]), t)
    assert namer.update(np.empty((0, 17, 2)), 5.0) == []
    (back,) = namer.update(np.array([body(104)]), 6.0)
    assert back.id == one.id == 1
    namer.update(np.empty((0, 17, 2)), 20.0)
    for t in (20.1, 20.2):
        (late,) = namer.update(np.array([body(104)]), t)
    assert late.id == 2


def test_two_found_where_one_was_are_two() -> None:
    namer = Namer()
    for t in (0.0, 0.1):
        (one,) = namer.update(np.array([body(100)]), t)
    for t in (0.2, 0.3):
        people = namer.update(np.array([body(108), body(99)]), t)
    assert [each.id for each in people] == [2, 1]
    assert people[1] is one


def test_a_lamp_that_is_seen_once_is_nobody() -> None:
    namer = Namer()
    for number in range(20):
        found = [body(40 * number)] if number % 10 == 0 else []
        assert all(one.id == 0 for one in namer.update(np.array(found).reshape(-1, 17, 2), float(number)))
