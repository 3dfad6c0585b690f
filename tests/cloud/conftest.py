"""A migrated database for each test, and services that are stopped after it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import psycopg
import pytest

from cloud.schema.upgrade import upgrade
from tests.cloud.fleet import Box, Database, Ingest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.testbed.servers import Servers
    from wire.topics import Address

TEMPLATE = "kinebox_template"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def template(testbed: Servers) -> str:
    """A database with the migrations, which those of the tests are copies of."""
    with psycopg.connect(testbed.dsn("postgres"), autocommit=True) as db:
        db.execute(f"create database {TEMPLATE}")
    upgrade(testbed.dsn(TEMPLATE))
    with psycopg.connect(testbed.dsn("postgres"), autocommit=True) as db:
        for user in ("ingest", "api"):
            db.execute(f"create role {user} login in role kinebox_{user}")
    return TEMPLATE


@pytest.fixture
def database(testbed: Servers, template: str) -> Iterator[Database]:
    """An empty, migrated database."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(testbed.dsn("postgres"), autocommit=True) as db:
        db.execute(f"create database {name} template {template}")
    yield Database(testbed, name)
    testbed.start_postgres()  # where a test killed it
    with psycopg.connect(testbed.dsn("postgres"), autocommit=True) as db:
        db.execute(f"drop database {name} with (force)")


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
