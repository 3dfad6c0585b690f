"""The parts that find people and keep them apart, each with drawn pictures and invented courses of known truth."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge.vision.appearance import Appearance, is_inside, look
from edge.vision.background import Background, Box
from edge.vision.crossing import Crossings, is_alone, is_one
from edge.vision.finding import fits, is_known
from edge.vision.landmarks import HIPS, OUTPUTS, RIM, Landmarks
from edge.vision.recall import may_be, recall
from edge.vision.roi import Roi
from edge.vision.track import Track

Picture = npt.NDArray[np.uint8]
H, W = 360, 640
RED, BLUE, GREEN, GREY = (30, 30, 200), (200, 60, 30), (40, 160, 40), (120, 120, 120)
BODY = {
    11: (-0.12, -0.3),
    12: (0.12, -0.3),
    23: (-0.08, 0.0),
    24: (0.08, 0.0),
    25: (-0.08, 0.25),
    26: (0.08, 0.25),
}
"""Shoulders, hips and knees round the middle of the hips, in sides of the region."""


def room(seed: int = 0, level: int = 110) -> Picture:
    noise = np.random.default_rng(seed).integers(-4, 5, (H, W, 3))
    return (level + noise).astype(np.uint8)


def body(
    picture: Picture, x: float, y: float, size: float, top: tuple[int, ...], legs: tuple[int, ...]
) -> Landmarks:
    """Paint somebody's clothes, and give the joints that a network would."""
    for colour, (above, below) in ((top, (-0.32, 0.02)), (legs, (0.02, 0.3))):
        corner = (round(x - 0.15 * size), round(y + above * size))
        cv2.rectangle(picture, corner, (round(x + 0.15 * size), round(y + below * size)), colour, -1)
    points = np.full((OUTPUTS, 2), (x, y), float)
    for joint, (dx, dy) in BODY.items():
        points[joint] = x + dx * size, y + dy * size
    points[RIM] = x, y - size / 2.5
    points[HIPS] = x, y
    return Landmarks(points, np.ones(OUTPUTS), np.zeros((33, 3)), 1.0)


def track(number: int, seen: Landmarks, t: float, picture: Picture | None = None) -> Track:
    """Somebody who is followed and was looked at."""
    made = Track(Roi.from_alignment(seen.points[HIPS], seen.points[RIM]), t)
    made.update(seen, made.roi, t)
    made.alone()
    made.id, made.state = number, "followed"
    if picture is not None:
        made.appearance.learn(look(picture, seen))
    return made


# -- what moves ------------------------------------------------------------------------------------------------------


def walk(background: Background, pictures: int, explained: bool = False) -> list[Box]:
    blobs: list[Box] = []
    for n in range(pictures):
        picture = room(n)
        x = 100 + 8 * n
        picture[100:260, x : x + 60] = RED
        outline = (np.array([[x, 100], [x + 60, 100], [x + 60, 260], [x, 260]], float), 25.0)
        blobs = background.blobs(picture, n / 25, [outline] if explained else [])
    return blobs


def test_who_moves_is_a_blob_where_they_are() -> None:
    background = Background()
    for n in range(10):
        assert background.blobs(room(n), n / 25) == []
    largest = walk(background, 30)[0]
    x = 100 + 8 * 29
    assert largest.left <= x + 5
    assert x + 55 <= largest.right <= x + 90
    assert (largest.top, largest.bottom) == pytest.approx((100, 260), abs=15)


def test_who_is_followed_is_no_blob() -> None:
    background = Background()
    for n in range(10):
        background.blobs(room(n), n / 25)
    assert walk(background, 30, explained=True) == []


def in_the_room(left: int, seed: int) -> Picture:
    picture = room(seed)
    picture[100:260, left : left + 60] = RED
    return picture


def test_who_keeps_still_is_no_blob_until_they_move() -> None:
    background = Background()
    for n in range(10):
        background.blobs(room(n), n / 25)
    assert background.blobs(in_the_room(300, 10), 1.0)
    assert background.blobs(in_the_room(300, 11), 1.5) == []
    assert background.blobs(in_the_room(306, 12), 2.0)


def test_what_somebody_uncovered_is_no_blob() -> None:
    background = Background()
    for n in range(10):
        background.blobs(in_the_room(300, n), n / 25)
    assert background.blobs(room(10), 1.0)
    assert background.blobs(room(11), 1.5) == []


def test_light_that_is_switched_on_is_nobody() -> None:
    background = Background()
    for n in range(10):
        background.blobs(room(n), n / 25)
    for n in range(10, 20):
        assert background.blobs(room(n, level=190), n / 25) == []


@pytest.mark.parametrize("size", [(16, 16), (8, 2000), (1, 1)])
def test_pictures_of_any_size(size: tuple[int, int]) -> None:
    background = Background()
    for n in range(5):
        assert all(
            0 <= box.left < box.right <= size[1] and 0 <= box.top < box.bottom <= size[0]
            for box in background.blobs(room(n)[: size[0], : size[1]], n / 25)
        )
        background.blobs(np.full((*size, 3), 40 * n, np.uint8), n / 25)


