"""Questions about many: a measure over the sessions of those who agreed to be counted.

Counted are subjects whose consent includes research, and those of whom nothing but a name without meaning is known.
Groups of fewer than FEWEST subjects are not told.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (pydantic reads the annotations)
from typing import TYPE_CHECKING, Annotated, Any, Literal

from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, model_validator

from cloud.api.measures import MeasureName, measure_of
from cloud.api.problems import ApiError
from wire.metrics import Species  # noqa: TC001

if TYPE_CHECKING:
    from cloud.api.database import Db
    from cloud.api.measures import Measure

FEWEST = 5
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
By = Literal["day", "week", "month", "none"]
Age = Annotated[int, Field(ge=0, le=150)]


class Question(BaseModel):
    """Whose sessions, and how they are put together."""

    model_config = ConfigDict(extra="forbid")

    metric: MeasureName
    exercise: str | None = Field(
        default=None, max_length=48, description="sessions of this exercise and no other"
    )
    species: Species = "human"
    breed: str | None = Field(default=None, max_length=60, description="of dogs, in any case of letters")
    min_age_years: Age | None = Field(default=None, description="at the session")
    max_age_years: Age | None = Field(default=None, description="at the session, this year of life included")
    days: int = Field(default=30, ge=1, le=3650, description="back from now")
    by: By = Field(default="none", description="groups, of UTC days, weeks from Monday, or months")

    @model_validator(mode="after")
    def _breeds_are_of_dogs(self) -> Question:
        if self.breed is not None and self.species != "dog":
            raise ValueError("breed is for species=dog")
        return self


class Group(BaseModel):
    """The sessions of one stretch of time, or of all of it. Without numbers where too few subjects are in it."""

    begin: datetime | None = Field(description="null for by=none")
    suppressed: Literal["fewer_than_5_subjects"] | None
    n_subjects: int | None = None
    n_sessions: int | None = None
    mean: float | None = None
    standard_deviation: float | None = Field(default=None, description="of the sessions")
    quantiles: dict[str, float] | None = None


class Answer(BaseModel):
    """What a question found. Stretches without a session are left out."""

    metric: str
    unit: str
    groups: list[Group]


_ANSWER = sql.SQL(
    """select {begin} as begin, count(distinct e.subject_id) as n_subjects, count(*) as n_sessions,
           avg({value})::float8 as mean, stddev_samp({value})::float8 as standard_deviation,
           percentile_cont(%(quantiles)s::float8[]) within group (order by {value}) as quantiles
       from exercise_sessions e left join {profiles} p on p.subject_id = e.subject_id
       where e.tenant_id = %(tenant)s and e.started >= now() - make_interval(days => %(days)s) and e.started <= now()
         and e.ended and e.species = %(species)s and {value} is not null
         and (p.subject_id is null or exists (select from consents c where c.subject_id = e.subject_id
              and c.withdrawn is null and 'research' = any(c.purposes))){conditions}
       group by 1 order by 1"""
)
_PROFILES: dict[Species, str] = {"human": "people", "dog": "dogs"}
# Of `exercise` there is an index; `exercises` leaves out the sessions of several, whose range is that of all.
_EXERCISE = "e.exercise = %(exercise)s and e.exercises = array[%(exercise)s::text]"
_BREED = "lower(p.breed) = lower(%(breed)s)"
_AGES: dict[tuple[Species, str], str] = {
    ("human", "min_age_years"): "extract(year from e.started) - p.birth_year >= %(min_age_years)s",
    ("human", "max_age_years"): "extract(year from e.started) - p.birth_year <= %(max_age_years)s",
    # The first follows from the second, and leaves dogs out before their sessions are looked up.
    ("dog", "min_age_years"): "p.born <= now() - make_interval(years => %(min_age_years)s)"
    " and p.born <= e.started - make_interval(years => %(min_age_years)s)",
    ("dog", "max_age_years"): "p.born > e.started - make_interval(years => %(max_age_years)s + 1)",
}


async def answer(db: Db, tenant_id: int, question: Question) -> Answer:
    """The answer for one tenant, by one query. Raises ApiError 422 for a measure that there is not."""
    measure = measure_of(question.metric)
    if question.species not in measure.species:
        raise ApiError(422, "unknown_metric", f"{measure.name} is not measured of a {question.species}")
    query, parameters = query_of(tenant_id, question, measure)
    # Planned for these very values each time: a plan for any of them takes two to three times as long.
    groups = [_group(row) async for row in await db.execute(query, parameters, prepare=False)]
    if question.by == "none" and not groups:
        groups = [Group(begin=None, suppressed="fewer_than_5_subjects")]
    return Answer(metric=measure.name, unit=measure.unit, groups=groups)


def query_of(tenant_id: int, question: Question, measure: Measure) -> tuple[sql.Composed, dict[str, Any]]:
    """The SQL of a question, and its parameters."""
    asked = question.model_dump(exclude_none=True)
    conditions = {"exercise": _EXERCISE, "breed": _BREED} | {
        name: condition for (species, name), condition in _AGES.items() if species == question.species
    }
    begin = "null::timestamptz" if question.by == "none" else "date_trunc(%(by)s, e.started, 'UTC')"
    query = _ANSWER.format(
        begin=sql.SQL(begin),
        value=measure.value,
        profiles=sql.Identifier(_PROFILES[question.species]),
        conditions=sql.SQL("").join(
            sql.SQL(" and " + conditions[name]) for name in conditions if name in asked
        ),
    )
    return query, asked | {"tenant": tenant_id, "quantiles": list(QUANTILES)}


def _group(row: dict[str, Any]) -> Group:
    if row["n_subjects"] < FEWEST:
        return Group(begin=row["begin"], suppressed="fewer_than_5_subjects")
    quantiles = {str(q): value for q, value in zip(QUANTILES, row.pop("quantiles"), strict=True)}
    return Group(**row, suppressed=None, quantiles=quantiles)
