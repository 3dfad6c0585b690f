"""A box that has started with firmware-config in its system."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.firmware.places import BAD, FIRMWARE, SHARED
from tests.testbed.box import boot
from tests.testbed.network import Network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.testbed.box import Box

SERVE = """
import select, socket, sys
server = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print(flush=True)
while sys.stdin not in select.select([server, sys.stdin], [], [])[0]:
    server.accept()[0].close()
"""
CONNECT = """
import concurrent.futures, socket, sys
def connect(there):
    name, port = there.rsplit(":", 1)
    try:
        socket.create_connection((name, int(port)), timeout=1).close()
        return "open"
    except TimeoutError:
        return "dropped"
    except ConnectionRefusedError:
        return "refused"
with concurrent.futures.ThreadPoolExecutor() as at_once:
    print(*at_once.map(connect, sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def net(boxes: None) -> Iterator[Network]:
    """The gym's network."""
    with Network() as made:
        yield made


@pytest.fixture(scope="module")
def box(net: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A box with firmware-config/shared, on the network."""
    layer = tmp_path_factory.mktemp("layer")
    layer.chmod(0o755)
    shutil.copytree(SHARED, layer / "etc")
    for profile in (layer / "etc/NetworkManager/system-connections").iterdir():
        profile.chmod(0o600)
    with boot("fw", layer, network=net) as made:
        yield made


def test_settings_are_in_force(box: Box) -> None:
    journald = box.run("journalctl --boot --unit systemd-journald --output cat").stdout
    assert "System Journal (/var/log/journal/" in journald  # kept over a restart
    assert "max 64M" in journald
    box.run("systemctl start NetworkManager")
    profiles = box.run("nmcli --terse --fields NAME,FILENAME connection").stdout
    assert "kinebox-wired:/etc/NetworkManager/system-connections/kinebox-wired.nmconnection" in profiles
    box.run("systemctl stop NetworkManager")
    assert box.run("systemctl --failed --no-legend").stdout == ""


def test_systemd_feeds_the_watchdog_and_a_bad_setting_is_not_taken(box: Box) -> None:
    assert {"RuntimeWatchdogUSec=14s", "RebootWatchdogUSec=2min", "DefaultTimeoutStopUSec=30s"} <= _manager(
        box
    )
    drop_in = "/etc/systemd/system.conf.d/50-kinebox.conf"
    good = box.read(drop_in)
    box.write(drop_in, (BAD / "system.conf").read_text())
    box.run("systemctl daemon-reexec")
    assert "RuntimeWatchdogUSec=14s" not in _manager(box)
    box.write(drop_in, good)
    box.run("systemctl daemon-reexec")
    assert "RuntimeWatchdogUSec=14s" in _manager(box)


def test_the_firewall(net: Network, box: Box) -> None:
    box.run("systemctl start nftables")
    address = net.address(box)
    inside, outside = box.enter("python3", "-c", SERVE), net.enter(sys.executable, "-c", SERVE)
    with _serve(inside, 8080), _serve(inside, 9000), _serve(outside, 8883), _serve(outside, 9000):
        # In: nothing, until it is opened.
        there = [f"{address}:8080", f"{address}:9000", f"{address}:22"]
        assert _connect(net.enter(sys.executable), *there) == ["dropped", "dropped", "dropped"]
        box.run("mkdir -p /etc/nftables.d && ln -s /etc/kinebox/firewall/dashboard.nft /etc/nftables.d/")
        box.run("systemctl reload nftables")
        assert _connect(net.enter(sys.executable), *there) == ["open", "dropped", "dropped"]
        # Out: what a box needs. What is kept in is told at once, for a program not to wait.
        needed, other = f"{net.gateway}:8883", f"{net.gateway}:9000"
        assert _connect(box.enter("python3"), needed, other, "127.0.0.1:9000") == ["open", "refused", "open"]
        # A wrong opening leaves the rules in force as they are.
        box.write("/etc/nftables.d/wrong.nft", "add rule inet kinebox open accept\n")
        assert box.run("systemctl reload nftables", check=False).returncode != 0
        assert _connect(net.enter(sys.executable), *there) == ["open", "dropped", "dropped"]


def test_cloud_init_makes_the_account_and_forgets_what_it_was_told(boxes: None, tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    shutil.copytree(FIRMWARE / "cloud-init", layer / "boot/firmware")
    settings = layer / "etc/cloud/cloud.cfg.d"
    settings.mkdir(parents=True)
    # What Raspberry Pi OS says, and an overlay's way to take a file away: the test bed has cloud-init switched off.
    settings.joinpath("99-source.cfg").write_text(
        "datasource_list: [NoCloud]\ndatasource: {NoCloud: {seedfrom: 'file:///boot/firmware/'}}\n"
    )
    os.mknod(layer / "etc/cloud/cloud-init.disabled", stat.S_IFCHR)
    (key,) = re.findall(r"- (ssh-ed25519 \S+)", (FIRMWARE / "cloud-init/user-data").read_text())
    with boot("new", layer) as box:
        said = box.run("cloud-init status --wait --long", check=False).stdout
        assert "errors: []" in said
        assert box.run("ls /boot/firmware").stdout.split() == ["kinebox.toml"]  # for `kinebox firstboot`
        assert key in box.read("/home/kinebox-admin/.ssh/authorized_keys")
        assert box.run("passwd --status kinebox-admin").stdout.split()[1] == "L"
        assert box.run(["hostname"]).stdout == "kinebox\n"
        kept = box.run(["grep", "-rl", key.split()[1], "/var/lib/cloud", "/run", "/boot"], check=False).stdout
        assert kept == ""
        assert box.run("ls /etc/cloud/cloud-init.disabled").stdout


def _manager(box: Box) -> set[str]:
    return set(box.run(["systemctl", "show"]).stdout.splitlines())


@contextlib.contextmanager
def _serve(command: list[str], port: int) -> Iterator[None]:
    """Listen on a port for the time of the block."""
    server = subprocess.Popen([*command, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout is not None
    server.stdout.readline()
    try:
        yield
    finally:
        server.communicate()  # closes its standard input: it ends


def _connect(python: list[str], *there: str) -> list[str]:
    done = subprocess.run(
        [*python, "-c", CONNECT, *there], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.split()