# -- who is who ------------------------------------------------------------------------------------------------------


def test_clothes_are_known_again_in_another_light_and_place() -> None:
    picture = room()
    red, blue = body(picture, 150, 180, 200, RED, GREY), body(picture, 450, 180, 200, BLUE, GREEN)
    known = Appearance()
    known.learn(look(picture, red))
    dark = (room(1) * 0.85).astype(np.uint8)
    again = body(dark, 300, 150, 150, (26, 26, 175), (105, 105, 105))
    same, other = known.distance(look(dark, again)), known.distance(look(picture, blue))
    assert same is not None
    assert other is not None
    assert same < 0.4
    assert other > 0.6


def test_clothes_outside_of_the_picture_say_nothing() -> None:
    picture = room()
    seen = body(picture, 150, 180, 200, RED, GREY)
    assert look(picture, seen._replace(points=seen.points + 5000)) is None
    assert look(picture, seen._replace(points=np.full((OUTPUTS, 2), np.nan))) is None
    known = Appearance()
    assert known.distance(look(picture, seen)) is None
    known.learn(None)
    assert known.looks == 0
    torso_alone = look(picture, body(picture, 150, 350, 200, RED, GREY))
    assert torso_alone is not None
    assert np.isnan(torso_alone[1]).all()
    known.learn(torso_alone)
    known.learn(look(picture, seen))
    distance = known.distance(torso_alone)
    assert distance is not None
    assert distance < 0.2


@pytest.mark.parametrize(
    ("x", "after", "clothes", "known"),
    [
        (310, 0.5, (RED, GREY), True),  # in the very place
        (310, 0.5, (BLUE, GREEN), True),  # so soon nobody else has taken it
        (310, 5.0, (BLUE, GREEN), False),
        (480, 2.0, (RED, GREY), True),
        (480, 2.0, (BLUE, GREEN), False),
        (480, 0.1, (RED, GREY), False),  # nobody is so quick
        (310, 11.0, (RED, GREY), False),  # forgotten
    ],
)
def test_who_comes_back_is_known_by_place_and_clothes(
    x: float, after: float, clothes: tuple[tuple[int, int, int], ...], *, known: bool
) -> None:
    before, then = room(), room(1)
    lost = track(1, body(before, 300, 180, 200, RED, GREY), 10.0, before)
    lost.state = "hidden"
    seen = body(then, x, 180, 200, *clothes)
    found = track(0, seen, 10.0 + after, then)
    found.appearance.learn(look(then, seen))
    assert (recall(found, [lost], 10.0 + after) is lost) == known


def test_who_went_out_of_the_picture_is_not_who_comes_in_there() -> None:
    lost = track(1, body(room(), 300, 180, 200, RED, GREY), 10.0, room())
    lost.state = "hidden"
    found = track(0, body(room(), 310, 180, 200, BLUE, GREEN), 10.5)
    assert recall(found, [lost], 10.5) is lost
    lost.has_left = True
    assert recall(found, [lost], 10.5) is None


def test_who_is_new_may_be_who_was_lost_near_by() -> None:
    lost = track(1, body(room(), 300, 180, 200, RED, GREY), 10.0)
    assert may_be(track(0, body(room(), 380, 180, 200, RED, GREY), 10.2), lost, 10.2)
    assert not may_be(
        track(0, body(room(), 600, 180, 200, RED, GREY), 10.2), lost, 10.2
    )  # nobody is so quick
    assert may_be(track(0, body(room(), 600, 180, 200, RED, GREY), 12.0), lost, 12.0)
    assert not may_be(track(0, body(room(), 300, 180, 70, RED, GREY), 10.2), lost, 10.2)


def test_clothes_are_learnt_of_who_is_all_inside() -> None:
    picture = room()
    assert is_inside(body(picture, 300, 180, 200, RED, GREY), W)
    assert not is_inside(body(picture, 10, 180, 200, RED, GREY), W)
    assert not is_inside(body(picture, W - 10, 180, 200, RED, GREY), W)


def test_a_find_beside_who_hides_somebody_may_be_them() -> None:
    here = track(1, body(room(), 300, 180, 200, RED, GREY), 0.0)
    behind = track(2, body(room(), 320, 180, 200, BLUE, GREEN), 0.0)
    find = here.roi._replace(x=here.roi.x + 0.17 * here.roi.side)
    assert is_known(find, [here], 0.1)
    behind.state, behind.lost_to = "hidden", here
    assert not is_known(find, [here, behind], 0.1)
    assert is_known(here.roi, [here, behind], 0.1)
    assert is_known(find, [here, behind], 5.0)  # it is too long ago
    here.coast(0.1)  # of him it is not known where he is
    assert not is_known(here.roi, [here, behind], 0.1)


