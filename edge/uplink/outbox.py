"""The outbox: what is to reach the cloud, kept on the disk until the cloud has it."""

from __future__ import annotations

import logging
import math
import sqlite3
import threading
import time
import uuid
import zlib
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from msgspec.structs import replace

from edge.errors import StoreError
from edge.store.connect import open_writer, reading, reusable_bytes
from edge.store.errors import storage_errors
from edge.store.group import Group
from edge.store.recovery import boot_id
from edge.uplink.outbox_schema import ROW_BYTES, bring_up_to_date
from wire.messages import MAX_MESSAGE, ContractError, SessionChange, Window, decode, encode

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from edge.clock import Now
    from wire.messages import Ack, Message

log = logging.getLogger(__name__)

MAX_PENDING = 20_000
"""Messages kept in memory while the disk is full; windows beyond it are given up, sessions are not."""
TRIM_EVERY_S = 60.0
_DAY_S = 86_400.0
_LEVEL = 1
"""Of compression: the names of the metrics are most of a window, and go to a third for 30 µs."""

_OLDEST_WINDOWS = "rowid IN (SELECT rowid FROM messages WHERE kind = 'window' ORDER BY boot, seq LIMIT ?)"

Kind = Literal["window", "session"]
Position = tuple[int, int]
"""(number of the boot in this file, seq)."""
START: Position = (0, 0)


class Waiting(NamedTuple):
    """One message that the cloud does not have yet."""

    position: Position
    message: Window | SessionChange | None
    """None where the row is damaged."""


class Level(NamedTuple):
    """How full the outbox is."""

    rows: int
    bytes: int
    oldest: float | None
    """UTC seconds of the oldest message; None where there is none, or its time is not known."""
    given_up: int
    """Messages given up unsent since the file was made."""


