"""A migrated database for each test, and services that are stopped after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from cloud.ingest.batch import Limits
from cloud.ingest.writer import Writer
from cloud.schema.upgrade import upgrade
from tests.cloud.fleet import Box, Database, Ingest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.testbed.servers import Servers
    from wire.topics import Address


@pytest.fixture(scope="session")
def migrated(testbed: Servers) -> Database:
    """A migrated database, and users of the services."""
    with psycopg.connect(testbed.dsn("postgres"), autocommit=True) as db:
        db.execute("create database kinebox")
    upgrade(testbed.dsn())
    with psycopg.connect(testbed.dsn("postgres"), autocommit=True) as db:
        for user in ("ingest", "api"):
            db.execute(f"create role {user} login in role kinebox_{user}")
    return Database(testbed, "kinebox")


@pytest.fixture
def database(testbed: Servers, migrated: Database) -> Iterator[Database]:
    """A migrated database without rows."""
    tables = """select string_agg(quote_ident(tablename), ',') from pg_tables
                where schemaname = 'public' and tablename not in ('alembic_version', 'metric_columns')"""
    # What a killed service left running in the server would hold its locks against ours.
    migrated.rows(
        """select pg_terminate_backend(pid, 5000) from pg_stat_activity
           where usename in ('ingest', 'api') and datname = current_database()"""
    )
    migrated.rows(f"truncate {migrated.value(tables)} restart identity cascade")
    yield migrated
    testbed.start()  # what a test killed


@pytest.fixture
def ingest(testbed: Servers, database: Database, tmp_path: Path) -> Iterator[Callable[..., Ingest]]:
    """Makes running ingests for the database of the test."""
    made: list[Ingest] = []

    def make(client_id: str = "ingest-0", **more: str) -> Ingest:
        made.append(Ingest(testbed, database, tmp_path / f"{client_id}.log", client_id, **more))
        return made[-1].start()

    yield make
    for one in made:
        if one.process is not None and one.process.poll() is None:
            one.kill()
    for log in tmp_path.glob("*.log"):
        print(log.read_text()[-4000:])


@pytest.fixture
def box(testbed: Servers) -> Iterator[Callable[[Address], Box]]:
    """Makes connected boxes."""
    made: list[Box] = []

    def make(address: Address) -> Box:
        made.append(Box(testbed, address))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    """A writer for the database of the test, without broker or process."""
    one = Writer(database.url, Limits(future_s=600, past_s=400 * 86400))
    yield one
    one.close()
