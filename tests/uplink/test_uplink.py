"""The uplink beside a real broker: whom it believes, what it says of itself, and that errors do not end it."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import pytest

from edge.uplink.condition import Condition
from edge.uplink.settings import UplinkSettings
from edge.uplink.uplink import Uplink
from tests.uplink.broker import Cloud, Mosquitto, until
from tests.uplink.samples import ME, window
from wire.messages import Ack, Birth, Health, encode
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def uplink(tmp_path: Path, broker: Mosquitto) -> Iterator[Uplink]:
    settings = UplinkSettings(
        url=f"mqtt://127.0.0.1:{broker.port}", tenant="acme", site="gym-1", health_every_s=0.5, clock_wait_s=0
    )
    uplink = Uplink(settings, ME, tmp_path / "state", lambda: Condition("live", 29.97, 3))
    uplink.start()
    assert until(lambda: uplink.connection.up)
    yield uplink
    uplink.stop()


def record(uplink: Uplink, count: int) -> None:
    for _ in range(count):
        uplink.outbox.add(window(at=time.time()), time.monotonic_ns())


def test_only_an_acknowledgement_of_ours_deletes(cloud: Cloud, uplink: Uplink) -> None:
    cloud.answering = False
    record(uplink, 5)
    assert until(lambda: uplink.sender.sent == 5)
    topic, boot = uplink.address.topic("ack"), uplink.outbox.boot
    for payload in (
        encode(Ack(device=str(uuid.uuid4()), boot=boot, seq=5)),
        encode(Ack(device=ME, boot=str(uuid.uuid4()), seq=5)),
        encode(Ack(device=ME, boot=boot, seq=6)),
        encode(Ack(device=ME, boot=boot, seq=0)),
        encode(window()),
        encode(Ack(device=ME, boot=boot, seq=5)).replace(b'"schema":1', b'"schema":2'),
        b"",
        b"\xff" * 100_000,
    ):
        cloud.publish(topic, payload)
    assert until(lambda: uplink.strange_acks == 5)
    time.sleep(0.6)
    assert uplink.outbox.level().rows == 5
    for seq in (3, 2, 3):
        cloud.publish(topic, encode(Ack(device=ME, boot=boot, seq=seq)))
    assert until(lambda: uplink.outbox.level().rows == 2)
    cloud.publish(topic, encode(Ack(device=ME, boot=boot, seq=5)))
    assert until(lambda: uplink.outbox.level().rows == 0)


def test_birth_and_health(cloud: Cloud, uplink: Uplink) -> None:
    assert until(lambda: len(cloud.said("health")) >= 2)
    birth, health = cloud.said("birth")[0], cloud.said("health")[-1]
    assert isinstance(birth, Birth)
    assert isinstance(health, Health)
    assert (birth.device, birth.boot, birth.metrics) == (ME, uplink.outbox.boot, list(metrics()))
    assert (health.camera, health.fps, health.dropped) == ("live", 29.97, 3)
    assert (health.outbox_rows, health.outbox_hours, health.outbox_hours_left) == (0, 0.0, None)
    assert health.disk_free_mb > 0
    assert health.confidence is None


def test_an_error_of_its_own_does_not_end_it(
    cloud: Cloud, uplink: Uplink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(uplink, "_condition", lambda: 1 / 0)
        assert until(lambda: "goes on after an error" in caplog.text)
    record(uplink, 1)
    assert until(lambda: len(cloud.ledger.rows) == 1)
    assert until(lambda: uplink.outbox.level().rows == 0)


def test_what_was_recorded_last_is_sent_before_the_goodbye(
    tmp_path: Path, broker: Mosquitto, cloud: Cloud, uplink: Uplink
) -> None:
    record(uplink, 3)
    uplink.stop()
    assert until(lambda: len(cloud.ledger.rows) == 3)
    assert until(lambda: cloud.said("available")[-1:] == ["stopped"]), cloud.said("available")
