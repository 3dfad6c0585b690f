"""Sessions as files for other programs: a set of tidy CSV tables, one JSON document, or OpenSim's motions.

A session has rows of different kinds, which one table could not hold without gaps. So CSV comes as six
tables, joined by their column `session`: sessions, sets, repetitions and their measures, samples and
measurements. In a folder they are six files; in a stream, one ZIP archive. Times are UTC (ISO 8601) or
seconds into the session; an empty cell is "not measurable", or "there is none". What is said of numbers
stands beside them: grade and reasons, the turn that would have helped, and the change against the session before.

For OpenSim there is a `.mot` a session with its samples' angles. There are no marker files of sessions: the
store keeps angles, no keypoints. `kinebox analyze --format trc` writes them from a clip or a trace.
"""

from __future__ import annotations

import csv
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from math import nan
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import msgspec

from edge.coach.records import Repetition
from edge.errors import StoreError
from edge.export.mot import mot
from edge.store.records import Change, KeptSummary, Samples, Session, SessionCalibration
from edge.store.schema import metric_columns
from edge.store.turns import Turn
from wire.metrics import live_metrics, metrics

if TYPE_CHECKING:
    from edge.store.store import Store

ExportFormat = Literal["csv", "json", "mot"]

PAGE = 100
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
Row = Sequence[object]


class ExportedSession(Session, frozen=True, kw_only=True):
    """One session of a JSON export: what the API gives, and the samples."""

    samples: Samples


class _Table(msgspec.Struct, frozen=True):
    header: Sequence[str]
    rows: Callable[[ExportedSession], Iterable[Row]]


