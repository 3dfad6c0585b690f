"""The numbers of windows, taken out of their structs and into arrays by the hundred.

A batch's structs and their floats are larger than the processor's cache: read and freed only at the end, they cost
more time than to decode them did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloud.ingest.decode import Decoder, Row

GROUP = 200
"""Rows whose structs are there at a time."""


class Reader:
    """Reads what a decoder decoded."""

    def __init__(self, decoder: Decoder) -> None:
        self._metrics = _Fixed(decoder.metrics, decoder.keys, ">f8")
        self._grades = _Fixed(decoder.grades, decoder.keys, "S1")

    def read(self, rows: Sequence[Row]) -> tuple[NDArray[np.float32], NDArray[np.bytes_]]:
        """(rows, keys): values, NaN where there is none, and letters of their grades, `-` where there is none."""
        numbers = self._metrics.read([row.metrics for row in rows]).astype(np.float32)
        letters = self._grades.read([row.grades for row in rows])
        usual = np.array([row.grade or "-" for row in rows], "S1")[:, None]
        return numbers, np.where((letters == b"-") & ~np.isnan(numbers), usual, letters)


class Values:
    """What was read of the rows of a batch."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._waiting: list[Row] = []
        self._numbers: list[NDArray[np.float32]] = []
        self._letters: list[NDArray[np.bytes_]] = []
        self._count = 0

    def add(self, row: Row) -> None:
        """Take metrics and grades of a row, which keeps its place among the values instead."""
        self._waiting.append(row)
        if len(self._waiting) == GROUP:
            self._read()

    def of(self, rows: Sequence[Row]) -> tuple[NDArray[np.float32], NDArray[np.bytes_]]:
        """Values and letters of rows that were added, as from `Reader.read`. At least one row."""
        self._read()
        places = [row.place for row in rows]
        return np.concatenate(self._numbers)[places], np.concatenate(self._letters)[places]

    def _read(self) -> None:
        rows, self._waiting = self._waiting, []
        if not rows:
            return
        numbers, letters = self._reader.read(rows)
        self._numbers.append(numbers)
        self._letters.append(letters)
        for place, row in enumerate(rows, start=self._count):
            row.place, row.metrics, row.grades = place, None, None
        self._count += len(rows)


class _Fixed:
    """Reads structs into an array by way of their MessagePack, which has every value at the same place."""

    def __init__(self, kind: type[msgspec.Struct], keys: Sequence[str], dtype: str) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        self._dtype = np.dtype(dtype)
        example = self._encode(kind())
        self._size = len(example)
        starts, end = [], 0
        for key in keys:
            start = example.index(key.encode(), end) + len(key) + 1
            end = start + self._dtype.itemsize
            starts.append(np.arange(start, end))
        self._places = np.concatenate(starts)

    def read(self, structs: Sequence[msgspec.Struct | None]) -> NDArray[Any]:
        """(structs, keys)."""
        data = self._encode(structs)
        table = np.frombuffer(data, np.uint8, offset=len(data) - self._size * len(structs))
        values = np.take(table.reshape(len(structs), self._size), self._places, axis=1)
        return values.view(self._dtype)
