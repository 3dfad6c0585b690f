"""A change is told only where it is more than noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge.motion.change import FACTOR, changed, errors, least_change, standard_error
from edge.motion.grades import Measure
from tests.truth.measure_change import LEAST, ROOT, Spread, mirrored, ordered, page
from wire.metrics import metrics

KEY = "rep_range"


def test_the_table_knows_metrics_and_grades_only() -> None:
    assert errors().keys() <= metrics().keys()
    for row in errors().values():
        assert row
        assert row.keys() <= {"A", "B", "C"}
        assert all(0 < error < 1000 for error in row.values())
    for key in ("rep_range", "rep_peak_velocity_eccentric", "cadence", "jump_height", "sway_sideways"):
        assert key in errors()


def test_the_page_is_current() -> None:
    text = (ROOT / "docs/change.md").read_text(encoding="utf-8")
    assert text == page(errors()), "run: python -m tests.truth.measure_change"


def test_changes_beyond_the_least_one_only() -> None:
    error = standard_error(KEY, "A")
    assert error is not None
    least = FACTOR * error
    for difference, direction in (
        (0.98 * least, "not_detectable"), (1.02 * least, "increased"), (-1.02 * least, "decreased"),
        (0.0, "not_detectable"),
    ):  # fmt: skip
        change = changed(KEY, Measure(90.0, "A"), Measure(90.0 + difference, "A"))
        assert change.direction == direction
        assert change.difference == pytest.approx(difference)
        assert change.least == pytest.approx(least)


def test_without_a_value_or_an_error_nothing_is_told() -> None:
    none = Measure(None, "none", ("joint_hidden",))
    assert changed(KEY, none, Measure(90.0, "A")) == ("not_detectable", None, None)
    assert changed("no_such_metric", Measure(1.0, "A"), Measure(99.0, "A")) == ("not_detectable", 98.0, None)
    assert standard_error(KEY, "none") is None


def test_own_repeats_are_asked_from_five_on() -> None:
    table = standard_error(KEY, "A")
    assert table is not None
    wild = [80.0, 100.0, 90.0, 70.0, 110.0]
    assert standard_error(KEY, "A", wild[:4]) == table
    assert standard_error(KEY, "A", wild) == pytest.approx(np.std(wild, ddof=1) / math.sqrt(5))
    assert standard_error(KEY, "A", [90.0] * 5) == table  # the noise of keypoints stays
    assert standard_error("no_such_metric", "A", wild) == pytest.approx(np.std(wild, ddof=1) / math.sqrt(5))


def test_a_grade_that_was_never_seen_is_no_better_than_the_next_worse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(errors(), "made_up", {"B": 2.0})
    assert standard_error("made_up", "A") == 2.0
    assert standard_error("made_up", "C") is None


def test_one_in_twenty_differences_of_noise_is_told() -> None:
    dice = np.random.default_rng(1)
    first, second = dice.normal(0, 2, 20_000), dice.normal(0, 2, 20_000)
    assert np.mean(np.abs(first - second) > least_change((2, 2))) == pytest.approx(0.05, abs=0.005)


def test_both_sides_have_one_error() -> None:
    for key, row in errors().items():
        assert errors()[mirrored(key)] == row
    assert mirrored("rep_peak_left") == "rep_peak_right"


def test_grades_in_the_wrong_order_by_chance_are_one() -> None:
    few, many = 3 * LEAST, 100 * LEAST
    chance = ordered({"A": Spread(1.2, few), "B": Spread(1.0, few), "C": Spread(4.0, few)})
    assert chance == {"A": pytest.approx(math.sqrt(1.1)), "B": pytest.approx(math.sqrt(1.1)), "C": 2.0}
    sure = ordered({"A": Spread(1.2, many), "B": Spread(1.0, many)})
    assert sure["A"] > sure["B"]
    assert ordered({"A": Spread(9.0, LEAST - 1), "B": Spread(1.0, LEAST)}) == {"B": 1.0}
    assert ordered({"C": Spread(1.0, 1)}) == {}
