"""The station: who is counted where people come and go, with generated motion whose truth is known."""

from __future__ import annotations

import pytest

from edge.coach.foremost import Foremost
from edge.coach.observer import Observer
from edge.coach.station import STAYS_S, Station
from tests.coach.test_observer import RATE, frame, squatting, standing
from tests.several import moved

PLACE = ((0.3, 0.5), (0.7, 0.5), (0.7, 1.0), (0.3, 1.0))
IN, BESIDE = (0.5, 0.9), (0.1, 0.9)


def owners(station: Station, *moments: tuple[float, dict[int, tuple[float, float]]]) -> list[int | None]:
    """Whose turn it is at each moment."""
    return [station.update(t, feet) for t, feet in moments]


def during(
    station: Station, start: float, end: float, feet: dict[int, tuple[float, float]]
) -> dict[float, int | None]:
    """Whose turn it is while nobody moves, by tenths of a second."""
    times = [tenth / 10 for tenth in range(round(start * 10), round(end * 10))]
    return {t: station.update(t, feet) for t in times}


def test_who_stands_in_it_first_is_counted_and_others_beside_it_are_not() -> None:
    station = Station(PLACE)
    assert owners(station, (0, {}), (0.1, {1: BESIDE}), (0.2, {1: BESIDE, 2: IN}), (0.3, {1: IN, 2: IN})) == [
        *(None, None, 2, 2),
    ]


def test_of_those_who_come_together_it_is_the_nearest() -> None:
    assert Station(PLACE).update(0, {1: (0.5, 0.6), 2: (0.5, 0.95), 3: (0.4, 0.7)}) == 2


def test_a_jump_a_blink_and_a_turn_of_somebody_else_change_nothing() -> None:
    station = Station(PLACE)
    during(station, 0, 5, {1: IN})
    assert station.update(5.5, {1: (0.5, 0.4)}) == 1  # feet in the air
    assert station.update(6, {1: IN, 2: IN}) == 1
    assert station.update(7.5, {2: IN}) == 1  # not read in this picture, or hidden behind the other
    assert station.update(7.9, {1: IN, 2: IN}) == 1


def test_the_next_one_takes_over_once_the_first_has_left() -> None:
    station = Station(PLACE)
    during(station, 0, 5, {1: IN, 2: BESIDE})
    told = during(station, 5, 12, {1: BESIDE, 2: IN})
    assert {t for t, who in told.items() if who == 1} == {t for t in told if t <= 4.9 + STAYS_S}
    assert next(t for t, who in told.items() if who == 2) == pytest.approx(5 + STAYS_S, abs=0.11)
    assert told[11.9] == 2


def test_who_only_walks_through_does_not_take_over() -> None:
    station = Station(PLACE)
    during(station, 0, 5, {1: IN})
    assert set(during(station, 8, 9, {1: BESIDE, 2: IN}).values()) == {None}  # a second of somebody else
    assert set(during(station, 9, 20, {1: BESIDE, 2: BESIDE}).values()) == {None}
    assert station.update(20, {1: IN}) == 1


def test_feet_that_the_picture_cuts_off_stand_at_its_edge() -> None:
    assert Station(PLACE).update(0, {1: (0.5, 1.3)}) == 1
    assert Station(PLACE).update(0, {1: (1.2, 0.9)}) is None


def test_only_who_has_the_station_is_counted_and_each_for_themselves() -> None:
    """Two do squats side by side; after 8 s the first goes aside and rests, and the second steps in."""
    observer = Observer("squat")
    observer.station = Station(((0.35, 0.3), (0.65, 0.3), (0.65, 1.0), (0.35, 1.0)))
    counted: dict[int, int] = {}
    left: list[tuple[int, float]] = []
    outside: set[int] = set()
    for number in range(1, round(20 * RATE)):
        first_in = number < 8 * RATE
        away = 260.0
        subjects = [
            squatting(number, 1) if first_in else moved(standing(1), who=1, x=away),
            moved(squatting(number, 2), who=2, x=-away if first_in else 0.0),
        ]
        seen = observer.update(frame(number, *subjects))
        assert len(seen) <= 1
        for one in seen:
            counted[one.person.id] = one.state.reps
        outside |= {one.id for one in observer.others}
        left += [(person.id, number / RATE) for person in observer.absent(number / RATE)]
    # the second is counted from the moment it has the place, 10 s: the far ends at 11, 13, 15, 17, 19
    assert counted == {1: 4, 2: 5}
    assert outside == {1, 2}
    ((who, when),) = left
    assert (who, round(when)) == (1, 10)


def test_without_a_station_everybody_is_counted_again() -> None:
    observer = Observer("squat")
    observer.station = Station(((0.0, 0.0), (0.1, 0.0), (0.1, 0.1)))
    assert observer.update(frame(1, standing(1), standing(2))) == []
    assert (observer.main, len(observer.others)) == (None, 2)
    observer.station = None
    assert len(observer.update(frame(2, standing(1), standing(2)))) == 2
    assert observer.others == []


def shown(foremost: Foremost, start: float, end: float, sizes: dict[int, float]) -> list[int | None]:
    return [foremost.update(tenth / 10, sizes) for tenth in range(round(start * 10), round(end * 10))]


def test_the_nearest_is_shown_without_going_to_and_fro() -> None:
    foremost = Foremost()
    assert foremost.update(0, {}) is None
    assert set(shown(foremost, 0, 5, {1: 200, 2: 190})) == {1}
    assert set(shown(foremost, 5, 9, {1: 195, 2: 230})) == {1}  # hardly larger
    assert set(shown(foremost, 9, 10, {1: 200, 2: 400})) == {1}  # walks through before the other
    assert set(shown(foremost, 10, 11.5, {2: 390})) == {1}  # hidden behind
    later = shown(foremost, 11.5, 60, {1: 200, 2: 400})
    assert later[-1] == 2
    assert later == sorted(later, key=lambda who: who or 0)  # it changes once


def test_who_has_gone_is_shown_no_longer() -> None:
    foremost = Foremost()
    shown(foremost, 0, 5, {1: 400, 2: 200})
    later = shown(foremost, 5, 10, {2: 200})
    assert (later[0], later[-1]) == (1, 2)
    assert shown(foremost, 10, 20, {})[-1] is None


def test_who_squats_is_not_taken_for_one_farther_away() -> None:
    observer = Observer("squat")
    main = {
        observer.main
        for number in range(1, round(10 * RATE))
        if observer.update(frame(number, moved(standing(2), who=2, size=0.9), squatting(number, 1)))
    }
    assert main == {1}
