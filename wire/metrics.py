"""The metric catalogue: one frozen row for each thing the box can measure, read from `metrics.toml`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

import msgspec

Species = Literal["human", "dog"]
Statistic = Literal["live", "peak", "range", "gait", "repetition", "symmetry", "sway", "jump"]


class Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One metric: its key is also the name of its SQL column and its API field."""

    key: str
    unit: str
    species: tuple[Species, ...]
    minimum: float
    maximum: float
    statistic: Statistic
    meaning: str
    label: dict[str, str]
    of: str | None = None
    """For a statistic of a session: the live metric it summarises."""


class _Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    metric: tuple[Metric, ...]


@cache
def metrics() -> dict[str, Metric]:
    """Every metric by key, in the order of the catalogue."""
    text = resources.files("wire").joinpath("metrics.toml").read_bytes()
    rows = msgspec.toml.decode(text, type=_Catalogue).metric
    return {row.key: row for row in rows}


@cache
def live_metrics() -> tuple[Metric, ...]:
    """The metrics that have a value in every frame: the columns of a sample."""
    return tuple(row for row in metrics().values() if row.statistic == "live")
