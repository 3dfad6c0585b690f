"""Which boxes somebody should look at: found for the whole fleet now and then, so that pages need not."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from psycopg import sql

from cloud.fleet.alerts import alerts_sql
from cloud.fleet.desired import RUNS
from cloud.fleet.drift import EARLY_DAYS, LATE_DAYS, Drift, drift

if TYPE_CHECKING:
    from datetime import date

    from cloud.api.database import Db

FACTS = sql.SQL(
    """left join lateral (
               select *, time > now() - interval '10 minutes' as fresh from latest_health(d.id)) h on true
       left join lateral (
               select x.serial, x.issued, {runs} as reached
               from desired_states x where x.device_id = d.id) w on true"""
).format(runs=sql.SQL(RUNS.format("x", "d")))
"""What the conditions of `alerts.toml` are about, joined to d (devices)."""
_REFRESH = sql.SQL(
    """with found as materialized (
           select d.id, d.tenant_id from devices d {facts} where d.retired is null and {alerts} <> '{{}}'),
       well as (delete from warned_devices x where not exists (select from found f where f.id = x.device_id)),
       warned as (insert into warned_devices select id, tenant_id from found on conflict do nothing)
       insert into warned_refreshed values (current_tenant(), now())
       on conflict (tenant_id) do update set refreshed = now()"""
).format(facts=FACTS, alerts=alerts_sql())


async def refresh_warned(db: Db) -> None:
    """Look through the fleet of the current tenant."""
    drifts = await site_drifts(db)
    await db.execute(_REFRESH, {"drifted": drifted(drifts)})


async def site_drifts(db: Db) -> dict[int, Drift]:
    """The drift of each site, by its number, where there are enough days."""
    rows = await db.execute(
        """select site_id, day, confidence::float8 as confidence, (now() at time zone 'UTC')::date as today
           from site_confidence_1d where day >= (now() at time zone 'UTC')::date - %s""",
        (LATE_DAYS + EARLY_DAYS,),
    )
    days: defaultdict[int, dict[date, float]] = defaultdict(dict)
    today = datetime.now(UTC).date()
    async for row in rows:
        days[row["site_id"]][row["day"]] = row["confidence"]
        today = row["today"]
    found = {number: drift(means, today) for number, means in days.items()}
    return {number: one for number, one in found.items() if one is not None}


def drifted(drifts: dict[int, Drift]) -> list[int]:
    """Numbers of the sites that drifted, for `alerts.toml`."""
    return [number for number, found in drifts.items() if found.drifted]
