"""Which devices there are, remembered for a minute: every message asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from wire.topics import Address

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from psycopg import Connection

REMEMBER_S = 60.0
FORGET_UNKNOWN_S = 5.0


class Device(msgspec.Struct, frozen=True, gc=False):
    """A device that is enrolled where its topic says."""

    id: int
    tenant_id: int
    device: UUID
    address: Address


class Directory:
    """Devices by their address."""

    def __init__(self) -> None:
        self._known: dict[Address, tuple[float, Device | None]] = {}

    def load(self, db: Connection[Any], addresses: Collection[Address]) -> None:
        """Look up what is not remembered, in one query."""
        now = time.monotonic()
        asked = [a for a in addresses if self._known.get(a, (0.0, None))[0] <= now]
        if not asked:
            return
        rows = db.execute(
            """select t.slug, s.slug, d.device, d.id, d.tenant_id
               from devices d join tenants t on t.id = d.tenant_id join sites s on s.id = d.site_id
               where d.device = any(%s) and d.retired is null""",
            ([u for a in asked if (u := _uuid(a.device))],),
        ).fetchall()
        found = {
            (place := Address(tenant, site, str(device))): Device(number, tenant_id, device, place)
            for tenant, site, device, number, tenant_id in rows
        }
        if len(self._known) > 500_000:
            self._known.clear()
        for a in asked:
            device = found.get(a)
            self._known[a] = (now + (REMEMBER_S if device else FORGET_UNKNOWN_S), device)

    def get(self, address: Address) -> Device | None:
        """The device at an address that was loaded; None where none is enrolled."""
        return self._known[address][1]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
