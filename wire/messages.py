"""The messages of box and cloud, as JSON over MQTT.

Times are UTC seconds, durations seconds. Fields that a reader does not know are ignored; a message whose
`schema` is another one is refused with a reason. Every text and every map has a largest size and no field
holds bytes, so no message can carry a picture.

What is durable (`Window`, `SessionChange`) is known by (device, boot, seq): each start of the box's hub counts
from 1 without gaps, in the order of recording, whatever the kind. The cloud answers with an `Ack` once it has
committed, and the box keeps each message until then.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from wire.metrics import Species

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: Literal[1] = 1
MAX_MESSAGE = 16 * 1024
"""Bytes; a message with every metric of the catalogue is less than a third of that."""

Uuid = Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", max_length=36)]
Text = Annotated[str, Meta(pattern=r"^[^\x00-\x1f]*$(?!\n)", max_length=64)]
"""A short name, without the control characters that a database would refuse."""
Key = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$(?!\n)", max_length=48)]
Seq = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Utc = Annotated[float, Meta(ge=0, le=253_402_300_799)]
"""Seconds since 1970, up to the year 9999."""
Seconds = Annotated[float, Meta(ge=0, le=1e9)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Amount = Annotated[float, Meta(ge=-1e12, le=1e12)]
"""A finite number."""
Values = Annotated[dict[Key, Amount], Meta(max_length=128)]
"""Value by key of the metric catalogue; a metric that was not measurable is left out."""
Grade = Literal["A", "B", "C"]
"""How far a value can be trusted: edge/motion/grades.py says what each means."""
Grades = Annotated[dict[Key, Grade], Meta(max_length=128)]
Clock = Literal["synchronised", "estimated", "unknown"]
"""Where `at` comes from: the synchronised clock; the clock of another moment of the same boot; nowhere."""
CameraCondition = Literal["starting", "live", "black", "lost", "ended"]

Reason = Literal["too_large", "not_json", "schema", "kind", "malformed"]


class ContractError(ValueError):
    """A message that this version does not take; `reason` is a code for tables and counters."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    schema: Literal[1] = SCHEMA
    device: Uuid
    boot: Uuid
    """Names the start of the hub that recorded the message."""


class Durable(_Message, frozen=True, kw_only=True):
    """What is kept in the outbox until the cloud has it."""

    seq: Seq
    floor: Seq = 1
    """The lowest `seq` of this boot that the box still keeps: the cloud need not wait for what is below it, which
    was acknowledged, or given up because there was no room. It only rises, and need not be stored with the row."""
    at: Utc | None
    """When what is told of began; None: the clock was never known."""
    clock: Clock
    historical: bool = False
    """Sent late or again: a reader that shows the present leaves it out."""


class Window(Durable, frozen=True, kw_only=True, tag="window"):
    """One subject over ten seconds, or less where it came or left."""

    subject: Uuid
    """A name without meaning: of a stay in view, or of a person or dog who is enrolled."""
    species: Species
    session: Uuid | None = None
    camera: Text
    duration_s: Seconds
    exercise: Key | None = None
    reps: Count = 0
    """Full repetitions that ended in this window."""
    partial_reps: Count = 0
    metrics: Values = {}
    """Live metrics as their mean over the window; peaks and ranges as those of the window."""
    grade: Grade | None = None
    """The grade of every metric that `grades` does not name; None: these have no grade."""
    grades: Grades = {}


class SessionChange(Durable, frozen=True, kw_only=True, tag="session"):
    """A session began, changed its exercise, or ended; `at` is the session's beginning in all three."""

    session: Uuid
    change: Literal["start", "change", "end"]
    subject: Uuid
    species: Species
    camera: Text
    exercise: Key | None = None
    reps: Count = 0
    """Full repetitions of the session so far."""
    partial_reps: Count = 0
    hold_s: Seconds = 0.0
    duration_s: Seconds = 0.0
    """Seconds from the session's beginning to this change."""
    reason: Key | None = None
    """With `end`: why, such as `left` or `interrupted`."""
    model: Text
    software: Text
    metrics: Values = {}
    """With `end`: the peaks and ranges of the session."""
    grade: Grade | None = None
    """The grade of every metric that `grades` does not name; None: these have no grade."""
    grades: Grades = {}


