"""What TimescaleDB's licence offers is used where it is there; without it the service does the same itself.

Debian's package is the Apache edition: hypertables, time_bucket and drop_chunks, no compression and no jobs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection


def is_licensed(db: Connection[Any]) -> bool:
    """Whether the community edition with its licensed features runs."""
    row = db.execute("select current_setting('timescaledb.license', true) = 'timescale'").fetchone()
    return bool(row and row[0])


def use_compression(db: Connection[Any], after: str = "7 days") -> bool:
    """Compress windows older than `after` where the licence allows it; returns whether it does."""
    if not is_licensed(db):
        return False
    db.execute(
        """alter table telemetry_10s set (timescaledb.compress,
           timescaledb.compress_segmentby = 'tenant_id, subject_id', timescaledb.compress_orderby = 'time')"""
    )
    db.execute(
        "select add_compression_policy('telemetry_10s', %s::interval, if_not_exists => true)", (after,)
    )
    return True
