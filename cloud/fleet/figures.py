"""The boxes of a rollout as they were before it and are under it: means of whole hours, by measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from cloud.fleet.decide import Box
from cloud.fleet.desired import SOFTWARE
from cloud.fleet.measures import measures

if TYPE_CHECKING:
    from datetime import datetime

    from cloud.api.database import Db

BEFORE = "7 days"
FEWEST_BEFORE = 3
"""Hours with a measurement before the rollout, without which a box cannot be compared with itself."""
PRESENT = "2 hours"
"""A box that was not seen for longer is gone."""

_MEANS = sql.SQL(", ").join(
    sql.SQL("avg({0})::float8 as {0}, count({0}) as {1}").format(
        sql.Identifier(key), sql.Identifier(f"n_{key}")
    )
    for key in measures()
)
_QUERY = sql.SQL(
    """select r.candidate, d.last_seen > now() - {present}::interval and d.retired is null as present,
              coalesce(case when %(role)s = {software} then d.software = %(version)s
                            else d.models ->> %(role)s = %(runs_as)s end, false) as applied,
              to_jsonb(b) as before, to_jsonb(a) as after
       from rollout_devices r join devices d on d.id = r.device_id
       cross join lateral (
           select {means} from device_health_1h h where h.tenant_id = r.tenant_id and h.device_id = r.device_id
               and h.hour >= %(began)s::timestamptz - {before}::interval
               and h.hour < date_trunc('hour', %(began)s::timestamptz, 'UTC')) b
       cross join lateral (
           select {means} from device_health_1h h where h.tenant_id = r.tenant_id and h.device_id = r.device_id
               and h.hour >= %(measured)s and h.hour < %(until)s) a
       where r.rollout_id = %(rollout)s"""
).format(
    present=sql.Literal(PRESENT), before=sql.Literal(BEFORE), software=sql.Literal(SOFTWARE), means=_MEANS
)


async def boxes(
    db: Db,
    *,
    rollout: int,
    role: str,
    version: str,
    runs_as: str,
    began: datetime,
    measured: datetime | None,
    until: datetime | None,
) -> list[Box]:
    """Every box of a rollout. began: when it was made; measured to until: whole hours under it, if any."""
    rows = await db.execute(
        _QUERY,
        {
            "rollout": rollout, "role": role, "version": version, "runs_as": runs_as, "began": began,
            "measured": measured, "until": until,
        },
    )  # fmt: skip
    return [
        Box(
            candidate=row["candidate"],
            present=bool(row["present"]),
            applied=row["applied"],
            before={
                key: row["before"][key] for key in measures() if row["before"][f"n_{key}"] >= FEWEST_BEFORE
            },
            after={key: row["after"][key] for key in measures() if row["after"][f"n_{key}"]},
        )
        async for row in rows
    ]
