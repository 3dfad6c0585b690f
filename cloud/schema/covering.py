"""The index that answers questions about many sessions without a look into the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from wire.metrics import metrics

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

NAME = "exercise_sessions_questions"
_KEY = ("tenant_id", "exercise", "started")
_BESIDE = ("subject_id", "species", "ended", "exercises")
_MOST = 32
"""Columns of an index, in PostgreSQL."""


def cover_questions(db: Connection[Any]) -> bool:
    """Make the index, or make it anew where the catalogue has other ranges; returns whether that was needed."""
    ranges = [key for key, metric in metrics().items() if metric.statistic == "range"]
    wanted = [*_KEY, *_BESIDE, *ranges][:_MOST]
    found = db.execute(
        "select attname::text from pg_attribute where attrelid = to_regclass(%s) order by attnum", (NAME,)
    )
    if [name for (name,) in found] == wanted:
        return False
    db.execute(sql.SQL("drop index if exists {}").format(sql.Identifier(NAME)))
    db.execute(
        sql.SQL("create index {} on exercise_sessions ({}) include ({})").format(
            sql.Identifier(NAME),
            sql.SQL(", ").join(map(sql.Identifier, _KEY)),
            sql.SQL(", ").join(map(sql.Identifier, wanted[len(_KEY) :])),
        )
    )
    return True
