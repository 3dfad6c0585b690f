"""/api/releases and /api/rollouts: what there is to run, and who tries it first."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import psycopg
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, field_validator

from cloud.api.problems import ApiError
from cloud.api.state import State as Shared
from cloud.api.who import SECURITY, Fleet, StateOf
from cloud.fleet import rollouts
from cloud.fleet.decide import Finding, State
from cloud.fleet.measures import measures
from cloud.fleet.signing import MAKE_ONE, DesiredSigner

router = APIRouter(prefix="/api", tags=["rollouts"], dependencies=SECURITY)
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Before = Annotated[int, Query(ge=1, le=2**31 - 1, description="only those with a smaller number")]
Limit = Annotated[int, Query(ge=1, le=500)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=31)]


class NewRelease(BaseModel):
    """Something to run."""

    role: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        max_length=48,
        description="such as `pose`; `software` for the software itself",
    )
    name: Name = Field(description="a box that runs it says `name-version`, such as `blazepose-2`")
    version: Name
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", max_length=64, description="of the file that is fetched")
    url: str | None = Field(
        default=None, pattern=r"^https://[^\x00-\x20]+$", max_length=512, description="where the file is"
    )
    notes: str = Field(default="", max_length=4000)


class Release(NewRelease):
    """Something to run, with its number."""

    id: int
    created: datetime


class NewRollout(BaseModel):
    """Which release to try, and what it must achieve."""

    release: int = Field(ge=1, le=2**31 - 1)
    share: float = Field(
        default=0.1, gt=0, le=0.5, description="of the boxes seen in the last day that try it first"
    )
    metric: str = Field(default="confidence", max_length=48, description=f"one of {', '.join(measures())}")
    min_gain: float = Field(
        default=0.05, ge=0, le=10, description="so much better, as a share of what it was before"
    )
    min_hours: int = Field(
        default=24, ge=1, le=720, description="of measuring before promotion is considered"
    )
    sites: list[Annotated[str, Field(max_length=63)]] | None = Field(
        default=None, min_length=1, max_length=1000, description="only there; without it everywhere"
    )

    @field_validator("metric")
    @classmethod
    def _is_a_measure(cls, key: str) -> str:
        if key not in measures():
            raise ValueError(f"is one of {', '.join(measures())}")
        return key


class Measured(BaseModel):
    """What the release does to one measure. `effect` and its bounds: more is better, whatever the measure."""

    candidates: int
    others: int
    candidates_before: float
    candidates_after: float
    others_before: float
    others_after: float
    effect: float
    at_least: float
    at_most: float
    gain: float | None
    gain_at_least: float | None
    worse_candidates: int
    worse_others: int
    worse_p: float
    no_worse_than: float


class Figures(BaseModel):
    """All that the latest decision rests on."""

    candidates: int
    others: int
    candidates_present: int
    others_present: int
    applied: int = Field(description="candidates that are there and run the release")
    hours: float
    measured_hours: int
    vanished_p: float
    effects: dict[str, Measured]


class Rollout(BaseModel):
    """A release on its way."""

    id: int
    release: int
    role: str
    name: str
    version: str
    state: State
    reason: Finding | Literal["cancelled"]
    about: str | None = Field(description="the measure that the reason is about")
    share: float
    metric: str
    min_gain: float
    min_hours: int
    sites: list[str] | None
    created: datetime
    measured_from: datetime | None
    judged: datetime | None = Field(description="the end of the last hour that was judged")
    decided: datetime | None


class RolloutDetail(Rollout):
    """A release on its way, with its figures."""

    figures: Figures | None


_RELEASES = "select id, role, name, version, sha256, url, notes, created from releases"
_ROLLOUTS = """
    select r.id, r.release_id as release, e.role, e.name, e.version, r.state, r.reason,
           r.figures ->> 'about' as about, r.share, r.metric, r.min_gain, r.min_hours::int as min_hours,
           case when r.sites is not null then
               array(select s.slug from sites s where s.id = any(r.sites) order by s.slug) end as sites,
           r.created, r.measured_from, r.judged, r.decided, r.figures -> 'figures' as figures
    from rollouts r join releases e on e.id = r.release_id"""
_SIGNING_KEY = f"set KINEBOX_API_SIGNING_KEY_FILE to an Ed25519 private key: {MAKE_ONE}"


def _signer(state: Shared) -> DesiredSigner:
    if state.desired_signer is None:
        raise ApiError(409, "no_signing_key", _SIGNING_KEY)
    return state.desired_signer


@router.post("/releases", status_code=201)
async def add_release(state: StateOf, who: Fleet, new: NewRelease) -> Release:
    """Add something to run. It does nothing until a rollout names it."""
    async with state.database.tenant(who.tenant_id) as db:
        try:
            row = await (
                await db.execute(
                    """insert into releases (tenant_id, role, name, version, sha256, url, notes, created_by)
                       values (%s, %s, %s, %s, %s, %s, %s, %s)
                       returning id, role, name, version, sha256, url, notes, created""",
                    (
                        who.tenant_id, new.role, new.name, new.version, new.sha256, new.url, new.notes, who.user_id
                    ),
                )
            ).fetchone()  # fmt: skip
        except psycopg.errors.UniqueViolation as error:
            raise ApiError(
                409, "release_exists", f"there is a {new.role} {new.name}-{new.version}"
            ) from error
    assert row is not None
    return Release(**row)


@router.get("/releases")
async def releases(
    state: StateOf, who: Fleet, before: Before = 2**31 - 1, limit: Limit = 100
) -> list[Release]:
    """Releases, the newest first."""
    async with state.database.tenant(who.tenant_id) as db:
        rows = await db.execute(_RELEASES + " where id < %s order by id desc limit %s", (before, limit))
        return [Release(**row) async for row in rows]


@router.post("/rollouts", status_code=201)
async def begin(state: StateOf, who: Fleet, new: NewRollout) -> RolloutDetail:
    """Let a part of the fleet try a release. One at a time: two would be measured with each other's effect."""
    signer = _signer(state)
    async with state.database.tenant(who.tenant_id) as db:
        number = await rollouts.create(
            db, signer, tenant_id=who.tenant_id, user_id=who.user_id, release_id=new.release, share=new.share,
            metric=new.metric, min_gain=new.min_gain, min_hours=new.min_hours, sites=new.sites,
        )  # fmt: skip
    return await rollout(state, who, number)


