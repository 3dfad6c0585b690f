"""Rollouts: a release for some boxes, then for all or for none. Each function runs in one transaction of a tenant."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg.types.json import Jsonb

from cloud.api.problems import ApiError
from cloud.fleet.assign import candidates
from cloud.fleet.decide import APPLIED_SHARE, LOOKS, SMALLEST_ARM, Box, Plan, Verdict, decide
from cloud.fleet.desired import change, wanted
from cloud.fleet.figures import boxes
from wire.desired import Version

if TYPE_CHECKING:
    from cloud.api.database import Db
    from cloud.fleet.signing import DesiredSigner

ELIGIBLE = "24 hours"
"""A box that was not seen for longer cannot be measured: it is in no arm. Promotion reaches it all the same."""
TO_APPLY_H = 72
"""Hours that boxes get to fetch and run a release, beside those of measuring."""
_OPEN = """
    select r.id, r.metric, r.min_gain, r.min_hours, r.max_hours, r.sites, r.created, r.measured_from, r.judged,
           e.role, e.name, e.version, e.sha256, e.url
    from rollouts r join releases e on e.id = r.release_id where r.state = 'candidate'"""


async def lock(db: Db, wait: bool = True) -> bool:
    """Keep others from the tenant's rollouts until the transaction ends; False where somebody else does."""
    if wait:
        await db.execute("select pg_advisory_xact_lock(hashtext('kinebox.rollouts'), current_tenant())")
        return True
    row = await (
        await db.execute(
            "select pg_try_advisory_xact_lock(hashtext('kinebox.rollouts'), current_tenant()) as mine"
        )
    ).fetchone()
    return bool(row and row["mine"])


async def create(
    db: Db,
    signer: DesiredSigner,
    *,
    tenant_id: int,
    user_id: int | None,
    release_id: int,
    share: float,
    metric: str,
    min_gain: float,
    min_hours: int,
    sites: list[str] | None,
) -> int:
    """Begin one: choose the candidates and give them their desired states. Raises ApiError 404 and 409."""
    await lock(db)
    if await _one(db, "select id from rollouts where state = 'candidate'"):
        raise ApiError(409, "rollout_running", "cancel the running rollout or wait for its end")
    release = await _one(
        db, "select role, name, version, sha256, url from releases where id = %s", release_id
    )
    if release is None:
        raise ApiError(404, "release_unknown", f"there is no release {release_id}")
    numbers = None if sites is None else await _numbers(db, sites)
    rows = await (
        await db.execute(
            """select id, device, site_id from devices where retired is null
               and last_seen > now() - %s::interval and (%s::int[] is null or site_id = any(%s))""",
            (ELIGIBLE, numbers, numbers),
        )
    ).fetchall()
    count = math.ceil(round(share * len(rows), 9))
    if min(count, len(rows) - count) < SMALLEST_ARM:
        raise ApiError(
            409,
            "too_few_boxes",
            f"{count} of {len(rows)} boxes seen lately would try it; at least {SMALLEST_ARM} must, and as many not",
        )
    made = await _one(
        db,
        """insert into rollouts (tenant_id, release_id, state, share, metric, min_gain, min_hours, max_hours, sites,
               created_by, reason) values (%s, %s, 'candidate', %s, %s, %s, %s, %s, %s, %s, 'applying')
           returning id""",
        tenant_id, release_id, share, metric, min_gain, min_hours, LOOKS * min_hours + TO_APPLY_H, numbers, user_id,
    )  # fmt: skip
    assert made is not None
    chosen = candidates(made["id"], {row["device"]: row["site_id"] for row in rows}, share)
    ids = [row["id"] for row in rows if row["device"] in chosen]
    former = await wanted(db, release["role"], ids)
    async with db.cursor() as cursor:
        await cursor.executemany(
            """insert into rollout_devices (rollout_id, tenant_id, device_id, candidate, former)
               values (%s, %s, %s, %s, %s)""",
            [
                (made["id"], tenant_id, row["id"], row["device"] in chosen, _jsonb(former.get(row["id"])))
                for row in rows
            ],
        )
    await change(db, signer, release["role"], dict.fromkeys(ids, _version(release)))
    return int(made["id"])


async def cancel(db: Db, signer: DesiredSigner, rollout_id: int) -> None:
    """End one that runs: candidates get their former states. Raises ApiError 404 and 409."""
    await lock(db)
    row = await _one(db, _OPEN + " and r.id = %s", rollout_id)
    if row is None:
        if await _one(db, "select id from rollouts where id = %s", rollout_id) is None:
            raise ApiError(404, "not_found", "no such rollout")
        raise ApiError(409, "rollout_ended", "it is no longer running")
    await _restore(db, signer, row)
    await db.execute(
        "update rollouts set state = 'cancelled', reason = 'cancelled', decided = now() where id = %s",
        (rollout_id,),
    )