def export_sessions(
    store: Store,
    target: Path | IO[bytes],
    format: ExportFormat,  # noqa: A002
    *,
    session_ids: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Write sessions into the folder or the binary stream `target`, oldest first; return how many there were.

    `session_ids` names the sessions; without it all are taken that began at or after `since` and before
    `until` (where one of these is given, sessions of unknown time are left out). A folder is created if need
    be; files of an earlier export in it are replaced, each when the new one is complete. Raises
    `UnknownSessionError`, and `StoreError` where the files cannot be written.
    """
    sessions = _load(store, _ids(store, since, until) if session_ids is None else session_ids)
    try:
        if not isinstance(target, Path):
            return _stream(sessions, target, format)
        target.mkdir(parents=True, exist_ok=True)
        return _files(sessions, target, format)
    except OSError as error:
        raise StoreError(
            f"The export could not be written: {error}",
            "Choose a folder that has room and that you may write to",
        ) from error


def _ids(store: Store, since: datetime | None, until: datetime | None) -> list[str]:
    ids: list[str] = []
    page = store.sessions(PAGE)
    while page:
        ids.extend(
            summary.id
            for summary in page
            if (since is None and until is None)
            or (
                summary.started is not None
                and (since is None or summary.started >= since)
                and (until is None or summary.started < until)
            )
        )
        page = store.sessions(PAGE, page[-1].id)
    return ids[::-1]


def _load(store: Store, ids: Iterable[str]) -> Iterator[ExportedSession]:
    for session_id in ids:
        session, samples = store.session(session_id), store.samples(session_id)
        yield ExportedSession(
            **{name: getattr(session, name) for name in Session.__struct_fields__}, samples=samples
        )


def _stream(sessions: Iterator[ExportedSession], stream: IO[bytes], format: ExportFormat) -> int:  # noqa: A002
    if format == "json":
        return _write_json(sessions, stream)
    with tempfile.TemporaryDirectory(prefix="kinebox-export-") as folder:
        count = _files(sessions, Path(folder), format)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(Path(folder).iterdir()):
                archive.write(file, file.name)
    return count


def _files(sessions: Iterator[ExportedSession], folder: Path, format: ExportFormat) -> int:  # noqa: A002
    """All files are complete before the first of them takes its name."""
    with tempfile.TemporaryDirectory(prefix=".kinebox-export-", dir=folder) as name:
        parts = Path(name)
        count = _WRITERS[format](sessions, parts)
        for part in parts.iterdir():
            part.replace(folder / part.name)
    return count


def _write_document(sessions: Iterator[ExportedSession], folder: Path) -> int:
    with (folder / "sessions.json").open("wb") as stream:
        return _write_json(sessions, stream)


def _write_motions(sessions: Iterator[ExportedSession], folder: Path) -> int:
    count = 0
    keys = [metric.key for metric in live_metrics() if metric.unit == "deg"]
    for session in sessions:
        count += 1
        angles = {key: [nan if v is None else v for v in session.samples.series[key]] for key in keys}
        text = mot(session.id, session.samples.t, angles)
        (folder / f"{session.id}.mot").write_text(text, encoding="utf-8")
    return count


def _write_json(sessions: Iterator[ExportedSession], stream: IO[bytes]) -> int:
    count = 0
    stream.write(b'{"format":"kinebox-sessions-1","sessions":[')
    for count, session in enumerate(sessions, 1):
        stream.write(b",\n" if count > 1 else b"\n")
        stream.write(msgspec.json.encode(session))
    stream.write(b"\n]}\n")
    return count


def _write_tables(sessions: Iterator[ExportedSession], folder: Path) -> int:
    count = 0
    with ExitStack() as stack:
        files = [folder / f"{table}.csv" for table in TABLES]
        writers = [
            csv.writer(stack.enter_context(file.open("w", encoding="utf-8", newline=""))) for file in files
        ]
        for table, writer in zip(TABLES.values(), writers, strict=True):
            writer.writerow(table.header)
        for session in sessions:
            count += 1
            for table, writer in zip(TABLES.values(), writers, strict=True):
                writer.writerows([_cell(value) for value in row] for row in table.rows(session))
    return count


def _cell(value: object) -> object:
    """The value as a spreadsheet should take it: text that it would run as a formula gets a quote first."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def _fields(record: object, names: Iterable[str]) -> Iterator[object]:
    """What `record` has of these; nothing where there is no record."""
    return (None if record is None else getattr(record, name) for name in names)


_SESSION = ("started", "ended", "end_reason", "duration_s", "subject", "species", "camera", "model")
_REPETITION = tuple(name for name in Repetition.__struct_fields__ if name != "measures")
_SET = ("exercise", "start_s", "end_s", "reps", "partial_reps", "hold_s", "rejected_reps")
_SAID = ("left", "right", "tempo_s", "tempo_spread", "range_deg", "range_spread")
_REMARKS = ("praise", "improve")
_CALIBRATION = SessionCalibration.__struct_fields__
_TURN, _CHANGE = Turn.__struct_fields__, Change.__struct_fields__


def _session_rows(session: ExportedSession) -> Iterator[Row]:
    earlier = session.compared_with
    yield (
        session.id,
        *_fields(session, _SESSION),
        *_fields(session.calibration, _CALIBRATION),
        None if earlier is None else earlier.id,
    )


def _set_rows(session: ExportedSession) -> Iterator[Row]:
    for number, recorded in enumerate(session.sets, 1):
        said = recorded.summary or KeptSummary(exercise=recorded.exercise)
        remarks = (" ".join(one.rule for one in getattr(said, name)) for name in _REMARKS)
        cues = " ".join(f"{rule}:{count}" for rule, count in said.cues.items())
        numbers = (*_fields(recorded, _SET), *_fields(recorded.summary, _SAID))
        yield (session.id, number, *numbers, *remarks, cues)


def _repetition_rows(session: ExportedSession) -> Iterator[Row]:
    for number, recorded in enumerate(session.sets, 1):
        for repetition in recorded.repetitions:
            yield (session.id, number, recorded.exercise, *_fields(repetition, _REPETITION))


def _repetition_measure_rows(session: ExportedSession) -> Iterator[Row]:
    rows = metrics()
    for number, recorded in enumerate(session.sets, 1):
        for one in recorded.repetitions:
            for key, measured in one.measures.items():
                unit = rows[key].unit if key in rows else ""
                reasons = " ".join(measured.reasons)
                yield (session.id, number, one.t, key, measured.value, unit, measured.grade, reasons)


def _sample_rows(session: ExportedSession) -> Iterator[Row]:
    columns = (session.samples.series[key] for key in metric_columns())
    for t, *values in zip(session.samples.t, *columns, strict=True):
        yield (session.id, t, *values)


def _measurement_rows(session: ExportedSession) -> Iterator[Row]:
    for key, measured in session.measurements.items():
        yield (
            session.id,
            *(key, measured.value, measured.unit, measured.grade, " ".join(measured.reasons)),
            *_fields(measured.turn, _TURN),
            *_fields(measured.change, _CHANGE),
        )


TABLES = {
    "sessions": _Table(
        ("session", *_SESSION, *(f"calibration_{name}" for name in _CALIBRATION), "compared_with"),
        _session_rows,
    ),
    "sets": _Table(("session", "set", *_SET, *_SAID, *_REMARKS, "cues"), _set_rows),
    "repetitions": _Table(("session", "set", "exercise", *_REPETITION), _repetition_rows),
    "repetition_measures": _Table(
        ("session", "set", "t", "key", "value", "unit", "grade", "reasons"), _repetition_measure_rows
    ),
    "samples": _Table(("session", "t", *metric_columns()), _sample_rows),
    "measurements": _Table(
        (
            *("session", "key", "value", "unit", "grade", "reasons"),
            *(f"turn_{name}" for name in _TURN),
            *(f"change_{name}" for name in _CHANGE),
        ),
        _measurement_rows,
    ),
}
"""The tables of a CSV export, by file name."""

_WRITERS: dict[ExportFormat, Callable[[Iterator[ExportedSession], Path], int]] = {
    "csv": _write_tables,
    "json": _write_document,
    "mot": _write_motions,
}
