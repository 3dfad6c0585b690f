"""The connection to a real Mosquitto: presence, its loss, its return, and encryption with client certificates."""

from __future__ import annotations

import gc
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from edge.errors import ConfigError
from edge.uplink.connection import Connection, Retained
from edge.uplink.settings import Broker
from tests.uplink.broker import Cloud, running, until
from tests.uplink.samples import ME
from wire.topics import Address

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

HERE = Address("acme", "gym-1", ME)


class Heard:
    def __init__(self) -> None:
        self.ups = 0
        self.messages: list[tuple[str, bytes]] = []

    def up(self, _connection: Connection) -> None:
        self.ups += 1

    def message(self, topic: str, payload: bytes) -> None:
        self.messages.append((topic, payload))


def connection(heard: Heard, port: int, *, name: str = "box", **more: Any) -> Connection:
    scheme = "mqtts" if more else "mqtt"
    return Connection(
        Broker(url=f"{scheme}://localhost:{port}" if more else f"{scheme}://127.0.0.1:{port}", **more),
        client_id=name, available=Retained(HERE.topic("available")), subscriptions=(HERE.topic("ack"),),
        on_up=heard.up, on_message=heard.message,
    )  # fmt: skip


def test_online_stopped_and_what_comes(tmp_path: Path) -> None:
    heard = Heard()
    with running(tmp_path) as broker:
        cloud = Cloud(broker.port)
        box = connection(heard, broker.port)
        assert not box.publish("x", b"")
        assert box.room == 0
        box.start()
        assert until(lambda: cloud.said("available") == ["online"])
        cloud.publish(HERE.topic("ack"), b"hello")
        assert until(lambda: heard.messages == [(HERE.topic("ack"), b"hello")])
        box.stop()
        assert until(lambda: cloud.said("available") == ["online", "stopped"])
        cloud.close()


def test_a_goodbye_holds_though_messages_are_still_coming(tmp_path: Path) -> None:
    with running(tmp_path) as broker:
        cloud = Cloud(broker.port)
        for number in range(1, 21):
            # Under one name the next one could take over before the broker has read that this one has gone.
            box = connection(Heard(), broker.port, name=f"box {number}")
            box.start()
            assert until(lambda: cloud.said("available")[-1:] == ["online"])
            for _ in range(15):
                cloud.publish(HERE.topic("ack"), bytes(10_000))
            box.stop()
            assert until(lambda: cloud.said("available") == ["online", "stopped"] * number), number  # noqa: B023
        cloud.close()


def test_a_box_that_vanishes_is_offline_and_a_broker_that_vanishes_is_found_again(tmp_path: Path) -> None:
    heard = Heard()
    with running(tmp_path) as broker:
        box = connection(heard, broker.port)
        box.start()
        assert until(lambda: heard.ups == 1)
        broker.kill()
        assert until(lambda: not box.up)
        assert not box.publish("x", b"")
        broker.start()
        assert until(lambda: heard.ups == 2)
        cloud = Cloud(broker.port)
        assert until(lambda: cloud.said("available") == ["online"])
        assert box._client is not None
        sock = box._client.socket()
        assert sock is not None
        sock.close()  # without a goodbye: the Will speaks
        assert until(lambda: "offline" in cloud.said("available"))
        box.stop()
        cloud.close()


def test_nobody_there_is_tried_again_and_stopping_does_not_wait(tmp_path: Path) -> None:
    heard = Heard()
    with running(tmp_path) as broker:
        broker.kill()
        box = connection(heard, broker.port)
        box.start()
        broker.start()
        assert until(lambda: heard.ups == 1)
        box.stop()


def test_stopping_does_not_wait_for_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        box = connection(Heard(), silent.getsockname()[1])
        box.start()
        time.sleep(0.3)
        before = time.monotonic()
        box.stop()
        assert time.monotonic() - before < 4


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    for ca in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{ca}.key", "-out", f"{ca}.pem",
                "-days", "2", "-subj", f"/CN={ca}", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    for name, ca in (("server", "ca"), ("box", "ca"), ("stranger", "other")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")  # fmt: skip
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-out",
                f"{name}.pem", "-days", "2", "-copy_extensions", "copy")  # fmt: skip
    return tmp_path


def test_encrypted_and_known_by_certificate(certificates: Path) -> None:
    path = certificates
    more = f"cafile {path}/ca.pem\ncertfile {path}/server.pem\nkeyfile {path}/server.key\nrequire_certificate true"
    with running(path, more) as broker:
        heard = {name: Heard() for name in ("ours", "no certificate", "stranger", "another authority")}
        files: dict[str, dict[str, Path]] = {
            "ours": {"ca": path / "ca.pem", "certificate": path / "box.pem", "key": path / "box.key"},
            "no certificate": {"ca": path / "ca.pem"},
            "stranger": {
                "ca": path / "ca.pem",
                "certificate": path / "stranger.pem",
                "key": path / "stranger.key",
            },
            "another authority": {
                "ca": path / "other.pem",
                "certificate": path / "box.pem",
                "key": path / "box.key",
            },
        }
        boxes = [connection(heard[name], broker.port, **files[name]) for name in heard]
        for box in boxes:
            box.start()
        assert until(lambda: heard["ours"].ups == 1)
        assert not until(lambda: any(heard[name].ups for name in heard if name != "ours"), 2)
        for box in boxes:
            box.stop()
    gc.collect()  # a socket left open would fail the test


def test_a_certificate_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="certificates"):
        connection(Heard(), 1, ca=tmp_path / "none.pem")
