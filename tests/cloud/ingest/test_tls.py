"""Ingest and broker know each other by certificates, and say what is wrong with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cloud.fleet import Box, Ingest, wait_for, window
from tests.cloud.ingest.tls import Authority, TlsBroker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cloud.fleet import Database
    from tests.testbed.servers import Servers


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("fleet")


@pytest.fixture(scope="module")
def broker(testbed: Servers, authority: Authority) -> Iterator[TlsBroker]:
    one = TlsBroker(testbed, authority)
    yield one
    one.stop()


@pytest.fixture
def settings(broker: TlsBroker, authority: Authority, tmp_path: Path) -> dict[str, str]:
    """As they should be."""
    return {
        "KINEBOX_MQTT_URL": f"mqtts://127.0.0.1:{broker.tls_port}",
        "KINEBOX_INGEST_MQTT_CA": str(authority.write(tmp_path / "ca.pem")),
        "KINEBOX_INGEST_MQTT_CERTIFICATE": str(authority.issue(tmp_path / "ingest.pem", "ingest")),
    }


def test_with_certificates_messages_arrive_and_are_acknowledged(
    database: Database, ingest: Callable[..., Ingest], broker: TlsBroker, settings: dict[str, str]
) -> None:
    ingest(**settings)
    one = Box(broker, database.enrol("one"))
    try:
        one.send(*(window("one", seq) for seq in range(1, 1001)))
        wait_for(lambda: list(one.acked.values()) == [1000], what="all acknowledged")
    finally:
        one.close()
    assert database.value("select count(*) from telemetry_10s") == 1000


WRONG = {
    "a broker of somebody else": ("KINEBOX_INGEST_MQTT_CA", "ca", "certificate verify failed"),
    "a certificate of somebody else": ("KINEBOX_INGEST_MQTT_CERTIFICATE", "certificate", "the connection broke: "),
    "no certificate": ("KINEBOX_INGEST_MQTT_CERTIFICATE", None, "the connection broke: "),
    "a file without a certificate": (
        "KINEBOX_INGEST_MQTT_CERTIFICATE", "nonsense", "holds no certificate with its key",
    ),
    "a file without an authority": ("KINEBOX_INGEST_MQTT_CA", "nonsense", "holds no certificates"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_certificate_is_said(
    testbed: Servers, database: Database, settings: dict[str, str], tmp_path: Path, what: str
) -> None:
    name, put, told = WRONG[what]
    stranger = Authority("stranger")
    stranger.write(tmp_path / "ca")
    stranger.issue(tmp_path / "certificate", "ingest")
    (tmp_path / "nonsense").write_text("nonsense")
    del settings[name]
    log = tmp_path / "ingest.log"
    service = Ingest(testbed, database, log, **settings, **({name: str(tmp_path / put)} if put else {}))
    service.start(well=False)
    try:
        wait_for(lambda: log.exists() and "no connection to the broker" in log.read_text(), what="a message")
        assert told in log.read_text()
        assert service.health() == 503
    finally:
        assert service.stop() == 0


def test_a_certificate_that_is_not_there_ends_the_service_at_once(
    testbed: Servers, database: Database, settings: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "ingest.log"
    service = Ingest(testbed, database, log, **settings | {"KINEBOX_INGEST_MQTT_CA": "/nowhere"}).start(
        well=False
    )
    assert service.process is not None
    assert service.process.wait(20) == 2
    assert "mqtt_ca: Path does not point to a file" in log.read_text()
