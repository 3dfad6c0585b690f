"""Where the box keeps what it remembers, and what its user gave it."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

SYSTEM_EXERCISES = Path("/etc/kinebox/exercises")


def state_dir() -> Path:
    """The folder of everything this box remembers: `KINEBOX_STATE`, else the platform's own place for it."""
    override = os.environ.get("KINEBOX_STATE")
    return Path(override) if override else platformdirs.user_state_path("kinebox")


def database_path() -> Path:
    """The database file."""
    return state_dir() / "kinebox.db"


def added_exercises() -> Path:
    """The folder of the exercises that were added in the dashboard or on the command line."""
    return state_dir() / "exercises"


def exercise_folders() -> tuple[Path, ...]:
    """Every folder in which the user's own exercises may lie; the first that has an id keeps it."""
    return *written_exercises(), added_exercises()


def written_exercises() -> tuple[Path, ...]:
    """The folders for exercises that were put there as files."""
    return SYSTEM_EXERCISES, platformdirs.user_config_path("kinebox") / "exercises"
