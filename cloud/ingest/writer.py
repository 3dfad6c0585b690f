"""Writes batches: one transaction each, everything in it or nothing."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from cloud.ingest import statements as sql
from cloud.ingest.batch import KEPT_WHOLE, Batch, DeadLetter, Limits, Sorter
from cloud.ingest.claims import Settled, claim_boots, hold_subjects, settle
from cloud.ingest.decode import Decoder
from cloud.ingest.devices import Directory
from cloud.ingest.pack import Packer, microseconds
from cloud.schema.columns import metric_keys
from wire.messages import all_grades

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cloud.ingest.batch import Boot, Message
    from cloud.ingest.claims import Subjects
    from cloud.ingest.decode import Row
    from cloud.ingest.devices import Device
    from wire.messages import SessionChange

log = logging.getLogger(__name__)
HOURS_TO_2000 = 946_684_800 // 3600


class Written(msgspec.Struct):
    """What became of the messages of one or more transactions."""

    windows: int = 0
    """Windows that were in the messages."""
    added: int = 0
    """Windows that are new in the database; the others were there."""
    settled: list[Settled] = msgspec.field(default_factory=list)
    dead: list[DeadLetter] = msgspec.field(default_factory=list)


class Writer:
    """One database connection; used by one thread at a time. Any psycopg.Error: nothing was written, try again."""

    def __init__(self, url: str, limits: Limits) -> None:
        self._url = url
        self._limits = limits
        self._directory = Directory()
        self._db: psycopg.Connection[Any] | None = None

    def write(self, messages: Sequence[Message], received: float | None = None) -> Written:
        """Commit the messages, received now or then. Those the database itself cannot take become dead letters."""
        written = Written()
        try:
            self._write(messages, received, written, refuse=None)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(messages) == 1:
                log.warning("the database does not take a message: %s", error)
                self._write(messages, received, written, refuse=str(error)[:500])
            else:
                middle = len(messages) // 2
                for half in (messages[:middle], messages[middle:]):
                    part = self.write(half, received)
                    written.windows += part.windows
                    written.added += part.added
                    written.settled += part.settled
                    written.dead += part.dead
        return written

    def close(self) -> None:
        """Close the connection; the next write opens another."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _write(
        self, messages: Sequence[Message], received: float | None, written: Written, refuse: str | None
    ) -> None:
        db = self._open()
        try:
            with db.transaction():
                self._directory.load(db, self._sorter.addresses(messages))
                batch = self._sorter.sort(messages, received)
                if refuse is not None:
                    batch = _refused(batch, messages, refuse)
                added, settled = self._commit(db, batch)
        except psycopg.Error:
            if db.broken:
                self.close()
            raise
        written.windows += len(batch.windows)
        written.added += added
        written.settled += settled
        written.dead += batch.dead

    def _open(self) -> psycopg.Connection[Any]:
        if self._db is None:
            db = psycopg.connect(self._url, autocommit=True, connect_timeout=5, prepare_threshold=2)
            try:
                keys = metric_keys(db)
                self._statements = sql.statements(keys)
                self._decoder = Decoder(keys)
                self._packer = Packer(self._decoder)
                self._sorter = Sorter(self._decoder, self._directory, self._limits)
                db.execute(self._statements.stage_sessions)
            except psycopg.Error:
                db.close()
                raise
            self._db = db
        return self._db

    def _commit(self, db: psycopg.Connection[Any], batch: Batch) -> tuple[int, list[Settled]]:
        with db.cursor() as cursor:
            self._claim(cursor, batch.boots.values())
            windows = [item for item in batch.windows if item[1].seq not in item[0].had]
            sessions = [item for item in batch.sessions if item[1].seq not in item[0].had]
            subjects = hold_subjects(cursor, [*windows, *sessions])
            added = self._write_windows(cursor, batch, windows, subjects)
            self._write_sessions(cursor, sessions, subjects)
            _write_states(cursor, batch)
            self._bury(cursor, batch.dead)
            return added, settle(cursor, batch.boots.values())

    def _claim(self, cursor: psycopg.Cursor[Any], boots: Collection[Boot]) -> None:
        claim_boots(cursor, boots)

    def _bury(self, cursor: psycopg.Cursor[Any], dead: Sequence[DeadLetter]) -> None:
        if dead:
            cursor.executemany(sql.DEAD, [_dead_row(letter) for letter in dead])

    def _write_windows(
        self, cursor: psycopg.Cursor[Any], batch: Batch, items: list[tuple[Boot, Row]], subjects: Subjects
    ) -> int:
        """Returns how many were written: none of a subject that was erased."""
        ids = [subjects[boot.device.tenant_id, row.subject] for boot, row in items]
        if None in ids:
            items = [item for item, subject in zip(items, ids, strict=True) if subject is not None]
        written = [subject for subject in ids if subject is not None]
        if not items:
            return 0
        times = microseconds([row for _, row in items], batch.received)
        with cursor.copy(self._statements.copy_windows) as copy:
            copy.write(self._packer.pack(items, written, times, batch.values))
        hours = times // 3_600_000_000 + HOURS_TO_2000
        changed = {
            (hour, subject): boot.device.tenant_id
            for hour, subject, (boot, _) in zip(hours.tolist(), written, items, strict=True)
        }
        hour_list, subject_list = zip(*changed, strict=True)
        cursor.execute(sql.PENDING, (list(hour_list), list(changed.values()), list(subject_list)))
        return len(items)

    def _write_sessions(
        self, cursor: psycopg.Cursor[Any], items: list[tuple[Boot, SessionChange]], subjects: Subjects
    ) -> None:
        if not items:
            return
        with cursor.copy(sql.COPY_SESSIONS) as copy:
            for boot, change in items:
                subject = subjects[boot.device.tenant_id, change.subject]
                if subject is not None:
                    copy.write_row(self._session_row(boot.device, subject, change))
        cursor.execute(self._statements.upsert_sessions)

    def _session_row(self, device: Device, subject: int, c: SessionChange) -> tuple[Any, ...]:
        values, letters, other = self._decoder.split(c.metrics, all_grades(c))
        started = datetime.fromtimestamp(c.at, UTC) if c.at is not None else None
        return (
            device.tenant_id, device.id, subject, c.session, c.species, started, c.duration_s, c.change == "end",
            c.reason, c.exercise, c.reps, c.partial_reps, c.hold_s, c.clock[0], c.camera, c.model, c.software,
            letters, Jsonb(other) if other else None, *values,
        )  # fmt: skip


