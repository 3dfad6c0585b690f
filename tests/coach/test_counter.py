"""Counting of a single progress signal: courses of known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.coach.counter import Counter, Excursion

RATE = 30.0


def count(progress: list[float], rate: float = RATE, min_s: float = 0.3) -> list[Excursion]:
    counter = Counter(min_s=min_s, max_s=30)
    done = [one for i, p in enumerate(progress) if (one := counter.update(i / rate, p))]
    return [one for one in done if not one.again]


def bump(seconds: float, height: float = 1.0, rate: float = RATE) -> list[float]:
    """One repetition: out and back as a raised cosine."""
    n = max(round(seconds * rate), 2)
    return [height * (1 - math.cos(2 * math.pi * i / n)) / 2 for i in range(n)]


def rest(seconds: float, level: float = 0.0) -> list[float]:
    return [level] * round(seconds * RATE)


@pytest.mark.parametrize("tempo", [0.5, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("reps", [1, 2, 12])
def test_even_repetitions(reps: int, tempo: float) -> None:
    done = count(rest(1) + bump(tempo) * reps + rest(1))
    assert [excursion.full for excursion in done] == [True] * reps


def test_where_and_how_far() -> None:
    (done,) = count(rest(1) + bump(2.0, 0.9) + rest(1))
    assert done.peaked == pytest.approx(2.0, abs=0.04)
    assert done.began == pytest.approx(1.0, abs=0.07)
    assert done.ended == pytest.approx(3.0, abs=0.07)
    assert done.low + done.span == pytest.approx(0.9, abs=0.005)
    assert done.low == pytest.approx(0, abs=0.005)


def test_counted_before_the_movement_is_over() -> None:
    """The person hears the number while coming back, not a second later."""
    done = count(rest(1) + bump(2.0)[:-8])
    assert len(done) == 1


@pytest.mark.parametrize(
    ("name", "course", "full", "partial"),
    [
        ("rest", rest(20), 0, 0),
        ("trembling", [0.1 * math.sin(i) for i in range(600)], 0, 0),
        ("stepped descent", [*np.repeat([0, 0.3, 0.55, 0.8, 1.0], 20).tolist(), *bump(2)[30:]], 1, 0),
        ("pause half-way", [*bump(2)[:15], *([0.5] * 90), *bump(2)[15:]], 1, 0),
        ("long hold at the far end", [*bump(2)[:30], *([1.0] * 200), *bump(2)[30:]], 1, 0),
        ("half repetitions", bump(2, 0.45) * 2, 0, 2),
        ("one half among full ones", bump(2) * 4 + bump(2, 0.5) + bump(2) * 2, 6, 1),
        ("never back: walking away at the far end", bump(2)[:30] + rest(5, 1.0), 0, 0),
        ("pulses at the bottom", bump(2)[:30] + [1 - 0.2 * p for p in bump(0.5) * 6] + bump(2)[30:], 1, 0),
        ("another rest position", rest(1) + [0.42 + 0.58 * p for p in bump(2) * 6] + rest(1), 6, 0),
        ("a long rest half-way", rest(1) + rest(40, 0.35) + [0.35 + 0.65 * p for p in bump(2) * 3], 3, 0),
        ("a misread moment at the far end", [*bump(2)[:30], 1.0, 0.45, 0.5, 1.0, 1.0, *bump(2)[30:]], 1, 0),
        ("starts at the far end", bump(2)[30:] + bump(2) * 3, 3, 0),
        ("in sight only from half-way out", bump(2)[16:] + bump(2) * 3, 4, 0),
        ("in sight only from half-way out, back half-way", bump(2)[16:46] + rest(2, 0.5), 0, 1),
        (
            "in sight at rest half-way",
            rest(1, 0.55) + [0.55 + 0.4 * p for p in bump(2)] + rest(1, 0.55),
            0,
            1,
        ),
    ],
)
def test_course(name: str, course: list[float], full: int, partial: int) -> None:
    done = count(course)
    assert (sum(e.full for e in done), sum(not e.full for e in done)) == (full, partial), name


def test_start_position_in_a_hole() -> None:
    """Between two repetitions somebody was out of sight: where they were seen last was no start position."""
    course = rest(1) + bump(2) * 3 + rest(1)
    hole = range(139, 166)  # from 0.36 on the way back to 0.5 on the next way out
    moments = [(i / RATE, p) for i, p in enumerate(course) if i not in hole]
    counter = Counter(min_s=0.3, max_s=30)
    done = [one for t, p in moments if (one := counter.update(t, p))]
    assert [one.full for one in done] == [True] * 4
    assert [one.again for one in done] == [False, False, False, True]
    assert done[2].peaked == done[3].peaked
    assert [one.low for one in done] == pytest.approx([0, 0, 0.36, 0], abs=0.05)


def test_own_range_is_learnt() -> None:
    """Someone who reaches 0.5 of the textbook each time does repetitions of their own size, not half ones."""
    done = count(bump(2, 0.5) * 8)
    assert [excursion.full for excursion in done] == [False] * 3 + [True] * 5


def test_too_fast_or_too_slow_is_no_repetition() -> None:
    assert count(bump(0.2)) == []
    assert count([i / 1200 for i in range(1200)] + bump(1)[15:]) == []


@settings(max_examples=300, deadline=None)
@given(
    reps=st.integers(1, 60),
    tempo=st.floats(0.5, 8.0),
    height=st.floats(0.75, 1.4),
    wobble=st.floats(0.0, 0.12),
    noise=st.floats(0.0, 0.03),
    pause=st.floats(0.0, 3.0),
    rate=st.sampled_from([15.0, 24.0, 30.0, 60.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_generated_sets_are_counted_exactly(
    reps: int, tempo: float, height: float, wobble: float, noise: float, pause: float, rate: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    course = [0.0] * round(rate)
    for _ in range(reps):
        course += bump(tempo * rng.uniform(0.85, 1.2), height * (1 + rng.uniform(-wobble, wobble)), rate)
        course += [0.0] * round(pause * rng.random() * rate)
    noisy = (np.array(course) + rng.normal(0, noise, len(course))).tolist()
    done = count(noisy, rate, min_s=0.15)
    assert sum(excursion.full for excursion in done) == reps
    assert [e.peaked for e in done] == sorted(e.peaked for e in done)
