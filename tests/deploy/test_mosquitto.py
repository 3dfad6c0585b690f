"""The broker with the configuration and the rights of deploy/mosquitto, and those who try to get past them."""

from __future__ import annotations

import shutil
import ssl
import threading
from typing import TYPE_CHECKING, Any, get_args

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.deploy.conftest import BOX, OTHER, STOLEN
from tests.deploy.machine import Broker, hang_up, make_secrets, until
from tests.deploy.places import DEPLOY
from wire.messages import MAX_MESSAGE
from wire.topics import FROM_CLOUD, Address, Kind, everyone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

INGEST = "kinebox-ingest-0"
OWN, FOREIGN = Address("acme", "hall", BOX), Address("acme", "hall", OTHER)
TAKEN, REFUSED = (0x00, 0x10), 0x87
"""Reason codes: success, nobody was listening; not authorised."""
CLOSED = r"closed at the handshake|CERTIFICATE_REQUIRED|UNKNOWN_CA|CERTIFICATE_REVOKED|reset|EOF"
FROM_BOXES = [kind for kind in get_args(Kind) if kind not in FROM_CLOUD]


class Client:
    """Somebody at the broker, by the certificate of `name` (None: without one)."""

    def __init__(self, port: int, secrets: Path, name: str | None, client_id: str = "") -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.codes: dict[int, int] = {}
        self.lost = threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id or name or "", protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )  # fmt: skip
        context = ssl.create_default_context(cafile=secrets / "ca.pem")
        if name is not None:
            own = secrets / ("ingest-0.pem" if name == INGEST else f"boxes/{name}.pem")
            context.load_cert_chain(own, None if name == INGEST else own.with_suffix(".key"))
        self._client.tls_set_context(context)
        self._connected = threading.Event()
        self._subscribed = threading.Event()
        self._client.on_connect = lambda *_: self._connected.set()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_disconnect = lambda *_: self.lost.set()
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        self._port = port

    def connect(self, keep_s: int = 0) -> Client:
        """Come, with the session that was kept, and have it kept. OSError where the broker closes the door."""
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        session.SessionExpiryInterval = keep_s
        self._client.connect("localhost", self._port, clean_start=not keep_s, properties=session)
        self._client.loop_start()
        until(lambda: self._connected.is_set() or self.lost.is_set(), "an answer to CONNECT")
        if not self._connected.is_set():
            raise ConnectionError("closed at the handshake")
        return self

    def publish(self, topic: str, payload: bytes = b"x") -> int:
        """The broker's reason code."""
        sent = self._client.publish(topic, payload, qos=1)
        until(lambda: sent.mid in self.codes, "PUBACK")
        return self.codes[sent.mid]

    def publish_all(self, topic: str, count: int) -> None:
        """Numbers; returns when the broker has all of them."""
        for sent in [self._client.publish(topic, b"%d" % number, qos=1) for number in range(count)]:
            sent.wait_for_publish(20)

    def too_large(self, topic: str) -> None:
        """Send what no broker of ours takes, and see it hang up."""
        self._client.publish(topic, b"x" * 40_000, qos=1)
        assert self.lost.wait(20)

    def subscribe(self, topic: str) -> None:
        self._subscribed.clear()
        self._client.subscribe(topic, 1)
        assert self._subscribed.wait(20)

    def close(self) -> None:
        hang_up(self._client)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))

    def _on_publish(self, _client: Any, _data: Any, mid: int, code: Any, _properties: Any) -> None:
        self.codes[mid] = code.value


@pytest.fixture
def client(broker: Broker) -> Iterator[Callable[..., Client]]:
    """Makes connected clients."""
    made: list[Client] = []

    def make(name: str | None, client_id: str = "") -> Client:
        made.append(Client(broker.port, broker.secrets, name, client_id))
        return made[-1].connect()

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("kind", FROM_BOXES)
def test_ingest_hears_what_a_box_says(client: Callable[..., Client], kind: Kind) -> None:
    ingest = client(INGEST)
    ingest.subscribe(f"$share/kinebox-ingest/{everyone(kind)}")
    assert client(BOX).publish(OWN.topic(kind)) == 0
    until(lambda: ingest.heard == [(OWN.topic(kind), b"x")], "the message")


def test_a_box_hears_its_own_acknowledgements_and_no_other(client: Callable[..., Client]) -> None:
    box, ingest = client(BOX), client(INGEST)
    for topic in ("#", everyone("ack"), FOREIGN.topic("ack"), OWN.topic("ack"), everyone("window"), "$SYS/#"):
        box.subscribe(topic)
    other = client(OTHER)
    assert other.publish(FOREIGN.topic("window")) in TAKEN
    for address in (FOREIGN, OWN):
        assert ingest.publish(address.topic("ack")) in TAKEN
    until(lambda: bool(box.heard), "the own acknowledgement")
    assert {topic for topic, _ in box.heard} == {OWN.topic("ack")}


