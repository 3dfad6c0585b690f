"""The rows of `recommendations.toml`."""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec

from wire.metrics import Species


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row: unknown fields are mistakes."""


class Rule(_Row, frozen=True, kw_only=True):
    """One recommendation, for whom it is, and for whom not."""

    key: str
    species: Species
    exercise: str
    """What to do; several rules may recommend the same in other doses."""
    guideline: bool = False
    """How much in all, not what: stands before the exercises."""
    general: bool = False
    """Given whatever the goal is, and where there are too few data."""
    goals: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    """What it moves or loads."""
    only_falling: bool = False
    """Given only where a measure of its regions falls."""
    excluded: tuple[str, ...] = ()
    """Conditions with which it is not recommended."""
    min_age: float | None = None
    """Years."""
    max_age: float | None = None
    """Years, including the whole of that year."""
    priority: int
    sets: int | None = None
    reps: int | None = None
    hold_s: int | None = None
    rest_s: int | None = None
    minutes_per_week: tuple[int, ...] = ()
    """One number, or from and to."""
    days_per_week: int | None = None
    source: str | None = None


class Region(_Row, frozen=True, kw_only=True):
    """A part of the body, and the measures of sessions that tell how it moves."""

    key: str
    measures: tuple[str, ...]


class Breed(_Row, frozen=True, kw_only=True):
    """A breed of dogs, by its names in lower case."""

    names: tuple[str, ...]
    heaviest_kg: float


class Safety(_Row, frozen=True, kw_only=True):
    """Limits of the safety filter."""

    sharp_percent: float
    ask_first: tuple[str, ...]
    obese_bmi: float
    adult_age: int
    obese_over_breed: float


class Limits(_Row, frozen=True, kw_only=True):
    """How long the list is, and what goes first."""

    most: int
    goal_bonus: int
    trend_bonus: int


class Rules(_Row, frozen=True, kw_only=True):
    """The file."""

    safety: Safety
    limits: Limits
    breed: tuple[Breed, ...]
    region: tuple[Region, ...]
    rule: tuple[Rule, ...]


@cache
def rules() -> Rules:
    """The rows of the file."""
    text = resources.files("cloud.api").joinpath("recommendations.toml").read_bytes()
    return msgspec.toml.decode(text, type=Rules)
