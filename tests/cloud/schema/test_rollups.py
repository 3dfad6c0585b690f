"""Rollups say what a plain query over the windows says, also after late rows."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import psycopg
import pytest

from cloud.ingest.upkeep import run_upkeep
from tests.cloud.fleet import NOON, window
from wire.messages import encode

if TYPE_CHECKING:
    from cloud.ingest.writer import Writer
    from tests.cloud.fleet import Database
    from wire.messages import Window

PLAIN = """
    select date_trunc('{unit}', time, 'UTC'), subject_id, coalesce(exercise, ''), metric, count(*),
           sum(value::float8), min(value), max(value)
    from telemetry_10s t cross join lateral (values
        ('knee_flexion_left', knee_flexion_left), ('trunk_lean', trunk_lean), ('reps', reps::real),
        ('partial_reps', partial_reps::real), ('duration_s', duration_s)) m (metric, value)
    where value is not null group by 1, 2, 3, 4
    order by 1, 2, 3, 4"""
ROLLED = (
    "select bucket, subject_id, exercise, metric, n, total, minimum, maximum from {table} order by 1, 2, 3, 4"
)


def check(database: Database) -> None:
    for unit, table in (("hour", "telemetry_1h"), ("day", "telemetry_1d")):
        plain, rolled = database.rows(PLAIN.format(unit=unit)), database.rows(ROLLED.format(table=table))
        assert [row[:5] + row[6:] for row in rolled] == [row[:5] + row[6:] for row in plain]
        assert [row[5] for row in rolled] == pytest.approx([row[5] for row in plain])
        assert rolled


def test_rollups_are_those_of_a_plain_query_also_after_late_and_repeated_rows(
    database: Database, writer: Writer
) -> None:
    topic = database.enrol("one").topic("window")
    dice = random.Random(1)
    windows = [
        window(
            "one", seq, at=NOON + dice.uniform(-40, 40) * 3600, subject=dice.choice(["ann", "rex"]),
            exercise=dice.choice([None, "squat"]), reps=dice.randint(0, 4),
            metrics={"knee_flexion_left": dice.uniform(0, 120)} | ({"trunk_lean": 0.0} if seq % 3 else {}),
        )
        for seq in range(1, 301)
    ]  # fmt: skip
    for part in (windows[:200], windows[200:], windows[150:250]):
        writer.write([(topic, encode(one)) for one in part])
        run_upkeep(database.url, keep_days=4000)
        check(database)
    assert database.value("select count(*) from rollup_pending") == 0


def test_a_window_that_is_not_committed_yet_is_rolled_up_by_the_next_refresh(
    database: Database, writer: Writer
) -> None:
    topic = database.enrol("one").topic("window")
    writer.write([(topic, encode(window("one", 1)))])
    with psycopg.connect(database.url) as slow:
        slow.execute(
            """insert into telemetry_10s (time, seq, boot_id, tenant_id, device_id, subject_id, duration_s, reps,
                   partial_reps, clock, historical, camera, trunk_lean)
               select time, 2, boot_id, tenant_id, device_id, subject_id, 10, 0, 0, 's', false, 'cam0', 9
               from telemetry_10s"""
        )
        slow.execute(
            """insert into rollup_pending
               select date_trunc('hour', time, 'UTC'), tenant_id, subject_id from telemetry_10s limit 1"""
        )
        run_upkeep(database.url, keep_days=4000)
        assert database.value("select n from telemetry_1h where metric = 'trunk_lean'") == 1
    run_upkeep(database.url, keep_days=4000)
    check(database)


def test_windows_that_are_too_old_go_and_their_rollups_stay(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    now = database.value("select extract(epoch from now())::float8")
    writer.write([(topic, encode(window("one", n, at=now - days * 86400))) for n, days in ((1, 1), (2, 100))])
    run_upkeep(database.url, keep_days=30)
    assert database.rows("select seq from telemetry_10s") == [(1,)]
    assert database.value("select count(*) from telemetry_1d where metric = 'reps'") == 2


def test_an_hour_that_runs_waits_for_more_of_it(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    now = database.value("select extract(epoch from now())::float8")
    old = [window("one", n, at=now - 86400 - n, subject="late") for n in range(1, 4)]

    def send(*windows: Window) -> int:
        writer.write([(topic, encode(one)) for one in windows])
        counted: int = database.value("select refresh_rollups()")
        return counted

    def wait(minutes: int) -> None:
        database.rows("update rollup_pending set added = added - make_interval(mins => %s)", minutes)

    assert send(window("one", 11, at=now - 20), window("one", 12, at=now - 10, subject="bob")) == 0
    wait(9)
    # More of it does not make it wait longer, and what is over is counted at once.
    assert send(window("one", 13, at=now), *old) in (1, 2)  # late ones may lie in two hours
    assert database.value("select count(*) from rollup_pending") in (2, 3)
    wait(1)
    assert send() in (2, 3)
    check(database)
    assert database.value("select count(*) from rollup_pending") == 0
    assert send(window("one", 14, at=now)) == 0
    assert database.value("select refresh_rollups('0')") == 1
    check(database)
