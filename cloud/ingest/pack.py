"""Windows as PostgreSQL's binary COPY, a whole batch at a time.

Each row is laid out at full width in a NumPy record: a length and a value for each column. Then the bytes that are
not sent (values that are NULL, the unused end of texts) are cut out with one mask.
Format: PostgreSQL documentation, COPY, "Binary Format".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloud.ingest.decode import Row

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
COLUMNS = {
    "device_id": "int", "boot": "uuid", "seq": "int8", "time": "timestamptz", "subject": "uuid", "species": "text",
    "session": "uuid", "duration_s": "real", "reps": "int", "partial_reps": "int", "clock": '"char"',
    "historical": "boolean", "camera": "text", "exercise": "text", "grades": "text",
}  # fmt: skip
"""What is staged of a window, with its SQL type; the metrics follow, one real each."""
_NUMBERS = {
    "int": ">i4",
    "int8": ">i8",
    "timestamptz": ">i8",
    "uuid": "V16",
    "real": ">f4",
    '"char"': "S1",
    "boolean": "?",
}
_EPOCH = 946_684_800  # 2000-01-01 in seconds since 1970


def pack(rows: Sequence[Row], device_ids: Sequence[int]) -> bytes:
    """The rows as COLUMNS and metrics, for `COPY … FROM STDIN (FORMAT binary)`. At least one row."""
    metrics = len(rows[0].values)
    times = np.array([row.at for row in rows], float)
    sessions = [row.session for row in rows]
    texts = {
        name: [None if text is None else text.encode() for text in column]
        for name, column in (
            ("species", [row.species for row in rows]),
            ("camera", [row.camera for row in rows]),
            ("exercise", [row.exercise for row in rows]),
            ("grades", [row.grades for row in rows]),
        )
    }
    values: dict[str, Any] = {
        "device_id": device_ids,
        "boot": _uuids([row.boot.bytes for row in rows]),
        "seq": [row.seq for row in rows],
        "time": np.round((np.nan_to_num(times, nan=_EPOCH) - _EPOCH) * 1e6),
        "subject": _uuids([row.subject.bytes for row in rows]),
        "session": _uuids([session.bytes if session else bytes(16) for session in sessions]),
        "duration_s": [row.duration_s for row in rows],
        "reps": [row.reps for row in rows],
        "partial_reps": [row.partial_reps for row in rows],
        "clock": [row.clock[0] for row in rows],
        "historical": [row.historical for row in rows],
        **{name: [text or b"" for text in column] for name, column in texts.items()},
    }
    layout: list[Any] = [("fields", ">i2")]
    for name, kind in COLUMNS.items():
        width = max(map(len, values[name]), default=0) if name in texts else 0
        layout += [(f"{name}#", ">i4"), (name, f"S{max(width, 1)}" if name in texts else _NUMBERS[kind])]
    layout.append(("metrics", [("#", ">i4"), ("value", ">f4")], (metrics,)))
    table = np.zeros(len(rows), np.dtype(layout))
    raw = table.view(np.uint8).reshape(len(rows), -1)
    keep = np.ones(raw.shape, bool)
    table["fields"] = len(COLUMNS) + metrics
    for name in COLUMNS:
        table[name] = values[name]
        lengths = np.full(len(rows), table.dtype[name].itemsize)
        if name in texts:
            lengths = np.array([-1 if text is None else len(text) for text in texts[name]])
        elif name == "time":
            lengths[np.isnan(times)] = -1
        elif name == "session":
            lengths[[session is None for session in sessions]] = -1
        table[f"{name}#"] = lengths
        if lengths.min() < table.dtype[name].itemsize:
            start, width = _place(table, name)
            keep[:, start : start + width] = np.arange(width) < lengths[:, None]

    numbers = np.array([row.values for row in rows], np.float32)
    missing = np.isnan(numbers)
    table["metrics"]["value"] = numbers
    table["metrics"]["#"] = np.where(missing, -1, 4)
    start, width = _place(table, "metrics")
    keep[:, start : start + width].reshape(len(rows), metrics, 8)[:, :, 4:] = ~missing[:, :, None]
    return HEADER + raw[keep].tobytes() + TRAILER


def _uuids(values: list[bytes]) -> NDArray[np.void]:
    return np.frombuffer(b"".join(values), "V16")


def _place(table: NDArray[Any], name: str) -> tuple[int, int]:
    """Offset and width of a field, in bytes."""
    fields = table.dtype.fields
    assert fields is not None
    kind, offset = fields[name][:2]
    return int(offset), int(kind.itemsize)
