"""The rows of `alerts.toml`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

import msgspec
from psycopg import sql

Severity = Literal["error", "warning"]


class Alert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that can be wrong with a box."""

    key: str
    severity: Severity
    condition: str


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alert: tuple[Alert, ...]


@cache
def alerts() -> dict[str, Alert]:
    """Every row by key."""
    text = resources.files("cloud.fleet").joinpath("alerts.toml").read_bytes()
    return {row.key: row for row in msgspec.toml.decode(text, type=_Table).alert}


def alerts_sql() -> sql.Composed:
    """An SQL array of the keys whose conditions hold."""
    cases = [
        sql.SQL("case when {} then {} end").format(sql.SQL(row.condition), sql.Literal(row.key))
        for row in alerts().values()
    ]
    return sql.SQL("array_remove(array[{}]::text[], null)").format(sql.SQL(", ").join(cases))
