"""The SQL that adds windows to a session."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from psycopg import sql

STAGED = {
    "seq": "int8", "at": "float8", "duration_s": "float4", "exercise": "text", "reps": "int4",
    "partial_reps": "int4", "grades": "text", "other": "jsonb",
}  # fmt: skip
"""What is staged of a window, with its SQL type; the metrics follow, one float4 each."""

NEW_BOOT = """
    insert into boots (tenant_id, device_id, boot) select %(tenant)s, %(device)s, %(session)s
    where not exists (select from boots where device_id = %(device)s and boot = %(session)s)
    on conflict do nothing"""
# From here to the commit no other request adds to the session.
BOOT = """
    select id as boot, seqs::text as had from boots where device_id = %(device)s and boot = %(session)s for update"""


class Statements(msgspec.Struct, frozen=True):
    """What depends on the metrics that the database has columns for."""

    stage: sql.Composed
    copy: sql.Composed
    insert: sql.Composed
    """Answers with `accepted` and `contiguous`."""


@lru_cache(8)
def statements(keys: tuple[str, ...]) -> Statements:
    """The statements for a database with these metrics."""
    # Of the connection, emptied by each commit. Metrics are only ever added: their count names the columns.
    table = sql.Identifier(f"staged_{len(keys)}")
    columns = STAGED | dict.fromkeys(keys, "float4")
    described = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items()
    ]
    metrics = sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(key)) for key in keys)
    return Statements(
        stage=sql.SQL("create temp table if not exists {} ({}) on commit delete rows").format(
            table, sql.SQL(", ").join(described)
        ),
        copy=sql.SQL("copy {} from stdin (format binary)").format(table),
        insert=_INSERT.format(staged=table, metrics=metrics),
    )


# A window counts as sent late where it is older than a minute.
_INSERT = sql.SQL(
    """with added as (
           insert into telemetry (time, seq, boot_id, tenant_id, device_id, subject_id, session, duration_s, reps,
               partial_reps, clock, historical, camera, exercise, grades, other{metrics})
           select to_timestamp(w.at), w.seq, %(boot)s, %(tenant)s, %(device)s, %(subject)s, %(session)s,
               w.duration_s, w.reps, w.partial_reps, 's', to_timestamp(w.at) < now() - interval '1 minute',
               %(camera)s, w.exercise, w.grades, w.other{metrics}
           from {staged} w where not %(had)s::int8multirange @> w.seq
           on conflict do nothing
           returning date_trunc('hour', time, 'UTC') as bucket, tenant_id, subject_id),
       pending as (insert into rollup_pending select distinct bucket, tenant_id, subject_id from added),
       told as (
           update exercise_sessions e
           set exercises = array(select distinct x from unnest(e.exercises || n.names) as x order by x),
               exercise = case when n.after_s >= coalesce(e.exercise_s, '-infinity') then n.latest
                               else e.exercise end,
               exercise_s = greatest(n.after_s, e.exercise_s)
           from (select array_agg(distinct exercise) as names, (array_agg(exercise order by at desc))[1] as latest,
                        max(at) - extract(epoch from %(started)s::timestamptz) as after_s
                 from {staged} where exercise is not null) n
           where e.session = %(session)s
             and not (e.exercises @> n.names and e.exercise is not distinct from n.latest)),
       numbered as (
           update boots set seqs = seqs + (select range_agg(int8range(seq, seq + 1)) from {staged}),
               last_seen = now()
           where id = %(boot)s returning contiguous(seqs, floor) as contiguous)
       select (select count(*) from added) as accepted, contiguous from numbered"""
)
