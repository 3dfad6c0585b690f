"""The one door out of vision: typed records over a Unix socket, and nothing that could hold a picture.

Vision listens, the hub connects. The socket is `SOCK_SEQPACKET`, so one datagram is one record and neither side
can be left with half of one. Vision never waits: frames that a slow hub has not taken are dropped, oldest first,
and the hub sees the loss as a gap in `PoseFrame.number`. Of the camera's states it is the newest that arrives.
The other way goes `Watch` alone; vision believes it no further than its limits.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import math
import select
import socket
from collections import deque
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from edge.box_records import CameraView, Tuning
from edge.errors import LinkError
from edge.zones import Zones

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger("edge.link")

SCHEMA = 1
MAX_RECORD = 256 * 1024
"""Bytes; a frame of eight people is below 10 kB, so anything near this is not ours."""
_MAX_WISH, _WISHES_AT_ONCE = 16 * 1024, 8
"""Bytes of a hub's record (the largest is below 10 kB), and how many are read in one go: whoever sends more waits."""

CameraCondition = Literal["starting", "live", "black", "lost", "ended"]
NetworkUse = Literal["none", "camera", "open"]
"""What vision has of the network: nothing, what a camera with an address needs, or more than it should."""

KEYPOINTS = {"blazepose33": 33, "coco17": 17, "lsp14": 14, "dog24": 24}
"""Skeletons that may pass, and their numbers of keypoints; `motion` knows what each of these is."""
_POINT_BYTES = 12


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello"):
    """First record of every connection and of every trace: who is speaking."""

    schema: int = SCHEMA
    camera: str
    source: str
    """What the camera is: a device, the name of a file."""
    model: str
    precision: str
    network: NetworkUse = "none"


class CameraState(msgspec.Struct, frozen=True, kw_only=True, tag="camera"):
    """The camera came, went, or has nothing to show."""

    camera: str
    state: CameraCondition
    detail: str = ""
    """A code such as `unplugged`, for logs and for the dashboard's translations."""
    monotonic_ns: int


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One person or dog in a frame."""

    id: int
    """Stable while the subject is in view."""
    species: Literal["human", "dog"]
    skeleton: str
    score: float
    keypoints: bytes
    """float32[K, 3], little endian: x and y in pixels from the top left, visibility 0-1."""
    world: bytes | None = None
    """float32[K, 3]: metres from the middle of the hips; x right, y up, z towards the camera."""

    def points(self) -> npt.NDArray[np.float32]:
        """Keypoints as float32[K, 3]: x and y in pixels, visibility 0-1."""
        return np.frombuffer(self.keypoints, dtype="<f4").reshape(-1, 3)

    def world_points(self) -> npt.NDArray[np.float32] | None:
        """World keypoints as float32[K, 3] in metres, or None where the model gives none."""
        return None if self.world is None else np.frombuffer(self.world, dtype="<f4").reshape(-1, 3)


class PoseFrame(msgspec.Struct, frozen=True, kw_only=True, tag="pose"):
    """What vision saw in one picture."""

    camera: str
    number: int
    """Consecutive for one run of vision: a gap is a frame that was lost on the way."""
    monotonic_ns: int
    """When the picture was taken, on the machine's monotonic clock (in a file: its own time)."""
    utc_ns: int | None
    width: int
    height: int
    timings: dict[str, float]
    """Milliseconds by stage."""
    skipped: int = 0
    """Pictures of the camera that were not analysed because the model was busy, since the start."""
    subjects: tuple[Subject, ...] = ()
    waiting: int = 0
    """Known subjects that were not read in this picture, because it was not their turn."""


MARKER_SIDE_M = 0.18
"""Side of the black square of the calibration marker, in metres."""
Homography = tuple[float, float, float, float, float, float, float, float, float]


class MarkerSeen(msgspec.Struct, frozen=True, kw_only=True, tag="marker"):
    """Where the calibration marker lies on the floor."""

    camera: str
    monotonic_ns: int
    width: int
    height: int
    homography: Homography
    """3 x 3, by rows: from metres on the floor (x to the right of the page, y to its top, from the middle of the
    marker) to pixels from the top left."""
    spread_px: float
    """By how much a corner differs between pictures."""


class Watch(msgspec.Struct, frozen=True, kw_only=True, tag="watch"):
    """What the hub wants vision to look at; it holds until another one comes."""

    zones: Zones = ()
    """Whoever has the middle of the hips in one of them is not followed."""
    most: Annotated[int, msgspec.Meta(ge=1, le=8)] | None = None
    """How many subjects may be read in one picture; None: vision decides."""


Record = Hello | CameraState | PoseFrame | MarkerSeen | CameraView | Tuning

_encoder = msgspec.msgpack.Encoder()
_wish_decoder: msgspec.msgpack.Decoder[Watch] = msgspec.msgpack.Decoder(Watch)
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def encode(record: Record | Watch) -> bytes:
    """One record as msgpack."""
    return _encoder.encode(record)


def decode(data: bytes) -> Record:
    """The record in `data`; LinkError when it is damaged or from another version."""
    try:
        record = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LinkError(f"record on the vision socket cannot be read: {error}") from error
    if isinstance(record, Hello) and record.schema != SCHEMA:
        raise LinkError(
            f"vision speaks version {record.schema} of the link, this hub version {SCHEMA}",
            "Install the same release for both services and restart them.",
        )
    if isinstance(record, PoseFrame):
        for subject in record.subjects:
            _check(subject)
    if isinstance(record, MarkerSeen) and not all(map(math.isfinite, (*record.homography, record.spread_px))):
        raise LinkError("record on the vision socket has a marker that is nowhere")
    return record


def decode_wish(data: bytes) -> Watch:
    """The hub's wish in `data`; LinkError when it is damaged, too long, or beyond the limits."""
    if len(data) > _MAX_WISH:
        raise LinkError("the hub's record is longer than any of ours")
    try:
        return _wish_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LinkError(f"the hub's record cannot be read: {error}") from error


def _check(subject: Subject) -> None:
    """LinkError for a skeleton we do not know, or with more or fewer points than it has."""
    if subject.skeleton not in KEYPOINTS:
        raise LinkError(f"record on the vision socket has an unknown skeleton, {subject.skeleton!r}")
    size = KEYPOINTS[subject.skeleton] * _POINT_BYTES
    if len(subject.keypoints) != size or (subject.world is not None and len(subject.world) != size):
        raise LinkError("record on the vision socket has keypoints of an impossible length")


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
                data = self.sock.recv(_MAX_WISH + 1)
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
