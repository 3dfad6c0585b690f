"""What the tests of the cloud share: enrolled boxes, their messages, and a running ingest."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Protocol
from uuid import NAMESPACE_DNS, UUID, uuid5

import msgspec
import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from wire.messages import Ack, SessionChange, Window, decode, encode
from wire.topics import Address

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.testbed.servers import Servers

NOON = 1_790_000_000.0 // 86400 * 86400 + 43200
"""A time of the messages: within the last 400 days for some years to come."""


def uuid(name: str) -> str:
    """The same uuid for the same name."""
    return str(uuid5(NAMESPACE_DNS, name))


def wait_for(condition: Callable[[], bool], seconds: float = 30.0, what: str = "") -> None:
    """Return once `condition` holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or condition}"
        time.sleep(0.02)


class Database:
    """A migrated database of a test."""

    def __init__(self, servers: Servers, name: str) -> None:
        self.owner_url = servers.dsn(name)
        self.url = servers.dsn(name, user="ingest")
        self.api_url = servers.dsn(name, user="api")

    def rows(self, query: str, *parameters: Any) -> list[Any]:
        """Rows of a query, as a superuser: row security does not apply."""
        with psycopg.connect(self.owner_url, autocommit=True) as db:
            cursor = db.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def value(self, query: str, *parameters: Any) -> Any:
        """The one value of a query."""
        return self.rows(query, *parameters)[0][0]

    def enrol(self, box: str, tenant: str = "gym", site: str = "hall") -> Address:
        """A box that the cloud knows, at kinebox/v1/<tenant>/<site>/<uuid>."""
        self.rows("insert into tenants (slug, name) values (%s, %s) on conflict do nothing", tenant, tenant)
        self.rows(
            """insert into sites (tenant_id, slug, name) select id, %s, %s from tenants where slug = %s
               on conflict do nothing""",
            site,
            site,
            tenant,
        )
        self.rows(
            """insert into devices (tenant_id, site_id, device) select t.id, s.id, %s from tenants t
               join sites s on s.tenant_id = t.id where t.slug = %s and s.slug = %s on conflict do nothing""",
            uuid(box),
            tenant,
            site,
        )
        return Address(tenant, site, uuid(box))


def window(box: str, seq: int, *, boot: str = "boot", subject: str = "ann", **more: Any) -> Window:
    """A window of a box; `seq` also sets its time and value."""
    fields: dict[str, Any] = {
        "device": uuid(box), "boot": uuid(f"{box} {boot}"), "seq": seq, "at": NOON + 10 * seq,
        "clock": "synchronised", "subject": uuid(subject), "species": "human", "camera": "cam0", "duration_s": 10.0,
        "metrics": {"knee_flexion_left": seq % 100 + 0.5, "trunk_lean": 4.0}, "grades": {"knee_flexion_left": "B"},
    }  # fmt: skip
    return Window(**(fields | more))


def session(box: str, seq: int, **more: Any) -> SessionChange:
    """A change of a session of a box."""
    fields: dict[str, Any] = {
        "device": uuid(box), "boot": uuid(f"{box} boot"), "seq": seq, "at": NOON, "clock": "synchronised",
        "session": uuid("session"), "change": "end", "subject": uuid("ann"), "species": "human", "camera": "cam0",
        "model": "blazepose", "software": "1",
    }  # fmt: skip
    return SessionChange(**(fields | more))


class _Broker(Protocol):
    @property
    def mqtt_port(self) -> int: ...


class Box:
    """A box's MQTT client: publishes with QoS 1, and keeps the acknowledgements of the cloud."""

    def __init__(self, broker: _Broker, address: Address) -> None:
        self.address = address
        self.acked: dict[UUID, int] = {}
        """Highest acknowledged number by boot."""
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=address.device, protocol=paho.MQTTv5
        )
        self._client.max_inflight_messages_set(1000)
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect
        self._client.connect("127.0.0.1", broker.mqtt_port)
        self._client.loop_start()

    def send(self, *windows: Window) -> None:
        """Publish windows; returns when the broker has them."""
        self.publish("window", *map(encode, windows))

    def publish(self, kind: Any, *payloads: bytes, retain: bool = False) -> None:
        """Publish anything on a topic of the box; returns when the broker has it."""
        topic = self.address.topic(kind)
        sent = [self._client.publish(topic, payload, qos=1, retain=retain) for payload in payloads]
        for info in sent:
            info.wait_for_publish(30)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, *_: object) -> None:
        self._client.subscribe(self.address.topic("ack"), qos=1)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        ack = decode(bytes(message.payload))
        assert isinstance(ack, Ack)
        boot = UUID(ack.boot)
        self.acked[boot] = max(self.acked.get(boot, 0), ack.seq)


class Ingest:
    """A running `python -m cloud.ingest`."""

    def __init__(
        self, servers: Servers, database: Database, log: Path, client_id: str = "ingest-0", **more: str
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._log = log
        self._environment = os.environ | {
            "KINEBOX_DATABASE_URL": database.url,
            "KINEBOX_MQTT_URL": f"mqtt://127.0.0.1:{servers.mqtt_port}",
            # Of this test alone: in a shared subscription the sessions of other tests would get a share.
            "KINEBOX_INGEST_CLIENT_ID": f"{log.parent.name}-{client_id}",
            "KINEBOX_INGEST_GROUP": log.parent.name,
            "KINEBOX_INGEST_HTTP_PORT": str(self.port),
            "KINEBOX_INGEST_LINGER_S": "0.05",
            "KINEBOX_INGEST_SESSION_EXPIRY_S": "600",
            **more,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, well: bool = True) -> Ingest:
        """Start; returns when it is connected to the broker, or at once if it is not meant to be well."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "cloud.ingest"]
            self.process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        if well:
            wait_for(lambda: self.health() == 200, what="ingest is healthy")
        return self

    def kill(self) -> None:
        """kill -9."""
        self.stop(signal.SIGKILL)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop; returns the exit status."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(20)

    def health(self) -> int:
        """Status code of /healthz; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def metric(self, name: str) -> float:
        """The value of a line of /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=2) as answer:
            lines = answer.read().decode().splitlines()
        return float(next(line.split()[-1] for line in lines if line.startswith(name)))


def changed(message: Any, **fields: Any) -> bytes:
    """A message with other fields, as JSON: also such as the contract does not allow."""
    return msgspec.json.encode(msgspec.to_builtins(message) | fields)
