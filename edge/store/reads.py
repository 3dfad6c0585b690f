"""Queries: rows of the database to records."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from edge.coach.records import Repetition, RepetitionMeasure
from edge.store.compare import compared, main_exercise
from edge.store.errors import UnknownSessionError
from edge.store.records import (
    ExerciseTotal,
    KeptSummary,
    Measurement,
    RecordedSet,
    Samples,
    Session,
    SessionCalibration,
    SessionSummary,
)
from edge.store.recovery import LAST_EVIDENCE
from edge.store.turns import lead_plane, seen_aslant, turn_for, turns, usual_yaw
from wire.metrics import metrics

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_SUMMARY = f"""SELECT id, uuid, subject, species, camera, model, started_utc, end_s, end_reason, calibration,
    coalesce(end_s, {LAST_EVIDENCE}) AS duration_s FROM sessions"""  # noqa: S608
_LOOK_BACK = 50
"""Sessions among which the one to compare with is sought."""
_COUNTS = """sum(kind IS 'rep') AS reps, sum(kind IS 'partial') AS partial_reps"""


def sessions(connection: sqlite3.Connection, limit: int, before: float | str | None) -> list[SessionSummary]:
    """At most `limit` sessions, newest first. See `Store.sessions` for `before`."""
    where = ""
    parameters: list[float | str] = []
    if isinstance(before, str):
        where = "WHERE id < (SELECT id FROM sessions WHERE uuid = ?)"
        parameters.append(before)
    elif before is not None:
        # Ids follow the order of recording even where the clock jumped or was unknown.
        where = (
            "WHERE id < coalesce((SELECT min(id) FROM sessions WHERE started_utc >= ?), 9223372036854775807)"
        )
        parameters.append(before)
    rows = connection.execute(f"{_SUMMARY} {where} ORDER BY id DESC LIMIT ?", [*parameters, limit]).fetchall()
    totals = _exercise_totals(connection, [row["id"] for row in rows])
    return [SessionSummary(**_summary(row, totals)) for row in rows]


def session(connection: sqlite3.Connection, session_id: str) -> Session:
    """One session with its sets, repetitions and measurements. Raises `UnknownSessionError`."""
    row = connection.execute(f"{_SUMMARY} WHERE uuid = ?", [session_id]).fetchone()
    if row is None:
        raise UnknownSessionError(session_id)
    totals = _exercise_totals(connection, [row["id"]])
    found = Session(
        **_summary(row, totals),
        calibration=msgspec.json.decode(row["calibration"] or "null", type=SessionCalibration | None),
        sets=_sets(connection, row["id"]),
        measurements=_turned(connection, row["id"], totals[row["id"]]),
    )
    earlier = _earlier(connection, row["id"], found)
    return found if earlier is None else compared(found, earlier)


def samples(connection: sqlite3.Connection, session_id: str, keys: Sequence[str]) -> Samples:
    """The columns `keys`, which must be live metrics of the catalogue, of a session's samples.

    Raises `UnknownSessionError`.
    """
    found = connection.execute("SELECT id FROM sessions WHERE uuid = ?", [session_id]).fetchone()
    if found is None:
        raise UnknownSessionError(session_id)
    columns = "".join(f', "{key}"' for key in keys)
    cursor = connection.execute(
        f"SELECT t{columns} FROM samples WHERE session_id = ? ORDER BY t",  # noqa: S608
        [found["id"]],
    )
    cursor.row_factory = None
    t, *series = [list(column) for column in zip(*cursor, strict=True)] or [[] for _ in range(len(keys) + 1)]
    return Samples(t=t, series=dict(zip(keys, series, strict=True)))


def _summary(row: sqlite3.Row, totals: dict[int, list[ExerciseTotal]]) -> dict[str, Any]:
    started, ended = row["started_utc"], None
    if started is not None and row["end_s"] is not None:
        ended = datetime.fromtimestamp(started + row["end_s"], UTC)
    return {
        "id": row["uuid"],
        "started": None if started is None else datetime.fromtimestamp(started, UTC),
        "ended": ended,
        "end_reason": row["end_reason"],
        "duration_s": row["duration_s"],
        "subject": row["subject"],
        "species": row["species"],
        "camera": row["camera"],
        "model": row["model"],
        "exercises": totals[row["id"]],
    }


def _exercise_totals(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, list[ExerciseTotal]]:
    """The exercises of each session in the order they were first done."""
    marks = ", ".join("?" * len(ids))
    totals: dict[int, list[ExerciseTotal]] = defaultdict(list)
    for row in connection.execute(
        f"""SELECT session_id, exercise, sum(reps) AS reps, sum(partial_reps) AS partial_reps,
                sum(hold_s) AS hold_s
            FROM (SELECT sets.id, session_id, exercise, hold_s, {_COUNTS}
                  FROM sets LEFT JOIN repetitions ON set_id = sets.id
                  WHERE session_id IN ({marks}) GROUP BY sets.id)
            GROUP BY session_id, exercise ORDER BY min(id)""",  # noqa: S608
        ids,
    ):
        totals[row["session_id"]].append(
            ExerciseTotal(
                exercise=row["exercise"],
                reps=row["reps"],
                partial_reps=row["partial_reps"],
                hold_s=row["hold_s"],
            )
        )
    return totals


def _sets(connection: sqlite3.Connection, session: int) -> list[RecordedSet]:
    repetitions: dict[int, list[Repetition]] = defaultdict(list)
    for row in connection.execute(
        """SELECT repetitions.* FROM repetitions JOIN sets ON sets.id = set_id
           WHERE session_id = ? ORDER BY repetitions.t, repetitions.id""",
        [session],
    ):
        fields = {name: row[name] for name in Repetition.__struct_fields__}
        fields["measures"] = msgspec.json.decode(row["measures"], type=dict[str, RepetitionMeasure])
        repetitions[row["set_id"]].append(Repetition(**fields))
    return [
        RecordedSet(
            id=row["id"],
            exercise=row["exercise"],
            start_s=row["start_s"],
            end_s=row["end_s"],
            reps=sum(repetition.kind == "rep" for repetition in repetitions[row["id"]]),
            partial_reps=sum(repetition.kind == "partial" for repetition in repetitions[row["id"]]),
            hold_s=row["hold_s"],
            repetitions=repetitions[row["id"]],
            rejected_reps=row["rejected_reps"],
            summary=msgspec.json.decode(row["summary"] or "null", type=KeptSummary | None),
        )
        for row in connection.execute("SELECT * FROM sets WHERE session_id = ? ORDER BY id", [session])
    ]


def _earlier(connection: sqlite3.Connection, session: int, now: Session) -> Session | None:
    """The session before, of the same species and with the same main exercise; None where there is none near."""
    rows = connection.execute(
        f"{_SUMMARY} WHERE id < ? AND species = ? AND end_s IS NOT NULL ORDER BY id DESC LIMIT ?",
        [session, now.species, _LOOK_BACK],
    ).fetchall()
    totals = _exercise_totals(connection, [row["id"] for row in rows])
    for row in rows:
        if main_exercise(totals[row["id"]]) == main_exercise(now.exercises):
            return Session(
                **_summary(row, totals),
                sets=_sets(connection, row["id"]),
                measurements=_measurements(connection, row["id"]),
            )
    return None


def _turned(
    connection: sqlite3.Connection, session: int, exercises: Sequence[ExerciseTotal]
) -> dict[str, Measurement]:
    """The measurements, with the turn that would have helped where one would."""
    measurements, lead = _measurements(connection, session), lead_plane(main_exercise(exercises))
    if not any(seen_aslant(key, one.reasons, lead) for key, one in measurements.items()):
        return measurements
    cursor = connection.execute("SELECT view_yaw FROM samples WHERE session_id = ?", [session])
    known = turns(usual_yaw(row["view_yaw"] for row in cursor))
    return {
        key: replace(one, turn=turn_for(seen_aslant(key, one.reasons, lead), one.grade, known))
        for key, one in measurements.items()
    }


def _measurements(connection: sqlite3.Connection, session: int) -> dict[str, Measurement]:
    catalogue = metrics()
    return {
        row["key"]: Measurement(
            value=row["value"],
            # A row of an older catalogue stays readable when its metric is gone.
            unit=catalogue[row["key"]].unit if row["key"] in catalogue else "",
            grade=row["grade"],
            reasons=msgspec.json.decode(row["reasons"], type=list[str]),
        )
        for row in connection.execute("SELECT * FROM measurements WHERE session_id = ?", [session])
    }
