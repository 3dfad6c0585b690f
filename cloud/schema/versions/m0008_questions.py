"""Runs the SQL file of the same name."""

from __future__ import annotations

from cloud.schema.sql import run_file

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    """Apply the migration."""
    run_file(__file__)
