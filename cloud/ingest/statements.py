"""The SQL of a batch, made for the metrics that the database has columns for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from psycopg import sql

from cloud.ingest.pack import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

SESSION_COLUMNS = {
    "tenant_id": "int", "device_id": "int", "subject_id": "int", "session": "uuid", "species": "text",
    "started": "timestamptz", "duration_s": "real", "ended": "boolean", "reason": "text", "exercise": "text",
    "reps": "int", "partial_reps": "int", "hold_s": "real", "clock": '"char"', "camera": "text", "model": "text",
    "software": "text", "grades": "text", "other": "jsonb",
}  # fmt: skip

COPY_SESSIONS = "copy staged_sessions from stdin"

# A conflict would use up a number of the identity column each time: look first.
NEW_BOOTS = """
    insert into boots (tenant_id, device_id, boot)
    select * from unnest(%s::int[], %s::int[], %s::uuid[]) as n (tenant_id, device_id, boot)
    where not exists (select from boots b where b.device_id = n.device_id and b.boot = n.boot)
    order by device_id, boot
    on conflict do nothing"""

# From here to the commit no other replica touches these boots; the order keeps two from waiting for each other.
# Of each: its place in the lists, its id, and which of the numbers are committed already.
CLAIM_BOOTS = """
    select n.place, b.id, (b.seqs * n.seqs)::text
    from unnest(%s::int[], %s::uuid[], %s::int8multirange[]) with ordinality as n (device_id, boot, seqs, place)
    join boots b using (device_id, boot) order by b.id for update of b"""

SETTLE = """
    update boots b set seqs = b.seqs + n.seqs, floor = greatest(b.floor, n.floor), last_seen = now()
    from unnest(%s::int[], %s::int8multirange[], %s::int8[]) as n (id, seqs, floor) where b.id = n.id
    returning b.id, contiguous(b.seqs, b.floor)"""

NEW_SUBJECTS = """
    insert into subjects (tenant_id, subject, species)
    select * from unnest(%s::int[], %s::uuid[], %s::text[]) as n (tenant_id, subject, species)
    where not exists (select from subjects s where s.tenant_id = n.tenant_id and s.subject = n.subject)
    order by tenant_id, subject
    on conflict do nothing"""

# Locked: whoever erases a subject waits until what this transaction writes of it can be seen, and erased.
HOLD_SUBJECTS = """
    select n.place, s.id, s.erased is not null
    from unnest(%s::int[], %s::uuid[]) with ordinality as n (tenant_id, subject, place)
    join subjects s using (tenant_id, subject) order by s.id for key share of s"""

PENDING = """
    insert into rollup_pending (bucket, tenant_id, subject_id)
    select to_timestamp(hour * 3600.0), tenant_id, subject_id
    from unnest(%s::int8[], %s::int[], %s::int[]) as n (hour, tenant_id, subject_id)"""

DEAD = """
    insert into dead_letters (digest, tenant_id, device_id, topic, payload, bytes, reason, detail)
    values (%(digest)s, %(tenant_id)s, %(device_id)s, %(topic)s, %(payload)s, %(bytes)s, %(reason)s, %(detail)s)
    on conflict (digest) do update set times = dead_letters.times + 1, last_received = now()"""

HEALTH = """
    insert into device_health (tenant_id, device_id, uptime_s, camera, fps, dropped, outbox_rows, outbox_bytes,
        outbox_hours, outbox_hours_left, outbox_given_up, disk_free_mb, cpu_c, confidence)
    values (%(tenant_id)s, %(device_id)s, %(uptime_s)s, %(camera)s, %(fps)s, %(dropped)s, %(outbox_rows)s,
        %(outbox_bytes)s, %(outbox_hours)s, %(outbox_hours_left)s, %(outbox_given_up)s, %(disk_free_mb)s, %(cpu_c)s,
        %(confidence)s)"""
# In one order, so that two replicas that tell of the same boxes do not wait for each other.
LOCK_DEVICES = "select from devices where id = any(%s) order by id for no key update"
SEEN = "update devices set last_seen = now() where id = any(%s)"
# What is retained comes again to each new replica: told anew it changes nothing, and nobody was seen.
BIRTH = """
    update devices set last_seen = now(), software = %(software)s, models = %(models)s, metrics = %(metrics)s
    where id = %(id)s
      and (software, models, metrics) is distinct from (%(software)s, %(models)s::jsonb, %(metrics)s::text[])"""
AVAILABLE = """
    update devices set last_seen = now(), available = %(available)s
    where id = %(id)s and available <> %(available)s"""


class Statements(msgspec.Struct, frozen=True):
    """What depends on the metrics."""

    stage_sessions: sql.Composed
    copy_windows: sql.Composed
    upsert_sessions: sql.Composed


def statements(keys: Sequence[str]) -> Statements:
    """The statements for a database with these metrics."""

    staged = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind))
        for column, kind in (SESSION_COLUMNS | dict.fromkeys(keys, "real")).items()
    )
    windows = sql.SQL(", ").join(map(sql.Identifier, (*COLUMNS, *keys)))
    return Statements(
        stage_sessions=sql.SQL("create temp table staged_sessions ({}) on commit delete rows").format(staged),
        copy_windows=sql.SQL("copy telemetry_10s ({}) from stdin (format binary)").format(windows),
        upsert_sessions=_upsert_sessions(keys),
    )


def _upsert_sessions(keys: Sequence[str]) -> sql.Composed:
    """Changes of a session may come in any order: what lasted longer is later, and the end is last."""
    latest = [
        "subject_id", "duration_s", "ended", "reason", "reps", "partial_reps", "hold_s", "camera", "model",
        "software", "grades", "other", *keys,
    ]  # fmt: skip
    later = sql.SQL("(excluded.ended, excluded.duration_s) >= (e.ended, e.duration_s)")
    assignments = [
        sql.SQL("{c} = case when {later} then excluded.{c} else e.{c} end").format(
            c=sql.Identifier(c), later=later
        )
        for c in latest
    ]
    # A time is better than none, whichever came later.
    assignments += [
        sql.SQL(
            "{c} = case when e.clock = 'u' or ({later} and excluded.clock <> 'u') then excluded.{c} else e.{c} end"
        ).format(c=sql.Identifier(c), later=later)
        for c in ("started", "clock")
    ]  # fmt: skip
    return sql.SQL(
        """insert into exercise_sessions as e (session, tenant_id, device_id, species, started, clock, exercise,
               exercise_s, exercises, {columns})
           select distinct on (w.tenant_id, w.session) w.session, w.tenant_id, w.device_id, w.species,
               coalesce(w.started, now() - make_interval(secs => w.duration_s)), w.clock, x.latest, x.latest_s,
               coalesce(x.exercises, '{{}}'), {staged}
           from staged_sessions w cross join lateral (
               select array_agg(distinct y.exercise) as exercises, max(y.duration_s) as latest_s,
                   (array_agg(y.exercise order by y.duration_s desc))[1] as latest
               from staged_sessions y
               where y.session = w.session and y.device_id = w.device_id and y.exercise is not null) x
           order by w.tenant_id, w.session, w.ended desc, w.duration_s desc
           on conflict (tenant_id, session) do update set {assignments},
               exercise = case when excluded.exercise_s >= e.exercise_s or e.exercise_s is null
                               then excluded.exercise else e.exercise end,
               exercise_s = greatest(excluded.exercise_s, e.exercise_s),
               exercises = array(select distinct x from unnest(e.exercises || excluded.exercises) as x order by x)"""
    ).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, latest)),
        staged=sql.SQL(", ").join(sql.Identifier("w", column) for column in latest),
        assignments=sql.SQL(", ").join(assignments),
        later=later,
    )
