"""Many simulated boxes at once, and the question whether the database has what they recorded, once."""

from __future__ import annotations

import asyncio
import random
import signal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import psycopg

from cloud.fleet_sim.box import SimulatedBox
from wire.topics import Address

if TYPE_CHECKING:
    from cloud.fleet_sim.box import Habits
    from cloud.mqtt import Target

TENANT = "simulated"
SITE = "fleet"


class Outcome(msgspec.Struct, frozen=True):
    """What became of the windows of a fleet."""

    recorded: int
    stored: int
    lost: int
    doubled: int
    waiting: int
    """Not acknowledged when the time was up."""


def addresses(boxes: int, seed: int) -> list[Address]:
    """The addresses of a fleet: the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 (repeatable, hides nothing)
    return [Address(TENANT, SITE, str(UUID(int=dice.getrandbits(128), version=4))) for _ in range(boxes)]


def enrol(database: str, fleet: list[Address]) -> None:
    """Make the fleet known to the cloud. Needs a role to which row security does not apply."""
    with psycopg.connect(database) as db:
        db.execute(
            "insert into tenants (slug, name) values (%s, %s) on conflict do nothing", (TENANT, TENANT)
        )
        db.execute(
            """insert into sites (tenant_id, slug, name) select id, %s, %s from tenants where slug = %s
               on conflict do nothing""",
            (SITE, SITE, TENANT),
        )
        db.execute(
            """insert into devices (tenant_id, site_id, device)
               select s.tenant_id, s.id, d from unnest(%s::uuid[]) d, sites s join tenants t on t.id = s.tenant_id
               where t.slug = %s and s.slug = %s on conflict do nothing""",
            ([address.device for address in fleet], TENANT, SITE),
        )


async def run(
    target: Target, fleet: list[Address], habits: Habits, seed: int, limit_s: float
) -> list[SimulatedBox]:
    """Run the boxes until everything is acknowledged, or the time is up. SIGINT ends the recording."""
    boxes = []
    for n, address in enumerate(fleet):
        dice = random.Random(seed + n)  # noqa: S311 (repeatable, hides nothing)
        own = msgspec.structs.replace(target, client_id=address.device)
        boxes.append(SimulatedBox(address, own, habits, dice))

    def stop() -> None:
        for box in boxes:
            box.stop()

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)
    tasks = [asyncio.create_task(box.run()) for box in boxes]
    await asyncio.wait(tasks, timeout=limit_s)
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
    return boxes


def compare(database: str, boxes: list[SimulatedBox]) -> Outcome:
    """What the boxes recorded against what the database holds of them."""
    with psycopg.connect(database) as db:
        stored = db.execute(
            """select b.boot::text, t.seq from telemetry_10s t join boots b on b.id = t.boot_id
               join devices d on d.id = t.device_id where d.device = any(%s::uuid[])""",
            ([box.address.device for box in boxes],),
        ).fetchall()
    recorded = set().union(*(box.recorded for box in boxes))
    return Outcome(
        recorded=len(recorded),
        stored=len(stored),
        lost=len(recorded - set(stored)),
        doubled=len(stored) - len(set(stored)),
        waiting=sum(box.waiting for box in boxes),
    )
