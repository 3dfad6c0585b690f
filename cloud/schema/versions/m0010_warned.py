"""Runs the SQL file of the same name."""

from __future__ import annotations

from cloud.schema.sql import run_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply the migration."""
    run_file(__file__)
