"""Messages become rows, once, and are acknowledged after that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cloud.fleet import NOON, uuid, wait_for, window

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud.fleet import Box, Database, Ingest
    from wire.topics import Address


def test_a_window_becomes_a_row_with_its_values_and_grades(
    database: Database, ingest: Callable[..., Ingest], box: Callable[[Address], Box]
) -> None:
    one = box(database.enrol("one"))
    ingest()
    one.send(window("one", 1, exercise="squat", reps=2, session=uuid("session")))
    wait_for(lambda: list(one.acked.values()) == [1], what="an acknowledgement")
    row = database.rows(
        """select extract(epoch from time)::float8, knee_flexion_left, trunk_lean, hip_flexion_left, exercise, reps,
                  session::text, clock::text, s.subject::text
           from telemetry_10s t join subjects s on s.id = subject_id"""
    )
    assert row == [(NOON + 10, 1.5, 4.0, None, "squat", 2, uuid("session"), "s", uuid("ann"))]
    grade = "select substr(grades, position, 1) from telemetry_10s, metric_columns where key = %s"
    assert database.value(grade, "knee_flexion_left") == "B"
    assert database.value(grade, "trunk_lean") == "-"
