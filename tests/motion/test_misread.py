"""What was elsewhere for a moment is put back; what moves stays as it is."""

from __future__ import annotations

import numpy as np

from edge.motion.misread import without_brief

RNG = np.random.default_rng(3)
MOMENTS = 60
LONGEST = 10


def level() -> np.ndarray:
    return RNG.normal(0, 0.01, MOMENTS)


def calmed(*courses: np.ndarray) -> np.ndarray:
    return without_brief(np.stack(courses, axis=1), LONGEST)


def test_brief_excursions_from_a_level_are_put_back() -> None:
    brief, unseen = level(), level()
    brief[25:34] += 1
    unseen[25:31] += 1
    unseen[20:25] = np.nan
    found = calmed(brief, unseen)
    assert np.nanmax(np.abs(found)) < 0.05
    assert np.isnan(found[20:25, 1]).all()


def test_longer_ones_steps_and_movements_stay() -> None:
    long, step, wave = level(), level(), np.sin(np.linspace(0, 2 * np.pi, MOMENTS))
    long[20:42] += 1
    step[30:] += 1
    courses = np.stack([long, step, wave], axis=1)
    assert np.array_equal(without_brief(courses, LONGEST), courses)


def test_too_few_moments_and_unseen_courses_stay() -> None:
    few, unseen = RNG.normal(0, 1, (2 * LONGEST, 1)), np.full((MOMENTS, 1), np.nan)
    assert without_brief(few, LONGEST) is few
    assert without_brief(few, 0) is few
    assert np.isnan(without_brief(unseen, LONGEST)).all()
