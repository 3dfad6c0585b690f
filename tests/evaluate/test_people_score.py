"""The measures of following several people, on courses with known answers."""

from __future__ import annotations

import math
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from edge.evaluate.people_score import (
    Events,
    Found,
    Picture,
    Truth,
    assignment,
    box_of,
    height_class,
    overlap,
    score,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FPS = 10


def joints(x: float) -> npt.NDArray[np.float64]:
    """A body 100 pixels wide and 200 high, from `x` on."""
    return np.array([[x + 50, 0], [x, 50], [x + 100, 50], [x + 50, 100], [x + 20, 200], [x + 80, 200]], float)


def film(
    pictures: int, truth: Callable[[int], list[Truth]], tracks: Callable[[int], dict[int, float]]
) -> list[Picture]:
    """Ten pictures a second; tracks by the left edge of their boxes."""
    return [
        Picture(n / FPS, truth(n), {track: joints(x) for track, x in tracks(n).items()})
        for n in range(pictures)
    ]


def one(n: int) -> list[Truth]:
    return [Truth("ann", joints(0), 0.4, 1.0)]


def two(n: int) -> list[Truth]:
    return [Truth("ann", joints(0), 0.4, 1.0), Truth("bob", joints(500), 0.2, 1.0)]


def test_everybody_followed_all_the_time() -> None:
    got = score(film(20, two, lambda _: {1: 0, 2: 500}))
    assert got.by_height == {
        "0.2": Found(frames=20, found=20, acquired_frames=20, acquired_found=20),
        "0.4": Found(frames=20, found=20, acquired_frames=20, acquired_found=20),
    }
    assert (got.mota, got.idf1, got.switches, got.false_tracks, got.fragments) == (1, 1, 0, 0, 0)
    assert got.owners == {1: "ann", 2: "bob"}
    assert got.first_found_s == [0, 0]


def test_found_late_and_lost_for_a_while() -> None:
    got = score(film(20, one, lambda n: {1: 0} if n >= 5 and n not in (10, 11) else {}))
    assert got.by_height["0.4"] == Found(frames=20, found=13, acquired_frames=15, acquired_found=13)
    assert got.first_found_s == [0.5]
    assert got.fragments == 1
    assert got.mota == pytest.approx(13 / 20)
    assert got.idf1 == pytest.approx(2 * 13 / (20 + 13))


def test_never_found() -> None:
    got = score(film(10, one, lambda _: {}))
    assert got.first_found_s == [None]
    assert (got.mota, got.idf1) == (0, 0)


def test_a_switch_without_a_cause() -> None:
    got = score(film(20, one, lambda n: {1 if n < 10 else 2: 0}))
    assert (got.switches, got.unprovoked) == (1, 1)
    assert got.mota == pytest.approx(19 / 20)
    assert got.idf1 == pytest.approx(0.5)  # the best track was theirs for half the time


def crossing(n: int) -> list[Truth]:
    """Bob passes before Ann in the pictures 8-12."""
    covered = 0.8 if 8 <= n <= 12 else 0.0
    hidden = Truth("ann", joints(200), 0.4, 1 - covered, covered, 0.0, "bob" if covered else None)
    return [hidden, Truth("bob", joints(40 * n - 200), 0.4, 1.0)]


def test_a_crossing_that_went_well() -> None:
    tracks = {True: lambda n: {2: 40 * n - 200}, False: lambda n: {1: 200, 2: 40 * n - 200}}
    got = score(film(20, crossing, lambda n: tracks[8 <= n <= 12](n)))
    assert got.crossings == Events(happened=1, switched=0)
    assert (got.switches, got.unprovoked) == (0, 0)
    # Who is hardly to be seen need not be found, and is no mistake where found all the same.
    assert got.mota == got.idf1 == 1


@pytest.mark.parametrize("whose", ["ann", "both"])
def test_identities_that_a_crossing_mixed_up(whose: str) -> None:
    def tracks(n: int) -> dict[int, float]:
        if n < 13:
            return {1: 200, 2: 40 * n - 200}
        return {3: 200, 2: 40 * n - 200} if whose == "ann" else {2: 200, 1: 40 * n - 200}

    got = score(film(20, crossing, tracks))
    assert got.crossings == Events(happened=1, switched=1, lasting=1)
    assert (got.switches, got.unprovoked) == (1 if whose == "ann" else 2, 0)


def test_a_mistake_in_a_crossing_that_was_undone() -> None:
    def tracks(n: int) -> dict[int, float]:
        return {2: 200, 1: 40 * n - 200} if 13 <= n < 16 else {1: 200, 2: 40 * n - 200}

    got = score(film(30, crossing, tracks))
    assert got.switches == 4
    assert got.crossings == Events(happened=1, switched=1, lasting=0)


def test_long_after_a_crossing_it_is_not_the_crossing() -> None:
    got = score(film(60, crossing, lambda n: {1 if n < 50 else 3: 200, 2: 40 * n - 200}))
    assert got.crossings == Events(happened=1, switched=0)
    assert got.unprovoked == 1


def behind(n: int) -> list[Truth]:
    share = 0.9 if 5 <= n < 15 else 0.0
    return [Truth("ann", joints(0), 0.4, 1 - share, 0.0, share)]


def test_behind_a_thing_and_a_new_identity_after_it() -> None:
    got = score(film(30, behind, lambda n: {} if 5 <= n < 15 else {1 if n < 5 else 2: 0}))
    assert got.hidings == Events(happened=1, switched=1, lasting=1)
    assert (got.crossings.happened, got.returns.happened, got.unprovoked) == (0, 0, 0)


@pytest.mark.parametrize("seen_again", [False, True])
def test_who_is_hardly_visible_has_no_identity_by_a_box_that_is_before_them(*, seen_again: bool) -> None:
    """Ann is covered, her track is gone, and Bob's box fits her, too: that counts where she is to be seen again."""

    def truth(n: int) -> list[Truth]:
        covered = 5 <= n < 10
        share = 0.8 if covered else 0.0
        bob = 30.0 if n < 10 or seen_again else 300.0
        ann = Truth("ann", joints(0), 0.4, 1 - share, share, 0.0, "bob" if covered else None)
        return [ann, *([] if seen_again and n >= 10 else [Truth("bob", joints(bob), 0.4, 1.0)])]

    def tracks(n: int) -> dict[int, float]:
        if n < 5:
            return {1: 0, 2: 30}
        if seen_again:
            return {2: 30}
        return {2: -10} if n < 10 else {1: 0, 2: 300}

    got = score(film(20, truth, tracks))
    assert got.crossings == Events(happened=1, switched=int(seen_again), lasting=int(seen_again))


def test_stretched_limbs_that_fit_somebody_elses_box_are_not_theirs() -> None:
    """Ann's track is gone for a while; of Bob beside her a hand was read where she stands."""
    reaching = joints(60)
    reaching[1:3, 0] = -20, 130

    def truth(n: int) -> list[Truth]:
        covered = 0.3 if n == 5 else 0.0
        ann = Truth("ann", joints(0), 0.4, 1 - covered, covered, 0.0, "bob" if covered else None)
        return [ann, Truth("bob", joints(60), 0.4, 1.0)]

    pictures = film(20, truth, lambda n: {2: 60} if 4 <= n < 9 else {1: 0, 2: 60})
    pictures[6] = pictures[6]._replace(tracks={2: reaching})
    assert overlap(box_of(reaching), box_of(joints(0))) > 0.6
    got = score(pictures)
    assert got.crossings == Events(happened=1, switched=0)
    assert got.moments == []


def test_out_of_the_picture_and_back() -> None:
    got = score(film(30, lambda n: [] if 10 <= n < 20 else one(n), lambda n: {} if 10 <= n < 20 else {1: 0}))
    assert got.returns == Events(happened=1, switched=0)
    assert got.mota == 1


def test_false_tracks_last() -> None:
    def tracks(n: int) -> dict[int, float]:
        return {1: 0.0} | ({2: 900.0} if n >= 10 else {}) | ({3: 1500.0} if n in (3, 4) else {})

    got = score(film(20, one, tracks))
    assert got.false_tracks == 1  # the other one is gone after a fifth of a second
    assert got.owners == {1: "ann"}
    assert got.mota == pytest.approx(1 - 12 / 20)


def test_two_tracks_of_one_person() -> None:
    got = score(film(20, one, lambda _: {1: 0, 2: 10}))
    assert got.false_tracks == 1
    assert got.idf1 == pytest.approx(2 * 20 / (20 + 40))


def test_an_empty_room() -> None:
    got = score(film(20, lambda _: [], lambda _: {}))
    assert (got.false_tracks, got.by_height, got.first_found_s) == (0, {}, [])


def test_overlap() -> None:
    box, half, next_to_it = (box_of(joints(x)) for x in (0, 50, 100))
    assert overlap(box, box) == 1
    assert overlap(box, half) == pytest.approx(1 / 3)
    assert overlap(box, next_to_it) == 0


@pytest.mark.parametrize(
    ("height", "name"), [(0.14, "0.15"), (0.19, "0.2"), (0.3, "0.3"), (0.45, "0.4"), (0.9, "0.5")]
)
def test_classes_of_height(height: float, name: str) -> None:
    assert height_class(height) == name


def test_assignment_is_the_best_of_all() -> None:
    random = np.random.default_rng(0)
    for shape in [(1, 1), (3, 2), (2, 5), (4, 4), (5, 3)]:
        for _ in range(20):
            table = random.random(shape) * (random.random(shape) > 0.3)
            small, large = sorted(shape)
            flat = table if shape[0] == small else table.T
            best = max(
                math.fsum(flat[i, j] for i, j in enumerate(order))
                for order in permutations(range(large), small)
            )
            pairs = assignment(table)
            assert math.fsum(table[pair] for pair in pairs) == pytest.approx(best)
            assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
