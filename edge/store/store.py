"""The store: events are remembered at once, written in groups, and read back by session."""

from __future__ import annotations

import threading
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import msgspec

from edge.errors import StoreError
from edge.store import reads, recovery
from edge.store.connect import open_writer, reading, reusable_bytes
from edge.store.errors import (
    SessionRunningError,
    UnknownMetricError,
    UnknownSessionError,
    storage_errors,
)
from edge.store.group import Group
from edge.store.numbering import Numbering
from edge.store.schema import metric_columns
from edge.store.values import finite, measures_json, seconds, text
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from edge.coach.records import Repetition, RepetitionMeasure
    from edge.store.records import (
        EndReason,
        Grade,
        KeptSummary,
        Samples,
        Session,
        SessionCalibration,
        SessionSummary,
        Species,
    )

MAX_PENDING = 20_000
"""About an hour of samples: what is kept in memory while the disk is full."""
FORGOTTEN_AT_ONCE = 500
"""Samples that are deleted in one transaction where the disk is nearly full."""


class Store:
    """One database file: a single recorder, and any number of readers.

    `begin_…`, `end_…` and `add_…` only remember the event; `tick` writes the group when it is due, in one
    durable transaction. So these methods never wait for the disk, and only `tick`, `flush` and `close` can
    meet a full one: they raise `StoreError`, keep the group and try again when they are next called. Give
    those calls a worker thread; every method may be called from any thread.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the database at `path`, readable by its owner only.

        Raises `StoreError` where the file is damaged, was written by a newer Kinebox, or cannot be written.
        The file is never moved or replaced.
        """
        self.path = path
        self.lost_samples = 0
        """Samples given up because the disk stayed full for too long."""
        self._columns = frozenset(metric_columns())
        self._sessions: dict[str, int] = {}
        self._sets: dict[int, int] = {}
        self._numbering: Numbering | None = None
        self._lock = threading.Lock()
        with storage_errors(path):
            self._db = open_writer(path)
        self._group = Group(path, self._db)

    def __enter__(self) -> Self:
        """The store itself; it is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()

    def close(self) -> None:
        """Write what is pending and close the file, also where the writing fails."""
        with self._group.writing:
            try:
                self.flush()
            finally:
                self._db.close()
                if self._numbering is not None:
                    self._numbering.release()
                    self._numbering = None

    # Recording

    def recover(self, now_utc: float | None) -> int:
        """Close the sessions that a crash or a power cut left open, and return how many there were.

        Call it once, before recording. A session ends at its last evidence, with the reason `interrupted`.
        One of this same boot that never learned the time gets it from `now_utc` (None: still unknown).
        Raises `StoreError` where another Kinebox is recording into the same file.
        """
        self._become_recorder()
        with self._group.writing, storage_errors(self.path):
            return recovery.close_open_sessions(self._db, now_utc)

    def begin_session(
        self, *, subject: int, species: Species, camera: str, model: str, monotonic_ns: int, utc: float | None
    ) -> str:
        """Begin a session and return its id. `utc` may be None until the clock is known; see `clock_known`.

        Raises `StoreError` where another Kinebox is recording into the same file.
        """
        numbering = self._become_recorder()
        session_id = str(uuid.uuid4())
        with self._lock:
            row = numbering.next("sessions")
            self._sessions[session_id] = row
            self._group.add(
                "INSERT INTO sessions"
                " (id, uuid, subject, species, camera, model, boot_id, started_ns, started_utc)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (
                    row,
                    session_id,
                    int(subject),
                    species,
                    text(camera),
                    text(model),
                    recovery.boot_id(),
                    int(monotonic_ns),
                    finite(utc),
                ),
            )
        return session_id

    def calibrated(self, session_id: str, calibration: SessionCalibration) -> None:
        """Note what is known of the camera and of the body; a later call replaces it."""
        with self._lock:
            self._group.add(
                "UPDATE sessions SET calibration = ? WHERE id = ?",
                (msgspec.json.encode(calibration).decode(), self._session(session_id)),
            )

    def clock_known(self, *, monotonic_ns: int, utc: float) -> None:
        """Fill in the time of this boot's sessions that began before the clock was known."""
        with self._lock:
            self._group.add(
                "UPDATE sessions SET started_utc = ? + (started_ns - ?) / 1e9"
                " WHERE started_utc IS NULL AND boot_id = ?",
                (seconds(utc), int(monotonic_ns), recovery.boot_id()),
            )

    def end_session(self, session_id: str, *, t: float, reason: EndReason) -> None:
        """End a session, and a set that is still open, `t` seconds after the session began."""
        end = seconds(t)
        with self._lock:
            row = self._session(session_id)
            self._group.add("UPDATE sets SET end_s = ? WHERE session_id = ? AND end_s IS NULL", (end, row))
            self._group.add("UPDATE sessions SET end_s = ?, end_reason = ? WHERE id = ?", (end, reason, row))
            del self._sessions[session_id]
            self._sets = {set_id: session for set_id, session in self._sets.items() if session != row}

    def begin_set(self, session_id: str, *, exercise: str, t: float) -> int:
        """Begin a set and return its id."""
        start = seconds(t)
        numbering = self._become_recorder()
        with self._lock:
            session = self._session(session_id)
            set_id = numbering.next("sets")
            self._sets[set_id] = session
            self._group.add(
                "INSERT INTO sets (id, session_id, exercise, start_s) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                (set_id, session, text(exercise), start),
            )
        return set_id

    def hold_so_far(self, set_id: int, hold_s: float) -> None:
        """Note how long a hold has lasted, so that a power cut does not lose the whole of it."""
        held = seconds(hold_s)
        with self._lock:
            self._known_set(set_id)
            self._group.add("UPDATE sets SET hold_s = ? WHERE id = ?", (held, set_id))

    def rename_set(self, set_id: int, exercise: str) -> None:
        """The set was of this exercise from its start on."""
        with self._lock:
            self._known_set(set_id)
            self._group.add("UPDATE sets SET exercise = ? WHERE id = ?", (text(exercise), set_id))

    def rejected_so_far(self, set_id: int, count: int) -> None:
        """Note how many movements of an open set were none of its exercise."""
        with self._lock:
            self._known_set(set_id)
            self._group.add("UPDATE sets SET rejected_reps = ? WHERE id = ?", (int(count), set_id))

    def summarise_set(self, set_id: int, summary: KeptSummary) -> None:
        """Keep what was said of a set, which may have ended."""
        with self._lock:
            self._group.add(
                "UPDATE sets SET rejected_reps = ?, summary = ? WHERE id = ?",
                (summary.rejected_reps, msgspec.json.encode(summary).decode(), set_id),
            )

    def end_set(self, set_id: int, *, t: float, hold_s: float = 0.0) -> None:
        """End a set; `hold_s` is the time held, where the exercise is a hold."""
        end, held = seconds(t), seconds(hold_s)
        with self._lock:
            self._known_set(set_id)
            self._group.add("UPDATE sets SET end_s = ?, hold_s = ? WHERE id = ?", (end, held, set_id))
            del self._sets[set_id]

    def add_repetition(self, set_id: int, repetition: Repetition) -> int:
        """Add a repetition to an open set and return its id."""
        values = (
            seconds(repetition.t),
            repetition.kind,
            repetition.side,
            seconds(repetition.duration_s),
            seconds(repetition.eccentric_s),
            seconds(repetition.concentric_s),
            finite(repetition.range_deg),
            finite(repetition.peak_deg),
            measures_json(repetition.measures),
        )
        numbering = self._become_recorder()
        with self._lock:
            self._known_set(set_id)
            repetition_id = numbering.next("repetitions")
            self._group.add(
                "INSERT INTO repetitions (id, set_id, t, kind, side, duration_s, eccentric_s, concentric_s,"
                " range_deg, peak_deg, measures) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                (repetition_id, set_id, *values),
            )
        return repetition_id

    def measure_repetition(self, repetition_id: int, measures: Mapping[str, RepetitionMeasure]) -> None:
        """Set the numbers of a repetition, which are known a moment after it was counted."""
        with self._lock:
            self._group.add(
                "UPDATE repetitions SET measures = ? WHERE id = ?", (measures_json(measures), repetition_id)
            )

    def add_sample(self, session_id: str, t: float, values: Mapping[str, float | None]) -> None:
        """Add one row of live metrics at `t`. What is None or not finite is stored as "not measurable".

        Raises `UnknownMetricError` for a key that is not a live metric of the catalogue.
        """
        if unknown := values.keys() - self._columns:
            raise UnknownMetricError(unknown)
        at = seconds(t)
        columns = "".join(f', "{key}"' for key in values)
        marks = ", ?" * len(values)
        with self._lock:
            session = self._session(session_id)
            if len(self._group) >= MAX_PENDING:
                self.lost_samples += 1
                return
            self._group.add(
                f"INSERT OR REPLACE INTO samples (session_id, t{columns}) VALUES (?, ?{marks})",  # noqa: S608
                (session, at, *(finite(value) for value in values.values())),
            )

    def add_measurement(
        self, session_id: str, key: str, value: float | None, grade: Grade, reasons: Sequence[str]
    ) -> None:
        """Set one number of a session that has not ended; a later call for the same key replaces it.

        Raises `UnknownMetricError` for a key that is not in the catalogue.
        """
        if key not in metrics():
            raise UnknownMetricError([key])
        with self._lock:
            self._group.add(
                "INSERT OR REPLACE INTO measurements (session_id, key, value, grade, reasons)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    self._session(session_id),
                    key,
                    finite(value),
                    grade,
                    msgspec.json.encode(list(reasons)).decode(),
                ),
            )

    # Writing

    @property
    def pending(self) -> int:
        """Events that are remembered but not yet written."""
        return len(self._group)

    @property
    def commits(self) -> int:
        """Groups written since the store was opened."""
        return self._group.commits

    @property
    def problem(self) -> StoreError | None:
        """Why the last group could not be written; None when all is well."""
        return self._group.problem

    def tick(self, now_monotonic: float) -> None:
        """Write the group once it has 50 events or is a second old. Call it a few times a second.

        Raises `StoreError` where it cannot be written: the events are kept, and the next call tries again.
        """
        self._group.tick(now_monotonic)

    def flush(self) -> None:
        """Write everything that is pending, now. When it returns, the events are on the disk.

        Raises `StoreError` where it cannot be written: the events are kept.
        """
        self._group.flush()

    def delete_session(self, session_id: str) -> None:
        """Delete a session with all its rows, and overwrite them on the disk.

        Raises `UnknownSessionError`, and `SessionRunningError` while it is being recorded.
        """
        with self._group.writing, storage_errors(self.path):
            with suppress(StoreError):  # a session that has just ended is still among the pending
                self.flush()
            found = self._db.execute(
                "SELECT end_s IS NULL FROM sessions WHERE uuid = ?", (session_id,)
            ).fetchone()
            if found is None:
                raise UnknownSessionError(session_id)
            if found[0]:
                raise SessionRunningError(
                    f"Session {session_id} is still being recorded", "Delete it when it has ended"
                )
            self._group.write([("DELETE FROM sessions WHERE uuid = ?", (session_id,))])
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def forget_oldest_course(self) -> bool:
        """Delete the samples of the oldest session that has any and has ended; False where there is none.

        What was counted and measured stays. Raises `StoreError` where that cannot be written.
        """
        with self._group.writing, storage_errors(self.path):
            found = self._db.execute(
                "SELECT id FROM sessions WHERE end_s IS NOT NULL"
                " AND EXISTS (SELECT 1 FROM samples WHERE session_id = sessions.id) ORDER BY id LIMIT 1"
            ).fetchone()
            if found is None:
                return False
            some = "SELECT t FROM samples WHERE session_id = ? LIMIT ?"
            while self._db.execute(some, (*found, 1)).fetchone():
                # In parts, each of which SQLite's log has room for where there is little.
                statement = f"DELETE FROM samples WHERE session_id = ? AND t IN ({some})"  # noqa: S608
                self._group.write([(statement, (*found, *found, FORGOTTEN_AT_ONCE))])
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return True

    # Reading

    @property
    def reusable(self) -> int:
        """Bytes in the file that deleted rows have left for new ones."""
        with self._group.writing, storage_errors(self.path):
            return reusable_bytes(self._db)

    def sessions(self, limit: int, before: float | str | None = None) -> list[SessionSummary]:
        """At most `limit` sessions, the newest first.

        `before` goes on where an earlier page ended: a UTC time in seconds, or the id of that page's last
        session, which also tells apart sessions that began together or at an unknown time.
        """
        with storage_errors(self.path), reading(self.path) as connection:
            return reads.sessions(connection, limit, before)

    def session(self, session_id: str) -> Session:
        """One session with its sets, repetitions and measurements. Raises `UnknownSessionError`."""
        with storage_errors(self.path), reading(self.path) as connection:
            return reads.session(connection, session_id)

    def samples(self, session_id: str, keys: Sequence[str] | None = None) -> Samples:
        """The samples of a session for `keys`; None: every live metric.

        Raises `UnknownSessionError`, and `UnknownMetricError` for a key that is not a live metric.
        """
        wanted = metric_columns() if keys is None else tuple(dict.fromkeys(keys))
        if unknown := set(wanted) - self._columns:
            raise UnknownMetricError(unknown)
        with storage_errors(self.path), reading(self.path) as connection:
            return reads.samples(connection, session_id, wanted)

    # Inside

    def _become_recorder(self) -> Numbering:
        if self._numbering is None:
            with self._group.writing, storage_errors(self.path):
                self._numbering = self._numbering or Numbering(self.path, self._db)
        return self._numbering

    def _session(self, session_id: str) -> int:
        try:
            return self._sessions[session_id]
        except KeyError:
            raise StoreError(f"Session {session_id} is not open") from None

    def _known_set(self, set_id: int) -> None:
        if set_id not in self._sets:
            raise StoreError(f"Set {set_id} is not open")
