"""What somebody did, and how it was measured, over time. Where nothing was measured is no point: never a zero."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec
from psycopg import sql
from pydantic import BaseModel, Field

from cloud.api.measures import measure_of
from cloud.api.problems import ApiError
from cloud.api.session_record import SESSIONS, Letter, SessionRecord, metric_keys, record
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud.api.database import Db

Resolution = Literal["10s", "1h", "1d", "session"]
_COUNTS = ("reps", "partial_reps", "duration_s")
"""Of a window, beside its metrics."""
_LONGEST: dict[Resolution, timedelta] = {
    "10s": timedelta(days=1),
    "1h": timedelta(days=92),
    "1d": timedelta(days=3660),
    "session": timedelta(days=3660),
}
MOST_POINTS = 10_000
"""Of one series."""


class Point(BaseModel):
    """A window, a session, or an hour or day of windows."""

    at: datetime = Field(description="its beginning")
    exercise: str | None
    n: int = Field(description="windows or sessions with a value")
    mean: float
    minimum: float
    maximum: float
    grade: Letter | None = Field(default=None, description="of windows and sessions")


class Series(BaseModel):
    """The points of one metric, in the order of time. What was not measured has none."""

    metric: str
    points: list[Point]


class Page(BaseModel):
    """Sessions, latest first."""

    sessions: list[SessionRecord]
    next: str | None = Field(description="send it as `cursor` for the sessions before these; null: no more")


class History(Page):
    """Sessions and series of a stretch of time."""

    begin: datetime
    end: datetime
    resolution: Resolution
    series: list[Series]


class Stretch(msgspec.Struct, frozen=True):
    """From a moment until before another, of one subject of a tenant."""

    tenant_id: int
    subject_id: int
    begin: datetime
    end: datetime
    exercise: str | None = None

    def parameters(self) -> dict[str, Any]:
        """For the queries."""
        return msgspec.structs.asdict(self)


def resolution_for(begin: datetime, end: datetime, wanted: Resolution | None) -> Resolution:
    """The resolution that was asked for, or the finest with some hundreds of points. Raises ApiError 422."""
    length = end - begin
    if wanted is None:
        return "10s" if length <= timedelta(hours=2) else "1h" if length <= timedelta(days=31) else "1d"
    if length > _LONGEST[wanted]:
        days = _LONGEST[wanted].days
        raise ApiError(422, "too_long", f"at most {days} days at {wanted}: ask for less, or more coarsely")
    return wanted


_IN_STRETCH = """e.tenant_id = %(tenant_id)s and e.subject_id = %(subject_id)s
    and e.started >= %(begin)s and e.started < %(end)s
    and (%(exercise)s::text is null or %(exercise)s = any(e.exercises))"""
_PAGE = SESSIONS.format(
    sql.SQL(
        _IN_STRETCH
        + """ and (e.started, e.session) < (coalesce(%(before)s, 'infinity'::timestamptz), %(before_session)s)
              order by e.started desc, e.session desc limit %(limit)s"""
    )
)
_LAST = UUID(int=2**128 - 1)


async def page(db: Db, stretch: Stretch, limit: int, cursor: str | None) -> Page:
    """Sessions of a stretch, latest first, from the cursor on. Raises ApiError 422 for a cursor of nobody's."""
    before, session = _read(cursor) if cursor else (None, _LAST)
    found = await db.execute(
        _PAGE, stretch.parameters() | {"before": before, "before_session": session, "limit": limit + 1}
    )
    rows = await found.fetchall()
    keys = await metric_keys(db)
    sessions = [record(row, keys) for row in rows[:limit]]
    following = _write(sessions[-1].started, sessions[-1].session) if len(rows) > limit else None
    return Page(sessions=sessions, next=following)


def _write(started: datetime, session: UUID) -> str:
    return base64.urlsafe_b64encode(f"{started.isoformat()} {session}".encode()).decode()


def _read(cursor: str) -> tuple[datetime, UUID]:
    try:
        started, _, session = base64.urlsafe_b64decode(cursor).decode().rpartition(" ")
        return datetime.fromisoformat(started).astimezone(UTC), UUID(session)
    except (ValueError, OverflowError, binascii.Error) as error:
        raise ApiError(422, "request_invalid", "cursor: none of ours") from error


# Hours that are not rolled up yet, since rollups wait for more of an hour: they are counted where they are read.
_STALE = """
    select distinct bucket from rollup_pending
    where tenant_id = %(tenant_id)s and subject_id = %(subject_id)s
      and date_trunc(%(unit)s, bucket, 'UTC') >= %(begin)s and date_trunc(%(unit)s, bucket, 'UTC') < %(end)s"""
