"""For every route there is: who may call it, and that nothing of another tenant comes out or changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from cloud.api.app import create_app
from tests.cloud.api.conftest import Cloud
from tests.cloud.api.route_tables import ANYBODY, BODIES, IDS, QUERY, ROLES, UNKNOWN, WHO_MAY, routes
from tests.cloud.api.test_erasure import session
from tests.cloud.api.test_people import enrol
from tests.cloud.api.test_rollouts import write_key
from tests.cloud.fleet import uuid, window
from wire.messages import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cloud.api.settings import Settings
    from cloud.ingest.writer import Writer
    from tests.cloud.api.conftest import Client
    from tests.cloud.fleet import Database

MARKERS = (
    "rival", "Rival", uuid("rival ann"), uuid("rival rex"), uuid("rival box"), uuid("rival session"),
)  # fmt: skip
"""Every answer that shows something of the tenant `rival` has one of these in it."""


@pytest.fixture
def cloud(settings: Callable[..., Settings], database: Database, tmp_path: Path) -> Iterator[Cloud]:
    """The API with a key to sign with: without one there are no rollouts to ask for."""
    app = create_app(settings(signing_key_file=write_key(tmp_path / "key.pem")))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Cloud(client, database)


@pytest.fixture
def everybody(cloud: Cloud, writer: Writer) -> dict[str, Client]:
    """One of each role of the tenant `gym`; the tenant `rival` has something of everything."""
    database = cloud.database
    address = database.enrol("rival box", "rival", "rival-site")
    database.rows("update devices set name = 'Rival box', last_seen = now()")
    owner = cloud.user("owner", "rival", "rival-owner@example.org")
    enrol(owner, alias="Rival Ann", subject=uuid("rival ann"), email="rival-lost@example.org")
    enrol(owner, "dogs", alias="Rival Rex", breed="Rivalhound", subject=uuid("rival rex"))
    cloud.user("member", "rival", "rival-ann@example.org")
    database.rows("update people set user_id = (select id from users where email = 'rival-ann@example.org')")
    dog: dict[str, Any] = {"species": "dog"}
    writer.write(
        [
            (address.topic("window"), encode(window("rival box", 1, subject="rival ann", exercise="squat"))),
            (address.topic("window"), encode(window("rival box", 2, subject="rival rex", **dog))),
            (address.topic("session"), encode(session("rival box", 3, "rival ann", "rival session"))),
        ]
    )
    database.rows("select refresh_rollups()")
    rival = cloud.tenant("rival")
    database.rows(
        """with release as (insert into releases (tenant_id, role, name, version, sha256)
               values (%s, 'pose', 'rival', '1', repeat('ab', 32)) returning id)
           insert into rollouts (tenant_id, release_id, state, share, metric, min_gain, min_hours, max_hours, reason)
           select %s, id, 'candidate', 0.1, 'confidence', 0.05, 24, 240, 'waiting' from release""",
        rival,
        rival,
    )
    roles: dict[str, Client] = {role: cloud.user(role) for role in ROLES if role != "device"}  # type: ignore[arg-type]
    return roles | {"device": cloud.box("gym box")}


def path_of(database: Database, route: str, ids: dict[str, str]) -> str:
    """The path of a route with ids in it. Fails for a parameter that has none."""
    path = route.partition(" ")[2]
    for name in re.findall(r"{(\w+)}", path):
        key = next((key for key in (f"{path.partition('/{')[0]} {name}", name) if key in ids), None)
        assert key, f"{route}: say in route_tables.IDS what {name} is"
        value = ids[key]
        path = path.replace(
            f"{{{name}}}", str(database.value(value)) if value.startswith("select") else value
        )
    return path


def query_of(route: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Values of all its query parameters. Fails for one that has none."""
    names = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
    missing = [name for name in names if name not in QUERY]
    assert not missing, f"{route}: say in route_tables.QUERY what to ask for in {missing}"
    return {name: QUERY[name] for name in names if QUERY[name] is not None}


def may(route: str, role: str) -> bool:
    return WHO_MAY[route] == ANYBODY or role in WHO_MAY[route].split()


