"""A fleet from the first run on: three booted boxes, real ssh, a real broker with mutual TLS.

The tests follow each other, as a fleet's days do; each asks for what went before by its fixtures.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.ansible.fleet import CANARY, NAMES
from tests.deploy.machine import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from tests.ansible.fleet import Fleet, Played

pytestmark = pytest.mark.timeout(1800)  # minutes on a machine of its own; on a busy one as long as it takes

LIVE = "/etc/kinebox/certs/live"
WAIT_S = 180.0
"""For messages: on a machine of its own they are there after twenty seconds."""


class Others(NamedTuple):
    """What runs side by side."""

    before: dict[str, tuple[str, int, str]]
    """By box: its certificate's number, messages that had come, its hub's process."""
    began: dict[str, Future[Played]]


@pytest.fixture(scope="module")
def tried(fleet: Fleet) -> Played:
    """--check of a box that has nothing yet."""
    return fleet.play("--check of a fresh box", "site.yml", "--check", "--diff", "--limit", CANARY)


@pytest.fixture(scope="module")
def provisioned(fleet: Fleet, tried: Played) -> Played:
    """The first run."""
    played = fleet.play("first run", "site.yml")
    assert played.status == 0, played.output[-6000:]
    return played


@pytest.fixture(scope="module")
def others(fleet: Fleet, provisioned: Played) -> Iterator[Others]:
    """Begun at once, because much of it is waiting: what has nothing to do with each other, on a box each."""
    fleet.boxes[NAMES[1]].run(
        "sed -i 's/^MaxAuthTries 3$/MaxAuthTries 30/' /etc/ssh/sshd_config.d/50-kinebox.conf"
    )
    foreign = fleet.foreign_authority()
    before = {name: (serial(fleet, name), arrived(fleet, name), hub(fleet, name)) for name in NAMES}
    refused = ("-e", "certs_renew=true", "-e", "certs_connect_s=5", "-e", f"certs_authority={foreign}")
    plays: dict[str, tuple[str, ...]] = {
        "a bad release": ("rollout.yml", "-e", f"rollout_release={fleet.releases}/bad.tar.gz"),
        "a certificate is refused": ("rotate-certs.yml", "--limit", NAMES[0], *refused),
        "--check of a box that has drifted": ("site.yml", "--check", "--diff", "--limit", NAMES[1]),
    }
    with ThreadPoolExecutor() as pool:
        began = {what: pool.submit(fleet.play, what, *options) for what, options in plays.items()}
        yield Others(before, began)


def hub(fleet: Fleet, box: str) -> str:
    """Its process."""
    return fleet.boxes[box].run("systemctl show kinebox-hub -p MainPID").stdout


def arrived(fleet: Fleet, box: str) -> int:
    """Messages of a box that the cloud has taken down."""
    device = device_of(fleet, box)
    return sum(told["device"] == device for told in fleet.messages())


def device_of(fleet: Fleet, box: str) -> str:
    subject = fleet.boxes[box].run(f"openssl x509 -in {LIVE}/box.pem -noout -subject -nameopt RFC2253").stdout
    return subject.strip().removeprefix("subject=CN=")


def age(fleet: Fleet, box: str, days: int) -> None:
    """Make a box's certificate one that was signed so long ago, for 90 days."""
    now = datetime.now(UTC)
    authority = x509.load_pem_x509_certificate((fleet.secrets / "ca.pem").read_bytes())
    key = load_pem_private_key((fleet.secrets / "ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    own = x509.load_pem_x509_certificate(fleet.boxes[box].read(f"{LIVE}/box.pem").encode())
    began = now - timedelta(days=days)
    older = x509.CertificateBuilder(
        authority.subject, own.subject, own.public_key(), x509.random_serial_number()
    )  # type: ignore[arg-type]
    older = older.not_valid_before(began).not_valid_after(began + timedelta(days=90))
    for extension in own.extensions:
        older = older.add_extension(extension.value, critical=extension.critical)
    pem = older.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    fleet.boxes[box].run(f"cat >{LIVE}/box.pem", stdin=pem.decode())


def serial(fleet: Fleet, box: str) -> str:
    return fleet.boxes[box].run(f"openssl x509 -in {LIVE}/box.pem -noout -serial").stdout.strip()


def test_check_of_a_fresh_box_says_what_would_change_and_changes_nothing(fleet: Fleet, tried: Played) -> None:
    assert tried.status == 0, tried.output[-6000:]
    assert tried.changed[CANARY] > 10
    assert "+PasswordAuthentication no" in tried.output
    box = fleet.boxes[CANARY]
    assert box.run("ls /opt/kinebox /etc/kinebox", check=False).stdout == ""
    assert box.run("nft list ruleset").stdout == ""


def test_first_run_ends_with_boxes_that_measure_and_publish(fleet: Fleet, provisioned: Played) -> None:
    assert set(provisioned.changed) == set(NAMES)
    for name, box in fleet.boxes.items():
        assert box.run("readlink /opt/kinebox/current /opt/kinebox/models/current").stdout.split() == [
            "releases/good", "releases/models",
        ]  # fmt: skip
        assert box.run("systemctl is-enabled kinebox.target").stdout.strip() in ("enabled", "linked")
        until(lambda name=name: arrived(fleet, name) >= 3, f"three messages of {name}", WAIT_S)  # type: ignore[misc]
    assert not fleet.lost()


def test_boxes_are_shut_but_for_ssh(fleet: Fleet, provisioned: Played) -> None:
    address = fleet.network.address(fleet.boxes[CANARY])
    ports = "import socket,sys\nfor port in (22, 8080, 1883):\n s = socket.socket(); s.settimeout(1)\n"
    ports += " print(port, s.connect_ex((sys.argv[1], port)) == 0)\n"
    seen = fleet.network.run(["python3", "-c", ports, address]).stdout.split("\n")
    assert seen[:3] == ["22 True", "8080 False", "1883 False"]
    box = fleet.boxes[CANARY]
    assert "passwordauthentication no" in box.run("sshd -T").stdout
    assert box.run("passwd --status root").stdout.split()[1] == "L"
    assert box.run("systemctl is-active kinebox-firewall-undo.timer", check=False).returncode != 0


def test_the_key_was_made_on_the_box_and_only_the_hub_can_read_it(fleet: Fleet, provisioned: Played) -> None:
    box = fleet.boxes[CANARY]
    assert box.run(f"stat -Lc '%a %U:%G' {LIVE}/box.key {LIVE}/..").stdout.split("\n")[:2] == [
        "640 root:kinebox", "750 root:kinebox",
    ]  # fmt: skip
    assert box.run(
        ["runuser", "-u", "kinebox-vision", "--", "cat", f"{LIVE}/box.key"], check=False
    ).returncode
    assert not list(fleet.secrets.glob("boxes/*.key"))
    assert "PRIVATE KEY" not in provisioned.output


def test_second_run_changes_nothing(fleet: Fleet, provisioned: Played) -> None:
    again = fleet.play("second run", "site.yml")
    assert again.status == 0, again.output[-6000:]
    assert again.changed == dict.fromkeys(NAMES, 0), again.output


def test_certificates_rotate_at_two_thirds_of_their_life_without_a_lost_message(
    fleet: Fleet, provisioned: Played
) -> None:
    for name, days in zip(NAMES, (61, 61, 59), strict=True):
        age(fleet, name, days)
    before = {name: (serial(fleet, name), arrived(fleet, name)) for name in NAMES}
    rotated = fleet.play("certificates are renewed", "rotate-certs.yml", "-e", "certs_batches=100%")
    assert rotated.status == 0, rotated.output[-6000:]
    assert rotated.changed[NAMES[2]] == 0
    assert serial(fleet, NAMES[2]) == before[NAMES[2]][0]
    for name in NAMES[:2]:
        assert serial(fleet, name) != before[name][0]
        folders = fleet.boxes[name].run("ls /etc/kinebox/certs").stdout.split()
        assert folders == [serial(fleet, name).removeprefix("serial="), "live"]  # the old one is gone
        until(lambda name=name: arrived(fleet, name) >= before[name][1] + 3, f"messages of {name}", WAIT_S)  # type: ignore[misc]
    assert not fleet.lost()


def test_check_of_a_provisioned_box_finds_what_has_drifted(fleet: Fleet, others: Others) -> None:
    name = NAMES[1]
    drifted = others.began["--check of a box that has drifted"].result()
    assert drifted.status == 0, drifted.output[-6000:]
    assert "-MaxAuthTries 30\n+MaxAuthTries 3\n" in drifted.output
    assert drifted.changed == {name: 2}  # the file, and ssh that would read it
    assert "MaxAuthTries 30" in fleet.boxes[name].read("/etc/ssh/sshd_config.d/50-kinebox.conf")
    assert hub(fleet, name) == others.before[name][2]


def test_a_certificate_that_the_broker_refuses_is_not_kept(fleet: Fleet, others: Others) -> None:
    """Signed by an authority that is another one: the box goes back to what works."""
    name = NAMES[0]
    was, count, _ = others.before[name]
    refused = others.began["a certificate is refused"].result()
    assert refused.failed == {name}, refused.output[-3000:]
    assert "is back on the one before" in refused.output
    assert serial(fleet, name) == was
    until(lambda: arrived(fleet, name) >= count + 3, f"messages of {name}", WAIT_S)
    assert not fleet.lost()


def test_a_bad_release_stops_at_the_canary_which_goes_back_by_itself(fleet: Fleet, others: Others) -> None:
    stopped = others.began["a bad release"].result()
    assert stopped.status != 0
    assert set(stopped.changed) == stopped.failed == {CANARY}, stopped.output[-6000:]
    assert "bad was taken back" in stopped.output
    assert "No other box gets it" in stopped.output
    for name, box in fleet.boxes.items():
        assert box.run("readlink /opt/kinebox/current").stdout == "releases/good\n", name
    for name in set(NAMES) - {CANARY}:
        assert "bad" not in fleet.boxes[name].run("ls /opt/kinebox/releases").stdout
    count = arrived(fleet, CANARY)
    until(lambda: arrived(fleet, CANARY) >= count + 3, "the canary measures again", WAIT_S)


@pytest.mark.skipif(os.environ.get("KINEBOX_FULL_SIZE") != "1", reason="minutes (set KINEBOX_FULL_SIZE=1)")
def test_a_good_release_reaches_every_box(fleet: Fleet, provisioned: Played) -> None:
    before = {name: arrived(fleet, name) for name in NAMES}
    options = ("-e", "rollout_release_on_box=/mnt/releases/better", "-e", "kinebox_release=")
    rolled = fleet.play("a good release", "rollout.yml", *options)
    assert rolled.status == 0, rolled.output[-6000:]
    again = fleet.play("the same again", "rollout.yml", *options)
    assert again.changed == dict.fromkeys(NAMES, 0)
    for name, box in fleet.boxes.items():
        assert box.run("readlink /opt/kinebox/current").stdout == "releases/better\n"
        until(lambda name=name: arrived(fleet, name) >= before[name] + 3, f"messages of {name}", WAIT_S)  # type: ignore[misc]
    assert not fleet.lost()
