"""What was measured, kept in one SQLite file on the box."""

from __future__ import annotations

from edge.store.errors import SessionRunningError, UnknownMetricError, UnknownSessionError
from edge.store.export import ExportFormat, export_sessions
from edge.store.paths import database_path, state_dir
from edge.store.records import (
    EndReason,
    ExerciseTotal,
    Grade,
    Measurement,
    RecordedSet,
    Samples,
    Session,
    SessionSummary,
    Species,
)
from edge.store.store import Store

__all__ = [
    "EndReason",
    "ExerciseTotal",
    "ExportFormat",
    "Grade",
    "Measurement",
    "RecordedSet",
    "Samples",
    "Session",
    "SessionRunningError",
    "SessionSummary",
    "Species",
    "Store",
    "UnknownMetricError",
    "UnknownSessionError",
    "database_path",
    "export_sessions",
    "state_dir",
]
