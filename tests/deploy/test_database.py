"""The database as deploy/ makes it, and the services on it as the units and containers start them."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
import psycopg
import pytest
import yaml
from paho.mqtt.enums import CallbackAPIVersion

from tests.deploy.conftest import BOX
from tests.deploy.machine import Broker, Database, free_port, hang_up, until
from tests.deploy.places import DEPLOY
from tests.testbed.servers import Servers
from wire.messages import Ack, Window, decode, encode
from wire.topics import Address

if TYPE_CHECKING:
    from pathlib import Path

HERE = Address("acme", "hall", BOX)
BOOT = "0b0b0b0b-0000-4000-8000-00000000b007"


def connect(database: Database, service: str, **other: str) -> psycopg.Connection:
    """As one of the services, with the password of its secret unless there is another one."""
    secret = (database.secrets / f"database-{service}.conf").read_text()
    login = dict(line.split("=", 1) for line in secret.splitlines() if "=" in line)
    return psycopg.connect(
        host="127.0.0.1",
        port=database.servers.postgres_port,
        dbname="kinebox",
        autocommit=True,
        **(login | other),
    )


@pytest.fixture(scope="module")
def migrated(deployed: Database) -> Database:
    """With its tables, made by the login that is no superuser."""
    for _ in range(2):  # the second time there is nothing to do
        done = deployed.run("schema", "cloud.schema")
        assert done.returncode == 0, done.stderr
    deployed.make_roles()  # nor is there for these
    return deployed


def test_a_wrong_password_is_refused(migrated: Database) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(migrated, "ingest", user="kinebox-api")


@pytest.mark.parametrize("service", ["schema", "ingest", "api"])
def test_no_service_is_a_superuser(migrated: Database, service: str) -> None:
    with connect(migrated, service) as db:
        row = db.execute("select usesuper, current_user from pg_user where usename = current_user").fetchone()
        assert row == (False, f"kinebox-{service}")


@pytest.mark.parametrize("service", ["ingest", "api"])
def test_services_cannot_change_what_there_is(migrated: Database, service: str) -> None:
    with connect(migrated, service) as db:
        for statement in (
            "drop table telemetry_10s",
            "create table mine ()",
            "create role friend",
            "set role postgres",
        ):
            with pytest.raises(psycopg.Error):
                db.execute(statement.encode())


def test_the_api_reads_no_windows_of_others(migrated: Database) -> None:
    with connect(migrated, "api") as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("select * from telemetry_10s")


def test_from_a_box_to_the_database(migrated: Database, broker: Broker, tmp_path: Path) -> None:
    public = {"KINEBOX_API_PUBLIC_URL": "https://cloud.example.org"}
    for command in (
        ["create-tenant", HERE.tenant, "Acme", "--owner", "owner@example.org"],
        ["add-site", HERE.tenant, HERE.site, "Hall"],
    ):
        done = migrated.run("schema", "cloud.api.admin", *command, **public)
        assert done.returncode == 0, done.stderr
    with psycopg.connect(migrated.servers.dsn()) as db:
        db.execute(
            "insert into devices (tenant_id, site_id, device) select tenant_id, id, %s from sites", (BOX,)
        )
    port = free_port()
    environment = migrated.environment("ingest") | {
        "KINEBOX_MQTT_URL": f"mqtts://localhost:{broker.port}",
        "KINEBOX_INGEST_MQTT_CA": str(migrated.secrets / "ca.pem"),
        "KINEBOX_INGEST_MQTT_CERTIFICATE": str(migrated.secrets / "ingest-0.pem"),
        "KINEBOX_INGEST_CLIENT_ID": "kinebox-ingest-0",
        "KINEBOX_INGEST_HTTP_PORT": str(port),
    }
    with (tmp_path / "log").open("wb") as log:
        ingest = subprocess.Popen(
            [sys.executable, "-m", "cloud.ingest"], env=os.environ | environment, stdout=log, stderr=log
        )
    acks: list[Ack] = []
    box = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"kinebox-{BOX}", protocol=paho.MQTTv5)
    context = ssl.create_default_context(cafile=migrated.secrets / "ca.pem")
    own = migrated.secrets / f"boxes/{BOX}.pem"
    context.load_cert_chain(own, own.with_suffix(".key"))
    box.tls_set_context(context)
    box.on_connect = lambda *_: box.subscribe(HERE.topic("ack"), 1)
    box.on_message = lambda _client, _data, message: acks.append(decode(message.payload))  # type: ignore[arg-type]
    try:
        until(lambda: _healthy(port), f"ingest is healthy: {(tmp_path / 'log').read_text()}")
        box.connect("localhost", broker.port)
        box.loop_start()
        window = Window(
            device=BOX, boot=BOOT, seq=1, at=None, clock="unknown", subject=BOX, species="human", camera="cam0",
            duration_s=10.0,
        )  # fmt: skip
        until(box.is_connected, "the box is connected")
        box.publish(HERE.topic("window"), encode(window), qos=1).wait_for_publish(20)
        until(lambda: bool(acks), "the cloud's acknowledgement")
        assert (acks[0].boot, acks[0].seq) == (BOOT, 1)
    finally:
        hang_up(box)
        ingest.send_signal(signal.SIGTERM)
        assert ingest.wait(20) == 0
        print((tmp_path / "log").read_text())
    with psycopg.connect(migrated.servers.dsn()) as db:
        assert db.execute("select count(*) from telemetry_10s").fetchone() == (1,)


def test_the_statements_for_the_operator_make_the_same(tmp_path: Path, migrated: Database) -> None:
    cluster = yaml.safe_load((DEPLOY / "kubernetes/database/cluster.yaml").read_text())["spec"]
    init = cluster["bootstrap"]["initdb"]
    servers = Servers(tmp_path)
    servers.data.mkdir(mode=0o755, parents=True)
    try:
        servers.start_postgres()
        before = [
            f'create role "{init["owner"]}" login',
            f'create database {init["database"]} owner "{init["owner"]}"',
        ]
        after = [
            f'create role "{role["name"]}" login in role {", ".join(role["inRoles"])}'
            for role in cluster["managed"]["roles"]
        ]
        for database, statements in (
            ("postgres", before),
            ("kinebox", init["postInitApplicationSQL"] + after),
        ):
            for statement in statements:  # the operator promises no connection for all of them
                with psycopg.connect(servers.dsn(database), autocommit=True) as db:
                    db.execute(statement.encode())
        url = servers.dsn("kinebox", user=init["owner"])
        done = subprocess.run(
            [sys.executable, "-m", "cloud.schema"], env=os.environ | {"KINEBOX_DATABASE_URL": url},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert rights(servers, init["owner"]) == rights(migrated.servers, "kinebox-schema")
    finally:
        servers.stop(erase=True)


def rights(servers: Servers, owner: str) -> dict[str, list[tuple[str, ...]]]:
    """Who is in which group, who may connect, and who owns the database."""
    queries = {
        "members": """select distinct g.rolname, u.rolname from pg_auth_members m join pg_roles g on g.oid = m.roleid
                      join pg_roles u on u.oid = m.member
                      where g.rolname like 'kinebox%' and u.rolname <> 'kinebox-schema' order by 1, 2""",
        "database": """select pg_get_userbyid(datdba),
                             has_database_privilege('kinebox-api', 'kinebox', 'connect')::text
                       from pg_database where datname = 'kinebox'""",
        "powers": """select rolname, rolsuper::text, rolcreaterole::text, rolcreatedb::text, rolcanlogin::text
                     from pg_roles where rolname like 'kinebox%' order by 1""",
    }
    with psycopg.connect(servers.dsn()) as db:
        found = {name: db.execute(query.encode()).fetchall() for name, query in queries.items()}
    assert found["database"] == [(owner, "true")]
    return found


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
