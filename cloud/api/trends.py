"""Whether a measure of somebody's sessions improves, week by week, beyond what is noise."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (pydantic reads the annotations)
from typing import TYPE_CHECKING, Literal

from psycopg import sql
from pydantic import BaseModel, Field
from scipy.stats import theilslopes

from cloud.api.measures import Better, measure_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud.api.database import Db

Direction = Literal["improving", "stable", "declining", "unknown"]
Reason = Literal["too_few_weeks", "more_is_not_better"]
WEEKS_NEEDED = 5
"""Of four weeks even a perfect order is chance once in twelve times."""


class Week(BaseModel):
    """The sessions of one week, of those that have the measure."""

    week: datetime = Field(description="its Monday, 00:00 UTC")
    n: int
    mean: float


class Slope(BaseModel):
    """A robust slope and its 95 % confidence interval, in the measure's unit a week."""

    slope: float
    low: float
    high: float
    change_percent: float | None = Field(
        description="from the first week to the last along the slope; null where the first is zero"
    )


class Trend(BaseModel):
    """Weekly means and what they say. `stable`: not distinguishable from noise."""

    metric: str
    unit: str
    exercise: str | None
    better: Better
    direction: Direction
    reason: Reason | None = Field(description="why the direction is unknown")
    slope: Slope | None
    weeks: list[Week] = Field(description="weeks without a session are left out")


def slope_of(at: Sequence[float], values: Sequence[float]) -> Slope | None:
    """Theil-Sen slope with Sen's 95 % interval; times rise. None for fewer than two.

    P. K. Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 63 (1968).
    """
    if len(at) < 2:
        return None
    slope, intercept, low, high = map(float, theilslopes(values, at, 0.95))
    begin = intercept + slope * at[0]
    change = 100 * slope * (at[-1] - at[0]) / abs(begin) if abs(begin) > 1e-6 else None
    return Slope(slope=slope, low=low, high=high, change_percent=change)


def judge(slope: Slope | None, weeks: int, better: Better) -> tuple[Direction, Reason | None]:
    """What the slope of so many weeks means for one who trains."""
    if slope is None or weeks < WEEKS_NEEDED:
        return "unknown", "too_few_weeks"
    if slope.low <= 0 <= slope.high:
        return "stable", None
    if better == "neither":
        return "unknown", "more_is_not_better"
    return ("improving" if slope.low > 0 else "declining"), None


# Sessions of several exercises have one range for all of them: they say nothing of one exercise.
_WEEKS = sql.SQL(
    """select date_trunc('week', e.started, 'UTC') as week, count(*) as n, avg({value})::float8 as mean
       from exercise_sessions e
       where e.subject_id = %(subject)s and e.ended and {value} is not null
         and e.started >= date_trunc('week', now(), 'UTC') - make_interval(weeks => %(weeks)s::int - 1)
         and (%(exercise)s::text is null or e.exercises = array[%(exercise)s::text])
       group by 1 order by 1"""
)


async def trends_of(
    db: Db, subject_id: int, metric: str, *, exercise: str | None = None, weeks: int = 12
) -> Trend:
    """The trend of one measure over the last `weeks` weeks, this one included.

    `subject_id` is Subject.id: the caller has checked who asks. Raises ApiError 422 for an unknown measure.
    """
    measure = measure_of(metric)
    found = await db.execute(
        _WEEKS.format(value=measure.value), {"subject": subject_id, "weeks": weeks, "exercise": exercise}
    )
    rows = [Week(**row) async for row in found]
    slope = slope_of([(row.week - rows[0].week).days / 7 for row in rows], [row.mean for row in rows])
    direction, reason = judge(slope, len(rows), measure.better)
    return Trend(
        metric=metric, unit=measure.unit, exercise=exercise, better=measure.better, direction=direction,
        reason=reason, slope=slope, weeks=rows,
    )  # fmt: skip
