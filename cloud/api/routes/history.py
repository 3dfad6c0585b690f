"""…/history and …/trends of people and dogs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from cloud.api import history
from cloud.api.access import subject_of
from cloud.api.history import History, Resolution, Stretch
from cloud.api.kinds import KINDS, Kind
from cloud.api.measures import MeasureName
from cloud.api.problems import ApiError
from cloud.api.trends import Trend, trends_of
from cloud.api.who import SECURITY, Keeper, StateOf

Exercise = Annotated[str | None, Query(max_length=48)]
Metrics = Annotated[
    list[Annotated[str, Query(max_length=48)]] | None,
    Query(max_length=20, description="keys of the metric catalogue, `reps`, `partial_reps` or `duration_s`"),
]
SPAN = timedelta(days=30)


def make_router(kind: Kind) -> APIRouter:
    """The routes of a kind."""
    router = APIRouter(prefix=kind.prefix, tags=["history"], dependencies=SECURITY)

    @router.get("/{subject}/history", summary=f"Sessions and measurements of a {kind.one}")
    async def read(
        state: StateOf,
        who: Keeper,
        subject: UUID,
        begin: Annotated[AwareDatetime | None, Query(alias="from", description="30 days before `to`")] = None,
        end: Annotated[AwareDatetime | None, Query(alias="to", description="now, and not in it")] = None,
        resolution: Annotated[
            Resolution | Literal["auto"],
            Query(
                description="`session`: the measures of sessions; `auto`: 10s, 1h or 1d, as the time is long"
            ),
        ] = "auto",
        metric: Metrics = None,
        exercise: Exercise = None,
        limit: Annotated[int, Query(ge=1, le=500, description="sessions, at most")] = 50,
        cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
    ) -> History:
        """Sessions latest first, a page at a time, and a series for each metric asked for.

        Hours and days are those of UTC, the running ones as far as they have come; what was not measured has no
        point.
        """
        end = end or datetime.now(UTC)
        begin = begin or _before(end)
        if begin >= end:
            raise ApiError(422, "request_invalid", "from: not before to")
        chosen = history.resolution_for(begin, end, None if resolution == "auto" else resolution)
        async with state.database.tenant(who.tenant_id) as db:
            found = await subject_of(db, who, kind.species, subject)
            stretch = Stretch(who.tenant_id, found.id, begin, end, exercise)
            page = await history.page(db, stretch, limit, cursor)
            series = [await history.series(db, stretch, one, chosen) for one in dict.fromkeys(metric or ())]
        return History(
            sessions=page.sessions, next=page.next, begin=begin, end=end, resolution=chosen, series=series
        )

    @router.get("/{subject}/trends", summary=f"Whether a {kind.one} improves")
    async def trend(
        state: StateOf,
        who: Keeper,
        subject: UUID,
        metric: MeasureName,
        exercise: Exercise = None,
        weeks: Annotated[int, Query(ge=1, le=520)] = 12,
    ) -> Trend:
        """Weekly means of a measure, and whether they rise or fall beyond noise."""
        async with state.database.tenant(who.tenant_id) as db:
            found = await subject_of(db, who, kind.species, subject)
            return await trends_of(db, found.id, metric, exercise=exercise, weeks=weeks)

    return router


def _before(end: datetime) -> datetime:
    try:
        return end - SPAN
    except OverflowError as error:
        raise ApiError(422, "request_invalid", "to: out of range") from error


ROUTERS = tuple(make_router(kind) for kind in KINDS)
