"""A real Mosquitto that can be killed, and the cloud's side of the contract in a few lines."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.conftest import missing
from tests.testbed import rootfs
from wire.messages import Ack, Message, SessionChange, Window, decode, encode
from wire.topics import FROM_CLOUD, everyone, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIGURATION = """\
user root
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
{more}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether `condition` holds within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Mosquitto:
    """One broker on a port of its own; from the PATH, else from the test bed."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.port = free_port()
        self._command: list[str] = []
        self._inside: Path | None = None
        found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if found is None:
            if os.geteuid() != 0 or not rootfs.is_built():
                missing("mosquitto, or the test bed (scripts/testbed build, as root)")
            self._inside = inside = Path(tempfile.mkdtemp(dir=rootfs.rootfs() / "srv"))
            shutil.copytree(folder, inside, dirs_exist_ok=True)
            self._command = ["chroot", str(rootfs.rootfs())]
            more = more.replace(str(folder), f"/srv/{inside.name}")
            folder, found = inside, "mosquitto"
        file = folder / "mosquitto.conf"
        file.write_text(CONFIGURATION.format(port=self.port, more=more))
        named = f"/srv/{folder.name}/mosquitto.conf" if self._command else str(file)
        self._command += [found, "-c", named]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert until(self._listens), "Mosquitto does not start"

    def kill(self) -> None:
        """kill -9: it forgets every message and session."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stop it, and leave nothing in the test bed."""
        self.kill()
        if self._inside is not None:
            shutil.rmtree(self._inside)

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


class Ledger:
    """What the cloud has: each row once, and how far it is complete. The contract's other half, in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Window | SessionChange] = {}
        self.received = 0
        self._complete: dict[str, int] = {}

    def commit(self, message: Window | SessionChange) -> Ack:
        """Take a message; the answer to it."""
        self.received += 1
        self.rows.setdefault((message.boot, message.seq), message)
        complete = max(self._complete.get(message.boot, 0), message.floor - 1)
        while (message.boot, complete + 1) in self.rows:
            complete += 1
        self._complete[message.boot] = complete
        return Ack(device=message.device, boot=message.boot, seq=complete)


class Cloud:
    """A consumer that commits to a ledger and acknowledges, while `answering`."""

    def __init__(self, port: int) -> None:
        self.ledger = Ledger()
        self.answering = True
        self.others: list[tuple[str, Message | str]] = []
        """(kind, message) of what is not durable."""
        self._lock = threading.Lock()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="cloud", protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(
            everyone("window")[: -len("window")] + "#", 1
        )
        self._client.on_message = lambda _client, _data, message: self._take(message.topic, message.payload)
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def _take(self, topic: str, payload: bytes) -> None:
        where = parse(topic)
        assert where is not None
        address, kind = where
        if kind in FROM_CLOUD:
            return
        if kind == "available":
            self.others.append((kind, payload.decode()))
            return
        message = decode(payload)
        if not isinstance(message, Window | SessionChange):
            self.others.append((kind, message))
        elif self.answering:
            self._client.publish(address.topic("ack"), encode(self.ledger.commit(message)), 1)

    def said(self, kind: str) -> list[Message | str]:
        return [message for named, message in list(self.others) if named == kind]

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, 1)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextlib.contextmanager
def running(folder: Path, more: str = "") -> Iterator[Mosquitto]:
    broker = Mosquitto(folder, more)
    broker.start()
    try:
        yield broker
    finally:
        broker.remove()
