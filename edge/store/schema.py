"""The tables, and how an older file becomes a current one."""

from __future__ import annotations

import re
from contextlib import closing

from sqlite_utils.db import Database, quote_identifier
from sqlite_utils.migrations import Migrations

from edge.errors import ConfigError, StoreError
from wire.metrics import live_metrics

migrations = Migrations("kinebox")

_KEY = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = frozenset({"session_id", "t"})


@migrations(name="0001_sessions")
def _sessions(db: Database) -> None:
    # Times: `started_ns` is the monotonic clock of boot `boot_id`; every `*_s` and `t` counts from it.
    # `started_utc` stays NULL until the box knows the time (it has no clock battery).
    for statement in (
        """CREATE TABLE sessions (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            subject INTEGER NOT NULL,
            species TEXT NOT NULL,
            camera TEXT NOT NULL,
            model TEXT NOT NULL,
            boot_id TEXT NOT NULL,
            started_ns INTEGER NOT NULL,
            started_utc REAL,
            end_s REAL,
            end_reason TEXT
        ) STRICT""",
        "CREATE INDEX sessions_by_time ON sessions (started_utc)",
        "CREATE INDEX sessions_open ON sessions (id) WHERE end_s IS NULL",
        """CREATE TABLE sets (
            id INTEGER PRIMARY KEY,
            session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            exercise TEXT NOT NULL,
            start_s REAL NOT NULL,
            end_s REAL,
            hold_s REAL NOT NULL DEFAULT 0
        ) STRICT""",
        "CREATE INDEX sets_by_session ON sets (session_id)",
        """CREATE TABLE repetitions (
            id INTEGER PRIMARY KEY,
            set_id INTEGER NOT NULL REFERENCES sets (id) ON DELETE CASCADE,
            t REAL NOT NULL,
            kind TEXT NOT NULL,
            side TEXT,
            duration_s REAL NOT NULL,
            eccentric_s REAL NOT NULL,
            concentric_s REAL NOT NULL,
            range_deg REAL,
            peak_deg REAL
        ) STRICT""",
        "CREATE INDEX repetitions_by_set ON repetitions (set_id)",
        # A column for each live metric is added when the file is opened.
        """CREATE TABLE samples (
            session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            t REAL NOT NULL,
            PRIMARY KEY (session_id, t)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE measurements (
            session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value REAL,
            grade TEXT NOT NULL,
            reasons TEXT NOT NULL,
            PRIMARY KEY (session_id, key)
        ) STRICT, WITHOUT ROWID""",
    ):
        db.execute(statement)


@migrations(name="0002_repetition_measures")
def _repetition_measures(db: Database) -> None:
    # By key of the catalogue, as JSON: a repetition is read as a whole, and which keys it has depends on its limbs.
    db.execute("ALTER TABLE repetitions ADD COLUMN measures TEXT NOT NULL DEFAULT '{}'")


@migrations(name="0003_calibration")
def _calibration(db: Database) -> None:
    # What was known of the camera and of the body's height, as JSON: how far the numbers can be trusted.
    db.execute("ALTER TABLE sessions ADD COLUMN calibration TEXT")


@migrations(name="0004_set_summary")
def _set_summary(db: Database) -> None:
    # What was said of the set when it was over, as JSON (NULL while it runs, and where a power cut ended it).
    db.execute("ALTER TABLE sets ADD COLUMN rejected_reps INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE sets ADD COLUMN summary TEXT")


def metric_columns() -> tuple[str, ...]:
    """The samples table's metric columns, which are the keys of the catalogue's live metrics.

    Raises `ConfigError` for a key that cannot be a column.
    """
    keys = tuple(metric.key for metric in live_metrics())
    for key in keys:
        if not _KEY.fullmatch(key) or key in _TAKEN:
            raise ConfigError(
                f"The metric key {key!r} cannot be a column name",
                "Use lower-case letters, digits and underscores, and neither session_id nor t",
            )
    return keys


def bring_up_to_date(db: Database) -> None:
    """Apply what is missing: migrations, and a column for each new live metric.

    Raises `StoreError` where a newer Kinebox wrote the file: an older one would not understand its rows.
    """
    applied = {migration.name for migration in migrations.applied(db)}
    if unknown := sorted(applied - _known_migrations()):
        raise StoreError(
            f"The database was written by a newer Kinebox (it has {', '.join(unknown)})",
            "Install the newer version again, or point KINEBOX_STATE at another folder",
        )
    if not migrations.pending(db) and not _missing_columns(db):
        return
    # One immediate transaction: of two programs that open an old file together, one waits and finds it done.
    db.execute("BEGIN IMMEDIATE")
    try:
        migrations.apply(db)
        for key in _missing_columns(db):
            db.execute(f"ALTER TABLE samples ADD COLUMN {quote_identifier(key)} REAL")
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def _known_migrations() -> set[str]:
    # All of them are pending in an empty database.
    with closing(Database(memory=True, execute_plugins=False)) as empty:
        return {migration.name for migration in migrations.pending(empty)}


def _missing_columns(db: Database) -> list[str]:
    present = {row[1] for row in db.execute("PRAGMA table_info(samples)")}
    return [key for key in metric_columns() if key not in present]
