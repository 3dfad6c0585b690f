"""Migrations are SQL files; Alembic keeps their order and which of them a database has."""

from __future__ import annotations

from pathlib import Path

from alembic import op


def run_file(migration: str) -> None:
    """Run the SQL file beside a migration, in the migration's transaction."""
    script = Path(migration).with_suffix(".sql").read_text(encoding="utf-8")
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(script.encode())
