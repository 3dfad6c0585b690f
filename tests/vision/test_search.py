"""Where the detector looks next, asked for by invented people and movements."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edge.vision.background import Box
from edge.vision.roi import Roi
from edge.vision.search import Search, rotation

H, W = 360, 640


def test_large_tiles_come_first_the_lowest_before_others_and_each_size_covers_everything() -> None:
    boxes = list(itertools.islice(rotation(720, 1280), 60))
    large = boxes[:6]
    small = boxes[6 : boxes.index(Box(0, 0, 1280, 720))]
    for tiles, least, most in ((large, 0.7, 0.8), (small, 0.4, 0.5)):
        covered = np.zeros((720, 1280), bool)
        for box in tiles:
            assert least * 720 <= box.height <= most * 720  # who is .2 of the picture is half of a small one
            covered[box.top : box.bottom, box.left : box.right] = True
        assert covered.all()
    assert [box.bottom for box in large[:3]] == [720] * 3  # people stand on the floor
    assert large[0].right < large[1].left  # two looks show most of it


def test_while_nobody_is_followed_every_other_look_is_at_the_whole_picture() -> None:
    search = Search()
    looks = [search.window((H, W), n / 25, [], [], followed=0) for n in range(9)]
    assert [look == Box(0, 0, W, H) for look in looks] == [True, *[False] * 3, *[True, False] * 2, True]


def test_movement_is_looked_at_before_tiles_and_ever_more_seldom() -> None:
    search, blob = Search(), Box(300, 100, 360, 260)
    windows = [search.window((H, W), n / 25, [], [blob], followed=1) for n in range(250)]
    assert windows[0] is not None
    assert windows[0].left < blob.left
    assert windows[0].right > blob.right
    looks = [n / 25 for n, window in enumerate(windows) if window == windows[0]]
    assert looks[1] == pytest.approx(0.2, abs=0.05)
    assert 8 < len(looks) < 25
    assert looks[-1] - looks[-2] > 1


def test_who_walks_is_looked_for_more_often_than_a_curtain() -> None:
    def looks(pixels_a_picture: int) -> int:
        search, found = Search(), 0
        for n in range(100):
            x = 40 + pixels_a_picture * n
            window = search.window((H, W), n / 25, [], [Box(x, 100, x + 60, 260)], followed=1)
            found += window is not None and window.left < x and x + 60 < window.right and window.height < H
        return found

    assert looks(5) > 1.3 * looks(0)


def test_where_somebody_was_lost_is_looked_at_first() -> None:
    search = Search()
    window = search.window((H, W), 0.0, [Roi(500, 200, 120, 0)], [Box(0, 0, 60, 60)], followed=1)
    assert window is not None
    assert window.left <= 440
    assert window.right >= 560


def looks_at_what_comes_in(pictures: int, grows: int, *, left: int = 0) -> int:
    """So many looks has what moves at a place after five seconds of nothing."""
    search, found = Search(), 0
    for n in range(125):
        search.window((H, W), n / 25, [], [], followed=1)
    for n in range(125, 125 + pictures):
        more = min(grows * (n - 125), 100)
        blob = Box(left, 150 - more, left + 60 + more, 250 + more)
        window = search.window((H, W), n / 25, [], [blob], followed=1)
        found += (
            window is not None and window.left <= left < window.right and window.bottom > blob.bottom - 10
        )
    return found


def test_who_comes_in_is_looked_for_in_every_picture_at_first() -> None:
    assert looks_at_what_comes_in(5, 0) == 5
    assert looks_at_what_comes_in(5, 0, left=300) == 1
    assert looks_at_what_comes_in(100, 0) < 35  # a curtain


def test_what_grows_elsewhere_is_looked_at_as_often_as_anything_that_moves() -> None:
    assert looks_at_what_comes_in(5, 30, left=300) == 2


def test_what_grows_where_something_else_has_moved_for_long_is_somebody_who_comes_in() -> None:
    search, found = Search(), []
    for n in range(200):
        height = 80 if n < 190 else 160
        window = search.window(
            (H, W), n / 25, [], [Box(0, 200 - height // 2, 40, 200 + height // 2)], followed=1
        )
        found.append(window is not None and window.left == 0 and window.height < H)
    assert sum(found[150:190]) <= 5
    assert all(found[190:195])


def test_pictures_are_watched_closely_while_somebody_comes_in() -> None:
    search = Search()
    assert not search.expects(0.0)
    search.window((H, W), 0.0, [], [Box(580, 100, 640, 260)], followed=1)
    assert search.expects(0.04)
    assert not search.expects(0.4)
    for n in range(10, 100):  # it stays where it is
        search.window((H, W), n / 25, [], [Box(580, 100, 640, 260)], followed=1)
    assert not search.expects(4.0)


def test_a_calm_look_is_for_nobody_in_particular() -> None:
    search = Search()
    search.window((H, W), 0.0, [], [], followed=1)
    assert search.eager  # the first look at a room
    calm = [
        search.window((H, W), n / 25, [], [], followed=1) is not None and search.eager
        for n in range(100, 200)
    ]
    assert not any(calm)
    search.window((H, W), 8.0, [Roi(500, 200, 120, 0)], [], followed=1)
    assert search.eager


def test_who_is_lost_does_not_keep_the_search_from_who_comes_in() -> None:
    search, lost, blob = Search(), Roi(100, 200, 100, 0), Box(500, 100, 560, 260)
    windows = [search.window((H, W), n / 25, [lost], [blob], followed=1) for n in range(2)]
    assert windows[0] is not None
    assert windows[1] is not None
    assert windows[0].left < 100 < windows[0].right
    assert windows[1].left < 500 < windows[1].right


def test_while_nothing_asks_the_detector_rests() -> None:
    search = Search()
    looks = [search.window((H, W), n / 25, [], [], followed=1) is not None for n in range(500)]
    assert sum(looks[:50]) >= 24  # who else is there?
    assert sum(looks[100:]) <= 17  # of 16 seconds
    empty = [search.window((H, W), 20 + n / 25, [], [], followed=0) is not None for n in range(50)]
    assert all(empty)


def test_an_empty_room_is_searched_less_often_after_a_while_and_still_looked_at_where_something_moves() -> (
    None
):
    search, moves = Search(), Box(300, 100, 360, 260)
    looks, eager = [], []
    for n in range(500):
        looks.append(search.window((H, W), n / 25, [], [], followed=0))
        eager.append(search.eager)
    assert None not in looks[:250]
    seldom = [look for look in looks[255:] if look is not None]
    assert len(seldom) == pytest.approx(9.8 / 0.22, abs=5)
    assert seldom.count(Box(0, 0, W, H)) == pytest.approx(len(seldom) / 2, abs=2)  # tiles by turns
    assert (any(eager[:50]), any(eager[70:])) == (True, False)
    assert search.window((H, W), 500 / 25, [], [moves], followed=0) is not None
    assert search.eager
    search.window((H, W), 501 / 25, [], [], followed=1)  # somebody was there
    assert all(search.window((H, W), n / 25, [], [], followed=0) is not None for n in range(502, 700))


@pytest.mark.parametrize("size", [(16, 16), (8, 2000), (1, 1)])
def test_windows_of_any_picture_lie_in_it(size: tuple[int, int]) -> None:
    search = Search()
    for n in range(40):
        window = search.window(size, n / 25, [Roi(1e9, -1e9, 50, 0)] if n % 3 else [], [], followed=0)
        assert window is not None
        assert 0 <= window.left < window.right <= size[1]
        assert 0 <= window.top < window.bottom <= size[0]
