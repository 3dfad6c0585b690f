"""From payload to row, quickly: the contract's decoder minus the time it spends on the names of metrics.

`wire.messages.decode` matches every key against a pattern, 50 µs for a full window. Here the known keys become the
fields of a generated struct, 5 µs. Whatever that does not take goes to the contract's decoder, which decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_type_hints
from uuid import UUID

import msgspec

from wire.messages import MAX_MESSAGE, Amount, ContractError, Seq, Window, decode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Row(msgspec.Struct, frozen=True, gc=False):
    """A window as it goes into the database."""

    device: UUID
    boot: UUID
    seq: int
    floor: int
    at: float | None
    clock: str
    historical: bool
    subject: UUID
    species: str
    session: UUID | None
    camera: str
    duration_s: float
    exercise: str | None
    reps: int
    partial_reps: int
    values: tuple[float | None, ...]
    """In the order of the decoder's keys."""
    grades: str
    """A letter for each key, `-` where there is none."""
    other: dict[str, Any] | None = None
    """Value and grade of metrics that are not among the keys: of a box newer than the database."""


class Decoder:
    """Decodes windows for a database that has columns for `keys`."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = tuple(keys)
        self._quick: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_quick_window(self.keys))

    def window(self, payload: bytes) -> Row:
        """The window in `payload`. Raises ContractError with the reason for what is none."""
        if len(payload) > MAX_MESSAGE:
            raise ContractError("too_large", f"{len(payload)} bytes; at most {MAX_MESSAGE} are taken")
        try:
            w = self._quick.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._exact(payload)
        return Row(
            w.device, w.boot, w.seq, w.floor, w.at, w.clock, w.historical, w.subject, w.species, w.session,
            w.camera, w.duration_s, w.exercise, w.reps, w.partial_reps,
            msgspec.structs.astuple(w.metrics), "".join(msgspec.structs.astuple(w.grades)),
        )  # fmt: skip

    def split(
        self, values: Mapping[str, float], grades: Mapping[str, str]
    ) -> tuple[tuple[float | None, ...], str, dict[str, Any] | None]:
        """Values and grades in the order of the keys, and what is not among them."""
        other = {key: [value, grades.get(key)] for key, value in values.items() if key not in self.keys}
        letters = "".join(grades.get(key, "-") for key in self.keys)
        return tuple(values.get(key) for key in self.keys), letters, other or None

    def _exact(self, payload: bytes) -> Row:
        w = decode(payload)
        if not isinstance(w, Window):
            raise ContractError("kind", f"a {type(w).__name__} on the topic of windows")
        values, letters, other = self.split(w.metrics, w.grades)
        return Row(
            UUID(w.device), UUID(w.boot), w.seq, w.floor, w.at, w.clock, w.historical, UUID(w.subject), w.species,
            UUID(w.session) if w.session else None, w.camera, w.duration_s, w.exercise, w.reps, w.partial_reps,
            values, letters, other,
        )  # fmt: skip


def _quick_window(keys: Sequence[str]) -> type[msgspec.Struct]:
    """The contract's Window with UUIDs for the patterns, and structs for the two maps."""
    strict: dict[str, Any] = {"forbid_unknown_fields": True, "gc": False, "frozen": True}
    values = msgspec.defstruct("Values", [(key, Amount | None, None) for key in keys], **strict)
    letter = Literal["A", "B", "C"]
    grades = msgspec.defstruct("Grades", [(key, letter, "-") for key in keys], **strict)
    quick: dict[str, Any] = {
        "device": UUID, "boot": UUID, "subject": UUID, "session": UUID | None, "metrics": values, "grades": grades,
    }  # fmt: skip
    hints = get_type_hints(Window, include_extras=True)
    fields: list[Any] = []
    for field in msgspec.structs.fields(Window):
        kind = quick.get(field.name, hints[field.name])
        if field.name in ("metrics", "grades"):
            fields.append((field.name, kind, msgspec.field(default_factory=kind)))
        elif field.required:
            fields.append((field.name, kind))
        else:
            fields.append((field.name, kind, field.default))
    return msgspec.defstruct(
        "QuickWindow", fields, tag_field="kind", tag="window", kw_only=True, gc=False, frozen=True
    )


class _Key(msgspec.Struct):
    device: UUID
    boot: UUID
    seq: Seq


_key = msgspec.json.Decoder(_Key)


def durable_key(payload: bytes) -> tuple[UUID, UUID, int] | None:
    """(device, boot, seq) of a message that was refused, if it names them."""
    try:
        found = _key.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found.device, found.boot, found.seq
