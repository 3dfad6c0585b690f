"""What begins and ends when, by generated courses of one number; and the table as a whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.trouble import BY_CODE, KINDS, Change, Kind, Sign, Troubles, words
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

BELOW = [kind for kind in KINDS if kind.ends > kind.begins]


def bad(kind: Kind) -> float:
    """Clearly on the wrong side."""
    return kind.begins * (0.5 if kind in BELOW else 2.0)


def good(kind: Kind) -> float:
    """Clearly on the right side."""
    return kind.ends * 1.5 if kind in BELOW else 0.0


def run(kind: Kind, value: Callable[[float], float | None], seconds: float) -> list[tuple[float, Change]]:
    """What is told while the number is `value(t)`, looked at once a second."""
    troubles = Troubles()
    told = []
    for t in np.arange(0.0, seconds):
        number = value(t)
        signs = {} if number is None else {kind.code: Sign(number, "x")}
        told += [(float(t), change) for change in troubles.update(signs, float(t))]
    return told


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_what_lasts_begins_once_and_ends_once(kind: Kind) -> None:
    told = run(kind, lambda t: bad(kind) if 300 <= t < 900 else good(kind), 1500)
    assert [change.began for _, change in told] == [True, False]
    (began, first), (ended, last) = told
    assert began == 300 + kind.begins_after
    assert ended == 900 + kind.ends_after
    assert first.sign.value == bad(kind)
    assert last.lasted == ended - began
    assert kind.code in last.text


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_moment_and_what_lies_between_the_bounds_are_nothing(kind: Kind) -> None:
    short = max(kind.begins_after - 1, 0)
    between = (kind.begins + kind.ends) / 2
    assert run(kind, lambda t: bad(kind) if 0 < t % 500 < short else good(kind), 2000) == []
    assert run(kind, lambda _: between, 1000) == []
    began = run(kind, lambda t: bad(kind) if t < 400 else between, 1000)
    assert [change.began for _, change in began] == [True] or kind.begins == kind.ends


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_what_comes_and_goes_all_day_is_no_flood(kind: Kind) -> None:
    period = 2 * (kind.begins_after + kind.ends_after) + 4
    told = run(kind, lambda t: bad(kind) if t % period < period / 2 else good(kind), 6 * 3600)
    beginnings = [t for t, change in told if change.began]
    assert beginnings
    assert all(sum(t <= other < t + 600 for other in beginnings) <= 5 for t in beginnings)
    assert [change.began for _, change in told] == [n % 2 == 0 for n in range(len(told))]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_noise_around_the_bound_tells_little(kind: Kind) -> None:
    rng = np.random.default_rng(5)
    told = run(kind, lambda _: float(kind.begins * rng.normal(1.0, 0.05)), 3600)
    assert len(told) <= 12


def test_nothing_to_say_is_no_trouble() -> None:
    kind = BY_CODE["confidence"]
    told = run(kind, lambda t: bad(kind) if t < 100 else None, 300)
    assert [change.began for _, change in told] == [True, False]


# The table


def test_codes_are_unique_and_words_whole() -> None:
    assert len(BY_CODE) == len(KINDS)
    for kind in KINDS:
        assert re.fullmatch(r"[a-z_]{3,20}", kind.code)
        assert kind.ends_after > 0
        said = words(kind, Sign(0.5, "model"))
        assert "{" not in said
        assert said[0].islower()
        assert kind.remedy.endswith(".")


def test_the_document_has_a_row_for_each() -> None:
    """docs/doctor.md: a table of symptom, code, what is said, what to do."""
    text = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .+ \| `([a-z_]+)` \| (.+) \| (.+) \|$", text, re.MULTILINE)
    assert [code for code, _, _ in rows] == [kind.code for kind in KINDS]
    for (_, said, remedy), kind in zip(rows, KINDS, strict=True):
        example = re.escape(kind.says).replace(r"\{detail\}", ".+")
        assert re.fullmatch(re.sub(r"\\\{value[^}]*\}", r"[0-9.]+%?", example), said), (said, kind.says)
        assert remedy == kind.remedy
