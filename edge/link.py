"""The one door out of vision: typed records over a Unix socket, and nothing that could hold a picture.

Vision listens, the hub connects. The socket is `SOCK_SEQPACKET`, so one datagram is one record and neither side
can be left with half of one. Vision never waits: frames that a slow hub has not taken are dropped, oldest first,
and the hub sees the loss as a gap in `PoseFrame.number`. Of the camera's states it is the newest that arrives.
The other way goes `Watch` alone; vision believes it no further than its limits.

The records and their bytes are here, the two ends of the socket in `link_socket`.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from edge.box_records import CameraView, Tuning
from edge.errors import LinkError
from edge.zones import Zones

SCHEMA = 1
MAX_RECORD = 256 * 1024
"""Bytes; a frame of eight people is below 10 kB, so anything near this is not ours."""
MAX_WISH = 16 * 1024
"""Bytes of a hub's record; the largest is below 10 kB."""

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
    release: str = ""
    """What brought the model to the box; empty where it was built or taken in there."""
    network: NetworkUse = "none"

    @property
    def runs_as(self) -> str:
        """What the cloud is told: the model with its release, else with its precision."""
        return f"{self.model}-{self.release or self.precision}"


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
    if len(data) > MAX_WISH:
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
