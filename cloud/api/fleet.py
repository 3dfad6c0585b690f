"""The fleet as its operator sees it: boxes with their latest health and what is wrong, sites with their drift."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (pydantic reads the annotations)
from typing import TYPE_CHECKING, Any, Literal

from psycopg import sql
from pydantic import BaseModel, Field

from cloud.api.problems import ApiError
from cloud.fleet.alerts import Severity, alerts, alerts_sql
from cloud.fleet.warned import FACTS, drifted, site_drifts

if TYPE_CHECKING:
    from uuid import UUID

    from cloud.api.database import Db

State = Literal["online", "stopped", "offline", "silent"]
"""`silent`: nobody said goodbye, and nothing was heard for ten minutes."""


class Health(BaseModel):
    """The latest message about a box's health."""

    time: datetime
    uptime_s: float
    camera: str
    fps: float
    dropped: int = Field(description="pictures not analysed since the start")
    outbox_rows: int
    outbox_bytes: int
    outbox_hours: float = Field(description="age of the oldest message that waits")
    outbox_hours_left: float | None = Field(
        description="room at the present rate; null where nothing is recorded"
    )
    outbox_given_up: int = Field(description="windows given up unsent, since the outbox was made")
    disk_free_mb: float
    cpu_c: float | None
    confidence: float | None = Field(description="mean visibility of the keypoints; null with nobody in view")


class Fault(BaseModel):
    """Something that is wrong with a box."""

    code: str
    severity: Severity


class FleetBox(BaseModel):
    """A box."""

    device: str
    name: str | None
    site: str
    state: State
    last_seen: datetime | None
    software: str | None
    models: dict[str, str] = Field(description="by role, as the box says")
    health: Health | None = Field(description="null where there is none of the last 30 days")
    desired_serial: int | None
    desired_reached: bool | None = Field(description="null where the box runs what its software came with")
    warnings: list[Fault]


class SiteDrift(BaseModel):
    """Keypoint confidence of the last 7 whole days against the 28 before: means over days, of means over boxes."""

    late_mean: float
    late_spread: float = Field(description="standard deviation of the daily means")
    late_days: int
    early_mean: float
    early_spread: float
    early_days: int
    change: float
    noise: float = Field(description="a change up to this is what days differ by anyway (99 %)")
    drifted: bool


class FleetSite(BaseModel):
    """A site, with all its boxes counted."""

    site: str
    name: str
    boxes: int
    online: int
    silent: int
    drift: SiteDrift | None = Field(description="null where there are too few days")


class Fleet(BaseModel):
    """Sites, and a page of boxes in the order of their sites."""

    sites: list[FleetSite]
    boxes: list[FleetBox]
    warned_as_of: datetime | None = Field(
        description="when it was last found out which boxes `only_warned` looks at: each minute or so; null: not yet"
    )
    next: str | None = Field(description="`after` of the next page; null on the last one")


_STATE = """case when d.available = 'online' and coalesce(d.last_seen, d.created) < now() - interval '10 minutes'
                 then 'silent' else d.available end"""
_BOXES = sql.SQL(
    """select * from (
           select d.id, d.device, d.name, s.slug as site, {state} as state, d.last_seen, d.software, d.models,
                  to_jsonb(h) as health, w.serial, w.reached, {alerts} as alerts
           from devices d join sites s on s.id = d.site_id
           {only} {facts}
           where d.retired is null and (s.slug, d.id) > (%(site_after)s, %(id_after)s)
             and (%(site)s::text is null or s.slug = %(site)s)
             and (%(state)s::text is null or {state} = %(state)s)
           order by s.slug, d.id) b
       where not %(only_warned)s or alerts <> '{{}}'
       limit %(limit)s"""
)
_ONLY = {False: sql.SQL(""), True: sql.SQL("join warned_devices on device_id = d.id")}
_PAGES = {
    warned: _BOXES.format(state=sql.SQL(_STATE), only=only, facts=FACTS, alerts=alerts_sql())
    for warned, only in _ONLY.items()
}
_SITES = f"""
    select s.id, s.slug, s.name, count(d.id) as boxes,
           count(*) filter (where {_STATE} = 'online') as online,
           count(*) filter (where {_STATE} = 'silent') as silent
    from sites s left join devices d on d.site_id = s.id and d.retired is null
    group by s.id order by s.slug"""  # noqa: S608 (a constant of ours)


