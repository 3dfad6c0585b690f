"""Group commit: events wait in memory for at most a second and reach the disk in one durable transaction."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from edge.errors import StoreError
from edge.store.errors import storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sqlite_utils.db import Database

    Event = tuple[str, tuple[Any, ...]]
    """A statement and its parameters."""

GROUP_EVENTS = 50
GROUP_SECONDS = 1.0

log = logging.getLogger(__name__)


class Group:
    """The events that are not yet written. Its statements can be run twice with the effect of once."""

    def __init__(self, path: Path, db: Database) -> None:
        self.commits = 0
        """Groups written."""
        self.problem: StoreError | None = None
        """Why the last group could not be written; None when all is well."""
        self.writing = threading.RLock()
        """Held while the connection is in use: it belongs to one thread at a time."""
        self._path = path
        self._db = db
        self._pending: deque[Event] = deque()
        self._since: float | None = None

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._pending)

    def add(self, sql: str, parameters: tuple[Any, ...]) -> None:
        """Remember an event."""
        self._pending.append((sql, parameters))

    def tick(self, now: float) -> None:
        """Write the group where it is due. Raises `StoreError`: then the events are kept."""
        if not self._pending:
            return
        since = self._since  # another thread may be flushing
        if since is None:
            since = self._since = now
        # A disk that has just refused a group is asked again in a second, not for every event.
        full = len(self._pending) >= GROUP_EVENTS and self.problem is None
        if full or now - since >= GROUP_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write the group now. Raises `StoreError`: then the events are kept."""
        with self.writing:
            self._since = None
            group = list(self._pending)  # what is added from now on waits for the next one
            if not group:
                return
            try:
                self.write(group)
            except StoreError as error:
                self.problem = error
                raise
            self.problem = None
            self.commits += 1
            for _ in group:
                self._pending.popleft()

    def write(self, events: Iterable[Event]) -> None:
        """Run the statements in one transaction that is on the disk when this returns. Raises `StoreError`."""
        with self.writing, storage_errors(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for sql, parameters in events:
                    try:
                        self._db.conn.execute(sql, parameters)
                    except sqlite3.IntegrityError:
                        # It would be refused for ever, and everything after it would wait for ever.
                        log.exception("The database refused an event, which is lost: %s", sql)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.rollback()
                raise
