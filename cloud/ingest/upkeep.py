"""What TimescaleDB's jobs would do in its licensed edition: rollups and retention, every minute."""

from __future__ import annotations

import logging
from datetime import timedelta

import psycopg

from cloud.ingest.metrics import UPKEEP

log = logging.getLogger(__name__)


def run_upkeep(url: str, keep_days: float) -> None:
    """Bring rollups up to date and drop what is too old. Of several replicas one at a time does the work."""
    keep = timedelta(days=keep_days)
    with psycopg.connect(url, connect_timeout=5) as db:
        row = db.execute("select refresh_rollups()").fetchone()
        db.commit()
        dropped = db.execute("select drop_old_telemetry(%s)", (keep,)).fetchone()
        db.execute("delete from dead_letters where last_received < now() - %s", (keep,))
    log.debug("rolled up %s hours of subjects, dropped %s chunks", row, dropped)
    UPKEEP.set_to_current_time()
