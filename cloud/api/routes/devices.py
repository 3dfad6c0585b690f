"""/api/devices and /api/sites: which boxes there are, where they stand, and what they sign in with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Query
from psycopg import errors, sql
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.api.database import Db
from cloud.api.problems import ApiError
from cloud.api.secrets import digest, new_token
from cloud.api.who import SECURITY, Fleet, StateOf

router = APIRouter(prefix="/api", tags=["devices"], dependencies=SECURITY)
Slug = Annotated[
    str,
    Field(pattern=r"^[a-z0-9-]{1,63}$", description="lower-case letters, digits and -: a part of topics"),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class Site(BaseModel):
    """Where boxes stand."""

    slug: Slug
    name: Name
    time_zone: str = Field(default="UTC", max_length=64, description="such as Asia/Seoul")


class Device(BaseModel):
    """A box."""

    device: UUID
    name: str | None
    site: str = Field(description="its slug")
    topic: str = Field(description="below which it publishes")
    created: datetime
    retired: datetime | None = Field(description="since when nothing is taken from it")
    available: str = Field(description="online, stopped or offline, by what its broker told")
    last_seen: datetime | None
    software: str | None
    models: dict[str, str] | None
    has_secret: bool


class NewDevice(BaseModel):
    """A box to enrol."""

    model_config = ConfigDict(extra="forbid")

    site: Slug
    name: Name | None = None
    device: UUID | None = Field(default=None, description="the id it has already; without one it gets one")


class DeviceChanges(BaseModel):
    """What is not named stays."""

    model_config = ConfigDict(extra="forbid")

    site: Slug | None = Field(default=None, description="its topic changes with it")
    name: Name | None = None
    retired: bool | None = None


class Secret(BaseModel):
    """What a box signs in with; shown once, kept as a digest."""

    device: UUID
    secret: str


class NewlyEnrolled(Device):
    """The box, with its secret."""

    secret: str = Field(description="shown once")


_DEVICES = sql.SQL(
    """select d.device, d.name, s.slug as site, 'kinebox/v1/' || t.slug || '/' || s.slug || '/' || d.device as topic,
              d.created, d.retired, d.available, d.last_seen, d.software, d.models,
              d.secret_digest is not null as has_secret
       from devices d join sites s on s.id = d.site_id join tenants t on t.id = d.tenant_id"""
)


@router.get("/sites")
async def sites(state: StateOf, who: Fleet) -> list[Site]:
    """Where boxes stand."""
    async with state.database.tenant(who.tenant_id) as db:
        rows = await db.execute("select slug, name, time_zone from sites order by slug")
        return [Site(**row) async for row in rows]


@router.post("/sites", status_code=201)
async def add_site(state: StateOf, who: Fleet, site: Site) -> Site:
    """Add a place where boxes stand."""
    async with state.database.tenant(who.tenant_id) as db:
        cursor = await db.execute(
            "select exists (select from pg_timezone_names where name = %s) as known", (site.time_zone,)
        )
        row = await cursor.fetchone()
        if row is None or not row["known"]:
            raise ApiError(422, "time_zone_unknown", "a name of the tz database, such as Asia/Seoul")
        cursor = await db.execute(
            """insert into sites (tenant_id, slug, name, time_zone) values (%s, %s, %s, %s)
               on conflict do nothing""",
            (who.tenant_id, site.slug, site.name, site.time_zone),
        )
        if cursor.rowcount != 1:
            raise ApiError(409, "site_exists", "there is a site with this slug")
    return site


@router.get("/devices")
async def devices(
    state: StateOf,
    who: Fleet,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> list[Device]:
    """Boxes, by site and id; also retired ones."""
    async with state.database.tenant(who.tenant_id) as db:
        query = sql.SQL("{} order by s.slug, d.id limit %s offset %s").format(_DEVICES)
        return [Device(**row) async for row in await db.execute(query, (limit, offset))]


@router.post("/devices", status_code=201)
async def enrol(state: StateOf, who: Fleet, new: NewDevice) -> NewlyEnrolled:
    """Let a box in. The secret is shown once: put it on the box."""
    device, secret = new.device or uuid4(), new_token()
    async with state.database.tenant(who.tenant_id) as db:
        site = await _site(db, new.site)
        try:
            await db.execute(
                """insert into devices (tenant_id, site_id, device, name, secret_digest)
                   values (%s, %s, %s, %s, %s)""",
                (who.tenant_id, site, device, new.name, digest(secret)),
            )
        except errors.UniqueViolation as error:
            raise ApiError(409, "device_exists", "a box with this id is enrolled") from error
        return NewlyEnrolled(**await _device(db, device), secret=secret)


@router.patch("/devices/{device}")
async def change(state: StateOf, who: Fleet, device: UUID, changes: DeviceChanges) -> Device:
    """Name it, move it, retire it, or take it back. Ingest follows within a minute."""
    async with state.database.tenant(who.tenant_id) as db:
        named = changes.model_fields_set
        if "name" in named:
            await db.execute("update devices set name = %s where device = %s", (changes.name, device))
        if changes.site is not None:
            site = await _site(db, changes.site)
            await db.execute("update devices set site_id = %s where device = %s", (site, device))
        if changes.retired is not None:
            since = "coalesce(retired, now())" if changes.retired else "null"
            await db.execute(f"update devices set retired = {since} where device = %s", (device,))  # noqa: S608
        return Device(**await _device(db, device))


@router.post("/devices/{device}/secret", status_code=201)
async def renew_secret(state: StateOf, who: Fleet, device: UUID) -> Secret:
    """Another secret; the one before is void at once, tokens that it got within minutes."""
    secret = new_token()
    async with state.database.tenant(who.tenant_id) as db:
        cursor = await db.execute(
            "update devices set secret_digest = %s where device = %s", (digest(secret), device)
        )
        if cursor.rowcount != 1:
            raise ApiError(404, "not_found", "no such box")
    return Secret(device=device, secret=secret)


async def _site(db: Db, slug: str) -> int:
    row = await (await db.execute("select id from sites where slug = %s", (slug,))).fetchone()
    if row is None:
        raise ApiError(404, "not_found", "no such site")
    return int(row["id"])


async def _device(db: Db, device: UUID) -> dict[str, Any]:
    query = sql.SQL("{} where d.device = %s").format(_DEVICES)
    row = await (await db.execute(query, (device,))).fetchone()
    if row is None:
        raise ApiError(404, "not_found", "no such box")
    return row
