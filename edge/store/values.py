"""What is written into the database, as SQLite takes it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from edge.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.coach.records import RepetitionMeasure


def finite(value: float | None) -> float | None:
    """A plain float (also from a numpy scalar), or None for what is no number: NaN, infinities, None."""
    return float(value) if value is not None and math.isfinite(value) else None


def measures_json(measures: Mapping[str, RepetitionMeasure]) -> str:
    """As JSON; msgspec writes null for what is no number."""
    return msgspec.json.encode(measures).decode()


def seconds(value: float) -> float:
    """A plain float; StoreError for what is no time."""
    if not math.isfinite(value):
        raise StoreError(f"Not a time in seconds: {value}")
    return float(value)


def text(value: str) -> str:
    """Text that can be stored: a name from the file system may hold bytes that are no UTF-8."""
    return value.encode("utf-8", "replace").decode("utf-8")
