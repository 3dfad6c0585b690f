"""SQLite's errors, in the user's terms.

StoreError
├── SessionRunningError   a session that is being recorded cannot be deleted
├── UnknownSessionError   there is no session of that id
└── UnknownMetricError    the catalogue has no such metric, or no column for it
"""

from __future__ import annotations

import errno
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class SessionRunningError(StoreError):
    """The session is still being recorded."""


class UnknownSessionError(StoreError):
    """There is no session of that id."""

    def __init__(self, session_id: str) -> None:
        """Say which id was asked for."""
        super().__init__(f"There is no session {session_id}", "It may have been deleted")


class UnknownMetricError(StoreError):
    """The catalogue has no such metric, or it has no value in every frame."""

    def __init__(self, keys: Iterable[str]) -> None:
        """Say which keys were asked for."""
        super().__init__(f"Not in the catalogue: {', '.join(sorted(keys))}", "See wire/metrics.toml")


_DAMAGED = (
    "is damaged",
    "The file was left as it is. `sqlite3 FILE .recover` may save its rows; moved away, a new one is begun",
)
_NOT_WRITABLE = ("cannot be written", "Give this user write permission on the file and its folder")
_EXPLAINED: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: ("is not a Kinebox database", _DAMAGED[1]),
    sqlite3.SQLITE_FULL: (
        "cannot grow: the disk is full",
        "Free some space. What was recorded is safe, and recording goes on when there is room",
    ),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written: input/output error",
        "Check the disk: free space, quota, `dmesg`. What was recorded stays",
    ),
    sqlite3.SQLITE_READONLY: _NOT_WRITABLE,
    sqlite3.SQLITE_PERM: _NOT_WRITABLE,
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _NOT_WRITABLE[1]),
    sqlite3.SQLITE_BUSY: ("is locked by another program", "Close the program that holds the database open"),
}


def explain(path: Path, error: sqlite3.Error | OSError) -> StoreError:
    """The `StoreError` that says what `error` means for the database at `path`."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        code = sqlite3.SQLITE_FULL
    else:
        # The low byte is the primary code; the rest only says where in SQLite it happened.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CANTOPEN) & 0xFF
    what, remedy = _EXPLAINED.get(code, ("cannot be used", "This is a fault of Kinebox; please report it"))
    return StoreError(f"The database {path} {what} ({error})", remedy)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise inside the block into `StoreError`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise explain(path, error) from error