class Outbox:
    """One file, written in groups: what is added is durable a second later at most, if `tick` is called.

    `add` and `acknowledged` only remember, and may be called from any thread. The others raise
    `StoreError` where the file cannot be used; what could not be written is kept in memory and tried again.
    """

    def __init__(self, path: Path, *, max_bytes: float, max_days: float) -> None:
        """Open or create the file. A damaged one is kept under another name, and a new one is begun."""
        self.path = path
        self.boot = str(uuid.uuid4())
        """The name of this start: its numbers begin at 1."""
        self.damaged: Path | None = None
        """Where a damaged file was put."""
        self.recorded_bytes = 0
        """Size of what was recorded since the start."""
        self._max_bytes = max_bytes
        self._max_days = max_days
        self._lock = threading.Lock()
        self._acks: dict[str, int] = {}
        self._seq = 0
        self._refused = 0
        self._trimmed: float | None = None
        try:
            self._open()
        except StoreError as error:
            if not _is_damage(error):
                raise
            self.damaged = _put_aside(path)
            log.error("%s. It is kept as %s, and a new outbox is begun", error, self.damaged)
            self._open()

    def _open(self) -> None:
        with storage_errors(self.path):
            self._db = open_writer(self.path, bring_up_to_date)
            try:
                (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM boots").fetchone()
                self._db.execute("SELECT rows, bytes FROM level").fetchone()
            except BaseException:
                self._db.close()
                raise
        self._number = int(last) + 1
        self._group = Group(self.path, self._db)

    def __enter__(self) -> Self:
        """The outbox itself; it is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the outbox."""
        self.close()

    def close(self) -> None:
        """Write what is pending and close the file, also where the writing fails."""
        with self._group.writing:
            try:
                self.flush()
            finally:
                self._db.close()

    @property
    def problem(self) -> StoreError | None:
        """Why the last group could not be written; None when all is well."""
        return self._group.problem

    # Recording

    def add(self, message: Window | SessionChange, monotonic_ns: int) -> bool:
        """Remember `message`, of a thing that began at `monotonic_ns`; its boot and seq are filled in here.

        False where it was given up: it breaks the contract, or it is a window and the disk has been full for long.
        """
        with self._lock:
            seq = self._seq + 1
            message = replace(message, boot=self.boot, seq=seq)
            body = encode(message)
            try:
                decode(body)
            except ContractError:
                log.exception("a message that breaks the contract is given up")
                return False
            body = zlib.compress(body, _LEVEL)
            if isinstance(message, Window) and len(self._group) >= MAX_PENDING:
                self._refused += 1
                return False
            if seq == 1:
                self._group.add(
                    "INSERT INTO boots (id, uuid, machine) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
                    (self._number, self.boot, boot_id()),
                )
            self._seq = seq
            self.recorded_bytes += len(body) + ROW_BYTES
            kind: Kind = "window" if isinstance(message, Window) else "session"
            self._group.add(
                "INSERT INTO messages (boot, seq, kind, monotonic_ns, at, clock, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (boot, seq) DO NOTHING",
                (self._number, seq, kind, monotonic_ns, message.at, message.clock, body),
            )
            if isinstance(message, SessionChange):
                self._note_session(message, body)
        return True

    def _note_session(self, message: SessionChange, body: bytes) -> None:
        if message.change == "end":
            self._group.add("DELETE FROM open_sessions WHERE session = ?", (message.session,))
        else:
            self._group.add("INSERT OR REPLACE INTO open_sessions VALUES (?, ?)", (message.session, body))

    def open_sessions(self) -> list[SessionChange]:
        """The latest message of each session whose end is not recorded: after a crash those of the start before."""
        with storage_errors(self.path), reading(self.path) as db:
            found = [_read(row["body"]) for row in db.execute("SELECT body FROM open_sessions")]
        return [message for message in found if isinstance(message, SessionChange)]

    # Sending

    def after(self, position: Position, limit: int) -> list[Waiting]:
        """At most `limit` durable messages behind `position`, the oldest first.

        What was recorded since the machine's start waits, with all behind it, until the time is known.
        """
        with storage_errors(self.path), reading(self.path) as db:
            rows = db.execute(
                "SELECT boot, seq, at, clock, body, uuid, machine FROM messages JOIN boots ON boots.id = boot"
                " WHERE (boot, seq) > (?, ?) ORDER BY boot, seq LIMIT ?",
                (*position, limit),
            ).fetchall()
            floors = {
                boot: db.execute("SELECT min(seq) FROM messages WHERE boot = ?", (boot,)).fetchone()[0]
                for boot in {row["boot"] for row in rows}
            }
        found = []
        for row in rows:
            if row["at"] is None and row["machine"] == boot_id():
                break
            message = _read(row["body"])
            if isinstance(message, Window | SessionChange):
                message = replace(
                    message,
                    boot=row["uuid"],
                    seq=row["seq"],
                    floor=floors[row["boot"]],
                    at=row["at"],
                    clock=row["clock"],
                )
            else:
                message = None
            found.append(Waiting((row["boot"], row["seq"]), message))
        return found

    def count_until(self, position: Position) -> int:
        """How many messages up to `position`, itself included, are still here."""
        with storage_errors(self.path), reading(self.path) as db:
            (count,) = db.execute(
                "SELECT count(*) FROM messages WHERE (boot, seq) <= (?, ?)", position
            ).fetchone()
        return int(count)

    def level(self) -> Level:
        """How full the outbox is."""
        with storage_errors(self.path), reading(self.path) as db:
            rows, size = db.execute("SELECT rows, bytes FROM level").fetchone()
            oldest = db.execute("SELECT at FROM messages ORDER BY boot, seq LIMIT 1").fetchone()
            (given_up,) = db.execute("SELECT coalesce(sum(windows), 0) FROM given_up").fetchone()
        return Level(rows, size, oldest[0] if oldest else None, given_up + self._refused)

    def acknowledged(self, ack: Ack) -> None:
        """The cloud has everything of `ack.boot` up to `ack.seq`: that goes at the next `tick`."""
        with self._lock:
            self._acks[ack.boot] = max(self._acks.get(ack.boot, 0), ack.seq)

    def give_up(self, position: Position) -> None:
        """Delete one message that cannot be sent."""
        self._delete("boot = ? AND seq = ?", position, "damaged")

    def withdraw(self, kind: Kind) -> int:
        """Delete and overwrite every message of `kind`: it may not leave any more. Returns how many there were."""
        with self._group.writing, storage_errors(self.path):
            self._group.flush()
            count = self._delete("kind = ?", (kind,), "consent")
            if kind == "session":
                self._group.write([("DELETE FROM open_sessions", ())])
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return count

    # Writing

    def tick(self, now: Now) -> None:
        """Write what is due, delete what is acknowledged, keep the bounds. A few times a second, in a thread."""
        with self._group.writing, storage_errors(self.path):
            self._apply_acks()
            seconds = now.monotonic_ns / 1e9
            self._group.tick(seconds)
            self.stamp(now)
            if self._trimmed is None or seconds - self._trimmed >= TRIM_EVERY_S:
                self._trimmed = seconds
                self.trim(now)

    def flush(self) -> None:
        """Write everything that is pending, now; when it returns, it is on the disk."""
        with self._group.writing, storage_errors(self.path):
            self._group.flush()
            self._apply_acks()

    def stamp(self, now: Now) -> None:
        """Fill in the time of what was recorded since the machine's start while the time was not known."""
        if now.utc is None:
            return
        timeless = "at IS NULL AND boot IN (SELECT id FROM boots WHERE machine = ?)"
        with self._group.writing, storage_errors(self.path):
            if self._db.execute(f"SELECT 1 FROM messages WHERE {timeless}", (boot_id(),)).fetchone():  # noqa: S608
                update = "UPDATE messages SET at = max(? + (monotonic_ns - ?) / 1e9, 0), clock = 'estimated'"
                self._group.write([(f"{update} WHERE {timeless}", (now.utc, now.monotonic_ns, boot_id()))])

    def trim(self, now: Now) -> None:
        """Give up windows that are too old, then the oldest while there are too many bytes.

        By age only where a time service vouches for the clock: one that is wrong must not cost a month's data.
        """
        if now.utc is not None and now.source == "synchronised":
            self._delete("kind = 'window' AND at < ?", (now.utc - self._max_days * _DAY_S,), "age")
        while (level := self.level()).bytes > self._max_bytes:
            excess = math.ceil((level.bytes - self._max_bytes) * level.rows / level.bytes)
            if not self._delete(_OLDEST_WINDOWS, (excess,), "size"):
                break

    def give_up_some(self) -> bool:
        """Give up a tenth of the windows, the oldest, because the disk is full; False where there is none."""
        with self._group.writing, storage_errors(self.path):
            (windows,) = self._db.execute("SELECT count(*) FROM messages WHERE kind = 'window'").fetchone()
        gone = self._delete(_OLDEST_WINDOWS, (math.ceil(windows / 10),), "disk")
        with self._group.writing, storage_errors(self.path):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return gone > 0

    @property
    def reusable(self) -> int:
        """Bytes in the file that deleted messages have left for new ones."""
        with self._group.writing, storage_errors(self.path):
            return reusable_bytes(self._db)

    def _apply_acks(self) -> None:
        with self._lock:
            acks, self._acks = self._acks, {}
        for boot, seq in acks.items():
            number, last = self._db.execute(
                "SELECT boots.id, max(seq) FROM boots JOIN messages ON boot = boots.id WHERE uuid = ?",
                (boot,),
            ).fetchone()
            if number is None:
                continue  # another box's, or all of that boot is gone already
            if seq > last:
                log.warning("an acknowledgement of what was never recorded (%d of %d) is ignored", seq, last)
                continue
            self._delete("boot = ? AND seq <= ?", (number, seq))

    def _delete(self, where: str, parameters: tuple[object, ...], reason: str | None = None) -> int:
        """Delete messages; with a reason they count as given up. Returns how many there were."""
        with self._group.writing, storage_errors(self.path):
            (rows,) = self._db.execute(
                f"SELECT count(*) FROM messages WHERE {where}",  # noqa: S608
                parameters,
            ).fetchone()
            if not rows:
                return 0
            statements: list[tuple[str, tuple[object, ...]]] = [
                (f"DELETE FROM messages WHERE {where}", parameters),  # noqa: S608
                (
                    "DELETE FROM boots WHERE uuid <> ?"
                    " AND NOT EXISTS (SELECT 1 FROM messages WHERE boot = boots.id)",
                    (self.boot,),
                ),
            ]
            if reason is not None:
                statements.append(
                    (
                        "INSERT INTO given_up VALUES (?, ?)"
                        " ON CONFLICT (reason) DO UPDATE SET windows = windows + excluded.windows",
                        (reason, rows),
                    )
                )
            self._group.write(statements)
            return int(rows)


def _read(body: bytes) -> Message | None:
    """The message in a row; None where the row is damaged."""
    try:
        return decode(zlib.decompressobj().decompress(body, MAX_MESSAGE + 1))
    except (zlib.error, ContractError):
        return None


def _is_damage(error: StoreError) -> bool:
    code = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _put_aside(path: Path) -> Path:
    """Rename the file and its log, so that what can be saved from them is not lost."""
    kept = path.with_name(f"{path.name}.damaged-{int(time.time())}-{uuid.uuid4().hex[:6]}")
    try:
        path.rename(kept)
        for ending in ("-wal", "-shm"):
            beside = path.with_name(path.name + ending)
            if beside.exists():
                beside.rename(kept.with_name(kept.name + ending))
    except OSError as error:
        raise StoreError(f"The damaged outbox {path} cannot be renamed: {error}", "Move it away") from error
    return kept
