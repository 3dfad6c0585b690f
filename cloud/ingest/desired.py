"""Desired states to the broker, retained: each box finds the newest one whenever it connects.

A state counts as published once the broker has acknowledged it. A box that comes back gets its state again (the
trigger desired_again), so one that a broker lost is told again; the box knows what it has.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeAlias

import psycopg

from wire.topics import Address

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

log = logging.getLogger(__name__)
Retain: TypeAlias = "Callable[[Sequence[tuple[str, bytes]]], Awaitable[list[bool]]]"
"""Publishes (topic, payload), and says which of them the broker took."""
AT_ONCE = 1000
"""States of one transaction; of one box the newest is all there is."""
_UNPUBLISHED = """
    select s.device_id, s.serial, s.envelope, t.slug, i.slug, d.device
    from desired_states s join devices d on d.id = s.device_id
    join sites i on i.id = d.site_id join tenants t on t.id = d.tenant_id
    where s.published < s.serial and d.retired is null order by s.device_id limit %s"""
_PUBLISHED = """
    update desired_states s set published = x.serial from unnest(%s::int[], %s::int8[]) as x (device_id, serial)
    where s.device_id = x.device_id and s.published < x.serial"""


async def publish_desired(url: str, retain: Retain) -> int:
    """Publish what the broker has not; returns how many. Raises psycopg.Error.

    Of several replicas the first does it.
    """
    published = 0
    async with await psycopg.AsyncConnection.connect(url, connect_timeout=5) as db:
        while True:
            async with db.transaction():
                count, refused = await _publish_some(db, retain)
            published += count
            if count < AT_ONCE:
                break
    if refused:
        log.warning("the broker did not take %d desired states, trying again later", refused)
    return published


async def _publish_some(db: psycopg.AsyncConnection, retain: Retain) -> tuple[int, int]:
    """How many the broker took, and how many not."""
    lock = await db.execute("select pg_try_advisory_xact_lock(hashtext('kinebox.publish_desired'))")
    if await lock.fetchone() == (False,):
        return 0, 0
    rows = await (await db.execute(_UNPUBLISHED, (AT_ONCE,))).fetchall()
    taken = await retain(
        [
            (Address(tenant, site, str(device)).topic("desired"), bytes(envelope))
            for _, _, envelope, tenant, site, device in rows
        ]
    )
    done = [row for row, good in zip(rows, taken, strict=True) if good]
    await db.execute(_PUBLISHED, ([row[0] for row in done], [row[1] for row in done]))
    return len(done), len(rows) - len(done)