class Health(_Message, frozen=True, kw_only=True, tag="health"):
    """How the box is now. Not kept: the next one replaces it."""

    at: Utc | None
    uptime_s: Seconds
    camera: CameraCondition
    fps: Amount
    dropped: Count
    """Frames that were not analysed, since the start."""
    outbox_rows: Count
    outbox_bytes: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    outbox_hours: Seconds
    """Age of the oldest message that waits, in hours."""
    outbox_hours_left: Seconds | None = None
    """Hours of recording for which there is room before the oldest windows are given up."""
    outbox_given_up: Count = 0
    """Windows given up unsent, since the outbox was made."""
    disk_free_mb: Amount
    cpu_c: Amount | None = None
    confidence: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Mean visibility of the keypoints since the last message."""
    troubles: Annotated[list[Key], Meta(max_length=32)] = []
    """What is wrong with the box now, such as `slow` or `throttled`."""


class Birth(_Message, frozen=True, kw_only=True, tag="birth"):
    """Who is there: retained, sent at each connection."""

    software: Text
    models: Annotated[dict[Key, Text], Meta(max_length=16)] = {}
    metrics: Annotated[list[Key], Meta(max_length=256)] = []
    """Keys of the metrics that this box can send."""
    started: Utc | None


class Ack(_Message, frozen=True, kw_only=True, tag="ack"):
    """The cloud to the box: everything of this boot up to `seq`, without a gap, is committed."""

    seq: Annotated[int, Meta(ge=0, le=2**53 - 1)]


Message = Window | SessionChange | Health | Birth | Ack
KINDS: dict[str, type[Message]] = {
    "window": Window, "session": SessionChange, "health": Health, "birth": Birth, "ack": Ack,
}  # fmt: skip
DURABLE_KINDS = ("window", "session")


def shorten(grades: Mapping[str, Grade]) -> tuple[Grade | None, dict[str, Grade]]:
    """`grade` and `grades` of a message whose metrics have these grades: the most frequent, and the exceptions."""
    if not grades:
        return None, {}
    ((usual, _),) = Counter(grades.values()).most_common(1)
    return usual, {key: grade for key, grade in grades.items() if grade != usual}


def all_grades(message: Window | SessionChange) -> dict[str, Grade]:
    """The grade of each metric of a message that has one."""
    usual = dict.fromkeys(message.metrics, message.grade) if message.grade else {}
    return {**usual, **message.grades}


class _Head(msgspec.Struct):
    kind: str
    schema: int = SCHEMA


_T = TypeVar("_T", bound=Message)
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_head = msgspec.json.Decoder(_Head)


def encode(message: Message) -> bytes:
    """A message as JSON."""
    return _encoder.encode(message)


def decode(data: bytes) -> Message:
    """The message in `data`. Raises ContractError with the reason for what this version does not take."""
    if len(data) > MAX_MESSAGE:
        raise ContractError("too_large", f"{len(data)} bytes; at most {MAX_MESSAGE} are taken")
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(data, error) from error


def decode_as(kind: type[_T], data: bytes) -> _T:
    """The message in `data`, which must be of one kind. Raises ContractError."""
    message = decode(data)
    if not isinstance(message, kind):
        raise ContractError("kind", f"a {type(message).__name__} where a {kind.__name__} belongs")
    return message


def _refusal(data: bytes, error: Exception) -> ContractError:
    """Why `data` is refused: only what is refused pays for a second look."""
    try:
        head = _head.decode(data)
    except msgspec.ValidationError:
        return ContractError("malformed", str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ContractError("not_json", str(error))
    if head.schema != SCHEMA:
        return ContractError("schema", f"schema {head.schema} is not understood, only {SCHEMA}")
    if head.kind not in KINDS:
        return ContractError("kind", f"there is no kind of message {head.kind[:64]!r}")
    return ContractError("malformed", str(error))
