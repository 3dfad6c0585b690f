"""Each file of firmware-config, judged by the program that reads it; each program, given a file it has to refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.firmware.places import BAD, FIRMWARE, SHARED
from tests.firmware.validators import VALIDATORS, Validator

if TYPE_CHECKING:
    from tests.firmware.system import System

EACH = pytest.mark.parametrize("one", VALIDATORS, ids=lambda one: one.bad)
ELSEWHERE = {
    "systemd/system.conf.d/50-kinebox.conf": "test_booted.py: only a booting systemd reads it",
    "kinebox/firewall/dashboard.nft": "test_openings",
    "kinebox/firewall/mdns.nft": "test_openings",
    "kinebox/firewall/rtsp.nft": "test_openings",
    "kinebox/firewall/ssh.nft": "test_openings",
}


def complaint(one: Validator, system: System) -> str | None:
    """What the validator says against the file in its place; None if it takes it."""
    done = system.run("sh", "-c", one.command)
    said = done.stdout + done.stderr
    if one.silent:
        return "\n".join(line for line in said.splitlines() if one.silent in line) or None
    return said if done.returncode else None


@EACH
def test_ours_is_taken(one: Validator, system: System) -> None:
    system.write(one.place, one.source.read_text(), 0o600 if "connection" in one.place else 0o644)
    assert complaint(one, system) is None


@EACH
def test_a_bad_one_is_refused(one: Validator, system: System) -> None:
    system.write(one.place, (BAD / one.bad).read_text(), 0o600 if "connection" in one.place else 0o644)
    assert one.complains in (complaint(one, system) or "")


def test_every_shared_file_is_judged() -> None:
    judged = {str(one.source.relative_to(SHARED)) for one in VALIDATORS if one.source.is_relative_to(SHARED)}
    there = {str(path.relative_to(SHARED)) for path in SHARED.rglob("*") if path.is_file()}
    assert there == judged | set(ELSEWHERE)


def test_openings(system: System) -> None:
    names = sorted(path.name for path in (SHARED / "kinebox/firewall").iterdir())
    assert names == ["dashboard.nft", "mdns.nft", "rtsp.nft", "ssh.nft"]
    for name in names:
        system.write(f"/etc/nftables.d/{name}", (SHARED / "kinebox/firewall" / name).read_text())
    done = system.run("nft", "--check", "--file", "/etc/nftables.conf")
    assert done.returncode == 0, done.stderr
    system.write("/etc/nftables.d/wrong.nft", "add rule inet kinebox open tcp dport 22 accept\n")
    assert system.run("nft", "--check", "--file", "/etc/nftables.conf").returncode == 1


def test_debians_chrony_takes_the_clock_in_one_step_and_serves_nobody(system: System) -> None:
    lines = system.run("chronyd", "-p", "-f", "/etc/chrony/chrony.conf").stdout.splitlines()
    assert [line for line in lines if line.startswith("makestep")][-1] == "makestep 1.0 3"
    assert {"port 0", "cmdport 0"} <= set(lines)
    assert not any(line.startswith(("allow", "local")) for line in lines)


def test_sshd_lets_keys_in_and_no_passwords(system: System) -> None:
    said = system.run("sh", "-c", "ssh-keygen -A >/dev/null && sshd -T").stdout.splitlines()
    assert {
        "passwordauthentication no", "kbdinteractiveauthentication no", "permitrootlogin without-password",
        "authenticationmethods publickey", "x11forwarding no",
        "authorizedkeysfile .ssh/authorized_keys /etc/kinebox/authorized_keys.d/%u",
    } <= set(said)  # fmt: skip


def test_the_journal_keeps_to_its_size_in_an_image_that_allows_more(system: System) -> None:
    # rpi-image-gen's image-rota writes this one.
    system.write(
        "/etc/systemd/journald.conf.d/persistent.conf", "[Journal]\nSystemMaxUse=512M\nSyncIntervalSec=2m\n"
    )
    read = system.run("systemd-analyze", "cat-config", "systemd/journald.conf").stdout.splitlines()
    assert [line for line in read if line.startswith("SystemMaxUse=")][-1] == "SystemMaxUse=64M"
    assert [line for line in read if line.startswith("SyncIntervalSec=")][-1] == "SyncIntervalSec=5m"


def test_first_boot_by_cloud_init_has_no_password() -> None:
    told = yaml.safe_load((FIRMWARE / "cloud-init/user-data").read_text())
    assert told["ssh_pwauth"] is False
    for user in told["users"]:
        assert user["lock_passwd"] is True
        assert not [key for key in user if key != "lock_passwd" and "passwd" in key]
