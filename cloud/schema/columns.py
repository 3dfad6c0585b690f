"""The columns that come from the metric catalogue, and the views that show them.

Run after the migrations at every start: a new row of the catalogue becomes a column, none is ever dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from wire.columns import columns

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

_TABLES = ("telemetry_10s", "exercise_sessions")
_COUNTS = ("reps", "partial_reps", "duration_s")
"""Columns of a window that are rolled up like metrics."""


def add_columns(db: Connection[Any]) -> list[str]:
    """Add what the catalogue has and the tables have not; returns the keys that were added."""
    known = {key for (key,) in db.execute("select key from metric_columns")}
    new = [key for key in columns() if key not in known]
    for key in new:
        for table in _TABLES:
            statement = sql.SQL("alter table {} add column {} {}").format(
                sql.Identifier(table), sql.Identifier(key), sql.SQL(columns()[key])
            )
            db.execute(statement)
        db.execute("insert into metric_columns (key) values (%s)", (key,))
    _make_views(db)
    return new


def metric_keys(db: Connection[Any]) -> list[str]:
    """Keys in the order of their positions: that of the letters in `grades`."""
    return [key for (key,) in db.execute("select key from metric_columns order by position")]


def _make_views(db: Connection[Any]) -> None:
    rows = [
        sql.SQL("({}, t.{}::real, null)").format(sql.Literal(name), sql.Identifier(name)) for name in _COUNTS
    ]
    rows += [
        sql.SQL("({}, t.{}, substr(t.grades, {}, 1))").format(sql.Literal(key), sql.Identifier(key), position)
        for position, key in enumerate(metric_keys(db), start=1)
    ]
    values = sql.SQL("(values {}) as m (metric, value, grade)").format(sql.SQL(", ").join(rows))
    # Reads with the rights of whoever asks: what the rollups are made from.
    narrow = sql.SQL(
        """create or replace view telemetry_values with (security_invoker) as
           select t.time, t.tenant_id, t.subject_id, t.session, t.exercise, m.metric, m.value, m.grade
           from telemetry_10s t cross join lateral {} where m.value is not null"""
    )
    db.execute(narrow.format(values))
    # For the API, which has no rights on the table itself: the tenant's own rows, to read and to add to.
    db.execute(
        """create or replace view telemetry with (security_barrier, check_option = local) as
           select * from telemetry_10s where tenant_id = current_tenant()"""
    )
    kinematic = sql.SQL(
        """create or replace view kinematic_metrics with (security_barrier) as
           select t.time as timestamp, s.subject, t.session as session_id,
                  m.metric as metric_name, m.value as metric_value, m.grade
           from telemetry_10s t join subjects s on s.id = t.subject_id cross join lateral {}
           where t.tenant_id = current_tenant() and s.tenant_id = current_tenant() and m.value is not null"""
    )
    db.execute(kinematic.format(values))
    db.execute("grant select on telemetry_values to kinebox_ingest")
    db.execute("grant select on telemetry, kinematic_metrics to kinebox_api")
    db.execute("grant insert on telemetry to kinebox_api")
