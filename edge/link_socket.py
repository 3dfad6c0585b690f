"""The two ends of the link: vision publishes and never waits, the hub reads and may wish."""

from __future__ import annotations

import contextlib
import errno
import logging
import select
import socket
from collections import deque
from typing import TYPE_CHECKING

from edge.box_records import CameraView, Tuning
from edge.errors import LinkError
from edge.link import (
    MAX_RECORD,
    MAX_WISH,
    CameraState,
    Hello,
    MarkerSeen,
    PoseFrame,
    Record,
    Watch,
    decode,
    decode_wish,
    encode,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger("edge.link")

_WISHES_AT_ONCE = 8
"""How many of a hub's records are read in one go: whoever sends more waits."""


class _Reader:
    """A connected hub, with what it has not taken yet."""

    def __init__(self, sock: socket.socket, backlog: int) -> None:
        self.sock = sock
        self.gone = False
        self.told = False
        """That it sends what cannot be read was said."""
        self.pending: deque[tuple[type[Record], bytes]] = deque()
        self._most: dict[type[Record], int] = {
            Hello: 1,
            CameraState: 1,
            MarkerSeen: 1,
            CameraView: 1,
            Tuning: 1,
            PoseFrame: backlog,
        }
        """How many records of each kind may wait: the newest."""

    def add(self, kind: type[Record], data: bytes) -> int:
        """Queue one record; returns how many older ones had to go for it (0 or 1)."""
        self.pending.append((kind, data))
        alike = [index for index, (other, _) in enumerate(self.pending) if other is kind]
        if len(alike) <= self._most[kind]:
            return 0
        del self.pending[alike[0]]
        return 1

    def wishes(self) -> Iterator[Watch]:
        """What it has sent, a few at once. What is none of ours is told once and left."""
        for _ in range(_WISHES_AT_ONCE):
            try:
                data = self.sock.recv(MAX_WISH + 1)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.gone = True
                return
            try:
                yield decode_wish(data)
            except LinkError as error:
                if not self.told:
                    log.warning("%s: left as it was", error)
                self.told = True

    def flush(self) -> bool:
        """Send what the socket takes now; False when the reader is gone."""
        if self.gone:
            return False
        while self.pending:
            try:
                self.sock.send(self.pending[0][1])
            except OSError as error:
                return error.errno in (errno.EAGAIN, errno.ENOBUFS)
            self.pending.popleft()
        return True


class Publisher:
    """Vision's end of the link: a listening socket whose readers are never waited for."""

    def __init__(self, path: Path, hello: Hello, backlog: int = 32) -> None:
        """Listen at `path` (a stale socket there is replaced; mode 0660).

        Raises LinkError when the folder cannot be used or another vision process listens there.
        """
        self.path = path
        self.dropped = 0
        self._backlog = backlog
        self._sticky: dict[type[Record], bytes] = {Hello: encode(hello)}
        """What a new reader is told first: who is speaking, how the camera is, and how vision works."""
        self._readers: list[_Reader] = []
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._sock.setblocking(False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if path.exists():
                _refuse_if_served(path)
                path.unlink()
            self._sock.bind(str(path))
            path.chmod(0o660)
            self._sock.listen(8)
        except LinkError:
            self._sock.close()
            raise
        except OSError as error:
            self._sock.close()
            raise LinkError(
                f"cannot listen at {path}: {error.strerror or error}",
                "Choose another folder with KINEBOX_RUNTIME (a socket path may have 107 bytes at most).",
            ) from error

    def publish(self, record: Record) -> None:
        """Hand `record` to every reader that is there; returns at once.

        The very state that was published last is not said again, but it is an occasion to greet new readers.
        """
        self._accept()
        data = encode(record)
        if self._sticky.get(type(record)) != data:
            if isinstance(record, CameraState | Tuning):
                self._sticky[type(record)] = data
            dropped = sum(reader.add(type(record), data) for reader in self._readers)
            self.dropped += dropped if isinstance(record, PoseFrame) else 0
        self.flush()

    def wait_for_reader(self, seconds: float) -> bool:
        """Wait until a hub is there, at most so long; for a file, whose start must not play to nobody."""
        select.select([self._sock], [], [], seconds)
        self.flush()
        return bool(self._readers)

    def wishes(self) -> Iterator[Watch]:
        """What the readers want and vision has not heard yet, the newest last; never waits."""
        for reader in self._readers:
            yield from reader.wishes()

    def flush(self) -> None:
        """Send what is waiting and forget readers that are gone."""
        self._accept()
        gone = [reader for reader in self._readers if not reader.flush()]
        for reader in gone:
            reader.sock.close()
            self._readers.remove(reader)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._sock.accept()
            except OSError:
                return  # nobody is there, or no descriptor is left for them: they wait in the kernel's queue
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
            reader = _Reader(sock, self._backlog)
            for kind, data in self._sticky.items():
                reader.add(kind, data)
            self._readers.append(reader)

    def close(self) -> None:
        """Stop listening and remove the socket."""
        for reader in self._readers:
            reader.flush()
            reader.sock.close()
        self._sock.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


def _refuse_if_served(path: Path) -> None:
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    probe.setblocking(False)
    try:
        probe.connect(str(path))
    except BlockingIOError:
        pass  # somebody is, with more callers than it can greet
    except OSError:
        return  # nobody is there: left over from a crash
    finally:
        probe.close()
    raise LinkError(f"another vision process already serves {path}", "Stop it first.")


class Subscriber:
    """The hub's end: connected once, read until vision goes away. `fileno` serves an event loop."""

    def __init__(self, path: Path) -> None:
        """Connect to `path`; OSError when nobody listens there, or too many wait to be greeted."""
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._sock.setblocking(False)
        try:
            self._sock.connect(str(path))
        except OSError:
            self._sock.close()
            raise
        self.lost = 0
        """Frames that were dropped on the way, from the gaps in their numbers."""
        self._last: int | None = None

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._sock.fileno()

    def read(self) -> Record | None:
        """The next record; None when there is none yet.

        Raises EOFError when vision has closed the connection, LinkError for a record that is not ours.
        """
        try:
            data = self._sock.recv(MAX_RECORD)
        except BlockingIOError:
            return None
        except ConnectionError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        record = decode(data)
        if isinstance(record, PoseFrame):
            if self._last is not None:
                self.lost += max(record.number - self._last - 1, 0)
            self._last = record.number
        return record

    def wish(self, watch: Watch) -> None:
        """Tell vision what to look at. Raises EOFError when it has gone, or has not read for long."""
        try:
            self._sock.send(encode(watch))
        except OSError as error:
            raise EOFError from error

    def close(self) -> None:
        """Hang up."""
        self._sock.close()
