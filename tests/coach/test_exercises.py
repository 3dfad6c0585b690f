"""The whole table of exercises: complete, in both languages, possible for bodies, and without contradictions."""

from __future__ import annotations

import csv
import html
import json
import math
import re
from typing import TYPE_CHECKING

import pytest

from edge.coach.compendium import activities
from edge.coach.exercise import MUSCLES, TEMPO
from edge.coach.library import exercises, parse
from edge.coach.page import EXAMPLE, PAGE, page
from edge.motion.signals import SIGNALS
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from edge.coach.exercise import Bounds, Exercise

ROWS = list(exercises().values())
SPAN = {signal.name: signal for signal in SIGNALS}
_PROMISED = """
squat jump_squat push_up biceps_curl jumping_jack seal_jack sit_up crunch lunge split_squat side_lunge shoulder_press
front_raise lateral_raise pull_up overhead_clap hand_clap plank side_plank wall_sit high_knees calf_raise leg_raise
mountain_climber burpee romanian_deadlift deadlift row triceps_dip glute_bridge sit_to_stand standing_balance
dog_sit_to_stand dog_down_to_stand dog_figure_walk dog_cavaletti
"""
PROMISED = _PROMISED.split()
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])


def test_the_promised_exercises_are_there() -> None:
    counted = {row.id for row in ROWS if row.kind != "other"}
    assert set(PROMISED) <= counted
    assert {"walk", "run"} <= {row.id for row in ROWS if row.kind == "other"}
    assert {row.id for row in ROWS if row.kind == "hold"} == {
        *("plank", "side_plank", "wall_sit", "standing_balance"),
    }
    assert {row.id for row in ROWS if row.species == "dog"} == {
        name for name in PROMISED if name.startswith("dog_")
    }


@every_row
def test_texts_are_in_both_languages(row: Exercise) -> None:
    texts = [row.name, *(rule.cue for rule in row.form), *(rule.praise for rule in row.form if rule.praise)]
    for text in texts:
        assert re.search(r"[a-z]", text["en"])
        assert not re.search(r"[가-힣]", text["en"])
        assert re.search(r"[가-힣]", text["ko"])
        assert not re.search(r"[a-zA-Z]", text["ko"])
    for text in texts[1:]:
        assert text["en"].endswith(".")
        assert re.search(r"[요]\.$", text["ko"]), "polite, as the rest of the dashboard speaks"
        assert len(text["en"]) <= 60, "it is spoken"


@every_row
def test_what_an_exercise_is_for_is_said(row: Exercise) -> None:
    if row.kind in ("rhythm", "other"):
        assert not row.form
        return
    assert row.form, "something is good form"
    assert row.muscles.prime
    assert row.muscles.stabilisers
    assert not set(row.muscles.prime) & set(row.muscles.stabilisers)
    # The Compendium is one of people.
    assert bool(re.fullmatch(r"[0-9]{5}", row.met)) == (row.species == "human")


@every_row
def test_bounds_are_what_bodies_do(row: Exercise) -> None:
    for table in ("start", "far", "always", "travel"):
        for name, bounds in getattr(row, table).items():
            signal = SPAN[name.removesuffix("_other")]
            least, most = (
                (0, signal.most - signal.least) if table == "travel" else (signal.least, signal.most)
            )
            assert all(least <= bound <= most for bound in bounds if math.isfinite(bound)), (table, name)
    for part in row.parts:
        signal = SPAN[part.signal]
        assert all(signal.least <= end <= signal.most for end in (part.rest, part.full)), part.signal
        # Less is lost in what the pose model is off by.
        assert abs(part.full - part.rest) > 1.3 * signal.soft, part.signal


@every_row
def test_a_textbook_repetition_is_one_of_the_row_and_good(row: Exercise) -> None:
    for part in row.parts:
        ends = {"start": part.rest, "far": part.full, "travel": abs(part.full - part.rest)}
        for when, value in ends.items():
            bounds = getattr(row, when).get(part.signal)
            assert bounds is None or _within(value, bounds), (when, part.signal)
        always = row.always.get(part.signal)
        assert always is None or _within((part.rest + part.full) / 2, always), part.signal
        for rule in row.form:
            if rule.signal == part.signal and rule.of in ends:
                assert _within(ends[rule.of], rule.good), rule.id


@every_row
def test_good_form_is_possible(row: Exercise) -> None:
    for rule in row.form:
        if rule.signal in TEMPO:
            assert rule.good[0] < row.max_s
            continue
        tables = {"start": (row.start, row.always), "far": (row.far, row.always), "travel": (row.travel,)}
        for table in tables.get(rule.of, ()):
            low, high = table.get(rule.signal, (-math.inf, math.inf))
            assert max(low, rule.good[0]) < min(high, rule.good[1]), rule.id


def test_rows_differ_in_what_tells_them_apart() -> None:
    def told_by(row: Exercise) -> object:
        return row.kind, row.species, row.sides, row.parts, row.start, row.far, row.always, row.travel

    for number, row in enumerate(ROWS):
        for other in ROWS[:number]:
            assert told_by(row) != told_by(other), (row.id, other.id)
            assert row.name["en"] != other.name["en"]
            assert row.name["ko"] != other.name["ko"]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_muscle_has_a_name(language: str) -> None:
    file = ROOT / f"edge/web/ui/src/locales/{language}.json"
    named = json.loads(file.read_text(encoding="utf-8"))["muscle"]
    assert set(named) == set(MUSCLES)
    assert {code for row in ROWS for code in (*row.muscles.prime, *row.muscles.stabilisers)} <= set(MUSCLES)
    assert len(set(named.values())) == len(named)


def test_what_activities_cost_is_what_the_compendium_says(data_dir: Path) -> None:
    file = data_dir / "met/compendium2011.csv"
    if not file.exists():
        pytest.skip("missing: the Compendium")
    with file.open(encoding="utf-8") as opened:
        lines = [line for line in csv.reader(opened, delimiter="|", quoting=csv.QUOTE_NONE) if len(line) > 6]
    known = {line[4]: (line[5], html.unescape(" ".join(line[6].split()))) for line in lines}
    for code, activity in activities().items():
        met, text = known[code]
        assert activity.met == float(met)
        assert activity.activity == text.replace(" ,", ",")


def test_the_page_of_exercises_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m edge.coach.page"


def test_the_page_explains_with_a_row_that_works() -> None:
    row = parse(EXAMPLE.encode(), "wall_push_up.toml")
    assert row.id == "wall_push_up"
    assert EXAMPLE in page()


def _within(value: float, bounds: Bounds) -> bool:
    return bounds[0] <= value <= bounds[1]
