"""Who may record, and how its rows are numbered."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from edge.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlite_utils.db import Database


class Numbering:
    """Numbers the rows of a database before they are written, while no other process may do so.

    So a set has its id before it is on the disk, and a group whose commit may or may not have reached the disk
    can be written again without doubling.
    """

    def __init__(self, path: Path, db: Database) -> None:
        """Lock the recording. Raises `OSError`, and `StoreError` where another process has locked it."""
        self._lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._last = {
                table: db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]  # noqa: S608
                for table in ("sessions", "sets", "repetitions")
            }
        except BlockingIOError:
            self.release()
            raise StoreError(
                f"Another Kinebox is recording into {path}",
                "Stop it first, or give this one a folder of its own with KINEBOX_STATE",
            ) from None
        except BaseException:
            self.release()
            raise

    def next(self, table: str) -> int:
        """The id of the table's next row."""
        self._last[table] += 1
        return int(self._last[table])

    def release(self) -> None:
        """Let another process record."""
        os.close(self._lock)