def test_a_find_that_is_not_sure_fills_its_window_and_lies_in_it() -> None:
    window = Box(100, 0, 500, 360)
    assert fits(Roi(300, 200, 200, 0), window)
    assert not fits(Roi(40, 200, 200, 0), window)
    assert not fits(Roi(300, 400, 200, 0), window)
    assert not fits(Roi(300, 200, 60, 0), window)
    assert not fits(Roi(300, 200, 900, 0), window)


def pass_by(*, slips: bool) -> tuple[Track, Track]:
    """Red goes right, blue goes left; afterwards, where it `slips`, each is read on the other's body."""
    crossings = Crossings()
    red, blue = (
        track(number, body(room(), 300, 180, 200, *clothes), 0.0)
        for number, clothes in ((1, (RED, GREY)), (2, (BLUE, GREEN)))
    )
    for n in range(1, 51):
        t, picture = n / 25, room(n)
        left, right = 120 + 8 * n, 520 - 8 * n
        bodies = [body(picture, right, 180, 200, BLUE, GREEN), body(picture, left, 180, 200, RED, GREY)][::-1]
        if slips and n > 25:
            bodies = bodies[::-1]
        for person, seen in zip((red, blue), bodies, strict=True):
            person.update(seen, person.roi if n > 1 else Roi(seen.points[HIPS, 0], 180, 200, 0), t)
            if is_alone(person, (red, blue), t) and n < 20:
                person.alone()
                person.appearance.learn(look(picture, seen))
        if abs(left - right) > 60:
            assert crossings.settle(picture, [red, blue]) == []
    return red, blue


@pytest.mark.parametrize("slips", [False, True])
def test_names_go_with_clothes_when_people_have_passed_each_other(*, slips: bool) -> None:
    first, second = pass_by(slips=slips)
    by_name = {person.id: person.roi.x for person in (first, second)}
    assert by_name[1] > 450  # red went right
    assert by_name[2] < 200


def test_of_two_tracks_on_one_body_the_one_whose_body_it_is_not_lets_go() -> None:
    picture = room()
    red = track(1, body(picture, 200, 180, 200, RED, GREY), 0.0, picture)
    blue = track(2, body(picture, 420, 180, 200, BLUE, GREEN), 0.0, picture)
    after = room(1)
    seen = body(after, 400, 180, 200, BLUE, GREEN)
    for person in (red, blue):  # the one behind is read on the one before
        person.update(seen, Roi(400, 180, 200, 0), 5.0)
        person.update(seen, Roi(400, 180, 200, 0), 5.04)
    assert is_one(red, blue)
    assert Crossings().settle(after, [red, blue]) == [red]
    assert red.lost_to is blue


def test_of_two_tracks_on_one_body_the_older_stays_where_nothing_speaks_against_it() -> None:
    picture = room()
    seen = body(picture, 300, 180, 200, RED, GREY)
    older, younger = track(1, seen, 0.0, picture), track(2, seen, 0.0, picture)
    assert Crossings().settle(picture, [younger, older]) == [younger]


def test_somebody_unseen_goes_on_and_slows_down() -> None:
    picture = room()
    walker = track(1, body(picture, 100, 180, 200, RED, GREY), 0.0)
    for n in range(1, 26):
        walker.update(body(room(), 100 + 4 * n, 180, 200, RED, GREY), walker.roi, n / 25)
    walker.alone()
    course = [walker.predicted(1 + dt).x for dt in (0, 0.5, 1, 4, 60)]
    assert course == sorted(course)
    assert course[1] - course[0] == pytest.approx(50, rel=0.25)
    assert course[-1] - course[0] < 250
    assert math.isfinite(course[-1])


def test_who_walks_is_due_before_who_stays() -> None:
    walker, stander = (track(number, body(room(), 100, 180, 200, RED, GREY), 0.0) for number in (1, 2))
    for n in range(1, 26):
        walker.update(body(room(), 100 + 6 * n, 180, 200, RED, GREY), walker.roi, n / 25)
        stander.update(body(room(), 100, 180, 200, RED, GREY), stander.roi, n / 25)
    assert walker.urgency(1.0) == stander.urgency(1.0) == math.inf  # never read
    walker.read_at = stander.read_at = 1.0
    assert walker.urgency(1.1) > 1.5 * stander.urgency(1.1)
    stander.read_at = 0.5
    assert walker.urgency(1.1) < stander.urgency(1.1)


def test_who_is_not_read_where_they_were_strays_until_they_are() -> None:
    walker = track(1, body(room(), 100, 180, 200, RED, GREY), 0.0)
    assert not walker.strays
    walker.coast(0.04)
    assert walker.strays
    walker.state = "hidden"
    assert not walker.strays
    walker.state = "followed"
    walker.update(body(room(), 102, 180, 200, RED, GREY), walker.roi, 0.08)
    assert not walker.strays
