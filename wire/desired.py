"""What a box shall run, signed by the cloud: the one thing that is decided elsewhere and acted upon in the box.

The payload is the exact bytes that were signed; nobody encodes it again. A box takes a state only when the signature
is that of a key it was given, the state names the box itself, and its serial is higher than that of the last one.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from wire.messages import SCHEMA, Key, Seq, Text, Utc, Uuid

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_PAYLOAD = 8 * 1024
MAX_ENVELOPE = 12 * 1024
"""Bytes; the payload as base64, and the signature."""
SIGNATURE_BYTES = 64
SIGNED_AS = b"kinebox desired state 1\n"
"""Stands before the payload where it is signed: a signature of the same key over something else is none of these."""
FUTURE_S = 86_400.0
"""A state issued further ahead is refused, where the box knows the time."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", max_length=64)]
Url = Annotated[str, Meta(pattern=r"^https://[^\x00-\x20]+$(?!\n)", max_length=512)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$(?!\n)", max_length=31)]
Base64 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]*={0,2}$(?!\n)", max_length=4 * (MAX_PAYLOAD // 3 + 1))]

RefusalReason = Literal["too_large", "malformed", "schema", "signature", "device", "serial", "future"]


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a model, or of the software."""

    name: Name
    version: Name
    sha256: Sha256
    """Of the file that is fetched."""
    url: Url | None = None

    @property
    def runs_as(self) -> str:
        """What a box that runs it says in its birth: `models` by role, such as `blazepose-2`."""
        return f"{self.name}-{self.version}"


class DesiredState(msgspec.Struct, frozen=True, kw_only=True):
    """What one box shall run. A role that is not named runs what the software came with."""

    schema: Literal[1] = SCHEMA
    device: Uuid
    serial: Seq
    """Rises with each state of the box."""
    issued: Utc
    models: Annotated[dict[Key, Version], Meta(max_length=8)] = {}
    """By role: `pose` is the only one so far."""
    software: Version | None = None


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A desired state and who signed it."""

    payload: Base64
    """The JSON of a `DesiredState`, as base64."""
    key: Text
    """Which key signed it, see `key_id`."""
    signature: Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{86}==$(?!\n)", max_length=88)]
    """Ed25519 (RFC 8032), as base64."""


class DesiredRefusedError(ValueError):
    """A state that is not for us, or no longer; `reason` is a code for counters."""

    def __init__(self, reason: RefusalReason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class _Head(msgspec.Struct):
    schema: int = SCHEMA


_encoder = msgspec.json.Encoder(order="sorted")
_state = msgspec.json.Decoder(DesiredState)
_envelope = msgspec.json.Decoder(Envelope)
_head = msgspec.json.Decoder(_Head)


def seal(state: DesiredState, key: str, sign: Callable[[bytes], bytes]) -> bytes:
    """The envelope of a state, as JSON. `sign`: Ed25519. Raises ValueError where it is too large."""
    payload = _encoder.encode(state)
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"the state has {len(payload)} bytes; at most {MAX_PAYLOAD} are taken")
    return _encoder.encode(
        Envelope(
            payload=base64.b64encode(payload).decode("ascii"),
            key=key,
            signature=base64.b64encode(sign(SIGNED_AS + payload)).decode("ascii"),
        )
    )


def unseal(
    data: bytes,
    *,
    device: str,
    after: int,
    now: float | None,
    is_signed: Callable[[bytes, bytes], bool],
) -> DesiredState:
    """The state in an envelope, checked: nothing of it is decoded before the signature is known to be good.

    after: the serial that must be exceeded; now: UTC seconds, None where the clock is not known;
    is_signed: whether (signature, signed bytes) belong together. Raises DesiredRefusedError.
    """
    if len(data) > MAX_ENVELOPE:
        raise DesiredRefusedError("too_large", f"{len(data)} bytes; at most {MAX_ENVELOPE} are taken")
    try:
        envelope = _envelope.decode(data)
        payload = base64.b64decode(envelope.payload, validate=True)
        signature = base64.b64decode(envelope.signature, validate=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, binascii.Error) as error:
        raise DesiredRefusedError("malformed", f"no envelope: {error}") from error
    if not is_signed(signature, SIGNED_AS + payload):
        raise DesiredRefusedError("signature", f"not signed by a key of ours, but by {envelope.key!r}")
    state = _decode(payload)
    if state.device != device:
        raise DesiredRefusedError("device", f"for the box {state.device}")
    if state.serial <= after:
        raise DesiredRefusedError("serial", f"serial {state.serial} does not follow {after}")
    if now is not None and state.issued > now + FUTURE_S:
        raise DesiredRefusedError("future", f"issued {state.issued - now:.0f} s ahead")
    return state


def _decode(payload: bytes) -> DesiredState:
    try:
        return _state.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        try:
            schema = _head.decode(payload).schema
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            schema = SCHEMA
        if schema != SCHEMA:
            raise DesiredRefusedError(
                "schema", f"schema {schema} is not understood, only {SCHEMA}"
            ) from error
        raise DesiredRefusedError("malformed", str(error)) from error
