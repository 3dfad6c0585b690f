"""Where the database lives."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def state_dir() -> Path:
    """The folder of everything this box remembers: `KINEBOX_STATE`, else the platform's own place for it."""
    override = os.environ.get("KINEBOX_STATE")
    return Path(override) if override else platformdirs.user_state_path("kinebox")


def database_path() -> Path:
    """The database file."""
    return state_dir() / "kinebox.db"
