"""Advice in words, as the API and the pages give it: never without the four disclaimers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babel.numbers import format_decimal
from pydantic import BaseModel, Field

from wire.metrics import Species  # noqa: TC001 (pydantic reads the annotations)

if TYPE_CHECKING:
    from uuid import UUID

    from cloud.api.recommend import Advice, Change, Item, LeftOut, Reason
    from cloud.api.recommend_rules import Rule
    from cloud.api.texts import Texts

DISCLAIMERS = ("education", "no_advice", "ask", "own_risk")


class Disclaimer(BaseModel):
    """What this is not."""

    key: str
    text: str


class Disclaimers(BaseModel):
    """The four that stand wherever recommendations stand."""

    language: str
    disclaimers: list[Disclaimer] = Field(min_length=len(DISCLAIMERS))


class Recommendation(BaseModel):
    """Something to do, how much of it, and why."""

    key: str
    exercise: str
    name: str
    guideline: bool = Field(description="how much in all, not what")
    dose: str
    sets: int | None
    reps: int | None
    hold_s: int | None
    rest_s: int | None
    minutes_per_week: list[int] = Field(
        description="one number, or from and to; empty where it is not by time"
    )
    days_per_week: int | None
    purpose: str
    reasons: list[str] = Field(min_length=1)
    source: str | None


class NotRecommended(BaseModel):
    """What was left out for safety."""

    key: str
    exercise: str
    name: str
    because: str


class Recommendations(Disclaimers):
    """Recommendations for a person or a dog."""

    subject: str
    species: Species
    enough_data: bool = Field(description="false: only general ones are given")
    notes: list[str] = Field(description="what to know before; where to ask a vet or doctor first")
    recommendations: list[Recommendation]
    left_out: list[NotRecommended]


def disclaimers(words: Texts) -> list[Disclaimer]:
    """The four, in words."""
    return [Disclaimer(key=key, text=words.gettext(f"disclaimer.{key}")) for key in DISCLAIMERS]


def in_words(advice: Advice, subject: UUID, species: Species, words: Texts) -> Recommendations:
    """Advice for somebody, in words."""
    return Recommendations(
        language=words.language,
        disclaimers=disclaimers(words),
        subject=str(subject),
        species=species,
        enough_data=advice.enough_data,
        notes=_notes(advice, species, words),
        recommendations=[_recommendation(item, words) for item in advice.items],
        left_out=[_left_out(left, species, words) for left in advice.left_out],
    )


def _notes(advice: Advice, species: Species, words: Texts) -> list[str]:
    notes = [
        words.gettext(
            f"note.see_somebody_{species}",
            region=words.gettext(f"region.{species}.{region}"),
            change=_change(change, words),
        )
        for region, change in advice.see_somebody
    ]
    notes += [
        words.gettext(f"note.ask_first_{species}", condition=words.name("condition", key))
        for key in advice.ask_first
    ]
    notes += [words.gettext(f"note.derived_{key}_{species}") for key in advice.derived]
    if any(left.obstacle == "age_unknown" for left in advice.left_out):
        notes.append(words.gettext(f"note.age_unknown_{species}"))
    if not advice.enough_data:
        notes.append(words.gettext("note.too_few_data"))
    return notes


def _recommendation(item: Item, words: Texts) -> Recommendation:
    rule = item.rule
    return Recommendation(
        key=rule.key,
        exercise=rule.exercise,
        name=words.gettext(f"exercise.{rule.exercise}"),
        guideline=rule.guideline,
        dose=dose(rule, words),
        sets=rule.sets,
        reps=rule.reps,
        hold_s=rule.hold_s,
        rest_s=rule.rest_s,
        minutes_per_week=list(rule.minutes_per_week),
        days_per_week=rule.days_per_week,
        purpose=words.gettext(f"why.{rule.key}"),
        reasons=[_reason(reason, words) for reason in item.reasons],
        source=rule.source,
    )


def dose(rule: Rule, words: Texts) -> str:
    """How much of it, such as "3 sets of 10 · 90 s rest · 2 days a week"."""
    parts = []
    if rule.sets is not None:
        unit = "reps_held" if rule.reps and rule.hold_s else "reps" if rule.reps else "held"
        parts.append(words.gettext(f"dose.sets_{unit}", sets=rule.sets, reps=rule.reps, seconds=rule.hold_s))
    if rule.minutes_per_week:
        key = "dose.minutes" if len(rule.minutes_per_week) == 1 else "dose.minutes_range"
        parts.append(words.gettext(key, low=rule.minutes_per_week[0], high=rule.minutes_per_week[-1]))
    if rule.rest_s is not None:
        parts.append(words.gettext("dose.rest", seconds=rule.rest_s))
    if rule.days_per_week is not None:
        key = {1: "dose.one_day", 7: "dose.every_day"}.get(rule.days_per_week, "dose.days")
        parts.append(words.gettext(key, days=rule.days_per_week))
    return " · ".join(parts)


def _reason(reason: Reason, words: Texts) -> str:
    if reason.change is not None:
        return words.gettext("reason.falling", change=_change(reason.change, words))
    if reason.goal is not None:
        return words.gettext("reason.goal", goal=words.name("goal", reason.goal))
    return words.gettext(f"reason.{reason.cause}")


def _left_out(left: LeftOut, species: Species, words: Texts) -> NotRecommended:
    what = ""
    if left.obstacle in ("condition", "unknown_condition"):
        what = words.name("condition", left.what)
    elif left.obstacle == "region":
        what = words.gettext(f"region.{species}.{left.what}")
    return NotRecommended(
        key=left.rule.key,
        exercise=left.rule.exercise,
        name=words.gettext(f"exercise.{left.rule.exercise}"),
        because=words.gettext(f"obstacle.{left.obstacle}", what=what),
    )


def _change(change: Change, words: Texts) -> str:
    values = {
        "measure": words.gettext(f"measure.{change.measure}"),
        "exercise": words.name("exercise", change.exercise),
        "weeks": change.weeks,
    }
    if change.percent is None:
        return words.gettext("change.unknown", **values)
    percent = format_decimal(abs(round(change.percent)), locale=words.language)
    key = "change.fell" if change.percent < 0 else "change.rose"
    return words.gettext(key, percent=percent, **values)
