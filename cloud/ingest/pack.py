"""Windows as PostgreSQL's binary COPY, a whole batch at a time.

Each row is laid out at full width in a NumPy record: a length and a value for each column. Then the bytes that are
not sent (values that are NULL, the unused end of texts) are cut out with one mask.
Format: PostgreSQL documentation, COPY, "Binary Format".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloud.ingest.batch import Boot
    from cloud.ingest.decode import Decoder, Row
    from cloud.ingest.values import Values

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
COLUMNS = {
    "time": "timestamptz", "seq": "int8", "boot_id": "int", "tenant_id": "int", "device_id": "int",
    "subject_id": "int", "session": "uuid", "duration_s": "real", "reps": "int", "partial_reps": "int",
    "clock": '"char"', "historical": "boolean", "camera": "text", "exercise": "text", "grades": "text",
    "other": "jsonb",
}  # fmt: skip
"""The columns of telemetry_10s that are written, with their SQL type; the metrics follow, one real each."""
_NUMBERS = {
    "int": ">i4",
    "int8": ">i8",
    "timestamptz": ">i8",
    "uuid": "V16",
    "real": ">f4",
    '"char"': "S1",
    "boolean": "?",
}
_CLOCK = {"synchronised": b"s", "estimated": b"e", "unknown": b"u"}
_EPOCH = 946_684_800  # 2000-01-01 in seconds since 1970
_NO_UUID = bytes(16)


def microseconds(rows: Sequence[Row], received: float) -> NDArray[np.int64]:
    """When the rows begin, in µs since 2000 as the database counts; `received` (UTC seconds) for those without."""
    times = np.array([received if row.at is None else row.at for row in rows], float)
    return np.round((times - _EPOCH) * 1e6).astype(np.int64)


class Packer:
    """Packs what a decoder decoded."""

    def __init__(self, decoder: Decoder) -> None:
        self._uuids, self._names, self._words = decoder.uuids, decoder.names, decoder.words

    def pack(
        self,
        rows: Sequence[tuple[Boot, Row]],
        subjects: Sequence[int],
        times: NDArray[np.int64],
        batch: Values,
    ) -> bytes:
        """The rows as COLUMNS and metrics, for `COPY … FROM STDIN (FORMAT binary)`. At least one row.

        For each row its boot as claimed, the id of its subject and its time in µs since 2000; and the values of
        the batch it is from.
        """
        boots, windows = zip(*rows, strict=True)
        numbers, letters = batch.of(windows)
        uuids, names, words = self._uuids, self._names, self._words
        texts: dict[str, list[bytes]] = {
            "camera": [names[w.camera] for w in windows],
            "exercise": [words[w.exercise] for w in windows],
            "grades": letters.view(f"S{letters.shape[1]}").ravel().tolist(),
            "other": [b"\x01" + msgspec.json.encode(w.other) if w.other else b"" for w in windows],
        }
        values: dict[str, Any] = {
            "time": times,
            "seq": [w.seq for w in windows],
            "boot_id": [boot.id for boot in boots],
            "tenant_id": [boot.device.tenant_id for boot in boots],
            "device_id": [boot.device.id for boot in boots],
            "subject_id": subjects,
            "session": np.frombuffer(b"".join([uuids[w.session] or _NO_UUID for w in windows]), "V16"),
            "duration_s": [w.duration_s for w in windows],
            "reps": [w.reps for w in windows],
            "partial_reps": [w.partial_reps for w in windows],
            "clock": [_CLOCK[w.clock] for w in windows],
            "historical": [w.historical for w in windows],
            **texts,
        }
        missing = {
            "session": [w.session is None for w in windows],
            "exercise": [w.exercise is None for w in windows],
            "other": [not w.other for w in windows],
        }
        return _lay_out(
            values, {name: list(map(len, found)) for name, found in texts.items()}, missing, numbers
        )


def _lay_out(
    values: dict[str, Any],
    lengths: dict[str, list[int]],
    missing: dict[str, list[bool]],
    numbers: NDArray[np.float32],
) -> bytes:
    """The rows from a value for each of COLUMNS, the lengths of texts, what is NULL, and the metrics."""
    count, metrics = numbers.shape
    layout: list[Any] = [("fields", ">i2")]
    for name, kind in COLUMNS.items():
        layout.append((f"{name}#", ">i4"))
        if name not in lengths:
            layout.append((name, _NUMBERS[kind]))
        elif widest := max(lengths[name]):
            layout.append((name, f"S{widest}"))
    layout.append(("metrics", [("#", ">i4"), ("value", ">f4")], (metrics,)))
    table = np.empty(count, np.dtype(layout))
    named = {name for name, *_ in layout}
    cuts: list[tuple[str, NDArray[np.bool_]]] = []
    table["fields"] = len(COLUMNS) + metrics
    for name in COLUMNS:
        width = table.dtype[name].itemsize if name in named else 0
        if width:
            table[name] = values[name]
        size = np.array(lengths[name]) if name in lengths else np.full(count, width)
        if name in missing:
            size[missing[name]] = -1
        table[f"{name}#"] = size
        if width and size.min() < width:
            cuts.append((name, np.arange(width) < size[:, None]))
    unknown = np.isnan(numbers)
    table["metrics"]["value"] = numbers
    table["metrics"]["#"] = np.where(unknown, -1, 4)
    if unknown.any():
        parts = np.ones((count, metrics, 8), bool)
        parts[:, :, 4:] = ~unknown[:, :, None]
        cuts.append(("metrics", parts.reshape(count, -1)))
    return HEADER + _cut(table, cuts) + TRAILER


def _cut(table: NDArray[Any], cuts: list[tuple[str, NDArray[np.bool_]]]) -> bytes:
    """The table's bytes without those of a field that its mask leaves out."""
    if not cuts:
        return table.tobytes()
    raw = table.view(np.uint8).reshape(len(table), -1)
    keep = np.ones(raw.shape, bool)
    fields = table.dtype.fields
    assert fields is not None
    for name, mask in cuts:
        start = fields[name][1]
        keep[:, start : start + mask.shape[1]] = mask
    return raw[keep].tobytes()