def _write_states(cursor: psycopg.Cursor[Any], batch: Batch) -> None:
    """What boxes say of themselves."""
    if batch.health:
        rows = [
            {"tenant_id": device.tenant_id, "device_id": device.id, **msgspec.structs.asdict(health)}
            for device, health in batch.health
        ]
        cursor.executemany(sql.HEALTH, rows)
    seen = {device.id for device, _ in batch.health}
    births = {device.id: birth for device, birth in batch.births}
    available = {device.id: text for device, text in batch.available}
    if named := seen | births.keys() | available.keys():
        cursor.execute(sql.LOCK_DEVICES, (list(named),))
    if seen:
        cursor.execute(sql.SEEN, (list(seen),))
    for number, birth in births.items():
        fields = {"software": birth.software, "models": Jsonb(birth.models), "metrics": birth.metrics}
        cursor.execute(sql.BIRTH, fields | {"id": number})
    for number, text in available.items():
        cursor.execute(sql.AVAILABLE, {"id": number, "available": text})


def digest(topic: str, payload: bytes) -> bytes:
    """What a dead letter is known by. That of what is kept would be one for all long messages that begin alike."""
    return hashlib.sha256(topic.encode() + b"\0" + payload).digest()


def _dead_row(letter: DeadLetter) -> dict[str, Any]:
    kept = letter.payload if len(letter.payload) <= KEPT_WHOLE else letter.payload[:4096]
    return {
        "digest": digest(letter.topic, letter.payload),
        "tenant_id": letter.device.tenant_id if letter.device else None,
        "device_id": letter.device.id if letter.device else None,
        "topic": letter.topic,
        "payload": kept,
        "bytes": len(letter.payload),
        "reason": letter.reason,
        "detail": letter.detail.replace("\0", " "),
    }


def _refused(batch: Batch, messages: Sequence[Message], detail: str) -> Batch:
    """The batch of one message without the message, but with its letter and its number."""
    device = next((entry.device for entry in batch.boots.values()), None)
    letters = [DeadLetter(topic, payload, "database", detail, device) for topic, payload in messages]
    return Batch(batch.received, batch.values, boots=batch.boots, dead=letters)
