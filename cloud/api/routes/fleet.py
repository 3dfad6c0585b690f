"""/api/fleet: how the boxes are. /api/devices/self/desired: what a box shall run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from cloud.api import fleet
from cloud.api.fleet import Fleet as FleetPage
from cloud.api.fleet import HealthSeries, State
from cloud.api.problems import ApiError
from cloud.api.who import SECURITY, Device, Fleet, StateOf

router = APIRouter(prefix="/api", tags=["fleet"], dependencies=SECURITY)
DAY = timedelta(days=1)


@router.get("/fleet")
async def overview(
    state: StateOf,
    who: Fleet,
    site: Annotated[str | None, Query(max_length=63)] = None,
    availability: Annotated[State | None, Query(alias="state")] = None,
    only_warned: Annotated[bool, Query(description="only with a warning, now and at `warned_as_of`")] = False,
    after: Annotated[str | None, Query(max_length=80, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> FleetPage:
    """Sites and their boxes: who is there, how they are, and what somebody should look at."""
    async with state.database.tenant(who.tenant_id) as db:
        return await fleet.fleet_overview(
            db, site=site, state=availability, only_warned=only_warned, after=after, limit=limit
        )


@router.get("/fleet/{device}/health")
async def health(
    state: StateOf,
    who: Fleet,
    device: UUID,
    begin: Annotated[AwareDatetime | None, Query(alias="from", description="a day before `to`")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to", description="now")] = None,
) -> HealthSeries:
    """A box's health over time: every message of two days at most, else whole hours."""
    try:
        end = (end or datetime.now(UTC)).astimezone(UTC)
        begin = begin.astimezone(UTC) if begin else end - DAY
    except OverflowError as error:
        raise ApiError(422, "range_invalid", "no such time") from error
    async with state.database.tenant(who.tenant_id) as db:
        return await fleet.health_series(db, device, begin, end)


@router.get("/devices/self/desired", response_model=None, responses={200: {"model": dict[str, str]}})
async def desired(state: StateOf, who: Device) -> Response:
    """What the box that asks shall run: an envelope with a signed `DesiredState`, as it comes over MQTT."""
    async with state.database.tenant(who.tenant_id) as db:
        row = await (
            await db.execute(
                """select s.envelope from desired_states s join devices d on d.id = s.device_id
                   where d.device = %s and d.retired is null""",
                (UUID(who.name),),
            )
        ).fetchone()
    if row is None:
        raise ApiError(404, "not_found", "the box runs what its software came with")
    return Response(row["envelope"], media_type="application/json")
