"""What to recommend to whom, in three tiers: what the profile makes unsafe goes, then trends and the goal decide.

Pure: profile, trends and rules in, advice out. Everything comes with its reasons as codes; `recommend_text.py`
puts them into words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from cloud.api.recommend_rules import Rule, Rules
from wire.metrics import Species

if TYPE_CHECKING:
    from collections.abc import Sequence

Direction = Literal["improving", "stable", "declining", "unknown"]
Cause = Literal["guideline", "general", "goal", "falling"]
Obstacle = Literal["condition", "unknown_condition", "too_young", "too_old", "age_unknown", "region"]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a person or a dog."""

    species: Species
    age: tuple[float, float] | None = None
    """Years, at least and at most: a birth year leaves one year open."""
    breed: str | None = None
    height_m: float | None = None
    weight_kg: float | None = None
    conditions: tuple[str, ...] = ()
    goal: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """How a measure of one exercise went over the last weeks."""

    measure: str
    exercise: str
    direction: Direction
    percent: float | None
    """From the first week to the last; None where it cannot be told."""
    weeks: int


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is recommended."""

    cause: Cause
    goal: str | None = None
    change: Change | None = None


class Item(msgspec.Struct, frozen=True):
    """One recommendation."""

    rule: Rule
    reasons: tuple[Reason, ...]


class LeftOut(msgspec.Struct, frozen=True):
    """What would have been recommended but for safety, and the first thing that stood against it."""

    rule: Rule
    obstacle: Obstacle
    what: str = ""
    """The condition or the region."""


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """Everything to tell."""

    enough_data: bool
    derived: tuple[str, ...]
    """Conditions that follow from weight, height and breed."""
    ask_first: tuple[str, ...]
    """Conditions with which to ask before anything."""
    see_somebody: tuple[tuple[str, Change], ...]
    """Regions that lost sharply, with the worst loss: a vet or doctor instead of exercises."""
    items: tuple[Item, ...]
    left_out: tuple[LeftOut, ...]


def derived_conditions(profile: Profile, rules: Rules) -> tuple[str, ...]:
    """Conditions that nobody named but the numbers show."""
    safety, weight = rules.safety, profile.weight_kg
    if weight is None:
        return ()
    if profile.species == "dog":
        breed = (profile.breed or "").strip().lower()
        heaviest = next((row.heaviest_kg for row in rules.breed if breed in row.names), None)
        obese = heaviest is not None and weight > heaviest * safety.obese_over_breed
    else:
        adult = profile.age is None or profile.age[1] >= safety.adult_age
        obese = adult and bool(profile.height_m) and weight / (profile.height_m or 1) ** 2 >= safety.obese_bmi
    return ("obesity",) if obese and "obesity" not in profile.conditions else ()


def recommend(profile: Profile, changes: Sequence[Change], rules: Rules, known: Sequence[str]) -> Advice:
    """Advice for a profile and its trends. `known` are the conditions that the rules were written for."""
    derived = derived_conditions(profile, rules)
    conditions = (*profile.conditions, *derived)
    sharp = _sharp_losses(changes, rules)
    enough = any(change.direction != "unknown" for change in changes)
    items, left_out = [], []
    for rule in rules.rule:
        if rule.species != profile.species:
            continue
        reasons = _reasons(rule, profile, changes, rules) if enough else _general(rule)
        if not reasons:
            continue
        against = _obstacle(rule, profile.age, conditions, known, sharp)
        if against is None:
            items.append(Item(rule, reasons))
        elif not (rule.guideline and against.obstacle in ("too_young", "too_old")):  # others have their own
            left_out.append(against)
    items.sort(key=lambda item: (-_weight(item, rules), item.rule.key))
    guidelines = [item for item in items if item.rule.guideline]
    others = [item for item in items if not item.rule.guideline]
    return Advice(
        enough_data=enough,
        derived=derived,
        ask_first=tuple(key for key in conditions if key in rules.safety.ask_first or key not in known),
        see_somebody=tuple(sharp.items()),
        items=(*guidelines, *others[: rules.limits.most]),
        left_out=tuple(left_out),
    )


def _sharp_losses(changes: Sequence[Change], rules: Rules) -> dict[str, Change]:
    """Regions with a sharp loss, and the worst one."""
    found: dict[str, Change] = {}
    for region in rules.region:
        losses = [
            (change.percent, change)
            for change in changes
            if change.measure in region.measures
            and change.direction == "declining"
            and change.percent is not None
            and change.percent <= -rules.safety.sharp_percent
        ]
        if losses:
            found[region.key] = min(losses, key=lambda loss: loss[0])[1]
    return found


def _obstacle(
    rule: Rule,
    age: tuple[float, float] | None,
    conditions: Sequence[str],
    known: Sequence[str],
    sharp: dict[str, Change],
) -> LeftOut | None:
    """What stands against a rule; None where nothing is known to."""
    for condition in conditions:
        if condition in rule.excluded:
            return LeftOut(rule, "condition", condition)
        # The rules were written without it in mind: nothing but what is right with every condition remains.
        if condition not in known and rule.excluded:
            return LeftOut(rule, "unknown_condition", condition)
    if rule.min_age is not None or rule.max_age is not None:
        if age is None:
            return LeftOut(rule, "age_unknown")
        if rule.min_age is not None and age[0] < rule.min_age:
            return LeftOut(rule, "too_young")
        if rule.max_age is not None and age[1] >= rule.max_age + 1:
            return LeftOut(rule, "too_old")
    for region in rule.regions:
        if region in sharp:
            return LeftOut(rule, "region", region)
    return None


def _reasons(rule: Rule, profile: Profile, changes: Sequence[Change], rules: Rules) -> tuple[Reason, ...]:
    """Why a rule fits; empty where it does not."""
    measures = {
        measure for region in rules.region if region.key in rule.regions for measure in region.measures
    }
    falling = [change for change in changes if change.measure in measures and change.direction == "declining"]
    reasons = [Reason(cause="falling", change=change) for change in falling]
    if rule.only_falling and not falling:
        return ()
    if profile.goal in rule.goals:
        reasons.append(Reason(cause="goal", goal=profile.goal))
    return (*reasons, *_general(rule))


def _general(rule: Rule) -> tuple[Reason, ...]:
    if not rule.general:
        return ()
    return (Reason(cause="guideline" if rule.guideline else "general"),)


def _weight(item: Item, rules: Rules) -> int:
    causes = {reason.cause for reason in item.reasons}
    limits = rules.limits
    return (
        item.rule.priority
        + limits.goal_bonus * ("goal" in causes)
        + limits.trend_bonus * ("falling" in causes)
    )