def rows_of(database: Database, tenant: int) -> dict[str, Any]:
    """All rows of a tenant, by table."""
    tables = database.rows(
        """select table_name from information_schema.columns join information_schema.tables
               using (table_schema, table_name)
           where table_schema = 'public' and column_name = 'tenant_id' and table_type = 'BASE TABLE'"""
    )
    query = "select t::text from {} t where tenant_id = %s order by 1"
    return {table: database.rows(query.format(table), tenant) for (table,) in tables}


def test_the_table_of_roles_names_every_route(cloud: Cloud) -> None:
    assert WHO_MAY.keys() == routes(cloud.app).keys(), "add or remove a line of route_tables.WHO_MAY"


def test_each_role_may_what_the_table_says_and_no_more(cloud: Cloud, everybody: dict[str, Client]) -> None:
    wrong = []
    for route, operation in routes(cloud.app).items():
        method = route.partition(" ")[0]
        path = path_of(cloud.database, route, UNKNOWN)
        for role, client in [*everybody.items(), (ANYBODY, cloud.nobody)]:
            answer = client.request(method, path, params=query_of(route, operation))
            refused = answer.status_code in (401, 403)
            if answer.status_code >= 500 or refused == may(route, role):
                wrong.append(f"{role} {route}: {answer.status_code} {answer.text[:200]}")
            if refused:
                assert answer.json()["code"] == ("sign_in_needed" if role == ANYBODY else "role_may_not")
    assert not wrong, "\n".join(wrong)


def test_the_id_of_another_tenant_is_as_good_as_none(cloud: Cloud, everybody: dict[str, Client]) -> None:
    rival = cloud.tenant("rival")
    before = rows_of(cloud.database, rival)
    assert sum(1 for rows in before.values() if rows) >= 15
    tried = 0
    for route, operation in routes(cloud.app).items():
        if "{" not in route:
            continue
        more: dict[str, Any] = {"params": query_of(route, operation)}
        if "requestBody" in operation:
            assert route in BODIES, f"{route}: add a body to route_tables.BODIES"
            more["json"] = BODIES[route]
        for role, client in everybody.items():
            if not may(route, role):
                continue
            for ids in (IDS, UNKNOWN):
                path = path_of(cloud.database, route, ids)
                answer = client.request(route.partition(" ")[0], path, **more)
                assert answer.status_code == 404, f"{role} {route}: {answer.status_code} {answer.text[:300]}"
                assert not any(marker in answer.text for marker in MARKERS), f"{role} {route}: {answer.text}"
            tried += 1
    assert tried > 50
    assert rows_of(cloud.database, rival) == before


def test_no_list_and_no_filter_shows_anything_of_another_tenant(
    cloud: Cloud, everybody: dict[str, Client]
) -> None:
    theirs = {role: cloud.user(role, "rival") for role in ("owner", "trainer", "fleet_operator")}  # type: ignore[var-annotated]
    shown = ""
    for route, operation in routes(cloud.app).items():
        method, _, path = route.partition(" ")
        if method != "GET" or "{" in route:
            continue
        for params in (query_of(route, operation), {}):
            for role, client in everybody.items():
                answer = client.request(method, path, params=params)
                assert not any(marker in answer.text for marker in MARKERS), f"{role} {route}: {answer.text}"
            shown += "".join(client.request(method, path, params=params).text for client in theirs.values())
    # The markers are such that they would have been seen.
    assert all(marker in shown for marker in MARKERS if marker != uuid("rival session"))


