"""Repetitions of generated exercises, whose ranges, speeds and times are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.motion.angles import ROW
from edge.motion.body import Body
from edge.motion.grades import Measure
from edge.motion.lens import Lens
from edge.motion.repetition import (
    REPETITION_METRICS,
    Course,
    Moments,
    Repeated,
    both_limbs,
    mean_of,
    measure_repetition,
    read_repetition,
    spectral_arc_length,
)
from edge.motion.signals import Signals
from tests.truth.camera import Camera
from tests.truth.curves import ease
from tests.truth.exercises import curl, squat
from tests.truth.noise import Noise
from tests.truth.repetitions import Tempo
from wire.metrics import metrics

if TYPE_CHECKING:
    from tests.truth.motion import Motion

TEMPOS = {
    "usual": Tempo(),
    "slow": Tempo(reps=2, eccentric=3, pause=1, concentric=2),
    "quick": Tempo(eccentric=0.5, pause=0, concentric=0.4, rest=0.2),
    "without rest": Tempo(eccentric=0.8, pause=0, concentric=0.8, rest=0),
}


def course_of(
    motion: Motion, key: str, fps: float = 30, noise: Noise | None = None, yaw: float = 80
) -> Course:
    """The course of an angle as a camera sees it."""
    rows = []
    for frame in Camera(yaw=yaw, distance=4).see(motion, fps, noise=noise, jitter=0.05):
        for one in frame.subjects:
            lens = Lens(1280, 720, tilt=0.0)
            angles = Signals(Body.of(one.skeleton, one.points(), one.world_points(), lens)).angles
            at = ROW[key]
            rows.append((frame.monotonic_ns / 1e9, angles.value[at], angles.visibility[at], angles.tilt[at]))
    return Course(*np.array(rows).T)


def read_all(course: Course, tempo: Tempo, sign: float = 1.0) -> list[Repeated]:
    """Every repetition, from the course up to a moment after its end."""
    found = []
    for start in tempo.starts:
        moments = Moments(
            start,
            start + tempo.eccentric,
            start + tempo.period - tempo.rest,
            start - tempo.rest - tempo.concentric,
        )
        seen = course.times <= moments.ended + 0.4
        one = read_repetition(Course(*(column[seen] for column in course)), moments, sign)
        assert one is not None
        found.append(one)
    return found


@pytest.mark.parametrize("name", TEMPOS)
@pytest.mark.parametrize("fps", [24, 30, 60])
def test_without_noise_all_parts_are_as_they_were(name: str, fps: float) -> None:
    tempo = TEMPOS[name]
    motion = squat(tempo=tempo)
    truth = motion.truth
    for one in read_all(course_of(motion, "knee_flexion_right", fps), tempo):
        assert one.settled
        got = {key: measure.value for key, measure in measure_repetition(one, "eccentric").items()}
        assert got["rep_range"] == pytest.approx(truth["knee_flexion_range"], abs=1)
        assert got["rep_peak"] == pytest.approx(truth["knee_flexion_peak"], abs=1)
        for way in ("eccentric", "concentric"):
            assert got[f"rep_peak_velocity_{way}"] == pytest.approx(
                truth[f"knee_flexion_peak_velocity_{way}"], rel=0.06
            )
            assert got[f"rep_mean_velocity_{way}"] == pytest.approx(
                truth[f"knee_flexion_mean_velocity_{way}"], rel=0.05
            )
            assert got[f"rep_{way}_time"] == pytest.approx(truth[way], abs=0.05)
        assert got["rep_pause_time"] == pytest.approx(truth["pause"], abs=0.03)
        assert got["rep_smoothness"] == pytest.approx(-1.4, abs=0.02)


@pytest.mark.parametrize("name", TEMPOS)
def test_with_measured_noise(name: str) -> None:
    tempo = TEMPOS[name]
    motion = squat(tempo=tempo)
    truth = motion.truth
    found = read_all(course_of(motion, "knee_flexion_right", noise=Noise()), tempo)
    assert np.mean([one.out.size for one in found]) == pytest.approx(truth["knee_flexion_range"], abs=4)
    assert np.mean([one.out.time for one in found]) == pytest.approx(truth["eccentric"], abs=0.1)
    assert np.mean([one.back.time for one in found]) == pytest.approx(truth["concentric"], abs=0.1)
    speeds = np.mean([one.out.peak_speed for one in found])
    assert speeds == pytest.approx(truth["knee_flexion_peak_velocity_eccentric"], rel=0.2)


def test_an_angle_that_falls_on_the_way_out_is_the_same_in_a_mirror() -> None:
    tempo = TEMPOS["usual"]
    course = course_of(squat(tempo=tempo), "knee_flexion_right")
    mirrored = course._replace(value=-course.value)
    for one, other in zip(read_all(course, tempo), read_all(mirrored, tempo, sign=-1.0), strict=True):
        assert one.out == other.out
        assert one.peak == -other.peak


def test_the_way_out_is_the_concentric_one_where_the_exercise_says_so() -> None:
    tempo = Tempo(eccentric=0.8, pause=0.3, concentric=1.5)
    one = read_all(course_of(curl(tempo=tempo), "elbow_flexion_right"), tempo)[0]
    got = measure_repetition(one, "concentric")
    assert got["rep_concentric_time"].value == pytest.approx(0.8, abs=0.05)
    assert got["rep_eccentric_time"].value == pytest.approx(1.5, abs=0.05)


def test_before_the_way_back_is_over_it_says_so() -> None:
    tempo = TEMPOS["usual"]
    course = course_of(squat(tempo=tempo), "knee_flexion_right")
    seen = course.times <= 0.6 + 1.2 + 0.3 + 0.5
    one = read_repetition(Course(*(column[seen] for column in course)), Moments(0.6, 1.8, 3.1))
    assert one is not None
    assert not one.settled


@pytest.mark.parametrize(("fps", "grade"), [(30, "A"), (18, "B"), (12, "C"), (8, "none")])
def test_few_pictures_a_second_cost_speeds_the_grade(fps: float, grade: str) -> None:
    tempo = TEMPOS["usual"]
    one = read_all(course_of(squat(tempo=tempo), "knee_flexion_right", fps), tempo)[0]
    got = measure_repetition(one, "eccentric")
    assert got["rep_peak_velocity_eccentric"].grade == grade
    assert got["rep_range"].grade == "A"


def test_a_gap_at_the_far_end_leaves_no_grade_a() -> None:
    tempo = TEMPOS["usual"]
    course = course_of(squat(tempo=tempo), "knee_flexion_right")
    for length, grade in ((0.0, "A"), (0.4, "C"), (0.8, "none")):
        value = np.where(np.abs(course.times - 1.95) < length / 2, np.nan, course.value)
        moments = Moments(0.6, 1.8, 3.1)
        one = read_repetition(course._replace(value=value), moments)
        assert one is not None
        measure = measure_repetition(one, "eccentric")["rep_range"]
        assert measure.grade == grade
        assert (measure.value is None) == (grade == "none")


def test_sparc_of_a_smooth_movement_and_of_a_jerky_one() -> None:
    u = np.linspace(0, 1, 101)
    smooth = np.gradient(ease(u))
    jerky = smooth * (1 + 0.6 * np.sin(12 * np.pi * u))
    assert spectral_arc_length(smooth, 100) == pytest.approx(-1.41, abs=0.03)
    assert spectral_arc_length(smooth, 50) == pytest.approx(spectral_arc_length(smooth, 100), abs=0.1)
    assert spectral_arc_length(3 * smooth, 100) == pytest.approx(spectral_arc_length(smooth, 100))
    assert spectral_arc_length(jerky, 100) < spectral_arc_length(smooth, 100) - 0.5
    assert np.isnan(spectral_arc_length(np.zeros(50), 100))


def test_both_limbs_together_are_their_better_seen_ones() -> None:
    keys = [row.key for row in REPETITION_METRICS]
    good = {key: Measure(10.0, "A") for key in keys}
    rough = {key: Measure(20.0, "C", ("out_of_plane",)) for key in keys}
    got = both_limbs({"left": good, "right": rough})
    assert got["rep_range"] == Measure(10.0, "A")
    assert got["rep_range_right"] == Measure(20.0, "C", ("out_of_plane",))
    assert mean_of([good["rep_range"], Measure(30.0, "A")]).value == 20.0
    unseen = Measure(None, "none", ("joint_hidden",))
    assert mean_of([unseen, unseen]) == unseen


def test_every_row_is_in_the_catalogue() -> None:
    keys = {row.key for row in REPETITION_METRICS}
    keys |= {f"{row.key}_{side}" for row in REPETITION_METRICS if row.sided for side in ("left", "right")}
    assert keys == {key for key, row in metrics().items() if row.statistic == "repetition"}


@given(
    count=st.integers(0, 60),
    seed=st.integers(0, 2**32 - 1),
    rate=st.sampled_from([1.0, 10.0, 30.0, 1000.0]),
    spoil=st.sampled_from(["nothing", "nan", "still", "hidden", "huge"]),
)
@settings(deadline=None, max_examples=60)
def test_any_course_gives_grades_and_no_exception(count: int, seed: int, rate: float, spoil: str) -> None:
    dice = np.random.default_rng(seed)
    times = np.arange(count) / rate
    value, visibility, tilt = dice.normal(60, 40, count), dice.random(count), dice.uniform(0, 90, count)
    if spoil == "nan":
        value[dice.random(count) < 0.5] = np.nan
        tilt[:] = np.nan
    elif spoil == "still":
        value[:] = 10.0
    elif spoil == "hidden":
        visibility[:] = 0.0
    elif spoil == "huge":
        value *= 1e6
    began, peaked, ended = np.sort(dice.uniform(-0.5, count / rate + 0.5, 3))
    found = read_repetition(Course(times, value, visibility, tilt), Moments(began, peaked, ended))
    if found is not None:
        for measure in measure_repetition(found, "eccentric").values():
            assert measure.value is None or np.isfinite(measure.value)
