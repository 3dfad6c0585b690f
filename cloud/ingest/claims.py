"""What a transaction holds until its commit: the numbers of the boots and the subjects that its messages name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from cloud.ingest import statements as sql
from cloud.ingest.devices import Device

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from psycopg import Cursor

    from cloud.ingest.batch import Boot
    from cloud.ingest.decode import Row
    from wire.messages import SessionChange

Subjects = dict[tuple[int, str], int | None]
"""Id in the database by tenant and subject; None: erased."""


class Settled(msgspec.Struct, frozen=True):
    """Everything up to `seq` of one start of one box is committed."""

    device: Device
    boot: str
    seq: int


def claim_boots(cursor: Cursor[Any], boots: Collection[Boot]) -> None:
    """Fill in `id` and `had`. To the commit no other transaction writes messages of these boots."""
    if not boots:
        return
    devices, names = [boot.device.id for boot in boots], [boot.boot for boot in boots]
    cursor.execute(sql.NEW_BOOTS, ([boot.device.tenant_id for boot in boots], devices, names))
    cursor.execute(sql.CLAIM_BOOTS, (devices, names, [boot.ranges() for boot in boots]))
    claimed = list(boots)
    for place, number, had in cursor.fetchall():
        boot = claimed[place - 1]
        boot.id = number
        for first, end in re.findall(r"\[(\d+),(\d+)\)", had):
            boot.had.update(range(int(first), int(end)))


def hold_subjects(cursor: Cursor[Any], items: Sequence[tuple[Boot, Row | SessionChange]]) -> Subjects:
    """Ids of the subjects, made where there is none. To the commit nobody erases one."""
    species = {(boot.device.tenant_id, message.subject): message.species for boot, message in items}
    if not species:
        return {}
    named = list(species)
    tenants, names = [tenant for tenant, _ in named], [name for _, name in named]
    cursor.execute(sql.NEW_SUBJECTS, (tenants, names, list(species.values())))
    cursor.execute(sql.HOLD_SUBJECTS, (tenants, names))
    return {named[place - 1]: None if erased else number for place, number, erased in cursor.fetchall()}


def settle(cursor: Cursor[Any], boots: Iterable[Boot]) -> list[Settled]:
    """Note the numbers as committed; returns how far each boot is without a gap."""
    claimed = {boot.id: boot for boot in boots}
    if not claimed:
        return []
    ranges, floors = [boot.ranges() for boot in claimed.values()], [boot.floor for boot in claimed.values()]
    cursor.execute(sql.SETTLE, (list(claimed), ranges, floors))
    return [Settled(claimed[number].device, claimed[number].boot, seq) for number, seq in cursor.fetchall()]
