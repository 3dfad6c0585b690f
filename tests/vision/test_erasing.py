"""People near each other: painted over with the room, told apart, followed in thought; drawn, with known truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge.vision.appearance import look
from edge.vision.background import Background
from edge.vision.crossing import Crossings, emerges, is_dressed_as, is_one, leaps, whose
from edge.vision.erasing import company, erase, everyone
from edge.vision.landmarks import JOINTS, SIZE, cut
from edge.vision.recall import recall
from edge.vision.roi import Roi
from edge.vision.room import Room
from tests.vision.test_people_parts import BLUE, GREEN, GREY, RED, H, W, body, room, track

if TYPE_CHECKING:
    from edge.vision.track import Track

Picture = npt.NDArray[np.uint8]
RIGHT_ARM = {13: (-0.16, -0.2), 15: (-0.18, -0.1), 19: (-0.18, -0.05)}


def stripes() -> Picture:
    """A room that is not the same everywhere."""
    picture = np.full((H, W, 3), 90, np.uint8)
    for x in range(0, W, 80):
        cv2.rectangle(picture, (x, 0), (x + 40, H), (200, 190, 180), -1)
    return picture


def off(crop: Picture, empty: Picture) -> npt.NDArray[np.int64]:
    """By how much each pixel differs from the room, int64[256, 256]."""
    return np.abs(crop.astype(np.int64) - empty).max(axis=2)


# -- the room --------------------------------------------------------------------------------------------------------


def test_the_room_is_what_is_seen_when_nobody_is_known() -> None:
    empty = Room()
    assert empty.under(Roi(320, 180, 300, 0)) is None
    empty.learn(stripes(), 0.0, [])
    for roi in (Roi(320, 180, 300, 0.0), Roi(200, 150, 200, 0.7)):
        seen = empty.under(roi)
        assert seen is not None
        assert np.median(off(seen, cut(stripes(), roi))) < 5


def test_who_stands_there_is_not_learnt_and_what_they_leave_is_at_once() -> None:
    empty, roi = Room(), Roi(320, 180, 300, 0.0)
    there = stripes()
    somebody = track(1, body(there, 320, 180, 200, RED, GREY), 0.0)
    empty.learn(there, 0.0, [])  # nobody has found them yet
    for n in range(1, 200):
        empty.learn(there, n / 3, [somebody.outline()])
    guess = empty.under(roi)
    assert guess is not None
    red = cut(there, roi)[90, 128]
    assert np.abs(guess[90, 128].astype(int) - red).max() > 60  # of what is around them
    for n in range(200, 210):
        empty.learn(stripes(), n / 3, [])
    seen = empty.under(roi)
    assert seen is not None
    assert np.median(off(seen, cut(stripes(), roi))) < 12


@pytest.mark.parametrize("size", [(16, 16), (8, 2000), (1, 1)])
def test_rooms_of_any_size(size: tuple[int, int]) -> None:
    empty = Room()
    for n in range(3):
        empty.learn(room(n)[: size[0], : size[1]], float(n), [])
    empty.learn(np.zeros((24, 32, 3), np.uint8), 9.0, [])  # another picture size begins anew
    seen = empty.under(Roi(4, 4, 30, 0))
    assert seen is not None
    assert seen.shape == (SIZE, SIZE, 3)


# -- painting over ---------------------------------------------------------------------------------------------------


def test_who_stands_beside_is_painted_over_and_the_person_stays() -> None:
    picture, empty = stripes(), Room()
    empty.learn(picture, 0.0, [])
    red = track(1, body(picture, 280, 180, 200, RED, GREY), 0.0)
    blue = track(2, body(picture, 350, 180, 200, BLUE, GREEN), 0.0)
    others = company(red, red.roi, [red, blue], 0.0)
    assert others is not None
    under = empty.under(red.roi)
    assert under is not None
    before = cut(picture, red.roi)
    after = erase(before, red.roi, others, under)
    scale = SIZE / red.roi.side
    middle = SIZE // 2
    beside = round(middle + 70 * scale)
    height = round(middle - 0.15 * 200 * scale)
    assert off(after, before)[height, middle] < 5
    assert off(before, under)[height, beside] > 50
    assert off(after, under)[height, beside] < 20


@pytest.mark.parametrize("nearer", [False, True])
def test_who_stands_before_somebody_is_painted_over_them(*, nearer: bool) -> None:
    """Where two bodies overlap, the pixels are the nearer one's, whose feet are lower."""
    picture, empty = stripes(), Room()
    empty.learn(picture, 0.0, [])
    red = track(1, body(picture, 300, 180, 200, RED, GREY), 0.0)
    blue = track(2, body(picture, 325, 200 if nearer else 160, 200, BLUE, GREEN), 0.0)
    others = company(red, red.roi, [red, blue], 0.0)
    assert others is not None
    assert (len(others.before), len(others.behind)) == ((1, 0) if nearer else (0, 1))
    before = cut(picture, red.roi)
    under = empty.under(red.roi)
    assert under is not None
    after = erase(before, red.roi, others, under)
    chest = round(SIZE / 2 - 0.1 * 200 * SIZE / red.roi.side)
    changed = off(after, before)[chest, SIZE // 2 + 10] > 20
    assert changed == nearer


def test_who_is_far_hidden_long_unseen_or_the_same_is_no_company() -> None:
    picture = room()
    red = track(1, body(picture, 150, 180, 150, RED, GREY), 0.0)
    far = track(2, body(picture, 550, 180, 150, BLUE, GREEN), 0.0)
    hidden = track(3, body(picture, 200, 180, 150, BLUE, GREEN), 0.0)
    hidden.state = "hidden"
    double = track(4, body(picture, 152, 180, 150, RED, GREY), 0.0)
    assert company(red, red.roi, [red, far, hidden, double], 0.0) is None
    near = track(5, body(picture, 210, 180, 150, BLUE, GREEN), 0.0)
    assert company(red, red.roi, [red, near], 0.1) is not None
    assert company(red, red.roi, [red, near], 1.0) is None  # where they are by now is not known
    assert everyone([hidden], Roi(200, 180, 300, 0), 0.0) is None
    whole = everyone([red, far, hidden], Roi(320, 180, 640, 0), 0.0)
    assert whole is not None
    assert len(whole.behind) == 2


def test_who_is_as_near_as_the_same_is_company_in_their_own_clothes() -> None:
    """Of two whose joints are this near it may be one who was read twice, unless each wore what they wear."""
    picture = room()
    hers, his = body(picture, 200, 180, 200, RED, GREY), body(picture, 420, 180, 200, BLUE, GREEN)
    red, blue = track(1, hers, 0.0, picture), track(2, his, 0.0, picture)
    for person, clothes in ((red, (RED, GREY)), (blue, (BLUE, GREEN))):
        seen = body(room(), 300 + 15 * (person is blue), 180, 200, *clothes)
        for n in (1, 2):
            person.update(seen, Roi(300, 180, 200, 0), 5 + 0.04 * n)
    assert company(red, red.roi, [red, blue], 5.08) is None
    red.worn, blue.worn = look(picture, hers), look(picture, his)
    assert company(red, red.roi, [red, blue], 5.08) is not None
    blue.worn = red.worn  # both read in hers
    assert company(red, red.roi, [red, blue], 5.08) is None


@pytest.mark.parametrize("nearer", [False, True])
def test_of_who_strays_nothing_is_kept_unless_they_stand_before_the_others(*, nearer: bool) -> None:
    red = track(1, body(room(), 300, 180, 200, RED, GREY), 0.0)
    blue = track(2, body(room(), 340, 160 if nearer else 200, 200, BLUE, GREEN), 0.0)
    others = company(red, red.roi, [red, blue], 0.04)
    assert others is not None
    assert others.own is not None
    red.coast(0.04)
    others = company(red, red.roi, [red, blue], 0.04)
    assert others is not None
    assert (others.own is not None) == nearer


@pytest.mark.parametrize("speed", [1e9, -1e9])
def test_who_is_nowhere_breaks_nothing(speed: float) -> None:
    picture, empty = stripes(), Room()
    empty.learn(picture, 0.0, [])
    red = track(1, body(picture, 280, 180, 200, RED, GREY), 0.0)
    odd = track(2, body(picture, 350, 180, 200, BLUE, GREEN), 0.0)
    odd.velocity = np.array([speed, 0.0])
    others, under = company(red, red.roi, [red, odd], 0.04), empty.under(red.roi)
    assert under is not None
    if others is not None:
        assert erase(cut(picture, red.roi), red.roi, others, under).shape == (SIZE, SIZE, 3)


# -- who is who ------------------------------------------------------------------------------------------------------


def test_of_two_tracks_on_one_body_it_is_who_stands_before_the_other() -> None:
    """In the same clothes; the elder stood farther away."""
    far = track(1, body(room(), 300, 150, 200, RED, GREY), 0.0)
    near = track(2, body(room(), 310, 190, 200, RED, GREY), 0.0)
    seen = body(room(), 306, 185, 200, RED, GREY)
    for person in (far, near):
        person.update(seen, person.roi, 0.04)
        person.update(seen, person.roi, 0.08)
    assert Crossings().settle(room(), [far, near]) == [far]


def test_a_body_in_anothers_clothes_is_not_who_was_to_be_read() -> None:
    picture = room()
    red = track(1, body(picture, 280, 180, 200, RED, GREY), 0.0, picture)
    blue = track(2, body(picture, 350, 180, 200, BLUE, GREEN), 0.0, picture)
    after = room(1)
    his, hers = body(after, 280, 180, 200, RED, GREY), body(after, 350, 180, 200, BLUE, GREEN)
    assert whose(red, his, look(after, his), [red, blue], 0.04) is red
    assert whose(red, hers, look(after, hers), [red, blue], 0.04) is blue
    blue.coast(0.04)  # of him it is not known where he is
    assert whose(red, hers, look(after, hers), [red, blue], 0.04) is blue
    mixed = body(after, 350, 180, 200, RED, GREEN)
    assert whose(red, mixed, look(after, mixed), [red, blue], 0.04) is red


def test_a_body_in_other_clothes_is_a_strangers_though_nobody_known_wears_them() -> None:
    picture = room()
    red = track(1, body(picture, 280, 180, 200, RED, GREY), 0.0, picture)
    red.update(body(room(), 280, 180, 200, RED, GREY), red.roi, 0.04)
    red.alone()
    after = room(1)
    half_covered = body(after, 290, 180, 200, RED, GREEN)
    assert whose(red, half_covered, look(after, half_covered), [red], 0.08) is red
    stranger = body(after, 290, 180, 200, BLUE, GREEN)
    assert whose(red, stranger, look(after, stranger), [red], 0.08) is None
    covered = body(
        after, 281, 180, 200, BLUE, GREEN
    )  # in part, by who walks beside them: they move as they did
    assert whose(red, covered, look(after, covered), [red], 0.08) is red


def behind(picture: Picture) -> tuple[Track, Track]:
    """Red, hidden by Blue, who stands beside her by now."""
    red = track(1, body(picture, 280, 180, 200, RED, GREY), 0.0, picture)
    blue = track(2, body(picture, 380, 180, 200, BLUE, GREEN), 0.0, picture)
    red.state, red.lost_to = "hidden", blue
    return red, blue


def test_who_comes_out_from_behind_somebody_wears_their_clothes() -> None:
    red, blue = behind(room())
    after = room(1)
    seen = body(after, 285, 180, 200, RED, GREY)
    found = track(0, seen, 0.2)
    assert emerges(after, red, found, [blue], 0.2)
    found.state = "tentative"  # the detector had found her, too
    assert emerges(after, red, track(0, seen, 0.2), [blue, found], 0.2)
    after = room(1)
    assert not emerges(after, red, track(0, body(after, 285, 180, 200, GREEN, BLUE), 0.2), [blue], 0.2)


def test_who_is_found_where_somebody_went_behind_another_is_not_them_in_other_clothes() -> None:
    red, _ = behind(room())
    after = room(1)
    found = track(0, body(after, 285, 180, 200, GREEN, BLUE), 0.2, after)
    assert recall(found, [red], 0.2) is None
    red.lost_to = None
    assert recall(found, [red], 0.2) is red


def test_two_who_wear_their_own_clothes_are_two_however_near() -> None:
    picture = room()
    red = track(1, body(picture, 200, 180, 200, RED, GREY), 0.0, picture)
    blue = track(2, body(picture, 420, 180, 200, BLUE, GREEN), 0.0, picture)
    bodies = room(1), room(1)
    for person, x, clothes in ((red, 300, (RED, GREY)), (blue, 318, (BLUE, GREEN))):
        seen = body(bodies[person.id - 1], x, 180, 200, *clothes)
        person.update(seen, Roi(x, 180, 200, 0), 5.0)
        person.update(seen, Roi(x, 180, 200, 0), 5.04)
    assert is_one(red, blue)
    left, right = bodies
    left[:, 309:] = right[:, 309:]  # she is to be seen left of his middle, he right of it
    assert Crossings().settle(left, [red, blue]) == []


def test_what_was_read_where_somebody_else_should_be_by_now_is_theirs() -> None:
    walker, stander = (
        track(number, body(room(), x, 180, 200, RED, GREY), 0.0) for number, x in ((1, 200), (2, 300))
    )
    for n in range(1, 26):
        after = room()
        walker.update(body(after, 200 + 4 * n, 180, 200, RED, GREY), walker.roi, n / 25)
        stander.update(body(after, 300, 180, 200, RED, GREY), stander.roi, n / 25)
        for one in (walker, stander):
            one.alone()
            assert one.last is not None
            one.appearance.learn(look(after, one.last))
    picture = room(1)
    where_he_stands, where_she_went = (body(picture, x, 180, 200, RED, GREY) for x in (300, 340))
    assert whose(walker, where_he_stands, look(picture, where_he_stands), [walker, stander], 1.5) is stander
    assert whose(walker, where_she_went, look(picture, where_she_went), [walker, stander], 1.5) is walker


def test_clothes_of_half_a_body_may_be_somebodys_and_are_not_theirs_surely() -> None:
    picture = room()
    red = track(1, body(picture, 280, 180, 200, RED, GREY), 0.0, picture)
    after = room(1)
    assert is_dressed_as(red, look(after, body(after, 280, 180, 200, RED, GREY)))
    half_covered = body(after, 280, 180, 200, RED, GREEN)
    assert whose(red, half_covered, look(after, half_covered), [red], 0.04) is red
    assert not is_dressed_as(red, look(after, half_covered))
    assert is_dressed_as(track(2, half_covered, 0.04), look(after, half_covered))  # nobody has looked


def test_who_is_not_told_from_others_goes_on_as_they_went() -> None:
    walker = track(1, body(room(), 100, 180, 200, RED, GREY), 0.0)
    for n in range(1, 26):
        walker.update(body(room(), 100 + 4 * n, 180, 200, RED, GREY), walker.roi, n / 25)
        walker.alone()
    start = walker.roi.x
    for n in range(26, 38):
        walker.coast(n / 25)
    assert walker.roi.x - start == pytest.approx(48, rel=0.2)
    assert walker.seen_at == 1.0
    assert walker.to_read(1.5).x == pytest.approx(walker.roi.x, abs=3)


def test_what_is_theirs_but_unclear_is_shown_and_moves_nobody() -> None:
    walker = track(1, body(room(), 100, 180, 200, RED, GREY), 0.0)
    walker.update(body(room(), 104, 180, 200, RED, GREY), walker.roi, 0.04)
    roi, seen = walker.roi, body(room(), 160, 190, 200, RED, GREY)
    walker.glimpse(seen)
    assert (walker.roi, walker.seen_at) == (roi, 0.04)
    shown = np.frombuffer(walker.subject().keypoints, "<f4").reshape(-1, 3)
    assert np.allclose(shown[:, :2], seen.points[: len(shown)], atol=0.01)


def test_who_is_not_read_beside_others_is_shown_where_they_should_be() -> None:
    walker = track(1, body(room(), 100, 180, 200, RED, GREY), 0.0)
    for n in range(1, 26):
        walker.update(body(room(), 100 + 4 * n, 180, 200, RED, GREY), walker.roi, n / 25)
        walker.alone()
    last = walker.subject().points()
    for n in range(26, 31):
        walker.carry(n / 25)
        walker.coast(n / 25)
        shown = walker.subject().points()
        assert shown[:, 0] - last[:, 0] == pytest.approx(4 * (n - 25), rel=0.3)
        assert (shown[:, 2] < last[:, 2]).all()
    walker.update(body(room(), 224, 180, 200, RED, GREY), walker.roi, 31 / 25)
    assert walker.subject().points()[:, 2] == pytest.approx(last[:, 2])


@pytest.mark.parametrize("lively", [False, True])
def test_legs_of_one_and_arms_of_another_are_nobodys_who_moves_calmly(*, lively: bool) -> None:
    """Of one before another the arms of who is behind are read as theirs: a leap, unless they always move so."""
    front, back = (track(number, body(room(), 300, 180, 200, RED, GREY), 0.0) for number in (1, 2))
    for n in range(1, 26):
        sway = 14 * (n % 2) if lively else 0
        raised = body(room(), 300, 180, 200, RED, GREY).points
        raised[: JOINTS - 10, 1] -= sway
        front.update(body(room(), 300, 180, 200, RED, GREY)._replace(points=raised), front.roi, n / 25)
        back.update(body(room(), 306, 166, 200, RED, GREY), back.roi, n / 25)
        front.alone()
    assert not leaps(front, body(room(), 300, 180, 200, RED, GREY), [front, back], 26 / 25)
    mixed = body(room(), 303, 167, 200, RED, GREY)
    assert leaps(front, mixed, [front, back], 26 / 25) != lively
    assert not leaps(front, mixed, [front], 26 / 25)  # nobody else was there


# -- what moves ------------------------------------------------------------------------------------------------------


def test_where_somebody_known_stood_from_the_start_nothing_moves_for_long_when_they_went() -> None:
    background = Background()
    there = room()
    somebody = track(1, body(there, 320, 180, 200, RED, GREY), 0.0)
    for n in range(50):
        background.blobs(there, n / 10, [somebody.outline()])
    assert background.blobs(room(1), 5.0)
    for n in range(1, 10):
        background.blobs(room(n), 5.0 + n / 10)
    assert background.blobs(room(2), 6.0) == []
