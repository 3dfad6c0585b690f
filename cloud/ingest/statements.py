"""The SQL of a batch, made for the metrics that the database has columns for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from psycopg import sql

from cloud.ingest.pack import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

SESSION_COLUMNS = {
    "device_id": "int", "boot": "uuid", "seq": "int8", "session": "uuid", "subject": "uuid", "species": "text",
    "started": "timestamptz", "duration_s": "real", "ended": "boolean", "reason": "text", "exercise": "text",
    "reps": "int", "partial_reps": "int", "hold_s": "real", "clock": '"char"', "camera": "text", "model": "text",
    "software": "text", "grades": "text", "other": "jsonb",
}  # fmt: skip

COPY_WINDOWS = "copy staged from stdin (format binary)"
COPY_SESSIONS = "copy staged_sessions from stdin"
COPY_BOOTS = "copy staged_boots (device_id, boot, tenant_id, seqs, floor) from stdin"
COPY_OTHER = "copy staged_other from stdin"
PREPARE = (
    """create temp table staged_boots (device_id int, boot uuid, tenant_id int, seqs int8multirange, floor int8,
       boot_id int, had int8multirange) on commit delete rows""",
    """create temp table staged_other (device_id int, boot uuid, seq int8, other jsonb) on commit delete rows""",
)

# A conflict would use up a number of the identity column each time: look first.
NEW_BOOTS = """
    insert into boots (tenant_id, device_id, boot)
    select tenant_id, device_id, boot from staged_boots s
    where not exists (select from boots b where b.device_id = s.device_id and b.boot = s.boot)
    order by device_id, boot
    on conflict do nothing"""

# From here to the commit no other replica touches these boots; the order keeps two from waiting for each other.
LOCK_BOOTS = """
    update staged_boots s set boot_id = b.id, had = b.seqs
    from (select b.id, b.device_id, b.boot, b.seqs from boots b
          join staged_boots using (device_id, boot) order by b.id for update of b) b
    where b.device_id = s.device_id and b.boot = s.boot"""

SETTLE = """
    update boots b set seqs = b.seqs + s.seqs, floor = greatest(b.floor, s.floor), last_seen = now()
    from staged_boots s where b.id = s.boot_id
    returning b.device_id, b.boot, contiguous(b.seqs, b.floor)"""

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
SEEN = "update devices set last_seen = now() where id = any(%s)"
BIRTH = "update devices set last_seen = now(), software = %s, models = %s, metrics = %s where id = %s"
AVAILABLE = "update devices set last_seen = now(), available = %s where id = %s"


class Statements(msgspec.Struct, frozen=True):
    """What depends on the metrics."""

    prepare: tuple[sql.Composed, ...]
    subjects_of_windows: sql.Composed
    subjects_of_sessions: sql.Composed
    insert_windows: sql.Composed
    upsert_sessions: sql.Composed


def statements(keys: Sequence[str]) -> Statements:
    """The statements for a database with these metrics."""
    metrics = [sql.Identifier(key) for key in keys]
    listed = sql.SQL("").join(sql.SQL(", {}").format(metric) for metric in metrics)
    reals = sql.SQL("").join(sql.SQL(", {} real").format(metric) for metric in metrics)

    def staged(name: str, columns: dict[str, str]) -> sql.Composed:
        described = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in columns.items()
        )
        return sql.SQL("create temp table {} ({}{}) on commit delete rows").format(
            sql.Identifier(name), described, reals
        )

    subjects = sql.SQL(
        """insert into subjects (tenant_id, subject, species)
           select distinct on (b.tenant_id, w.subject) b.tenant_id, w.subject, w.species
           from {} w join staged_boots b using (device_id, boot)
           where not exists (select from subjects s where s.tenant_id = b.tenant_id and s.subject = w.subject)
           order by b.tenant_id, w.subject
           on conflict do nothing"""
    )
    # A row of rollup_pending for each hour that changed, and the number of rows that are new.
    windows = sql.SQL(
        """with added as (
               insert into telemetry_10s (time, seq, boot_id, tenant_id, device_id, subject_id, session, duration_s,
                   reps, partial_reps, clock, historical, camera, exercise, grades, other{metrics})
               select coalesce(w.time, now()), w.seq, b.boot_id, b.tenant_id, w.device_id, s.id, w.session,
                   w.duration_s, w.reps, w.partial_reps, w.clock, w.historical, w.camera, w.exercise, w.grades,
                   o.other{metrics}
               from staged w join staged_boots b using (device_id, boot)
               join subjects s on s.tenant_id = b.tenant_id and s.subject = w.subject
               left join staged_other o using (device_id, boot, seq)
               where not b.had @> w.seq and s.erased is null
               on conflict do nothing
               returning date_trunc('hour', time, 'UTC') as bucket, tenant_id, subject_id),
           pending as (insert into rollup_pending select distinct bucket, tenant_id, subject_id from added)
           select count(*) from added"""
    ).format(metrics=listed)
    return Statements(
        prepare=(staged("staged", COLUMNS), staged("staged_sessions", SESSION_COLUMNS)),
        subjects_of_windows=subjects.format(sql.Identifier("staged")),
        subjects_of_sessions=subjects.format(sql.Identifier("staged_sessions")),
        insert_windows=windows,
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
           select distinct on (b.tenant_id, w.session) w.session, b.tenant_id, w.device_id, w.species,
               coalesce(w.started, now() - make_interval(secs => w.duration_s)), w.clock, x.latest, x.latest_s,
               coalesce(x.exercises, '{{}}'), s.id, {staged}
           from staged_sessions w join staged_boots b using (device_id, boot)
           join subjects s on s.tenant_id = b.tenant_id and s.subject = w.subject
           cross join lateral (
               select array_agg(distinct y.exercise) as exercises, max(y.duration_s) as latest_s,
                   (array_agg(y.exercise order by y.duration_s desc))[1] as latest
               from staged_sessions y
               where y.session = w.session and y.device_id = w.device_id and y.exercise is not null) x
           where not b.had @> w.seq and s.erased is null
           order by b.tenant_id, w.session, w.ended desc, w.duration_s desc
           on conflict (tenant_id, session) do update set {assignments},
               exercise = case when excluded.exercise_s >= e.exercise_s or e.exercise_s is null
                               then excluded.exercise else e.exercise end,
               exercise_s = greatest(excluded.exercise_s, e.exercise_s),
               exercises = array(select distinct x from unnest(e.exercises || excluded.exercises) as x order by x)"""
    ).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, latest)),
        staged=sql.SQL(", ").join(sql.Identifier("w", column) for column in latest[1:]),
        assignments=sql.SQL(", ").join(assignments),
        later=later,
    )
