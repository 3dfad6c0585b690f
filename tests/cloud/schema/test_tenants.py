"""No tenant reads or changes another's rows, whatever it tries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.cloud.fleet import uuid, window
from wire.messages import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.ingest.writer import Writer
    from tests.cloud.fleet import Database


@pytest.fixture
def api(database: Database, writer: Writer) -> Iterator[psycopg.Connection[Any]]:
    """The API's connection, as the tenant `gym`; the tenant `rival` has rows, too."""
    for box, tenant in (("one", "gym"), ("two", "rival")):
        topic = database.enrol(box, tenant).topic("window")
        writer.write(
            [(topic, encode(window(box, seq, session=uuid(tenant)))) for seq in (1, 2)] + [(topic, b"{}")]
        )
    database.rows("select refresh_rollups()")
    with psycopg.connect(database.api_url, autocommit=True) as db:
        gym = database.value("select id from tenants where slug = 'gym'")
        db.execute("select set_config('kinebox.tenant', %s, false)", (str(gym),))
        yield db


SHOWN = {
    "tenants": 1, "sites": 1, "devices": 1, "subjects": 1, "boots": 1, "telemetry": 2, "kinematic_metrics": 10,
    "telemetry_1h": 5, "telemetry_1d": 5, "dead_letters": 1,
}  # fmt: skip


@pytest.mark.parametrize("table", SHOWN)
def test_a_tenant_sees_its_own_rows_only(
    database: Database, api: psycopg.Connection[Any], table: str
) -> None:
    shown = api.execute(f"select count(*) from {table}").fetchone()
    assert shown == (SHOWN[table],)
    api.execute("select set_config('kinebox.tenant', '', false)")
    assert api.execute(f"select count(*) from {table}").fetchone() == (0,)


def test_every_table_of_rows_of_tenants_is_guarded(database: Database) -> None:
    """By row security; the windows by having no reader but ingest, which serves every tenant."""
    unguarded = database.rows(
        """select relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
           where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
             and not (relrowsecurity and relforcerowsecurity)"""
    )
    assert unguarded == [("telemetry_10s",)]
    grants = """select grantee, privilege_type from information_schema.role_table_grants
                where table_name = %s and grantee <> 'kinebox_owner' order by 2"""
    for table in database.rows("select 'telemetry_10s' union all select relname::text from pg_class c "
                               "where c.oid in (select show_chunks('telemetry_10s'))"):  # fmt: skip
        assert database.rows(grants, *table) == [("kinebox_ingest", "INSERT"), ("kinebox_ingest", "SELECT")]


_NO_TABLE = psycopg.errors.WrongObjectType, psycopg.errors.ObjectNotInPrerequisiteState
"""What is said of a view that is asked for what only tables do."""


@pytest.mark.parametrize("table", ["telemetry_10s", "a chunk of it", "device_health", "telemetry_values"])
@pytest.mark.parametrize(
    "statement",
    [
        "select * from {}",
        "insert into {} default values",
        "delete from {}",
        "copy {} to stdout",
        "truncate {}",
    ],
)
def test_the_api_cannot_reach_what_has_no_policy_of_its_own(
    database: Database, api: psycopg.Connection[Any], table: str, statement: str
) -> None:
    if table == "a chunk of it":
        (table,) = database.rows("select show_chunks('telemetry_10s')::text")[0]
    with pytest.raises((psycopg.errors.InsufficientPrivilege, *_NO_TABLE)):
        api.execute(statement.format(table))


def test_through_the_view_windows_are_added_for_the_own_tenant_alone(
    database: Database, api: psycopg.Connection[Any]
) -> None:
    rival = database.value("select id from tenants where slug = 'rival'")
    made = """insert into telemetry (time, seq, boot_id, tenant_id, device_id, subject_id, duration_s, reps,
                  partial_reps, clock, historical, camera)
              select time, 10 + {0}, boot_id, {0}, device_id, subject_id, duration_s, reps, partial_reps, clock,
                  historical, camera from telemetry limit 1"""
    api.execute(made.format("tenant_id"))
    assert api.execute("select count(*) from telemetry").fetchone() == (SHOWN["telemetry"] + 1,)
    with pytest.raises(psycopg.errors.WithCheckOptionViolation):
        api.execute(made.format(rival))
    for statement in ("update telemetry set tenant_id = tenant_id", "delete from telemetry"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            api.execute(statement)


def test_a_function_of_the_query_sees_no_other_tenant(api: psycopg.Connection[Any]) -> None:
    """A condition that tells what it is given is evaluated after the tenant's own."""
    api.execute(
        """create function pg_temp.tell(int) returns boolean language plpgsql cost 0.0000001 as
           $$ begin raise notice '%', $1; return true; end $$"""
    )
    told: list[str] = []
    api.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
    own = {str(row[0]) for row in api.execute("select distinct tenant_id from telemetry").fetchall()}
    api.execute("select count(*) from telemetry where pg_temp.tell(tenant_id)")
    assert set(told) == own


def test_rows_cannot_be_moved_to_or_made_for_another_tenant(
    database: Database, api: psycopg.Connection[Any]
) -> None:
    rival = database.value("select id from tenants where slug = 'rival'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        api.execute("insert into sites (tenant_id, slug, name) values (%s, 'mine', 'mine')", (rival,))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        api.execute("update sites set tenant_id = %s", (rival,))
    assert api.execute("delete from subjects where tenant_id = %s", (rival,)).rowcount == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        api.execute("set role kinebox_ingest")


def test_not_even_the_owner_of_the_tables_reads_across_tenants(database: Database, writer: Writer) -> None:
    topic = database.enrol("one").topic("window")
    writer.write([(topic, encode(window("one", 1)))])
    with psycopg.connect(database.owner_url, autocommit=True) as db:
        db.execute("set role kinebox_owner")
        for table in ("boots", "subjects", "telemetry", "kinematic_metrics"):
            assert db.execute(f"select count(*) from {table}").fetchone() == (0,)
