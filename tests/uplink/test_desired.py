"""What the box shall run: from a real broker to the disk, and only what is signed, ours and newer."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge.errors import ConfigError
from edge.uplink.condition import Condition
from edge.uplink.desired import FILE, Desired, load_key
from edge.uplink.settings import UplinkSettings
from edge.uplink.uplink import Uplink
from tests.uplink.broker import Cloud, Mosquitto, until
from tests.uplink.samples import ME, UTC, WHO
from wire.desired import DesiredState, Version, seal

if TYPE_CHECKING:
    from pathlib import Path

KEY, STRANGER = (
    Ed25519PrivateKey.from_private_bytes(b"k" * 32),
    Ed25519PrivateKey.from_private_bytes(b"s" * 32),
)

LONG_AGO = 1.7e9


def envelope(serial: int, key: Ed25519PrivateKey = KEY, **more: Any) -> bytes:
    pose = Version(name="blazepose", version=f"int8.{serial}", sha256="ab" * 32)
    fields = {"device": ME, "serial": serial, "issued": UTC, "models": {"pose": pose}} | more
    return seal(DesiredState(**fields), "k", key.sign)


def write_key(path: Path, key: Any = KEY) -> Path:
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


@pytest.fixture
def desired(tmp_path: Path) -> Desired:
    return Desired(tmp_path, ME, KEY.public_key(), lambda: UTC)


def test_the_newest_is_kept(desired: Desired, tmp_path: Path) -> None:
    assert (desired.state, desired.serial) == (None, 0)
    assert desired.take(envelope(3))
    assert not desired.take(envelope(3))  # what is retained comes at each connection
    assert desired.take(envelope(5))
    assert desired.state is not None
    assert desired.state.models["pose"].runs_as == "blazepose-int8.5"
    again = Desired(tmp_path, ME, KEY.public_key(), lambda: UTC)
    assert again.state == desired.state
    assert not again.take(envelope(5))
    assert not again.take(b"")
    assert again.refused == {}
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (envelope(2), "serial"),
        (envelope(3, software=Version(name="k", version="1", sha256="ab" * 32)), "serial"),
        (envelope(9, STRANGER), "signature"),
        (envelope(9, device=WHO), "device"),
        (envelope(9, issued=UTC + 1e6), "future"),
        (b"{}", "malformed"),
        (b"x" * 100_000, "too_large"),
    ],
)
def test_the_rest_changes_nothing(desired: Desired, tmp_path: Path, data: bytes, reason: str) -> None:
    desired.take(envelope(3))
    assert not desired.take(data)
    assert desired.refused == {reason: 1}
    assert (desired.serial, (tmp_path / FILE).read_bytes()) == (3, envelope(3))


def test_a_file_that_was_changed_is_not_used(desired: Desired, tmp_path: Path) -> None:
    for data in (envelope(9, STRANGER), envelope(9, device=WHO), b"", b"x" * 100_000):
        (tmp_path / FILE).write_bytes(data)
        changed = Desired(tmp_path, ME, KEY.public_key(), lambda: None)
        assert changed.state is None
        assert changed.take(envelope(1))


def test_a_disk_that_takes_nothing(desired: Desired, tmp_path: Path) -> None:
    desired.take(envelope(3))
    (tmp_path / "desired.new").mkdir()
    assert not desired.take(envelope(4))
    assert (desired.refused, desired.serial) == ({"disk": 1}, 3)
    (tmp_path / "desired.new").rmdir()
    assert desired.take(envelope(4))


def test_it_is_on_the_disk_before_it_counts(tmp_path: Path) -> None:
    """The order of the system calls: written, synced, renamed, and the folder synced."""
    script = (
        "import sys; from pathlib import Path; from edge.uplink.desired import *; from base64 import b64decode\n"
        "one = Desired(Path(sys.argv[1]), sys.argv[2], load_key(Path(sys.argv[3])), lambda: None)\n"
        "assert one.take(b64decode(sys.argv[4]))"
    )
    hook = (
        "import os, pathlib\n"
        "for place, name in ((os, 'fsync'), (pathlib.Path, 'rename')):\n"
        "    def call(*a, _f=getattr(place, name), _n=name): print(_n); return _f(*a)\n"
        "    setattr(place, name, call)\n"
    )
    key = write_key(tmp_path / "key.pem")
    arguments = [str(tmp_path), ME, str(key), base64.b64encode(envelope(1)).decode()]
    ran = subprocess.run(
        [sys.executable, "-c", hook + script, *arguments],
        capture_output=True, text=True, check=True, env=dict(os.environ),
    )  # fmt: skip
    assert ran.stdout.split() == ["fsync", "rename", "fsync"]


@pytest.mark.parametrize("what", ["none", "empty", "private", "another kind"])
def test_keys_that_cannot_verify(tmp_path: Path, what: str) -> None:
    path = tmp_path / "key.pem"
    if what == "another kind":
        write_key(path, X25519PrivateKey.generate())
    elif what != "none":
        path.write_text("" if what == "empty" else "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")
    with pytest.raises(ConfigError, match=r"key\.pem"):
        load_key(path)


def test_over_a_broker(tmp_path: Path, broker: Mosquitto, cloud: Cloud) -> None:
    def uplink(**more: Any) -> Uplink:
        settings = UplinkSettings(url=f"mqtt://127.0.0.1:{broker.port}", tenant="acme", site="gym-1", **more)
        one = Uplink(settings, ME, tmp_path / "state", lambda: Condition("live", 29.97, 3))
        one.start()
        assert until(lambda: one.connection.up)
        return one

    box = uplink(desired_key=write_key(tmp_path / "key.pem"))
    desired = box.desired
    assert desired is not None
    topic = box.address.topic("desired")
    cloud.publish(topic, envelope(8, STRANGER, issued=LONG_AGO))
    cloud.publish(topic, envelope(7, issued=LONG_AGO))
    assert until(lambda: desired.serial == 7)
    assert (desired.refused, box.strange_acks) == ({"signature": 1}, 0)
    box.stop()
    without = uplink()
    cloud.publish(topic, envelope(9, issued=LONG_AGO))
    cloud.publish(without.address.topic("ack"), b"seen after it")
    assert until(lambda: without.strange_acks == 1)
    assert (without.desired, (tmp_path / "state" / FILE).read_bytes()) == (None, envelope(7, issued=LONG_AGO))
    without.stop()


def test_without_a_key_no_cryptography_is_loaded() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import edge.uplink.uplink, sys; print('cryptography' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert loaded.stdout.strip() == "False"
