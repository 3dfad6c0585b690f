"""Several people come, move and go before one camera."""

from __future__ import annotations

import math

import msgspec
import pytest

from edge.coach.observer import LEFT_AFTER_S, Observation, Observer
from edge.coach.summary import Summary
from edge.errors import ConfigError
from edge.link import PoseFrame, Subject
from edge.motion.grades import Measure
from tests.figure import Figure
from tests.several import in_turns, side_by_side
from wire.metrics import metrics

RATE = 30.0


def frame(number: int, *subjects: Subject) -> PoseFrame:
    return PoseFrame(
        camera="cam0",
        number=number,
        monotonic_ns=round(number / RATE * 1e9),
        utc_ns=None,
        width=640,
        height=480,
        timings={},
        subjects=subjects,
    )


def squatting(number: int, subject_id: int) -> Subject:
    p = (1 - math.cos(math.pi * number / RATE)) / 2
    figure = Figure(knee=(100 * p, 100 * p), hip=(90 * p, 90 * p), lean=30 * p, yaw=60)
    return msgspec.structs.replace(figure.subject(), id=subject_id)


def standing(subject_id: int) -> Subject:
    return msgspec.structs.replace(Figure(yaw=60).subject(), id=subject_id)


_COUNTED = ("set_start", "rep", "partial_rep", "set_end")


def squats(observer: Observer) -> list[str]:
    """What happens in five seconds of them, by kind."""
    seen = [one for number in range(1, 150) for one in observer.update(frame(number, squatting(number, 1)))]
    return [event.kind for one in seen for event in one.events if event.kind in _COUNTED]


def test_everyone_is_counted_for_themselves() -> None:
    observer = Observer("squat")
    for number in range(1, 240):
        seen = observer.update(frame(number, squatting(number, 1), standing(2)))
    assert {one.person.id: one.state.reps for one in seen} == {1: 4, 2: 0}
    assert observer.rate == pytest.approx(RATE, rel=0.01)


def test_those_out_of_sight_leave_after_a_while_and_their_set_ends() -> None:
    observer = Observer("squat")
    assert squats(observer) == ["set_start", "rep", "rep"]
    assert observer.absent(5 + LEFT_AFTER_S - 1) == []
    (person,) = observer.absent(5 + LEFT_AFTER_S + 1)
    assert [event.kind for event in person.events if event.kind in _COUNTED] == ["set_end"]
    assert observer.people == {}


def test_a_set_that_ends_out_of_sight_is_told_when_they_are_back() -> None:
    observer = Observer("squat")
    squats(observer)
    for number in range(150, 900):
        observer.update(frame(number))
    (seen,) = observer.update(frame(900, standing(1)))
    assert [event.kind for event in seen.events if event.kind in _COUNTED] == ["set_end"]
    assert seen.person.events == []


def test_another_exercise_is_chosen_in_the_middle() -> None:
    observer = Observer("squat")
    squats(observer)
    observer.choose("squat")
    assert observer.people[1].events == []  # the same again changes nothing
    observer.choose("biceps_curl")
    (seen,) = observer.update(frame(150, squatting(150, 1)))
    assert [event.kind for event in seen.events if event.kind in _COUNTED][-1] == "set_end"
    assert (seen.state.exercise, seen.state.reps) == ("biceps_curl", 0)
    with pytest.raises(ConfigError, match="moonwalk"):
        observer.choose("moonwalk")
    assert observer.choice == "biceps_curl"


def test_time_that_stands_still_or_goes_back_breaks_nothing() -> None:
    observer = Observer("auto")
    for number in (1, 2, 2, 1, 3, 3, 900_000, 4):
        observer.update(frame(number, squatting(number, 1)))
    assert math.isfinite(observer.rate)


def test_who_is_read_in_turns_has_a_rate_of_their_own() -> None:
    """Each is still counted, nobody leaves, and what needs more pictures says so."""
    alone = [frame(number, squatting(number, 1)) for number in range(1, 240)]
    told: dict[int, Observation] = {}
    observer = Observer("squat")
    for one in in_turns(side_by_side([alone] * 4), most=1):
        assert one.waiting == 3
        for seen in observer.update(one):
            told[seen.person.id] = seen
        assert observer.absent(one.monotonic_ns / 1e9) == []
    assert observer.rate == pytest.approx(RATE, rel=0.02)
    assert {who: seen.state.reps for who, seen in told.items()} == {1: 4, 2: 4, 3: 4, 4: 4}
    for seen in told.values():
        assert seen.person.pace.rate == pytest.approx(RATE / 4, rel=0.05)
        assert "low_frame_rate" in seen.measures["knee_flexion_left"].reasons
    assert len(told) == 4


def test_time_out_of_sight_is_no_slow_camera() -> None:
    observer = Observer("squat")
    for number in range(1, 60):
        observer.update(frame(number, standing(1)))
    for number in range(60, 240):
        observer.update(frame(number))
    (seen,) = observer.update(frame(240, standing(1)))
    assert seen.person.frames == 60  # the same one as before
    assert seen.person.pace.rate == pytest.approx(RATE, rel=0.02)
    for number in range(8, 30):  # and now a picture in two seconds
        (seen,) = observer.update(frame(number * 60, standing(1)))
    assert seen.person.pace.rate < 1


def test_summary_of_known_courses() -> None:
    summary = Summary()
    for i in range(1000):
        summary.add(
            {
                "knee_flexion_left": Measure(90 * i / 999, "A"),
                "knee_flexion_right": Measure(45.0, "C", ("out_of_plane",)),
                "elbow_flexion_left": Measure(None, "none", ("joint_hidden",)),
                "hip_flexion_left": Measure(10.0, "A") if i % 10 else Measure(170.0, "A"),
                "trunk_lean": Measure(5.0, "A" if i % 2 else "B", () if i % 2 else ("oblique_view",)),
            }
        )
    got = summary.measures()
    assert got["knee_rom_left"].value == pytest.approx(90 * 0.98, abs=1)
    assert got["knee_flexion_left_peak"] == Measure(pytest.approx(89, abs=1), "A")
    assert got["knee_rom_right"] == Measure(0.0, "C", ("out_of_plane",))
    assert got["elbow_rom_left"] == Measure(None, "none", ("joint_hidden",))
    assert got["hip_flexion_left_peak"].value == 170  # a tenth of the time is no outlier
    assert got["trunk_lean_peak"] == Measure(5.0, "B", ("oblique_view",))


def test_single_misread_pictures_are_no_peak() -> None:
    summary = Summary()
    for i in range(1000):
        summary.add({"knee_flexion_left": Measure(170.0 if i in (300, 700) else 20.0, "A")})
    assert summary.measures()["knee_flexion_left_peak"].value == 20


def test_every_session_metric_has_a_live_one() -> None:
    rows = metrics()
    assert all(
        row.of in rows and rows[row.of].statistic == "live"
        for row in rows.values()
        if row.statistic in ("peak", "range")
    )
    assert all(set(row.label) == {"en", "ko"} for row in rows.values())