@router.get("/rollouts")
async def every_rollout(
    state: StateOf, who: Fleet, before: Before = 2**31 - 1, limit: Limit = 100
) -> list[Rollout]:
    """Rollouts, the newest first."""
    async with state.database.tenant(who.tenant_id) as db:
        rows = await db.execute(_ROLLOUTS + " where r.id < %s order by r.id desc limit %s", (before, limit))
        return [Rollout(**_without_figures(row)) async for row in rows]


@router.get("/rollouts/{rollout_id}")
async def rollout(state: StateOf, who: Fleet, rollout_id: Number) -> RolloutDetail:
    """A rollout and the figures that its latest decision rests on."""
    async with state.database.tenant(who.tenant_id) as db:
        row = await (await db.execute(_ROLLOUTS + " where r.id = %s", (rollout_id,))).fetchone()
    if row is None:
        raise ApiError(404, "not_found", "no such rollout")
    return RolloutDetail(**row)


@router.post("/rollouts/{rollout_id}/cancel")
async def cancel(state: StateOf, who: Fleet, rollout_id: Number) -> RolloutDetail:
    """End a running rollout: candidates get back what they ran."""
    signer = _signer(state)
    async with state.database.tenant(who.tenant_id) as db:
        await rollouts.cancel(db, signer, rollout_id)
    return await rollout(state, who, rollout_id)


def _without_figures(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "figures"}