async def step(db: Db, signer: DesiredSigner) -> Verdict | None:
    """Look at the tenant's running rollout and do what is due; doing it again changes nothing.

    Returns what was found where an hour more has been judged. The caller has the lock.
    """
    await _adopt(db, signer)
    row = await _one(db, _OPEN)
    if row is None:
        return None
    state = await _one(db, "select until, now() as now from health_refreshed")
    if state is None or (row["judged"] is not None and state["until"] <= row["judged"]):
        return None
    until, version = state["until"], _version(row)
    measured = row["measured_from"]
    found = await boxes(
        db, rollout=row["id"], role=row["role"], version=row["version"], runs_as=version.runs_as,
        began=row["created"], measured=measured, until=until,
    )  # fmt: skip
    if measured is None and _is_applied(found):
        # The hour in which it was applied belongs to neither time.
        measured = until + timedelta(hours=1)
        found = [msgspec.structs.replace(box, after={}) for box in found]
    plan = Plan(
        metric=row["metric"],
        min_gain=row["min_gain"],
        min_hours=math.ceil(row["min_hours"]),
        max_hours=math.ceil(row["max_hours"]),
    )
    verdict = decide(
        plan, found,
        hours=(state["now"] - row["created"]).total_seconds() / 3600,
        measured_hours=_hours(measured, until), seen_hours=_hours(measured, row["judged"]),
    )  # fmt: skip
    if verdict.state == "promoted":
        await _promote(db, signer, row)
    elif verdict.state == "rolled_back":
        await _restore(db, signer, row)
    await db.execute(
        """update rollouts set state = %s, reason = %s, figures = %s, measured_from = %s, judged = %s,
               decided = case when %s = 'candidate' then null else now() end where id = %s""",
        (
            verdict.state, verdict.finding, Jsonb(msgspec.to_builtins(verdict)), measured, until, verdict.state,
            row["id"],
        ),
    )  # fmt: skip
    return verdict


async def _promote(db: Db, signer: DesiredSigner, row: dict[str, Any]) -> None:
    rows = await db.execute(
        "select id from devices where retired is null and (%s::int[] is null or site_id = any(%s))",
        (row["sites"], row["sites"]),
    )
    await change(db, signer, row["role"], {each["id"]: _version(row) async for each in rows})


async def _restore(db: Db, signer: DesiredSigner, row: dict[str, Any]) -> None:
    rows = await db.execute(
        "select device_id, former from rollout_devices where rollout_id = %s and candidate", (row["id"],)
    )
    former = {each["device_id"]: msgspec.convert(each["former"], Version | None) async for each in rows}
    await change(db, signer, row["role"], former)


async def _adopt(db: Db, signer: DesiredSigner) -> None:
    """Give boxes that were enrolled after a promotion what was promoted last for their site."""
    rows = await (
        await db.execute(
            """select distinct on (d.id, e.role) d.id as device_id, e.role, e.name, e.version, e.sha256, e.url
               from rollouts r join releases e on e.id = r.release_id
               join devices d on d.tenant_id = r.tenant_id and d.created > r.decided and d.retired is null
                   and (r.sites is null or d.site_id = any(r.sites))
               left join desired_states s on s.device_id = d.id
               where r.state = 'promoted'
                   and case when e.role = 'software' then s.software is null
                            else not coalesce(s.models, '{}') ? e.role end
               order by d.id, e.role, r.decided desc"""
        )
    ).fetchall()
    for role in {row["role"] for row in rows}:
        versions = {row["device_id"]: _version(row) for row in rows if row["role"] == role}
        await change(db, signer, role, versions)


def _is_applied(found: list[Box]) -> bool:
    here = [box for box in found if box.candidate and box.present]
    return bool(here) and sum(box.applied for box in here) >= APPLIED_SHARE * len(here)


def _hours(measured: datetime | None, until: datetime | None) -> int:
    if measured is None or until is None:
        return 0
    return max(round((until.astimezone(UTC) - measured.astimezone(UTC)).total_seconds() / 3600), 0)


def _version(row: dict[str, Any]) -> Version:
    return Version(name=row["name"], version=row["version"], sha256=row["sha256"], url=row["url"])


def _jsonb(version: dict[str, Any] | None) -> Jsonb | None:
    return None if version is None else Jsonb(version)


async def _numbers(db: Db, sites: list[str]) -> list[int]:
    rows = await (await db.execute("select id, slug from sites where slug = any(%s)", (sites,))).fetchall()
    unknown = set(sites) - {row["slug"] for row in rows}
    if unknown:
        raise ApiError(404, "site_unknown", f"no such site: {', '.join(sorted(unknown))}")
    return [row["id"] for row in rows]


async def _one(db: Db, query: str, *parameters: object) -> dict[str, Any] | None:
    return await (await db.execute(query.encode(), parameters)).fetchone()
