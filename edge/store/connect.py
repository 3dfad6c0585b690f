"""Connections to the database file: one that writes, and short-lived ones that read."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlite_utils.db import Database

from edge.store.schema import bring_up_to_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BUSY_MS = 5000


def open_writer(path: Path, schema: Callable[[Database], None] = bring_up_to_date) -> Database:
    """Open or create the file, private to its owner, check it and bring its schema up to date.

    Raises `sqlite3.Error`, `OSError` or `StoreError`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A log left behind means that the last program to write was cut off: then the file is looked over once.
    cut_off = path.with_name(path.name + "-wal").exists()
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)  # SQLite gives its -wal and -shm files the same mode
    # Any thread may commit (under the store's lock); transactions are begun and ended by hand.
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        for pragma in (
            f"busy_timeout = {BUSY_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",  # a deleted session is overwritten, not just forgotten
            "trusted_schema = OFF",
            "journal_size_limit = 16777216",
        ):
            connection.execute(f"PRAGMA {pragma}")
        if cut_off:
            _look_over(connection)
        database = Database(connection, execute_plugins=False)
        schema(database)
    except BaseException:
        connection.close()
        raise
    return database


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of its own that cannot write, and sees one unchanging state for as long as it is open.

    Opening one costs a fraction of a millisecond and spares a pool with its threads and its leaks.
    """
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute("BEGIN")
        yield connection
    finally:
        connection.close()


def reusable_bytes(database: Database) -> int:
    """What deleted rows have left in a file for new ones: it does not get smaller."""
    pages, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size")
    )
    return int(pages * size)


def _look_over(connection: sqlite3.Connection) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        error = sqlite3.DatabaseError(verdict)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error
