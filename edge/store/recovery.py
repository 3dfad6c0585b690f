"""What a crash or a power cut leaves open is closed at the next start, from the evidence that was stored."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils.db import Database

LAST_EVIDENCE = """max(
    coalesce((SELECT max(t) FROM samples WHERE session_id = sessions.id), 0),
    coalesce((SELECT max(max(start_s, coalesce(end_s, 0))) FROM sets WHERE session_id = sessions.id), 0),
    coalesce((SELECT max(t) FROM repetitions JOIN sets ON sets.id = set_id
              WHERE session_id = sessions.id), 0))"""
"""SQL: seconds into the session at which something was last seen of it."""


@cache
def boot_id() -> str:
    """Which start of the machine this is: monotonic times of two boots cannot be compared."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def close_open_sessions(db: Database, now_utc: float | None) -> int:
    """End every open session, and every open set in it, at its last evidence. Returns how many sessions."""
    db.execute("BEGIN IMMEDIATE")
    try:
        if now_utc is not None:
            db.execute(
                "UPDATE sessions SET started_utc = ? + (started_ns - ?) / 1e9"
                " WHERE end_s IS NULL AND started_utc IS NULL AND boot_id = ?",
                (now_utc, time.monotonic_ns(), boot_id()),
            )
        db.execute(
            f"UPDATE sessions SET end_reason = 'interrupted', end_s = {LAST_EVIDENCE}"  # noqa: S608
            " WHERE end_s IS NULL"
        )
        (closed,) = db.execute("SELECT changes()").fetchone()
        db.execute(
            "UPDATE sets SET end_s = (SELECT end_s FROM sessions WHERE id = session_id) WHERE end_s IS NULL"
        )
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise
    return int(closed)