@pytest.mark.parametrize(
    "topic",
    [
        *(FOREIGN.topic(kind) for kind in get_args(Kind)),
        *(OWN.topic(kind) for kind in sorted(FROM_CLOUD)),
        "kinebox/v1/acme/hall/kinebox-ingest-0/window",
        f"kinebox/v2/acme/hall/{BOX}/window",
        f"kinebox/v1/acme/{BOX}/window",
        f"kinebox/v1/acme/hall/more/{BOX}/window",
        f"kinebox/v1/acme/hall/{BOX}/picture",
        f"homeassistant/{BOX}",
    ],
)
def test_a_box_is_refused_elsewhere(client: Callable[..., Client], topic: str) -> None:
    assert client(BOX).publish(topic) == REFUSED


def test_ingest_writes_nothing_but_acknowledgements(client: Callable[..., Client]) -> None:
    assert client(INGEST).publish(OWN.topic("window")) == REFUSED


def test_without_a_certificate_the_door_is_closed(client: Callable[..., Client]) -> None:
    with pytest.raises(OSError, match=CLOSED):
        client(None)


def test_a_certificate_of_another_ca_is_refused(broker: Broker, tmp_path: Path) -> None:
    assert make_secrets(tmp_path, "cloud", "cloud.example.org").returncode == 0
    assert make_secrets(tmp_path, "box", BOX).returncode == 0
    (tmp_path / "ca.pem").chmod(0o600)
    shutil.copy(
        broker.secrets / "ca.pem", tmp_path / "ca.pem"
    )  # it trusts our broker, which does not trust it
    stranger = Client(broker.port, tmp_path, BOX)
    with pytest.raises(OSError, match=CLOSED):
        stranger.connect()
    stranger.close()


def test_a_revoked_box_stays_outside(broker: Broker, client: Callable[..., Client]) -> None:
    client(STOLEN).close()
    assert make_secrets(broker.secrets, "revoke", STOLEN).returncode == 0
    broker.stop()
    broker.start()
    with pytest.raises(OSError, match=CLOSED):
        client(STOLEN)
    client(BOX)


@pytest.mark.parametrize("victim", [OTHER, INGEST])
def test_nobody_takes_the_place_of_another(client: Callable[..., Client], victim: str) -> None:
    there = client(victim)
    thief = client(BOX, client_id=victim)
    assert thief.publish(OWN.topic("health")) in TAKEN
    assert there.publish(OWN.topic("ack") if victim == INGEST else FOREIGN.topic("health")) in TAKEN
    assert not there.lost.is_set()


def test_the_largest_message_passes_and_a_larger_packet_does_not(client: Callable[..., Client]) -> None:
    ingest, box = client(INGEST), client(BOX)
    ingest.subscribe(everyone("window"))
    longest = Address("t" * 63, "s" * 63, BOX).topic("window")
    assert box.publish(longest, b"x" * MAX_MESSAGE) == 0
    until(lambda: len(ingest.heard) == 1, "the largest message")
    box.too_large(OWN.topic("window"))
    assert len(ingest.heard) == 1


def test_what_waits_survives_a_restart(broker: Broker) -> None:
    away = Client(broker.port, broker.secrets, INGEST).connect(keep_s=3600)
    away.subscribe(everyone("window"))
    away.close()
    box = Client(broker.port, broker.secrets, BOX).connect()
    box.publish_all(OWN.topic("window"), 1500)  # more than the 1000 that Mosquitto keeps by default
    box.close()
    broker.stop()
    assert (broker.state / "mosquitto.db").stat().st_size > 0
    broker.start()
    back = Client(broker.port, broker.secrets, INGEST).connect(keep_s=3600)
    until(lambda: len(back.heard) == 1500, "all of them")
    back.close()


def test_the_broker_warns_of_nothing(broker: Broker) -> None:
    assert "Warning" not in broker.log()


def test_the_rights_name_every_kind_there_is() -> None:
    lines = [line for line in (DEPLOY / "mosquitto/acl").read_text().splitlines() if line and line[0] != "#"]
    to_boxes = [kind for kind in get_args(Kind) if kind in FROM_CLOUD]
    own = {kind: everyone(kind).replace("+/+/+", "+/+/%u") for kind in get_args(Kind)}
    boxes = [f"pattern write {own[kind]}" for kind in FROM_BOXES]
    boxes += [f"pattern read {own[kind]}" for kind in to_boxes]
    ingest = [f"topic read {everyone(kind)}" for kind in FROM_BOXES]
    ingest += [f"topic write {everyone(kind)}" for kind in to_boxes]
    assert lines == [*boxes, f"user {INGEST}", *ingest]


def test_a_mistake_in_the_configuration_is_noticed(secrets: Path, broker: Broker) -> None:
    wrong = Broker(secrets)
    try:
        conf = wrong.folder / "mosquitto.conf"
        conf.write_text(conf.read_text().replace("max_inflight_messages", "max_inflight_mesages"))
        with pytest.raises(AssertionError, match="Unknown configuration variable"):
            wrong.start()
    finally:
        wrong.remove()
