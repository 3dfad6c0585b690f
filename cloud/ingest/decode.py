"""From payload to row, quickly: the contract's decoder minus the time it spends on names.

`wire.messages.decode` matches every key, UUID and text against a pattern, 50 µs for a full window. Here the known
keys become the fields of a generated struct, and a text that passed its pattern once is known to pass: 4 µs. Whatever
that does not take goes to the contract's decoder, which decides.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Protocol, get_args, get_type_hints
from uuid import UUID

import msgspec

from wire.messages import (
    MAX_MESSAGE,
    Amount,
    ContractError,
    Grade,
    Key,
    Seq,
    Text,
    Uuid,
    Window,
    all_grades,
    decode,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_REMEMBERED = 200_000


class Row(Protocol):
    """A window as it was decoded: the contract's, with other maps."""

    device: str
    boot: str
    seq: int
    floor: int
    at: float | None
    clock: str
    historical: bool
    subject: str
    species: str
    session: str | None
    camera: str
    duration_s: float
    exercise: str | None
    reps: int
    partial_reps: int
    metrics: msgspec.Struct | None
    """A number for each of the decoder's keys, NaN where there is none; None once it was read (values.py)."""
    grade: str | None
    """Of the metrics that `grades` does not name."""
    grades: msgspec.Struct | None
    """A letter for each key that the message names, `-` for the others."""
    other: dict[str, Any] | None
    """Value and grade of metrics that are not among the keys: of a box newer than the database."""
    place: int
    """Among the values of its batch; from when they were read."""


class Texts(dict[str | None, bytes]):
    """Bytes of texts of one type of the contract. Looking up a text that the type does not allow is a KeyError."""

    def __init__(self, kind: Any, to_bytes: Callable[[str], bytes]) -> None:
        super().__init__()
        _, meta = get_args(kind)
        self._pattern = re.compile(meta.pattern)
        self._longest = meta.max_length
        self._to_bytes = to_bytes

    def __missing__(self, text: str | None) -> bytes:
        """Look at a text for the first time."""
        if text is None:
            found = b""
        elif len(text) <= self._longest and self._pattern.search(text):
            found = self._to_bytes(text)
        else:
            raise KeyError(text)
        if len(self) > _REMEMBERED:
            self.clear()
        self[text] = found
        return found


class Decoder:
    """Decodes windows for a database that has columns for `keys`."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = tuple(keys)
        strict: dict[str, Any] = {"forbid_unknown_fields": True, "gc": False, "frozen": True}
        self.metrics = msgspec.defstruct("Metrics", [(key, Amount, math.nan) for key in keys], **strict)
        self.grades = msgspec.defstruct("Grades", [(key, Grade, "-") for key in keys], **strict)
        self.uuids = Texts(Uuid, lambda text: bytes.fromhex(text.replace("-", "")))
        self.names = Texts(Text, str.encode)
        self.words = Texts(Key, str.encode)
        self._row = _row_type(self.metrics, self.grades)
        self._quick = msgspec.json.Decoder(self._row)

    def window(self, payload: bytes) -> Row:
        """The window in `payload`. Raises ContractError with the reason for what is none."""
        if len(payload) > MAX_MESSAGE:
            raise ContractError("too_large", f"{len(payload)} bytes; at most {MAX_MESSAGE} are taken")
        try:
            row: Any = self._quick.decode(payload)
            uuids = self.uuids
            uuids[row.device], uuids[row.boot], uuids[row.subject], uuids[row.session]
            self.names[row.camera], self.words[row.exercise]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
            return self._exact(payload)
        found: Row = row
        return found

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
        _, _, other = self.split(w.metrics, all_grades(w))
        row: Any = self._row(
            **{field: getattr(w, field) for field in w.__struct_fields__ if field not in _MAPS},
            metrics=self.metrics(**{key: w.metrics[key] for key in self.keys if key in w.metrics}),
            grades=self.grades(**{key: w.grades[key] for key in self.keys if key in w.grades}),
            other=other,
        )
        found: Row = row
        return found


_MAPS = ("metrics", "grades")
_PLAIN: dict[Any, Any] = {Uuid: str, Uuid | None: str | None, Text: str, Key | None: str | None}


def _row_type(metrics: type[msgspec.Struct], grades: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The contract's Window with structs for the two maps, and its patterns left to `Texts`."""
    maps = {"metrics": metrics, "grades": grades}
    hints = get_type_hints(Window, include_extras=True)
    fields: list[Any] = []
    for field in msgspec.structs.fields(Window):
        kind = maps.get(field.name) or _PLAIN.get(hints[field.name], hints[field.name])
        if field.name in maps:
            fields.append((field.name, kind, msgspec.field(default_factory=kind)))
        elif field.required:
            fields.append((field.name, kind))
        else:
            fields.append((field.name, kind, field.default))
    # No message can fill these: their type allows null alone.
    fields += [("other", None, None), ("place", None, None)]
    return msgspec.defstruct("Row", fields, tag_field="kind", tag="window", kw_only=True, gc=False)


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