def test_what_is_made_cannot_name_what_is_of_another_tenant(
    cloud: Cloud, everybody: dict[str, Client]
) -> None:
    rival = cloud.tenant("rival")
    before = rows_of(cloud.database, rival)
    release = cloud.database.value("select max(id) from releases")
    owner = everybody["owner"]
    start = {"subject": uuid("rival ann"), "species": "human", "camera": "cam0"}
    tries: list[tuple[str, dict[str, Any], int]] = [
        ("/api/devices", {"site": "rival-site"}, 404),
        ("/api/devices", {"site": "hall", "device": uuid("rival box")}, 409),
        ("/api/sessions/start", start | {"device": uuid("rival box")}, 404),
        ("/api/sessions/start", start | {"device": uuid("gym box")}, 404),
        ("/api/rollouts", {"release": release, "metric": "confidence"}, 404),
    ]
    for path, body, status in tries:
        owner.ask("POST", path, status, json=body)
    moved = owner.patch(f"/api/devices/{uuid('gym box')}", json={"site": "rival-site"})
    assert moved.status_code == 404
    # A name is a tenant's own: here it is somebody else.
    box = everybody["device"]
    number = box.ask("POST", "/api/sessions/start", 201, json=start)["session"]
    assert owner.ask("GET", f"/api/sessions/{number}")["subject"] == uuid("rival ann")
    assert owner.ask("GET", f"/api/people/{uuid('rival ann')}")["alias"] is None
    owner.ask("DELETE", f"/api/people/{uuid('rival ann')}/consent")
    assert rows_of(cloud.database, rival) == before


@pytest.fixture
def gym(cloud: Cloud, everybody: dict[str, Client]) -> Any:
    """The API's connection, as the tenant `gym`, which has somebody, too."""
    enrol(everybody["owner"], alias="Ann")
    with psycopg.connect(cloud.database.api_url, autocommit=True) as db:
        db.execute("select set_config('kinebox.tenant', %s, false)", (str(cloud.tenant("gym")),))
        yield db


def readable(db: psycopg.Connection[Any]) -> list[str]:
    """Tables and views with rows of tenants that the API may read."""
    rows = db.execute(
        """select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
           where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'p')
             and has_table_privilege(c.oid, 'select')"""
    )
    return [name for (name,) in rows.fetchall()]


def test_whatever_the_api_may_read_it_reads_of_one_tenant(cloud: Cloud, gym: psycopg.Connection[Any]) -> None:
    names = readable(gym)
    assert {"people", "dogs", "consents", "users", "telemetry", "telemetry_1h", "exercise_sessions"} <= set(
        names
    )
    assert "telemetry_10s" not in names
    own = (cloud.tenant("gym"),)
    for name in names:
        assert set(gym.execute(f"select distinct tenant_id from {name}").fetchall()) <= {own}, name
    gym.execute("select set_config('kinebox.tenant', '', false)")
    for name in names:
        assert gym.execute(f"select count(*) from {name}").fetchone() == (0,), name


def test_no_chunk_of_a_hypertable_is_open_to_the_api(gym: psycopg.Connection[Any]) -> None:
    chunks = gym.execute(
        """select c.oid::regclass::text, has_table_privilege(c.oid, 'select, insert, update, delete')
           from pg_class c where relnamespace = '_timescaledb_internal'::regnamespace and relkind = 'r'
             and starts_with(relname, '_hyper_')"""
    ).fetchall()
    assert chunks
    assert [name for name, is_open in chunks if is_open] == []
    for statement in ("select * from telemetry_10s", f"select * from {chunks[0][0]}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            gym.execute(statement)


def test_the_api_makes_no_row_of_another_tenant(cloud: Cloud, gym: psycopg.Connection[Any]) -> None:
    rival = cloud.tenant("rival")
    before = rows_of(cloud.database, rival)
    somebody = cloud.database.value("select id from subjects where subject = %s", uuid("rival ann"))
    for statement in (
        "update people set tenant_id = %s",
        "update users set tenant_id = %s",
        "insert into subjects (tenant_id, subject, species) values (%s, gen_random_uuid(), 'dog')",
        "insert into consents (tenant_id, subject_id, version, purposes) values (%s, 1, '1', '{record}')",
        """insert into telemetry (time, seq, boot_id, tenant_id, device_id, subject_id, duration_s, reps,
               partial_reps, clock, historical, camera)
           values (now(), 1, 1, %s, 1, 1, 10, 0, 0, 's', false, 'cam0')""",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.WithCheckOptionViolation)):
            gym.execute(statement, (rival,))
    assert gym.execute("select erase_subject(%s)", (somebody,)).fetchone() == (0,)
    for role in ("kinebox_owner", "kinebox_ingest", "kinebox_lookup"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            gym.execute(f"set role {role}")
    for function in ("tenant_of_slug('rival')", "drop_old_telemetry('1 day')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            gym.execute(f"select {function}")
    assert rows_of(cloud.database, rival) == before
