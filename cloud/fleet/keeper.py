"""What goes on in a fleet without anybody asking: hours of health, warnings, steps of rollouts. For every tenant."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout

from cloud.fleet import rollouts
from cloud.fleet.warned import refresh_warned

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cloud.api.database import Database, Db
    from cloud.fleet.signing import DesiredSigner

log = logging.getLogger(__name__)
STATEMENT_MS = 300_000
AT_ONCE = "6 hours"
"""Hours of health that one transaction brings up to date."""


async def keep(database: Database, signer: DesiredSigner | None, every_s: float) -> None:
    """Do what is due, for ever. Of several replicas one does it at a time."""
    while True:
        await asyncio.sleep(every_s * random.uniform(0.5, 1.0))  # noqa: S311 (spreads, hides nothing)
        try:
            await keep_once(database, signer)
        except (psycopg.Error, PoolTimeout, PoolClosed) as error:
            log.warning("the fleet has to wait for the database: %s", error)
        except Exception:  # a task that ends would leave every rollout as it is until the next start
            log.exception("the fleet goes on after an error of its own")


async def keep_once(database: Database, signer: DesiredSigner | None) -> None:
    """Do what is due in every tenant."""
    async with database.nobody() as db:
        rows = await db.execute("select every_tenant() as tenant_id")
        tenants = [row["tenant_id"] async for row in rows]
    for tenant_id in tenants:
        await _refresh(database, tenant_id)
        async with _alone(database, tenant_id) as db:
            if db is not None:
                await refresh_warned(db)
        if signer is None:
            continue
        async with _alone(database, tenant_id) as db:
            verdict = await rollouts.step(db, signer) if db is not None else None
        if verdict is not None and verdict.state != "candidate":
            log.info("tenant %d: the rollout is %s: %s", tenant_id, verdict.state, verdict.finding)


async def _refresh(database: Database, tenant_id: int) -> None:
    """Bring the hours of health up to date, each transaction a few of them."""
    reached = None
    while True:
        async with _alone(database, tenant_id) as db:
            if db is None:
                return
            row = await (await db.execute("select refresh_health(%s) as until", (AT_ONCE,))).fetchone()
        if row is None or row["until"] == reached:
            return
        reached = row["until"]


@asynccontextmanager
async def _alone(database: Database, tenant_id: int) -> AsyncIterator[Db | None]:
    """A transaction that nobody else's disturbs; None where there is another."""
    async with database.tenant(tenant_id) as db:
        await db.execute("select set_config('statement_timeout', %s, true)", (str(STATEMENT_MS),))
        yield db if await rollouts.lock(db, wait=False) else None
