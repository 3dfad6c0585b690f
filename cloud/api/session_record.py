"""A session as it is read: one row of exercise_sessions, its metrics by name."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (pydantic reads the annotations)
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID  # noqa: TC003

from psycopg import sql
from pydantic import BaseModel, Field

from wire.metrics import Species  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud.api.database import Db

Letter = Literal["A", "B", "C"]


class SessionRecord(BaseModel):
    """One subject's exercise, from coming to leaving."""

    session: UUID
    subject: UUID
    species: Species
    device: UUID
    started: datetime
    clock: Literal["synchronised", "estimated", "unknown"] = Field(
        description="what `started` rests on; unknown: it is when the box told of the session"
    )
    duration_s: float
    ended: bool
    reason: str | None
    exercise: str | None = Field(description="the latest")
    exercises: list[str]
    reps: int
    partial_reps: int
    hold_s: float
    camera: str
    metrics: dict[str, float] = Field(description="peaks and ranges; what could not be measured is left out")
    grades: dict[str, Letter]


_CLOCKS = {"s": "synchronised", "e": "estimated", "u": "unknown"}
SESSIONS = sql.SQL(
    """select e.*, s.subject, d.device from exercise_sessions e
       join subjects s on s.id = e.subject_id join devices d on d.id = e.device_id where {}"""
)
"""Rows for `record`; the condition is on `e`."""


async def metric_keys(db: Db) -> list[str]:
    """Metrics that have a column, in the order of the letters in `grades`."""
    return [row["key"] async for row in await db.execute("select key from metric_columns order by position")]


def record(row: dict[str, Any], keys: Sequence[str]) -> SessionRecord:
    """The record of a row of SESSIONS."""
    more: dict[str, list[Any]] = row["other"] or {}
    metrics = {key: row[key] for key in keys if row[key] is not None}
    grades = {key: letter for key, letter in zip(keys, row["grades"] or "", strict=False) if letter != "-"}
    return SessionRecord(
        **{name: row[name] for name in SessionRecord.model_fields.keys() & row.keys() - {"clock", "grades"}},
        clock=_CLOCKS[row["clock"]],  # type: ignore[arg-type]
        metrics=metrics | {key: value for key, (value, _) in more.items()},
        grades=grades | {key: letter for key, (_, letter) in more.items() if letter},
    )
