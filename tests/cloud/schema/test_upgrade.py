"""A database is brought to this version, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from cloud.ingest.batch import Limits
from cloud.ingest.writer import Writer
from cloud.schema.edition import is_licensed
from cloud.schema.upgrade import upgrade
from tests.cloud.fleet import Database, window
from wire.columns import columns
from wire.messages import encode

if TYPE_CHECKING:
    import pytest

    from tests.testbed.servers import Servers


def test_a_second_upgrade_finds_nothing_to_do(database: Database) -> None:
    assert upgrade(database.owner_url) == []


def test_every_metric_of_the_catalogue_has_a_column_in_windows_and_sessions(database: Database) -> None:
    found = database.rows(
        """select table_name, column_name, data_type, is_nullable from information_schema.columns
           where table_schema = 'public' and table_name in ('telemetry_10s', 'exercise_sessions')"""
    )
    for key, kind in columns().items():
        for table in ("telemetry_10s", "exercise_sessions"):
            assert (table, key, kind, "YES") in found


def test_a_new_row_of_the_catalogue_becomes_a_column_that_is_filled_and_shown(
    testbed: Servers, migrated: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(testbed.dsn("postgres"), autocommit=True) as db:
        db.execute("create database grown")
    grown = Database(testbed, "grown")
    upgrade(grown.owner_url)
    monkeypatch.setattr("cloud.schema.columns.columns", lambda: {"tail_wag": "real", **columns()})
    assert upgrade(grown.owner_url) == ["tail_wag"]
    topic = grown.enrol("one").topic("window")
    writer = Writer(grown.url, Limits(future_s=600, past_s=400 * 86400))
    message = window("one", 1, metrics={"tail_wag": 2.5, "trunk_lean": 1.0}, grades={"tail_wag": "C"})
    assert writer.write([(topic, encode(message))]).added == 1
    writer.close()
    with psycopg.connect(grown.api_url) as api:
        api.execute("select set_config('kinebox.tenant', '1', true)")
        shown = api.execute(
            """select metric_name, metric_value, grade from kinematic_metrics
               where metric_name in ('tail_wag', 'trunk_lean') order by 1"""
        ).fetchall()
    assert shown == [("tail_wag", 2.5, "C"), ("trunk_lean", 1.0, "-")]


def test_the_edition_is_found(database: Database) -> None:
    with psycopg.connect(database.owner_url) as db:
        row = db.execute("show timescaledb.license").fetchone()
        assert is_licensed(db) == (row == ("timescale",))
