"""The desired states of boxes in the database: a new one, signed and with a higher serial, for each that changes."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg.types.json import Jsonb

from wire.desired import DesiredState, Version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from cloud.api.database import Db
    from cloud.fleet.signing import DesiredSigner

SOFTWARE = "software"
"""The role of a release that is no model."""
RUNS = """
    not exists (select from jsonb_each({0}.models) m
                where {1}.models ->> m.key is distinct from (m.value ->> 'name') || '-' || (m.value ->> 'version'))
    and ({0}.software is null or {1}.software is not distinct from {0}.software ->> 'version')"""
"""SQL: whether a box (second alias, of devices) says that it runs its desired state (first alias)."""


async def wanted(db: Db, role: str, devices: list[int]) -> dict[int, dict[str, Any] | None]:
    """What boxes shall run in a role, as JSON; None where it is what their software came with."""
    rows = await db.execute(
        """select d.id, case when %(role)s = 'software' then s.software else s.models -> %(role)s end as version
           from devices d left join desired_states s on s.device_id = d.id where d.id = any(%(devices)s)""",
        {"role": role, "devices": devices},
    )
    return {row["id"]: row["version"] async for row in rows}


async def change(db: Db, signer: DesiredSigner, role: str, versions: Mapping[int, Version | None]) -> int:
    """Let boxes run other versions in a role (None: what their software came with); returns how many changed.

    A box whose desired state stays as it is gets no new one. Raises ValueError where a state would be too large.
    """
    rows = await (
        await db.execute(
            """select d.id, d.tenant_id, d.device, coalesce(s.serial, 0) as serial,
                      coalesce(s.models, '{}') as models, s.software
               from devices d left join desired_states s on s.device_id = d.id where d.id = any(%s)""",
            (list(versions),),
        )
    ).fetchall()
    changed = await asyncio.to_thread(_sealed, rows, signer, role, versions)
    async with db.cursor() as cursor:
        await cursor.executemany(
            """insert into desired_states (device_id, tenant_id, serial, models, software, envelope, issued)
               values (%(id)s, %(tenant_id)s, %(serial)s, %(models)s, %(software)s, %(envelope)s, %(issued)s)
               on conflict (device_id) do update set serial = excluded.serial, models = excluded.models,
                   software = excluded.software, envelope = excluded.envelope, issued = excluded.issued""",
            changed,
        )
    return len(changed)


def _sealed(
    rows: list[dict[str, Any]], signer: DesiredSigner, role: str, versions: Mapping[int, Version | None]
) -> list[dict[str, Any]]:
    now = int(time.time())
    changed = []
    for row in rows:
        models = msgspec.convert(row["models"], dict[str, Version])
        software = msgspec.convert(row["software"], Version | None)
        before = dict(models), software
        version = versions[row["id"]]
        if role == SOFTWARE:
            software = version
        elif version is None:
            models.pop(role, None)
        else:
            models[role] = version
        if (models, software) == before:
            continue
        device: UUID = row["device"]
        state = DesiredState(
            device=str(device),
            serial=max(row["serial"] + 1, now),
            issued=now,
            models=models,
            software=software,
        )
        changed.append(
            {
                "id": row["id"],
                "tenant_id": row["tenant_id"],
                "serial": state.serial,
                "models": Jsonb(msgspec.to_builtins(models)),
                "software": Jsonb(msgspec.to_builtins(software)) if software else None,
                "envelope": signer.seal(state),
                "issued": datetime.fromtimestamp(now, UTC),
            }
        )
    return changed
