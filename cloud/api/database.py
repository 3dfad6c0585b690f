"""The database as requests use it: one transaction each, which sees one tenant's rows."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Db = AsyncConnection[DictRow]
WAIT_S = 5.0
"""How long a request waits for a connection before it is told to come again."""
STATEMENT_MS = 15_000
"""What takes longer is cancelled: nobody waits for it any more."""


class Database:
    """A pool of connections. Row-level security shows each transaction the rows of the tenant that it names."""

    def __init__(self, url: str, size: int) -> None:
        self._pool: AsyncConnectionPool[Db] = AsyncConnectionPool(
            url,
            connection_class=AsyncConnection[DictRow],
            min_size=min(2, size),
            max_size=size,
            open=False,
            timeout=WAIT_S,
            kwargs={
                "row_factory": dict_row,
                "connect_timeout": 5,
                "options": f"-c statement_timeout={STATEMENT_MS}",
                "application_name": "kinebox-api",
            },
            check=AsyncConnectionPool.check_connection,
        )

    async def open(self) -> None:
        """Begin to connect; does not wait for the database."""
        await self._pool.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    @asynccontextmanager
    async def tenant(self, tenant_id: int) -> AsyncIterator[Db]:
        """A transaction among the rows of one tenant."""
        async with self._pool.connection() as db:
            await db.execute("select set_config('kinebox.tenant', %s, true)", (str(tenant_id),))
            yield db

    @asynccontextmanager
    async def moment(self, tenant_id: int) -> AsyncIterator[Db]:
        """A transaction that reads a tenant's rows as of one moment, however long it takes."""
        async with self._pool.connection() as db:
            await db.execute("set transaction isolation level repeatable read, read only")
            await db.execute("select set_config('kinebox.tenant', %s, true)", (str(tenant_id),))
            yield db

    @asynccontextmanager
    async def nobody(self) -> AsyncIterator[Db]:
        """A transaction that sees no tenant's rows."""
        async with self._pool.connection() as db:
            yield db

    def stats(self) -> dict[str, Any]:
        """Counters of the pool, for /metrics."""
        return self._pool.get_stats()
