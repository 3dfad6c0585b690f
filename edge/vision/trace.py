"""Recorded keypoints: what vision said, kept in a file, and played again as a camera that needs no pictures.

A trace is a gzip file of link records, each led by its length (4 bytes, big endian); the first is a Hello.
"""

from __future__ import annotations

import gzip
import struct
import time
import zlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edge.box_records import CameraView, Tuning
from edge.clock import Clock
from edge.errors import CameraError, LinkError
from edge.link import MAX_RECORD, CameraState, Hello, MarkerSeen, PoseFrame, Record, decode, encode
from edge.vision.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge.link import Watch

SUFFIX = ".trace"
_LENGTH = struct.Struct(">I")
_FRAME_NS = 33_000_000
"""How long the last frame lasts."""


class TraceWriter:
    """Writes records to a trace. Complete only after `close`."""

    def __init__(self, path: Path, hello: Hello) -> None:
        """Create `path`; OSError when that cannot be done."""
        self._raw = path.open("wb")
        # Without name and time, so that the same recording gives the same file.
        self._file = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, mtime=0)
        self.write(hello)

    def write(self, record: Record) -> None:
        """Append one record."""
        data = encode(record)
        self._file.write(_LENGTH.pack(len(data)) + data)

    def close(self) -> None:
        """Complete the file."""
        self._file.close()
        self._raw.close()


def read_trace(path: Path) -> Iterator[Record]:
    """The records of a trace, the Hello first; CameraError when the file is missing, damaged or cut short."""
    try:
        with gzip.open(path, "rb") as file:
            while length := file.read(_LENGTH.size):
                (size,) = _LENGTH.unpack(length)
                yield decode(file.read(min(size, MAX_RECORD)))
    except (OSError, EOFError, zlib.error, struct.error, LinkError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CameraError(f"trace {path} cannot be read: {reason}", "Record it again.") from error


class TraceSource:
    """A trace as a source of frames, as fast as it reads or at the pace it was recorded."""

    recorded = True
    remarks: tuple[str, ...] = ()

    def __init__(self, path: Path, *, paced: bool = False, loop: bool = False) -> None:
        """CameraError when `path` is no trace, or one without a single frame."""
        self.path = path
        self.paced = paced
        self.loop = loop
        self._clock = Clock()
        self._stop = Stop()
        records = read_trace(path)
        hello = next(records, None)
        if not isinstance(hello, Hello):
            raise CameraError(f"{path} does not start like a trace", "Record it again.")
        if not any(isinstance(record, PoseFrame) for record in records):
            raise CameraError(f"trace {path} has no frames", "Record it again.")
        self.hello = hello

    def stream(self) -> Iterator[PoseFrame | CameraState]:
        """The recorded frames; paced, they carry the present time, and with `loop` they come again and again."""
        number = 0
        while not self._stop:
            first = None
            start = time.monotonic_ns()
            last = start
            for record in read_trace(self.path):
                if self._stop:
                    return
                if isinstance(record, Hello | MarkerSeen | CameraView | Tuning):
                    continue
                first = record.monotonic_ns if first is None else first
                if not self.paced:
                    yield record
                    continue
                last = start + record.monotonic_ns - first
                if self._wait_until(last):
                    return
                if isinstance(record, PoseFrame):
                    number += 1
                    yield replace(record, number=number, monotonic_ns=last, utc_ns=self._clock.utc_ns(last))
                elif record.state != "ended":
                    yield replace(record, monotonic_ns=last)
            if self.paced:
                if self._wait_until(last + _FRAME_NS):
                    return
                yield CameraState(camera=self.hello.camera, state="ended", monotonic_ns=last)
            if not self.loop:
                return

    def watch(self, wish: Watch) -> None:
        """Nothing: who was followed is recorded."""

    def _wait_until(self, monotonic_ns: int) -> bool:
        """Sleep until then; whether the stream was stopped meanwhile."""
        return self._stop.wait((monotonic_ns - time.monotonic_ns()) / 1e9)

    def close(self) -> None:
        """Stop the stream; a signal handler may call this."""
        self._stop.ask()
