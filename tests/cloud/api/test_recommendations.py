"""Recommendations: safety first, over the whole table; then trends and goals; and always with the disclaimers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.api.access import Subject
from cloud.api.measures import measures
from cloud.api.profile import catalogue
from cloud.api.recommend import Change, Profile, derived_conditions, recommend
from cloud.api.recommend_for import profile_of
from cloud.api.recommend_rules import Rules, rules
from cloud.api.recommend_text import DISCLAIMERS, in_words
from cloud.api.texts import LANGUAGES, texts

if TYPE_CHECKING:
    from cloud.api.recommend import Advice
    from tests.cloud.api.conftest import Cloud

SPECIES = ("human", "dog")
REGION_MEASURES = sorted({name for region in rules().region for name in region.measures})
DIRECTIONS = ("improving", "stable", "declining", "unknown")


def advise(profile: Profile, *changes: Change, table: Rules | None = None) -> Advice:
    return recommend(profile, changes, table or rules(), catalogue().conditions(profile.species))


def change(measure: str = "knee_rom", direction: Any = "declining", percent: float | None = -8.0) -> Change:
    return Change(measure=measure, exercise="squat", direction=direction, percent=percent, weeks=8)


def adult(**more: Any) -> Profile:
    return Profile(**({"species": "human", "age": (40.0, 41.0), "goal": "strength"} | more))


def dog(**more: Any) -> Profile:
    return Profile(**({"species": "dog", "age": (4.0, 4.0), "goal": "mobility"} | more))


def keys(advice: Advice) -> list[str]:
    return [item.rule.key for item in advice.items]


# --- the table


@pytest.mark.parametrize("rule", rules().rule, ids=lambda rule: rule.key)
def test_every_row_holds_together(rule: Any) -> None:
    table = catalogue()
    assert set(rule.excluded) <= set(table.conditions(rule.species))
    assert set(rule.goals) <= set(table.goals(rule.species))
    assert set(rule.regions) <= {region.key for region in rules().region}
    assert rule.general or rule.goals, "nobody would ever get it"
    assert not rule.only_falling or rule.regions
    assert len(rule.minutes_per_week) <= 2
    assert rule.sets or rule.minutes_per_week or rule.days_per_week, "how much of it"
    assert (rule.sets is None) == (rule.reps is None and rule.hold_s is None)
    assert not rule.guideline or rule.source, "a guideline names who says so"
    for language in LANGUAGES:
        words = texts(language)
        assert {f"exercise.{rule.exercise}", f"why.{rule.key}"} <= words.keys


def test_the_table_is_large_enough_and_names_each_once() -> None:
    names = [rule.key for rule in rules().rule]
    assert len(names) == len(set(names))
    assert sum(rule.species == "human" for rule in rules().rule) >= 15
    assert sum(rule.species == "dog" for rule in rules().rule) >= 10
    assert {name for region in rules().region for name in region.measures} <= measures().keys()
    assert set(rules().safety.ask_first) <= set(catalogue().conditions("human"))


def test_a_field_that_is_none_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.toml.decode(b"[safety]\nexclude = []", type=Rules)


# --- safety

CONDITIONS = st.lists(
    st.sampled_from([*catalogue().conditions("human"), "something_new"]), unique=True, max_size=4
)
# Around the limits of the rules, where mistakes would be.
AGES = st.none() | st.integers(0, 85).flatmap(
    lambda age: st.sampled_from([(age * 1.0, age * 1.0), (age - 0.5, age + 0.5), (age * 1.0, age + 1.0)])
)
PROFILES = st.builds(
    Profile,
    species=st.sampled_from(SPECIES),
    age=AGES,
    breed=st.sampled_from([None, "Labrador Retriever", "말티즈", "mongrel"]),
    height_m=st.none() | st.floats(1.4, 1.9),
    weight_kg=st.none() | st.floats(1, 130),
    conditions=CONDITIONS.map(tuple),
    goal=st.sampled_from([None, *catalogue().goals("human")]),
)
CHANGES = st.lists(
    st.builds(
        Change,
        measure=st.sampled_from(REGION_MEASURES),
        exercise=st.just("squat"),
        direction=st.sampled_from(DIRECTIONS),
        percent=st.none() | st.floats(-90, 90),
        weeks=st.integers(2, 12),
    ),
    max_size=6,
)


@settings(max_examples=400)
@given(PROFILES, CHANGES)
def test_nothing_unsafe_is_ever_recommended(profile: Profile, changes: list[Change]) -> None:
    table = rules()
    known = catalogue().conditions(profile.species)
    advice = recommend(profile, changes, table, known)
    conditions = {*profile.conditions, *derived_conditions(profile, table)}
    lost = {
        region.key
        for region in table.region
        for one in changes
        if one.measure in region.measures
        and one.direction == "declining"
        and (one.percent or 0) <= -table.safety.sharp_percent
    }
    for item in advice.items:
        rule = item.rule
        assert rule.species == profile.species
        assert conditions.isdisjoint(rule.excluded)
        assert conditions <= set(known) or not rule.excluded
        assert lost.isdisjoint(rule.regions)
        if rule.min_age is not None:
            assert profile.age is not None
            assert profile.age[0] >= rule.min_age
        if rule.max_age is not None:
            assert profile.age is not None
            assert profile.age[1] < rule.max_age + 1
        assert item.reasons, "each says why"
    assert {region for region, _ in advice.see_somebody} == lost
    chosen, left = {item.rule.key for item in advice.items}, {one.rule.key for one in advice.left_out}
    assert chosen.isdisjoint(left)
    assert chosen, "a day of rest, if nothing else"
    assert len([item for item in advice.items if not item.rule.guideline]) <= table.limits.most
    for language in LANGUAGES:
        words = in_words(advice, UUID(int=1), profile.species, texts(language))
        assert [one.key for one in words.disclaimers] == list(DISCLAIMERS)
        told = [*words.notes, *(one.because for one in words.left_out)]
        told += [
            text for one in words.recommendations for text in (one.name, one.dose, one.purpose, *one.reasons)
        ]
        assert all(text and "{" not in text for text in told)


@pytest.mark.parametrize("rule", rules().rule, ids=lambda rule: rule.key)
def test_limits_of_age(rule: Any) -> None:
    everything = msgspec.structs.replace(rules(), limits=msgspec.structs.replace(rules().limits, most=99))
    falling = [change(name) for name in REGION_MEASURES]

    def given_to(age: tuple[float, float] | None) -> bool:
        profile = Profile(species=rule.species, age=age, goal=rule.goals[0] if rule.goals else None)
        return rule.key in keys(advise(profile, *falling, table=everything))

    low = 20.0 if rule.min_age is None else rule.min_age
    assert given_to((low, low + 1.0))
    assert given_to((low - 0.1, low)) == (rule.min_age is None)
    if rule.max_age is not None:
        assert given_to((rule.max_age, rule.max_age + 0.99))
        assert not given_to((rule.max_age, rule.max_age + 1.0))
    assert given_to(None) == (rule.min_age is None and rule.max_age is None)


@pytest.mark.parametrize("condition", catalogue().conditions("human"))
def test_every_condition_leaves_something_out(condition: str) -> None:
    healthy, ill = (
        advise(adult(goal=goal, conditions=conditions), change(direction="stable", percent=0.0))
        for goal in ("strength",)
        for conditions in ((), (condition,))
    )
    assert {item.what for item in ill.left_out} == {condition}
    assert healthy.left_out == ()


def test_after_surgery_only_rest_remains() -> None:
    advice = advise(adult(conditions=("recent_surgery",)), change())
    assert keys(advice) == ["rest_day"]
    assert advice.ask_first == ("recent_surgery",)


def test_a_condition_that_the_rules_do_not_know_is_for_a_doctor() -> None:
    advice = advise(adult(conditions=("long_covid",)))
    assert keys(advice) == ["rest_day"]
    assert advice.ask_first == ("long_covid",)


@pytest.mark.parametrize(
    ("profile", "obese"),
    [
        (adult(height_m=1.70, weight_kg=86.0), False),  # a body mass index of 29.8
        (adult(height_m=1.70, weight_kg=87.0), True),
        (adult(height_m=1.70, weight_kg=87.0, age=None), True),
        (adult(height_m=1.70, weight_kg=87.0, age=(14.0, 15.0)), False),
        (adult(weight_kg=200.0), False),
        (dog(breed=" Labrador Retriever", weight_kg=43.0), False),
        (dog(breed="labrador retriever", weight_kg=44.0), True),
        (dog(breed="래브라도", weight_kg=44.0), True),
        (dog(breed="mongrel", weight_kg=90.0), False),
        (dog(weight_kg=90.0), False),
    ],
)
def test_weight_for_height_and_breed(profile: Profile, obese: bool) -> None:
    advice = advise(profile, change())
    assert ("obesity" in advice.derived) == obese
    assert any(item.what == "obesity" for item in advice.left_out) == obese


def test_what_is_named_is_not_derived_again() -> None:
    assert advise(adult(height_m=1.7, weight_kg=90.0, conditions=("obesity",))).derived == ()


def test_a_sharp_loss_is_for_a_doctor() -> None:
    advice = advise(adult(goal="mobility"), change("knee_rom", percent=-22.0), change("shoulder_rom"))
    assert [region for region, _ in advice.see_somebody] == ["knee"]
    assert not any("knee" in item.rule.regions for item in advice.items)
    assert "wall_slide" in keys(advice), "a small loss elsewhere is trained"
    words = in_words(advice, UUID(int=1), "human", texts("en"))
    assert words.notes[0].startswith(
        "Please see a doctor before training the knee: Knee range in “Squat” fell by 22 %"
    )


# --- trend and goal


def test_without_data_only_general_ones() -> None:
    for profile in (adult(), dog()):
        for changes in ((), (change(direction="unknown", percent=None),)):
            advice = advise(profile, *changes)
            assert not advice.enough_data
            assert advice.items
            assert all(item.rule.general for item in advice.items)


def test_what_falls_goes_first() -> None:
    steady = advise(adult(goal="mobility"), change("shoulder_rom", "stable", -1.0))
    falling = advise(adult(goal="mobility"), change("shoulder_rom"))
    exercises = [item for item in falling.items if not item.rule.guideline]
    assert {"shoulder"} <= set(exercises[0].rule.regions)
    assert exercises[0].reasons[0].cause == "falling"
    assert not any(reason.cause == "falling" for item in steady.items for reason in item.reasons)


def test_some_are_only_for_what_falls() -> None:
    assert "knee_extension" not in keys(
        advise(adult(goal="mobility"), change(direction="improving", percent=9.0))
    )
    assert "knee_extension" in keys(advise(adult(goal="mobility"), change()))


@pytest.mark.parametrize("goal", catalogue().goals("human"))
def test_the_goal_decides(goal: str) -> None:
    for profile in (adult(goal=goal), dog(goal=goal)):
        advice = advise(profile, change(direction="stable", percent=0.0))
        assert any(reason.goal == goal for item in advice.items for reason in item.reasons)
        for item in advice.items:
            assert goal in item.rule.goals or item.rule.general


def test_guidelines_by_age() -> None:
    def guidelines(*age: float) -> set[str]:
        return {item.rule.key for item in advise(adult(age=age)).items if item.rule.guideline}

    assert guidelines(8.0, 9.0) == {"activity_young"}
    assert guidelines(30.0, 31.0) == {"activity_adult", "strength_days"}
    assert guidelines(70.0, 71.0) == {"activity_adult", "strength_days", "balance_days"}
    assert guidelines(17.0, 18.0) == set(), "who may be 17 or 18 gets neither"


def test_a_birth_year_leaves_a_year_open() -> None:
    person = Subject(id=1, subject=UUID(int=1), species="human", enrolled=True, birth_year=2000)
    assert profile_of(person, date(2026, 6, 1)).age == (25.0, 26.0)
    rex = Subject(id=2, subject=UUID(int=2), species="dog", enrolled=True, born=date(2022, 6, 1))
    age = profile_of(rex, date(2026, 6, 1)).age
    assert age is not None
    assert age[0] == age[1] == pytest.approx(4, abs=0.01)


# --- the API


def person(cloud: Cloud, owner: Any, **more: Any) -> str:
    profile = {
        "alias": "Ann", "birth_year": 1980, "goal": "mobility",
        "consent": {"version": catalogue().consent.version, "purposes": ["record"]},
    }  # fmt: skip
    subject: str = owner.ask("POST", "/api/people", 201, json=profile | more)["subject"]
    return subject


def squats(cloud: Cloud, subject: str, first: float, last: float, weeks: int = 8) -> None:
    """A session of squats a week, whose range of the knee goes from `first` to `last`."""
    now = datetime.now(UTC)
    for week in range(weeks):
        knee = first + (last - first) * week / (weeks - 1)
        cloud.database.rows(
            """insert into exercise_sessions (session, tenant_id, device_id, subject_id, species, started, duration_s,
                   ended, exercise, exercises, reps, partial_reps, hold_s, clock, camera, model, software,
                   knee_rom_left, knee_rom_right)
               select gen_random_uuid(), s.tenant_id, d.id, s.id, s.species, %s, 300, true, 'squat', '{squat}', 30, 0,
                   0, 's', 'cam0', 'm', '1', %s, %s
               from subjects s join devices d on d.tenant_id = s.tenant_id where s.subject = %s""",
            now - timedelta(weeks=weeks - 1 - week, minutes=1), knee, knee + 1, subject,
        )  # fmt: skip


def test_trends_of_sessions_lead_to_reasons(cloud: Cloud) -> None:
    owner = cloud.user()
    subject = person(cloud, owner)
    squats(cloud, subject, 110, 104)
    told = owner.ask("GET", f"/api/people/{subject}/recommendations?lang=en")
    assert told["enough_data"]
    reasons = [reason for one in told["recommendations"] for reason in one["reasons"]]
    assert "Trend: Knee range in “Squat” fell by 5 % over 8 weeks with sessions" in reasons
    assert "Fits the goal: Mobility" in reasons
    assert [one["key"] for one in told["disclaimers"]] == list(DISCLAIMERS)


def test_a_collapse_is_no_reason_for_exercises(cloud: Cloud) -> None:
    owner = cloud.user()
    subject = person(cloud, owner)
    squats(cloud, subject, 120, 80)
    told = owner.ask(
        "GET", f"/api/people/{subject}/recommendations", headers={"accept-language": "ko-KR,en;q=0.5"}
    )
    assert told["language"] == "ko"
    assert "의사" in told["notes"][0]
    table = {rule.key: rule for rule in rules().rule}
    assert not any("knee" in table[one["key"]].regions for one in told["recommendations"])


def test_dogs_without_data_get_general_ones(cloud: Cloud) -> None:
    owner = cloud.user()
    consent = {"version": catalogue().consent.version, "purposes": ["record"]}
    rex = owner.ask("POST", "/api/dogs", 201, json={"alias": "Rex", "born": "2020-05-01", "consent": consent})
    told = owner.ask("GET", f"/api/dogs/{rex['subject']}/recommendations")
    assert not told["enough_data"]
    assert {"leash_walk", "rest_day_dog"} <= {one["key"] for one in told["recommendations"]}
    assert any("too few sessions" in note for note in told["notes"])
    owner.ask("GET", f"/api/people/{rex['subject']}/recommendations", 404)


def test_whom_one_may_not_see_is_not_there(cloud: Cloud) -> None:
    subject = person(cloud, cloud.user())
    path = f"/api/people/{subject}/recommendations"
    cloud.user("trainer").ask("GET", path, 404)
    cloud.user("member").ask("GET", path, 404)
    cloud.user("owner", "clinic").ask("GET", path, 404)
    cloud.user("fleet_operator").ask("GET", path, 403)
    assert cloud.nobody.get(path).status_code == 401


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_disclaimers_are_for_everybody(cloud: Cloud, language: str) -> None:
    told = cloud.nobody.get(f"/api/disclaimers?lang={language}").json()
    assert [one["key"] for one in told["disclaimers"]] == list(DISCLAIMERS)
    assert told["disclaimers"][0]["text"] == texts(language).gettext("disclaimer.education")
