"""Real people put together into scenes: the truth about them is right, and our pipeline finds and keeps them.

The whole of it, with crossings and counts, is `kinebox models eval --people`; here are some seconds of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from edge.errors import CameraError, ModelError
from edge.evaluate.people import evaluate_scene
from edge.evaluate.people_images import Annotated, annotated, similarity
from edge.evaluate.people_score import Events, Found, box_of
from edge.evaluate.scenes import HEIGHT, WIDTH, Person, Scene, Thing, render, rows
from edge.evaluate.scenes_drawn import draw
from tests.conftest import missing

if TYPE_CHECKING:
    from pathlib import Path

    from edge.evaluate.people_score import Truth

ROOM = "gait/gait_normal_01.mp4"
JACK, OTHER, WALK = "exercise/jack_01a.mp4", "exercise/jack_03a.mp4", ROOM
STRIDES = {"clip": WALK, "start": 1.07, "loop": (1.07, 3.37), "walks": True}


@pytest.fixture(scope="module")
def data(data_dir: Path, models: Path) -> Path:
    """The footage, cut out: from the cache, or else by the published weights."""
    try:
        next(
            render(
                Scene(name="all", room=ROOM, seconds=1, people=(still(JACK, 0.3), still(OTHER, 0.7))),
                data_dir,
            )
        )
    except CameraError as error:
        pytest.skip(f"missing: {error}")
    except ModelError as error:
        missing(f"published weights ({error})")
    return data_dir


def still(clip: str, x: float, height: float = 0.4) -> Person:
    return Person(who=clip, clip=clip, path=((0, x, 0.9, height), (60, x, 0.9, height)))


def truths(scene: Scene, data: Path) -> list[list[Truth]]:
    return [shot.truths for shot in render(scene, data)]


def test_the_same_row_gives_the_same_pictures(data: Path) -> None:
    scene = Scene(name="two", room=ROOM, seconds=0.4, people=(still(JACK, 0.3), still(OTHER, 0.7)), seed=3)
    first, second = (np.stack([shot.bgr for shot in render(scene, data)]) for _ in range(2))
    assert first.shape == (10, HEIGHT, WIDTH, 3)
    assert (first == second).all()
    assert (first[0] != first[1]).any()


def test_people_are_as_tall_and_where_the_row_says(data: Path) -> None:
    scene = Scene(name="two", room=ROOM, seconds=0.4, people=(still(JACK, 0.3, 0.4), still(OTHER, 0.7, 0.2)))
    large, small = truths(scene, data)[0]
    for truth, x, height in ((large, 0.3, 0.4), (small, 0.7, 0.2)):
        left, top, right, bottom = box_of(truth.joints)
        assert (left + right) / 2 == pytest.approx(x * WIDTH, abs=0.03 * WIDTH)
        assert bottom == pytest.approx(0.92 * HEIGHT, abs=0.03 * HEIGHT)  # ankles at 0.9, toes below
        assert bottom - top == pytest.approx(0.92 * height * HEIGHT, rel=0.12)  # eyes to toes, standing
        assert (truth.height, truth.visible, truth.covered) == (height, 1, 0)


def test_who_is_mirrored_has_their_left_hand_at_the_other_side(data: Path) -> None:
    as_filmed = still(JACK, 0.5)
    mirrored = Person(who=JACK, clip=JACK, path=as_filmed.path, flip=True)
    for person in (as_filmed, mirrored):
        ((truth,),) = truths(Scene(name="one", room=ROOM, seconds=0.04, people=(person,)), data)
        for left, right in ((11, 12), (23, 24), (27, 28)):
            assert truth.joints[left, 0] > truth.joints[right, 0]  # facing the camera


def test_the_nearer_one_covers_the_farther_one(data: Path) -> None:
    near = Person(who="near", clip=OTHER, path=((0, 0.3, 0.95, 0.45), (60, 0.3, 0.95, 0.45)))
    far, before = truths(Scene(name="two", room=ROOM, seconds=0.04, people=(still(JACK, 0.3), near)), data)[0]
    assert before.visible == 1
    assert far.by == "near"
    assert far.covered > 0.5
    assert far.visible + far.covered == pytest.approx(1, abs=0.01)


def test_things_hide_and_the_edge_cuts(data: Path) -> None:
    pillar = Thing(box=(0.2, 0.1, 0.4, 0.95), like=0.6)
    scene = Scene(
        name="two", room=ROOM, seconds=0.04, people=(still(JACK, 0.3), still(OTHER, 1.0)), things=(pillar,)
    )
    behind, cut = truths(scene, data)[0]
    assert behind.behind > 0.9
    assert behind.visible < 0.1
    assert 0.3 < cut.visible < 0.7
    assert cut.covered == cut.behind == 0


def test_walkers_follow_their_path(data: Path) -> None:
    walker = Person(who="w", path=((0, 0.2, 0.9, 0.4), (4, 0.8, 0.9, 0.4)), **STRIDES)
    seen = truths(Scene(name="one", room=ROOM, seconds=4, fps=5, people=(walker,)), data)
    middles = [one.joints[:, 0].mean() / WIDTH for (one,) in seen]
    assert middles == pytest.approx([0.2 + 0.6 * n / 20 for n in range(20)], abs=0.03)


def test_all_rows_can_be_read() -> None:
    assert {len({person.who for person in scene.people}) for scene in rows().scene} >= {0, 2, 3, 4, 6}
    assert len({scene.name for scene in rows().scene}) == len(rows().scene)


def test_scenes_drawn_by_chance_are_the_same_for_the_same_seed() -> None:
    scenes = [draw(seed) for seed in range(30)]
    assert scenes == [draw(seed) for seed in range(30)]
    assert len({msgspec.json.encode(scene.people) for scene in scenes}) == 30
    for scene in scenes:
        assert 2 <= len(scene.people) == len({person.who for person in scene.people}) <= 6
        heights = [height for person in scene.people for *_, height in person.path]
        assert 0.15 <= min(heights) <= max(heights) <= 0.5


def test_people_side_by_side_are_found_and_kept(data: Path) -> None:
    """Two who exercise and one who walks to the middle, .35-.45 tall."""
    walker = Person(who="walker", path=((0, 0.95, 0.92, 0.38), (2.4, 0.55, 0.92, 0.38)), flip=True, **STRIDES)
    scene = Scene(
        name="three", room=ROOM, seconds=5, people=(still(JACK, 0.2, 0.45), still(OTHER, 0.45, 0.35), walker)
    )
    got = evaluate_scene(scene, data, precision="int8", threads=2, count=False).score
    found = sum(got.by_height.values(), Found())
    assert (got.switches, got.false_tracks) == (0, 0)
    assert found.acquired_found >= 0.98 * found.acquired_frames
    assert all(first is not None and first < 1 for first in got.first_found_s)


def test_who_passes_before_somebody_stays_who_they_are(data: Path) -> None:
    """While arms are raised behind the walker, both are easily read as one body."""
    before = Person(who="before", path=((0, 0.9, 0.95, 0.42), (3.2, 0.36, 0.95, 0.42)), flip=True, **STRIDES)
    scene = Scene(name="pass", room=ROOM, seconds=3.2, people=(still(OTHER, 0.6, 0.36), before), seed=9)
    got = evaluate_scene(scene, data, precision="int8", threads=2, count=False).score
    found = sum(got.by_height.values(), Found())
    assert got.crossings == Events(happened=1, switched=0)
    assert (got.unprovoked, got.false_tracks) == (0, 0)
    assert found.acquired_found >= 0.97 * found.acquired_frames


def test_out_of_the_picture_and_back(data: Path) -> None:
    away = Person(who="w", path=((0, 0.75, 0.92, 0.45), (2, 1.15, 0.92, 0.45)), **STRIDES)
    back = Person(who="w", path=((3.5, 1.15, 0.92, 0.45), (5.5, 0.75, 0.92, 0.45)), flip=True, **STRIDES)
    scene = Scene(name="back", room=ROOM, seconds=5.4, people=(still(OTHER, 0.3), away, back))
    got = evaluate_scene(scene, data, precision="int8", threads=2, count=False).score
    assert got.returns == Events(happened=1, switched=0)
    assert (got.switches, got.false_tracks) == (0, 0)


def test_nobody_is_found_in_an_empty_room(data: Path) -> None:
    light = ((0.0, 1.0), (2.0, 0.7), (2.2, 1.05), (4.0, 1.0))
    got = evaluate_scene(
        Scene(name="empty", room=ROOM, seconds=5, fps=12.5, light=light), data, precision="int8", threads=2
    )
    assert got.score.false_tracks == 0


def test_similarity_is_coco_s() -> None:
    points = np.zeros((12, 2))
    points[6:] = np.nan
    person = Annotated(points, area=100.0**2, height=0.5)
    assert similarity(person, np.zeros((12, 2))) == 1
    # A shoulder that is off by twice its constant times the body's size: exp(-1/2); the other five are right.
    off = np.zeros((12, 2))
    off[0, 0] = 2 * 0.079 * 100
    assert similarity(person, off) == pytest.approx((5 + np.exp(-0.5)) / 6)


@pytest.mark.parametrize(("name", "pictures", "people"), [("coco", 4, 12), ("mpii", 5, 5), ("aic", 3, 9)])
def test_annotations(data_dir: Path, name: str, pictures: int, people: int) -> None:
    folder = data_dir / "human_images" / name
    if not folder.is_dir():
        pytest.skip(f"missing: {folder}")
    images = annotated(folder, name)
    assert len(images) == pictures
    assert sum(map(len, images.values())) == people
