"""A session against the one before: what changed by more than the error of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.coach.records import RepetitionMeasure
from edge.motion.change import errors, least_change
from tests.store.samples import begin, repetition

if TYPE_CHECKING:
    from edge.store import Session, Store
    from edge.store.records import SessionCalibration

KEY = "knee_rom_right"


def recorded(
    store: Store,
    exercise: str | None,
    values: dict[str, float | None],
    *,
    grade: str = "A",
    ranges: tuple[float, ...] = (),
    species: str = "human",
    calibration: SessionCalibration | None = None,
) -> str:
    session = begin(store, species=species)
    if calibration is not None:
        store.calibrated(session, calibration)
    if exercise is not None:
        done = store.begin_set(session, exercise=exercise, t=0.0)
        for t, degrees in enumerate(ranges or (90.0,)):
            measures = {"rep_range": RepetitionMeasure(degrees, "A")}
            store.add_repetition(done, repetition(float(t), measures=measures))
    for key, value in values.items():
        store.add_measurement(session, key, value, "none" if value is None else grade, [])  # type: ignore[arg-type]
    store.end_session(session, t=30.0, reason="left")
    store.flush()
    return session


def before_and_after(store: Store, before: float, after: float) -> Session:
    recorded(store, "squat", {KEY: before})
    return store.session(recorded(store, "squat", {KEY: after}))


@pytest.mark.parametrize(
    ("share", "direction"),
    [(1.1, "increased"), (-1.1, "decreased"), (0.9, "not_detectable"), (-0.9, "not_detectable")],
)
def test_only_what_is_beyond_the_error_is_a_change(store: Store, share: float, direction: str) -> None:
    least = least_change((errors()[KEY]["A"], errors()[KEY]["A"]))
    change = before_and_after(store, 90.0, 90.0 + share * least).measurements[KEY].change
    assert change is not None
    assert change.direction == direction
    assert (change.before, change.difference) == (90.0, pytest.approx(share * least))
    assert change.least == pytest.approx(least)


def test_the_one_before_did_the_same(store: Store) -> None:
    first = recorded(store, "squat", {KEY: 90.0})
    recorded(store, "lunge", {KEY: 70.0})
    recorded(store, "squat", {KEY: 60.0}, species="dog")
    recorded(store, None, {KEY: 50.0})
    now = store.session(recorded(store, "squat", {KEY: 90.0}))
    assert now.compared_with is not None
    assert now.compared_with.id == first
    alone = store.session(first)
    assert alone.compared_with is None
    assert alone.measurements[KEY].change is None


def test_what_has_no_value_or_no_known_error_has_no_change(store: Store) -> None:
    recorded(store, "squat", {KEY: None, "trunk_lean_peak": 5.0})
    now = store.session(recorded(store, "squat", {KEY: 90.0, "trunk_lean_peak": None, "stance_left": 60.0}))
    assert {key: one.change for key, one in now.measurements.items()} == dict.fromkeys(now.measurements)


def test_a_persons_own_spread_counts(store: Store) -> None:
    """Between repetitions that differ much, the mean must change more before it is told."""
    told = {}
    for name, spread in (("even", 0.1), ("uneven", 12.0)):
        for mean in (90.0, 98.0):
            ranges = tuple(mean + side * spread for side in (-1, 1, -1, 1, -1, 1))
            last = recorded(store, "squat", {"rep_range": mean}, ranges=ranges)
        change = store.session(last).measurements["rep_range"].change
        assert change is not None
        told[name] = change
    assert told["even"].direction == "increased"
    assert told["uneven"].direction == "not_detectable"
    assert told["uneven"].least > 2 * told["even"].least
