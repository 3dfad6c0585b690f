"""The rows of `measures.toml`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

import msgspec


class MeasureRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that is measured of every box."""

    key: str
    better: Literal["higher", "lower"]
    tolerance: float
    unit: str
    meaning: str

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.better == "higher" else -1


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    measure: tuple[MeasureRow, ...]


@cache
def measures() -> dict[str, MeasureRow]:
    """Every row by key."""
    text = resources.files("cloud.fleet").joinpath("measures.toml").read_bytes()
    return {row.key: row for row in msgspec.toml.decode(text, type=_Table).measure}
