"""Runs the SQL file of the same name."""

from __future__ import annotations

from cloud.schema.sql import run_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply the migration."""
    run_file(__file__)
