"""Recommendations for somebody in the database: their profile and trends meet the rules."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from psycopg import sql

from cloud.api.measures import measure_of, measures
from cloud.api.profile import catalogue
from cloud.api.recommend import Advice, Change, Profile, recommend
from cloud.api.recommend_rules import rules
from cloud.api.trends import trends_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud.api.access import Subject
    from cloud.api.database import Db
    from cloud.api.trends import Trend

WEEKS = 12
_ACTIVITY = "reps"
"""Of every exercise; it says how much was done, and nothing of a region."""
_DAYS_A_YEAR = 365.2425
# One exercise at a time: a range over whatever was done would fall when somebody only turned to other exercises.
_PRACTISED = sql.SQL(
    """select e.exercises[1] as exercise from exercise_sessions e
       where e.subject_id = %(subject)s and e.ended and cardinality(e.exercises) = 1 and {value} is not null
         and e.started >= now() - make_interval(weeks => %(weeks)s)
       group by 1 having count(distinct date_trunc('week', e.started, 'UTC')) > 1
       order by count(*) desc, 1 limit 3"""
)


async def trends_for(db: Db, subject: Subject) -> list[Trend]:
    """Trends of what the rules look at, for the exercises practised most. The caller has checked who asks."""
    wanted = {_ACTIVITY, *(name for region in rules().region for name in region.measures)}
    found: list[Trend] = []
    for name in sorted(wanted):
        if subject.species not in measures()[name].species:
            continue
        query = _PRACTISED.format(value=measure_of(name).value)
        rows = await db.execute(query, {"subject": subject.id, "weeks": WEEKS})
        exercises = [row["exercise"] async for row in rows]
        found += [await trends_of(db, subject.id, name, exercise=one, weeks=WEEKS) for one in exercises]
    return found


def advice_for(subject: Subject, trends: Sequence[Trend]) -> Advice:
    """Advice for somebody with these trends."""
    changes = [
        Change(
            measure=trend.metric,
            exercise=trend.exercise or "",
            direction=trend.direction,
            percent=trend.slope.change_percent if trend.slope else None,
            weeks=len(trend.weeks),
        )
        for trend in trends
    ]
    return recommend(profile_of(subject), changes, rules(), catalogue().conditions(subject.species))


def profile_of(subject: Subject, today: date | None = None) -> Profile:
    """What the rules look at."""
    today = today or datetime.now(UTC).date()
    age = None
    if subject.born is not None:
        years = (today - subject.born).days / _DAYS_A_YEAR
        age = (years, years)
    elif subject.birth_year is not None:
        years = today.year - subject.birth_year
        age = (years - 1.0, float(years))
    return Profile(
        species=subject.species,
        age=age,
        breed=subject.breed,
        height_m=subject.height_m,
        weight_kg=subject.weight_kg,
        conditions=tuple(subject.conditions),
        goal=subject.goal,
    )