async def fleet_overview(
    db: Db,
    *,
    site: str | None = None,
    state: State | None = None,
    only_warned: bool = False,
    after: str | None = None,
    limit: int = 100,
) -> Fleet:
    """Sites and a page of boxes, by site, state or whether something is wrong. Raises ApiError 422 for `after`."""
    site_after, id_after = _position(after)
    sites = await (await db.execute(_SITES)).fetchall()
    drifts = await site_drifts(db)
    rows = await (
        await db.execute(
            _PAGES[only_warned],
            {
                "site": site, "state": state, "only_warned": only_warned, "limit": limit + 1,
                "site_after": site_after, "id_after": id_after,
                "drifted": drifted(drifts),
            },
        )
    ).fetchall()  # fmt: skip
    looked = await (await db.execute("select refreshed from warned_refreshed")).fetchone()
    last = rows[limit - 1] if len(rows) > limit else None
    return Fleet(
        sites=[
            FleetSite(
                site=row["slug"],
                name=row["name"],
                boxes=row["boxes"],
                online=row["online"],
                silent=row["silent"],
                drift=SiteDrift.model_validate(drifts[row["id"]], from_attributes=True)
                if row["id"] in drifts
                else None,
            )
            for row in sites
        ],
        boxes=[_box(row) for row in rows[:limit]],
        warned_as_of=looked["refreshed"] if looked else None,
        next=f"{last['site']}.{last['id']}" if last else None,
    )


class HealthPoint(BaseModel):
    """A box's health at a time, or over the hour that begins there."""

    time: datetime
    live: float = Field(description="share of the time with the camera live")
    fps: float | None
    outbox_hours: float
    disk_free_mb: float
    cpu_c: float | None
    confidence: float | None


class HealthSeries(BaseModel):
    """A box's health over time."""

    step: Literal["message", "hour"]
    points: list[HealthPoint]


_MESSAGES = """
    select time, (camera = 'live')::int as live, fps, outbox_hours, disk_free_mb, cpu_c, confidence
    from health_history where device_id = %(id)s and time >= %(begin)s and time < %(end)s order by time limit 3000"""
_HOURS = """
    select hour as time, live, fps, outbox_hours, disk_free_mb, cpu_c, confidence
    from device_health_1h where tenant_id = current_tenant() and device_id = %(id)s
         and hour >= %(begin)s and hour < %(end)s order by hour limit 3000"""


async def health_series(db: Db, device: UUID, begin: datetime, end: datetime) -> HealthSeries:
    """Every message of two days at most, else whole hours. Raises ApiError 404, 422."""
    if not 0 < (end - begin).total_seconds() <= 100 * 86_400:
        raise ApiError(422, "range_invalid", "`to` comes after `from`, by 100 days at most")
    row = await (await db.execute("select id from devices where device = %s", (device,))).fetchone()
    if row is None:
        raise ApiError(404, "not_found", "no such box")
    short = (end - begin).total_seconds() <= 2 * 86_400
    rows = await db.execute(_MESSAGES if short else _HOURS, {"id": row["id"], "begin": begin, "end": end})
    return HealthSeries(
        step="message" if short else "hour", points=[HealthPoint(**each) async for each in rows]
    )


def _position(after: str | None) -> tuple[str, int]:
    if after is None:
        return "", 0
    slug, _, number = after.rpartition(".")
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise ApiError(422, "request_invalid", "`after` is the `next` of another page")
    return slug, int(number)


def _box(row: dict[str, Any]) -> FleetBox:
    return FleetBox(
        device=str(row["device"]),
        name=row["name"],
        site=row["site"],
        state=row["state"],
        last_seen=row["last_seen"],
        software=row["software"],
        models=row["models"] or {},
        health=Health(**row["health"]) if row["health"] else None,
        desired_serial=row["serial"],
        desired_reached=row["reached"],
        warnings=[Fault(code=code, severity=alerts()[code].severity) for code in row["alerts"]],
    )