_ROLLED = sql.SQL(
    """with live as (
           select date_trunc('hour', e.time, 'UTC') as bucket, coalesce(e.exercise, '') as exercise, count(*) as n,
                  sum({value}::float8) as total, min({value}) as minimum, max({value}) as maximum
           from telemetry e where e.tenant_id = %(tenant_id)s and e.subject_id = %(subject_id)s
             and e.time >= %(since)s and e.time < %(until)s and {value} is not null
             and date_trunc('hour', e.time, 'UTC') = any(%(stale)s)
           group by 1, 2),
       hours as (
           select bucket, exercise, n, total, minimum, maximum from live
           union all
           select bucket, exercise, n, total, minimum, maximum from telemetry_1h
           where tenant_id = %(tenant_id)s and metric = %(metric)s and subject_id = %(subject_id)s
             and bucket >= %(since)s and bucket < %(until)s and bucket <> all(%(stale)s)
             and date_trunc(%(unit)s, bucket, 'UTC') = any(%(units)s)),
       units as (
           select date_trunc(%(unit)s, bucket, 'UTC') as bucket, exercise, sum(n)::bigint as n, sum(total) as total,
                  min(minimum) as minimum, max(maximum) as maximum from hours group by 1, 2
           union all
           select bucket, exercise, n, total, minimum, maximum from {table}
           where tenant_id = %(tenant_id)s and metric = %(metric)s and subject_id = %(subject_id)s
             and bucket >= %(begin)s and bucket < %(end)s and bucket <> all(%(units)s))
       select bucket as at, nullif(exercise, '') as exercise, n, total / n as mean, minimum, maximum from units
       where (%(exercise)s::text is null or exercise = %(exercise)s)
       order by bucket, exercise limit %(limit)s"""
)
_UNITS: dict[Resolution, tuple[str, timedelta]] = {
    "1h": ("hour", timedelta(hours=1)),
    "1d": ("day", timedelta(days=1)),
}
_WINDOWS = sql.SQL(
    """select e.time as at, e.exercise, 1 as n, {value}::float8 as mean, {value} as minimum, {value} as maximum,
           substr(e.grades, %(position)s, 1) as grade
       from telemetry e where e.tenant_id = %(tenant_id)s and e.subject_id = %(subject_id)s
         and e.time >= %(begin)s and e.time < %(end)s and {value} is not null
         and (%(exercise)s::text is null or e.exercise = %(exercise)s)
       order by e.time limit %(limit)s"""
)
_OF_SESSIONS = sql.SQL(
    """select e.started as at, e.exercise, 1 as n, {value}::float8 as mean, {value} as minimum, {value} as maximum,
           substr(e.grades, %(position)s, 1) as grade
       from exercise_sessions e where {stretch} and e.ended and {value} is not null
       order by e.started limit %(limit)s"""
)


async def series(db: Db, stretch: Stretch, metric: str, resolution: Resolution) -> Series:
    """One metric over a stretch. Raises ApiError 422 for one that there is not, or for too many points."""
    position = 0  # of the letter in grades; none at 0
    parameters = stretch.parameters() | {"metric": metric, "limit": MOST_POINTS + 1}
    if resolution == "session":
        measure = measure_of(metric)
        query = _OF_SESSIONS.format(value=measure.value, stretch=sql.SQL(_IN_STRETCH))
        columns: Sequence[str] = measure.columns
    elif metric in metrics() or metric in _COUNTS:
        columns = (metric,)
        if resolution == "10s":
            query = _WINDOWS.format(value=sql.Identifier("e", metric))
        else:
            table = sql.Identifier(f"telemetry_{resolution}")
            query = _ROLLED.format(table=table, value=sql.Identifier("e", metric))
            parameters |= await _stale(db, stretch, resolution)
    else:
        raise ApiError(422, "unknown_metric", f"there is no metric {metric!r}")
    keys = await metric_keys(db)
    if len(columns) == 1 and columns[0] in keys:
        position = keys.index(columns[0]) + 1
    found = await db.execute(query, parameters | {"position": position})
    rows = await found.fetchall()
    if len(rows) > MOST_POINTS:
        raise ApiError(422, "too_long", f"{metric} has more than {MOST_POINTS} points there: ask for less")
    points = [Point(**(row | {"grade": _letter(row.get("grade"))})) for row in rows]
    return Series(metric=metric, points=points)


async def _stale(db: Db, stretch: Stretch, resolution: Resolution) -> dict[str, Any]:
    """Parameters of _ROLLED: the hours that wait, the hours or days that they are in, and all these lie between."""
    unit, length = _UNITS[resolution]
    rows = await db.execute(_STALE, stretch.parameters() | {"unit": unit})
    stale = [row["bucket"].astimezone(UTC) async for row in rows]
    units = {bucket.replace(hour=0) if unit == "day" else bucket for bucket in stale}
    until = max(units) + length if units else stretch.begin
    return {
        "unit": unit, "stale": stale, "units": list(units), "since": min(units, default=until), "until": until
    }  # fmt: skip


def _letter(text: str | None) -> str | None:
    return text if text and text != "-" else None
