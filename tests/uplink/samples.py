"""Small messages for the uplink's tests."""

from __future__ import annotations

import uuid
from typing import Any

from edge.clock import Now
from wire.messages import SessionChange, Window

ME = "00000000-0000-4000-8000-00000000000a"
WHO = "00000000-0000-4000-8000-00000000000c"
STAY = "00000000-0000-4000-8000-00000000000d"
UTC = 1_800_000_000.0
LIMITS = {"max_bytes": 1e9, "max_days": 30}


def window(**changes: Any) -> Window:
    fields: dict[str, Any] = {
        "device": ME, "boot": str(uuid.UUID(int=0)), "seq": 1, "at": UTC, "clock": "synchronised", "subject": WHO,
        "species": "human", "camera": "cam0", "duration_s": 10.0, "metrics": {"trunk_lean": 5.0},
        "grade": "A",
    }  # fmt: skip
    return Window(**fields | changes)


def session(**changes: Any) -> SessionChange:
    fields: dict[str, Any] = {
        "device": ME, "boot": str(uuid.UUID(int=0)), "seq": 1, "at": UTC, "clock": "synchronised", "session": STAY,
        "change": "start", "subject": WHO, "species": "human", "camera": "cam0", "model": "m", "software": "0",
    }  # fmt: skip
    return SessionChange(**fields | changes)


def now(seconds: float = 0.0, **changes: Any) -> Now:
    """`seconds` after UTC, the machine having started 1000 s before that."""
    fields: dict[str, Any] = {
        "monotonic_ns": round((1000 + seconds) * 1e9), "utc": UTC + seconds, "source": "synchronised",
    }  # fmt: skip
    return Now(**fields | changes)
