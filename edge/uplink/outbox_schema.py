"""The outbox's tables, and how an older file becomes a current one."""

from __future__ import annotations

from contextlib import closing

from sqlite_utils.db import Database
from sqlite_utils.migrations import Migrations

from edge.errors import StoreError

ROW_BYTES = 64
"""What a row takes beside its body, about."""

migrations = Migrations("kinebox-outbox")


@migrations(name="0001_outbox")
def _outbox(db: Database) -> None:
    for statement in (
        # One row a start of the hub. `machine` is the kernel's boot id: monotonic times of two cannot be compared.
        """CREATE TABLE boots (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            machine TEXT NOT NULL
        ) STRICT""",
        # `at` is NULL until the time is known; `body` is the message (JSON, zlib); its at, clock and boot
        # are filled in anew.
        """CREATE TABLE messages (
            boot INTEGER NOT NULL REFERENCES boots (id),
            seq INTEGER NOT NULL,
            kind TEXT NOT NULL,
            monotonic_ns INTEGER NOT NULL,
            at REAL,
            clock TEXT NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (boot, seq)
        ) STRICT""",
        "CREATE INDEX messages_without_time ON messages (boot) WHERE at IS NULL",
        "CREATE INDEX windows_by_time ON messages (at) WHERE kind = 'window'",
        # How much waits, kept by the database itself so that it is always right.
        "CREATE TABLE level (id INTEGER PRIMARY KEY, rows INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT",
        "INSERT INTO level VALUES (1, 0, 0)",
        _trigger("fuller", "INSERT", "+", "new"),
        _trigger("emptier", "DELETE", "-", "old"),
        # Sessions whose end is not recorded: after a crash the next start records it.
        "CREATE TABLE open_sessions (session TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID",
        "CREATE TABLE given_up (reason TEXT PRIMARY KEY, windows INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    ):
        db.execute(statement)


def _trigger(name: str, event: str, sign: str, row: str) -> str:
    return (
        f"CREATE TRIGGER {name} AFTER {event} ON messages BEGIN"  # noqa: S608
        f" UPDATE level SET rows = rows {sign} 1, bytes = bytes {sign} (length({row}.body) + {ROW_BYTES}); END"
    )


def bring_up_to_date(db: Database) -> None:
    """Apply what is missing. Raises `StoreError` where a newer Kinebox wrote the file."""
    applied = {migration.name for migration in migrations.applied(db)}
    with closing(Database(memory=True, execute_plugins=False)) as empty:
        known = {migration.name for migration in migrations.pending(empty)}
    if unknown := sorted(applied - known):
        raise StoreError(
            f"The outbox was written by a newer Kinebox (it has {', '.join(unknown)})",
            "Install the newer version again, or point KINEBOX_STATE at another folder",
        )
    if migrations.pending(db):
        db.execute("BEGIN IMMEDIATE")
        try:
            migrations.apply(db)
            db.execute("COMMIT")
        except BaseException:
            db.rollback()
            raise
