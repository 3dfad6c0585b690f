"""The SQL columns of the metrics: one nullable column for each row of the catalogue, named by its key."""

from __future__ import annotations

from wire.metrics import metrics

COLUMN_TYPE = "real"
"""PostgreSQL's float4: seven digits are more than any camera gives, in half the space of float8."""


def columns() -> dict[str, str]:
    """SQL type by column name, in the order of the catalogue."""
    return dict.fromkeys(metrics(), COLUMN_TYPE)
