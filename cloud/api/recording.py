"""Sessions that clients record by the API: begun, filled with windows, ended, each once however often it is sent.

The session's UUID also names the numbers of its windows: it is the `boot` of their row in `boots`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from anyio.to_thread import run_sync
from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field

from cloud.api import windows
from cloud.api.access import subject_of
from cloud.api.problems import ApiError
from cloud.api.recording_sql import BOOT, NEW_BOOT, STAGED, statements
from cloud.api.session_record import SESSIONS, Letter, SessionRecord, metric_keys, record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud.api.database import Db
    from cloud.api.who import Who
    from wire.metrics import Species


class Added(BaseModel):
    """What became of the windows of a request."""

    accepted: int = Field(description="new windows")
    duplicates: int = Field(description="windows that were there")
    contiguous: int = Field(description="the number up to which every window is there, counted from 1")


class Measured(BaseModel):
    """Peaks and ranges of a session."""

    model_config = ConfigDict(allow_inf_nan=False)

    metrics: dict[str, float] = Field(default={}, max_length=128)
    grades: dict[str, Letter] = Field(default={}, max_length=128)


async def box_of(db: Db, who: Who, named: UUID | None) -> int:
    """The number of the box that records: the one that asks, or the one that a user names. Raises ApiError."""
    if who.role == "device":
        if named not in (None, UUID(who.name)):
            raise ApiError(422, "wrong_device", "a box records for itself")
        named = UUID(who.name)
    if named is None:
        raise ApiError(422, "device_needed", "name the box that records")
    found = await db.execute("select id from devices where device = %s and retired is null", (named,))
    row = await found.fetchone()
    if row is None:
        raise ApiError(404, "not_found", "there is no such box")
    return int(row["id"])


_HOLD = """
    select s.id, s.species, s.erased,
        (exists (select from people where subject_id = s.id) or exists (select from dogs where subject_id = s.id))
        and not exists (select from consents where subject_id = s.id and withdrawn is null) as refuses
    from subjects s where s.subject = %s for key share of s"""
"""Until the transaction ends, whoever would erase the subject waits."""


async def subject_to_record(db: Db, who: Who, species: Species, subject: UUID) -> int:
    """The number of somebody who may be recorded; a box may tell of somebody new. Raises ApiError."""
    if who.role != "device":
        await subject_of(db, who, species, subject)
    row = await (await db.execute(_HOLD, (subject,))).fetchone()
    if row is None:  # only a box gets here: others were told above
        await db.execute(
            "insert into subjects (tenant_id, subject, species) values (%s, %s, %s) on conflict do nothing",
            (who.tenant_id, subject, species),
        )
        row = await (await db.execute(_HOLD, (subject,))).fetchone()
        assert row is not None
    if row["erased"]:
        raise ApiError(409, "subject_erased", "this subject's consent was withdrawn: nothing is recorded")
    if row["species"] != species:
        raise ApiError(409, "wrong_species", f"this subject is a {row['species']}")
    if row["refuses"]:
        raise ApiError(409, "consent_needed", "who is enrolled must agree before being recorded")
    return int(row["id"])


_START = """
    insert into exercise_sessions (session, tenant_id, device_id, subject_id, species, started, duration_s, ended,
        exercise, exercise_s, exercises, reps, partial_reps, hold_s, clock, camera, model, software)
    values (%(session)s, %(tenant)s, %(device)s, %(subject)s, %(species)s, %(at)s, 0, false,
        %(exercise)s::text, case when %(exercise)s::text is not null then 0 end,
        array_remove(array[%(exercise)s::text], null), 0, 0, 0, 's', %(camera)s, %(model)s, %(software)s)
    on conflict do nothing"""
_IS_SAME = """
    select device_id = %(device)s and subject_id = %(subject)s as same from exercise_sessions
    where session = %(session)s"""


async def start(db: Db, fields: dict[str, Any]) -> None:
    """Begin a session, or find it begun. Raises ApiError 409 where another session has its name."""
    await db.execute(_START, fields)
    row = await (await db.execute(_IS_SAME, fields)).fetchone()
    if row is None or not row["same"]:
        raise ApiError(409, "session_taken", "another box or subject has a session of this name")


async def open_session(db: Db, who: Who, session: UUID) -> dict[str, Any]:
    """The row of a session (see SESSIONS) to which `who` may add; its subject is held. Raises ApiError 404."""
    row = await session_row(db, who, session)
    held = await (await db.execute(_HOLD, (row["subject"],))).fetchone()
    if held is None or held["erased"]:
        raise ApiError(404, "not_found", "this session was erased")
    return row


async def session_row(db: Db, who: Who, session: UUID) -> dict[str, Any]:
    """The row of a session (see SESSIONS) that `who` may see: a box its own. Raises ApiError 404."""
    found = await db.execute(SESSIONS.format(sql.SQL("e.session = %s")), (session,))
    row = await found.fetchone()
    if row is None:
        raise ApiError(404, "not_found", "there is no such session")
    if who.role == "device":
        if row["device"] != UUID(who.name):
            raise ApiError(404, "not_found", "there is no such session")
    else:
        await subject_of(db, who, row["species"], row["subject"])
    return row


async def append(db: Db, who: Who, session: UUID, body: bytes) -> Added:
    """Add the windows of a request to a session: all of them, or none. Raises ApiError."""
    keys = await metric_keys(db)
    sent, rows = await run_sync(_take, body, keys)
    row = await open_session(db, who, session)
    values = {
        "tenant": who.tenant_id, "device": row["device_id"], "subject": row["subject_id"], "session": session,
        "camera": row["camera"], "started": row["started"],
    }  # fmt: skip
    await db.execute(NEW_BOOT, values)
    boot = await (await db.execute(BOOT, values)).fetchone()
    assert boot is not None
    statement = statements(tuple(keys))
    await db.execute(statement.stage)
    async with db.cursor() as cursor, cursor.copy(statement.copy) as copy:
        copy.set_types([*STAGED.values(), *["float4"] * len(keys)])
        for one in rows:
            await copy.write_row(one)
    result = await (await db.execute(statement.insert, values | boot)).fetchone()
    assert result is not None
    return Added(duplicates=sent - result["accepted"], **result)


_END = sql.SQL(
    """update exercise_sessions e set ended = true, exercise = coalesce(%(latest)s, e.exercise),
           exercises = array(select distinct x from unnest(e.exercises || %(latest)s::text) as x where x is not null
                             order by x), {}
       where session = %(session)s and not ended"""
)


async def end(db: Db, who: Who, session: UUID, told: dict[str, Any], measured: Measured) -> SessionRecord:
    """End a session; the first end counts. `told` are columns. Raises ApiError."""
    keys = await metric_keys(db)
    windows.check_values([measured.metrics], keys, "metrics")
    letters, other, *values = windows.split(measured.metrics, measured.grades, keys, frozenset(keys))
    await open_session(db, who, session)
    exercise = told.pop("exercise")
    row = {**told, "grades": letters, "other": other, **dict(zip(keys, values, strict=True))}
    assignments = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in row]
    await db.execute(
        _END.format(sql.SQL(", ").join(assignments)), {"session": session, "latest": exercise, **row}
    )
    return record(await session_row(db, who, session), keys)


def _take(body: bytes, keys: Sequence[str]) -> tuple[int, list[tuple[Any, ...]]]:
    sent = windows.decode(body)
    return len(sent), windows.rows(sent, keys, time.time())
