"""Gait of generated walks whose contacts, lengths and times are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.motion.body import INDEX
from edge.motion.gait import gait
from edge.motion.gait_kind import gait_kind, is_gait
from edge.motion.gait_measures import GAIT_METRICS, measure_gait
from edge.motion.progress import progress
from edge.motion.track import Track
from edge.motion.walk import Walk
from tests.motion.walks import lens_of, read, track_of
from tests.truth.camera import Camera
from tests.truth.walking import run, walk
from wire.metrics import metrics

if TYPE_CHECKING:
    from tests.truth.motion import Motion

WALKS: dict[str, Motion] = {
    "walk": walk(treadmill=True),
    "slow": walk(speed=0.8, cadence=85, stance=0.66, treadmill=True),
    "fast": walk(speed=1.7, cadence=125, stance=0.58, treadmill=True),
    "uneven": walk(asymmetry=0.1, treadmill=True),
    "limp": walk(limp=0.06, treadmill=True),
    "long and short": walk(length_asymmetry=0.1, treadmill=True),
    "past the camera": walk(duration_s=5),
    "run": run(treadmill=True),
}


def contact_errors(motion: Motion, found: Walk) -> list[float]:
    """Seconds that each contact is late; NaN for one that was missed. The first and last 0.3 s are left out."""
    errors = []
    start, end = found.progress.times[0] + 0.3, found.progress.times[-1] - 0.3
    for true in motion.contacts:
        if start < true.t < end:
            kind = "contact" if true.kind == "strike" else "lift"
            near = [c.t - true.t for c in found.gait.contacts if (c.foot, c.kind) == (true.foot, kind)]
            best = min(near, key=abs, default=np.nan)
            errors.append(best if abs(best) < 0.15 else np.nan)
    return errors


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize(("yaw", "tilt"), [(90, 0), (75, 20), (110, -10), (-90, 0)])
def test_contacts_in_a_side_view(name: str, yaw: float, tilt: float) -> None:
    errors = contact_errors(WALKS[name], read(WALKS[name], yaw=yaw, tilt=tilt))
    assert len(errors) >= 10
    assert np.isfinite(errors).all()
    assert np.abs(errors).max() < 0.02


@pytest.mark.parametrize("yaw", [0, 40, 180])
def test_from_the_front_space_tells_contacts_and_says_so(yaw: float) -> None:
    found = read(WALKS["walk"], yaw=yaw)
    assert np.abs(contact_errors(WALKS["walk"], found)).max() < 0.02
    cadence = measure_gait(found)["cadence"]
    assert cadence.value == pytest.approx(110, rel=0.01)
    assert cadence.grade == "C"
    assert "monocular_depth" in cadence.reasons


def true_measures(motion: Motion) -> dict[str, float]:
    t = motion.truth

    def index(what: str) -> float:
        left, right = t[f"{what}_left"], t[f"{what}_right"]
        return (left - right) / (left + right)

    return {
        "cadence": t["cadence"],
        "stride_length": (t["stride_length_left"] + t["stride_length_right"]) / 2,
        "gait_speed": t["speed"],
        "step_length_left": t["step_length_left"],
        "step_length_right": t["step_length_right"],
        "stance_left": 100 * t["stance_left"],
        "stance_right": 100 * t["stance_right"],
        "double_support": 100 * t["double_support"],
        "step_time_symmetry": index("step_time"),
        "step_length_symmetry": index("step_length"),
        "stance_symmetry": index("stance"),
    }


WITHIN: dict[str, dict[str, float]] = {
    "cadence": {"rel": 0.01}, "stride_length": {"rel": 0.02}, "gait_speed": {"rel": 0.02},
    "step_length_left": {"rel": 0.025}, "step_length_right": {"rel": 0.025},
    "stance_left": {"abs": 2}, "stance_right": {"abs": 2}, "double_support": {"abs": 3},
    "step_time_symmetry": {"abs": 0.02}, "step_length_symmetry": {"abs": 0.02}, "stance_symmetry": {"abs": 0.02},
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in WALKS if name != "run"])
@pytest.mark.parametrize("yaw", [90, 75, -100])
def test_measures_of_walks(name: str, yaw: float) -> None:
    found = read(WALKS[name], yaw=yaw)
    got = measure_gait(found)
    for key, true in true_measures(WALKS[name]).items():
        assert got[key].value == pytest.approx(true, **WITHIN[key]), key
        if len(found.gait.strides) >= 8:
            assert got[key].grade == "A", key
        else:
            assert (got[key].grade, got[key].reasons) == ("B", ("few_strides",)), key


def test_a_run_is_one_and_its_lengths_are_no_better_than_b() -> None:
    found = read(WALKS["run"])
    got = measure_gait(found)
    assert gait_kind(found) == "run"
    assert got["double_support"].value == 0.0
    assert got["stance_left"].value == pytest.approx(35, abs=2)
    assert got["stride_length"].value == pytest.approx(WALKS["run"].truth["stride_length_left"], rel=0.1)
    assert got["stride_length"].grade == "B"


def test_variability() -> None:
    motion = walk(cv=0.05, duration_s=20, treadmill=True)
    got = measure_gait(read(motion))["stride_time_cv"]
    assert got.value == pytest.approx(100 * motion.truth["stride_time_cv_left"], abs=1.0)
    even = measure_gait(read(WALKS["walk"]))["stride_time_cv"]
    assert even.value == pytest.approx(0, abs=0.5)


def test_without_a_body_height_there_are_no_metres() -> None:
    got = measure_gait(read(WALKS["walk"], height_m=None))
    assert got["stride_length"] == (None, "none", ("not_calibrated",))
    assert got["stride_length_relative"].value == pytest.approx(1.418 / 1.75, rel=0.02)


@pytest.mark.parametrize(("fps", "grade"), [(60, "A"), (24, "A"), (21, "B"), (15, "C"), (11, "none")])
def test_few_pictures_a_second_cost_the_grade(fps: float, grade: str) -> None:
    assert measure_gait(read(WALKS["walk"], fps=fps))["cadence"].grade == grade


def test_two_strides_are_a_rough_gait_and_one_is_none() -> None:
    short = measure_gait(read(WALKS["walk"], end=2.7))
    assert short["cadence"].grade == "C"
    assert "few_strides" in short["cadence"].reasons
    assert short["stride_time_cv"].grade == "none"
    assert measure_gait(read(WALKS["walk"], end=1.2))["cadence"] == (None, "none", ("no_gait",))


def test_lengths_of_an_unknown_tilt_are_no_better_than_b() -> None:
    got = measure_gait(read(WALKS["walk"], tilt_known=False))
    assert (got["stride_length"].grade, got["stride_length"].reasons) == ("B", ("tilt_unknown",))
    assert got["stride_length"].value == pytest.approx(1.418, rel=0.12)
    assert got["cadence"].grade == "A"


def test_legs_that_change_names_are_put_right() -> None:
    frames = Camera(yaw=90, distance=5).see(WALKS["walk"], 30)
    track = track_of(frames)
    legs = [
        INDEX[f"{joint}_{side}"] for side in ("left", "right") for joint in ("knee", "ankle", "heel", "toe")
    ]
    wrong = track.image.copy()
    dice = np.random.default_rng(3)
    exchanged = np.flatnonzero(dice.random(len(track)) < 0.08)
    half = len(legs) // 2
    wrong[np.ix_(exchanged, np.array(legs))] = wrong[np.ix_(exchanged, np.array(legs[half:] + legs[:half]))]
    mended = Track(track.times, wrong, track.space, track.visibility).cleaned(0.3)
    apart = np.abs(mended.image[:, legs] - track.image[:, legs]).max(axis=(1, 2))
    assert np.nanmean(apart[exchanged] < 1) > 0.95
    assert np.nanmean(apart < 1) > 0.97


def test_a_foot_misread_for_three_pictures_of_a_stance_has_not_swung() -> None:
    motion = WALKS["slow"]
    track = track_of(Camera(yaw=90, distance=5).see(motion, 30))
    foot = [INDEX[f"{joint}_right"] for joint in ("ankle", "heel", "toe")]
    wrong = track.image.copy()
    lands = [contact.t for contact in motion.contacts if (contact.foot, contact.kind) == ("right", "strike")]
    for landing in lands[1:-1]:
        at = int(np.searchsorted(track.times, landing + 0.45))
        ahead = track.image[at - 12, foot[0], 0] - track.image[at, foot[0], 0]
        wrong[at : at + 3, foot, 0] += 0.9 * ahead
    cleaned = Track(track.times, wrong, track.space, track.visibility).cleaned(0.3)
    way = progress(cleaned, "human", lens_of(0.0))
    assert way is not None
    found = Walk(gait(way, "human"), way, "human", 1.75, 30.0)
    assert gait_kind(found) == "walk"
    assert measure_gait(found)["cadence"].value == pytest.approx(motion.truth["cadence"], rel=0.02)
    assert measure_gait(found)["stance_right"].value == pytest.approx(66, abs=4)


def test_what_is_no_gait_is_not_measured() -> None:
    frames = Camera(yaw=90, distance=5).see(WALKS["walk"], 30)
    still = track_of(frames[:1] * 1).times
    assert len(still) == 1
    one = track_of(frames)
    frozen = Track(
        one.times,
        np.repeat(one.image[:1], len(one), 0),
        np.repeat(one.space[:1], len(one), 0),
        one.visibility,
    )
    way = progress(frozen.cleaned(), "human", lens_of(0.0))
    assert way is not None
    found = Walk(gait(way, "human"), way, "human", 1.75, 30.0)
    assert not is_gait(found)
    assert gait_kind(found) is None
    assert {measure.value for measure in measure_gait(found).values()} == {None}


def test_every_row_is_in_the_catalogue() -> None:
    in_catalogue = {key: set(row.species) for key, row in metrics().items() if row.statistic == "gait"}
    assert {row.key: set(row.species) for row in GAIT_METRICS} == in_catalogue


@given(
    count=st.integers(0, 40),
    seed=st.integers(0, 2**32 - 1),
    rate=st.sampled_from([1.0, 10.0, 30.0, 1000.0]),
    spoil=st.sampled_from(["nothing", "nan", "inf", "same", "hidden", "backwards", "upside down", "half"]),
)
@settings(deadline=None, max_examples=60)
def test_any_track_gives_grades_and_no_exception(count: int, seed: int, rate: float, spoil: str) -> None:
    dice = np.random.default_rng(seed)
    points = len(INDEX)
    times: Any = np.arange(count) / rate
    image, space = dice.normal(0, 100, (count, points, 2)), dice.normal(0, 1, (count, points, 3))
    visibility = dice.random((count, points))
    if spoil in ("nan", "inf"):
        for values in (image, space):
            values[dice.random(values.shape) < 0.3] = np.nan if spoil == "nan" else np.inf
        image[~np.isfinite(image)] = np.nan
        space[~np.isfinite(space)] = np.nan
    elif spoil == "same":
        image[:], space[:] = 1.0, 0.0
    elif spoil == "hidden":
        visibility[:] = 0.0
    elif spoil == "upside down":
        image[..., 1] *= -1
        space[..., 1] *= -1
    elif spoil == "half":
        image[:, : points // 2] = np.nan
    track = Track(times, image, space, visibility).cleaned()
    for species in ("human", "dog"):
        way = progress(track, species, lens_of(None))
        if way is None:
            continue
        measures = measure_gait(Walk(gait(way, species), way, species, 1.7, track.rate))
        for measure in measures.values():
            assert measure.value is None or np.isfinite(measure.value)


def test_a_track_keeps_only_rising_times() -> None:
    frames = Camera(yaw=90, distance=5).see(WALKS["walk"], 30)[:6]
    bodies = [frames[index] for index in (0, 1, 1, 0, 2)]
    assert track_of(bodies).times == pytest.approx([0, 1 / 30, 2 / 30])
