"""Brings a database to this version: migrations, columns of the metrics, features of the edition."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import sqlalchemy
from alembic import command
from alembic.config import Config

from cloud.schema.columns import add_columns
from cloud.schema.covering import cover_questions
from cloud.schema.edition import use_compression

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

_LOCK = 0x6B696E65


def upgrade(url: str) -> list[str]:
    """Upgrade the database at `postgresql://…`; returns the metrics that got a column. Safe to run twice, or at once.

    Needs a role that may create extensions and roles: the owner of the database, not that of a service.
    """
    address = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(address, poolclass=sqlalchemy.NullPool)
    config = Config()
    config.set_main_option("script_location", str(resources.files("cloud.schema")))
    with engine.connect() as guard, engine.connect() as connection:
        guard.execute(sqlalchemy.text("select pg_advisory_lock(:key)"), {"key": _LOCK})  # until it is closed
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        driver: Connection[Any] | None = connection.connection.driver_connection
        assert driver is not None
        driver.execute("set local role kinebox_owner")
        added = add_columns(driver)
        cover_questions(driver)
        use_compression(driver)
        driver.commit()
    return added
