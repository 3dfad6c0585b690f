"""`kinebox firstboot`: what a new box is told, applied once, and gone from the card."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from edge.cli import app
from edge.device.firstboot import NAME, Wifi, first_boot, keyfile, merged
from edge.errors import ConfigError, StoreError
from tests.firmware.places import FIRMWARE, SHARED
from tests.powercut import CUTS, cuts, trace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.firmware.system import System

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJnPVtqYv5VsPq0xyvhAfXUkJx6kbZoyqPbqUVXNXu5k"
TOLD = f"""
hostname = "kinebox-7"
authorized_keys = ["{KEY} operator"]
open = ["ssh", "dashboard"]
enrolment_token = "good-once-and-secret"

[wifi]
ssid = "boxes"
password = "correct horse"
country = "DE"

[environment]
KINEBOX_CAMERA = "rtsp://cam/$x"
KINEBOX_PORT = "8081"
"""
SECRETS = ("good-once-and-secret", "correct horse")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A box's files, with what it is told on the card."""
    made = tmp_path / "box"
    shutil.copytree(SHARED, made / "etc")
    card = made / "boot/firmware"
    card.mkdir(parents=True)
    (card / NAME).write_text(TOLD)
    (card / f"{NAME}~").write_text(TOLD)
    (card / "config.txt").write_text("[all]\n")
    (made / "etc/kinebox/kinebox.env").write_text("# Ansible's\nKINEBOX_PORT=8080\nKINEBOX_THREADS=2\n")
    return made


def state(root: Path) -> dict[str, tuple[str, int]]:
    """Every file of the box: content or target, and rights."""
    return {
        str(path.relative_to(root)): (
            (f"-> {path.readlink()}", 0) if path.is_symlink() else (path.read_text(), path.stat().st_mode & 0o777)
        )
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }  # fmt: skip


def test_everything_is_applied_and_gone_from_the_card(root: Path) -> None:
    before = state(root)
    done = first_boot(root)
    after = state(root)
    assert {name: value for name, value in after.items() if before.get(name) != value} == {
        "etc/NetworkManager/system-connections/kinebox-wifi.nmconnection": (
            keyfile(Wifi(ssid="boxes", password="correct horse")), 0o600,  # noqa: S106
        ),
        "etc/hostname": ("kinebox-7\n", 0o644),
        "etc/kinebox/authorized_keys.d/kinebox-admin": (f"{KEY} operator\n", 0o644),
        "etc/kinebox/enrolment-token": ("good-once-and-secret\n", 0o600),
        "etc/kinebox/kinebox.env": (
            "# Ansible's\nKINEBOX_THREADS=2\n" 'KINEBOX_CAMERA="rtsp://cam/\\$x"\nKINEBOX_PORT="8081"\n', 0o644,
        ),
        "etc/modprobe.d/kinebox-wifi.conf": ("options cfg80211 ieee80211_regdom=DE\n", 0o644),
        "etc/nftables.d/dashboard.nft": ("-> /etc/kinebox/firewall/dashboard.nft", 0),
        "etc/nftables.d/ssh.nft": ("-> /etc/kinebox/firewall/ssh.nft", 0),
    }  # fmt: skip
    assert sorted(path.name for path in (root / "boot/firmware").iterdir()) == ["config.txt"]
    assert not [line for line in done if any(secret in line for secret in SECRETS)]
    assert first_boot(root) == []
    assert state(root) == after


def test_an_image_with_two_systems_has_it_on_its_first_partition(root: Path) -> None:
    (root / "bootfs").mkdir()
    (root / "boot/firmware" / NAME).rename(root / "bootfs" / NAME)
    assert first_boot(root)
    assert not (root / "bootfs" / NAME).exists()


def test_the_example_is_right(root: Path) -> None:
    text = (FIRMWARE / "cloud-init" / NAME).read_text()
    (root / "boot/firmware" / NAME).write_text(text)
    first_boot(root)
    assert (root / "etc/hostname").read_text() == "kinebox-gym1-door\n"


@pytest.mark.parametrize(
    ("right", "wrong", "where"),
    [
        ('hostname = "kinebox-7"', 'hostname = "Kinebox 7"', "hostname"),
        ('"ssh", "dashboard"', '"ssh", "everything"', "everything"),
        ('"ssh", "dashboard"', '"../../passwd"', "open"),
        ("ssh-ed25519", "command=x ssh-ed25519", "authorized_keys"),
        ('"correct horse"', '"short"', "wifi.password"),
        ("KINEBOX_PORT", "LD_PRELOAD", "environment"),
        ('"8081"', '"8081\\nLD_PRELOAD=/tmp/x"', "environment"),
        ('ssid = "boxes"', 'sid = "boxes"', "sid"),
        ('ssid = "boxes"', f'ssid = "{"ü" * 17}"', "32 bytes"),
        ('password = "correct horse"', 'password = "correct horse', "no TOML"),
    ],
)
def test_a_wrong_line_is_told_and_nothing_is_applied(root: Path, right: str, wrong: str, where: str) -> None:
    text = TOLD.replace(right, wrong)
    assert text != TOLD
    (root / "boot/firmware" / NAME).write_text(text)
    before = state(root)
    with pytest.raises(ConfigError) as told:
        first_boot(root)
    assert where in str(told.value)
    assert told.value.remedy
    assert not [secret for secret in SECRETS if secret in str(told.value)]
    assert state(root) == before


def test_a_system_that_cannot_be_written_is_told_and_the_file_stays(root: Path) -> None:
    shutil.rmtree(root / "etc/modprobe.d", ignore_errors=True)
    (root / "etc/modprobe.d").write_text("no folder\n")
    with pytest.raises(StoreError, match=r"modprobe\.d"):
        first_boot(root)
    assert (root / "boot/firmware" / NAME).exists()


@pytest.mark.parametrize(
    ("ssid", "password"),
    [
        ("boxes", "correct horse"),
        ("boxes", "  spaces "),
        ("boxes", "back\\slash;semi#hash"),
        ("boxes", "ab" * 32),
        ("boxes", '"quoted"='),
        ("Café ☕", "correct horse"),
        ("1;2;3", "correct horse"),
        (" a\\b ", "correct horse"),
    ],
)
def test_networkmanager_reads_what_was_meant(system: System, ssid: str, password: str) -> None:
    system.write("/profile", keyfile(Wifi(ssid=ssid, password=password)), 0o600)
    read = system.run("sh", "-c", "nmcli --offline connection modify connection.autoconnect yes < /profile")
    made = system.run(
        *("nmcli", "--offline", "connection", "add", "type", "wifi", "ssid", ssid),
        *("wifi-sec.key-mgmt", "wpa-psk", "wifi-sec.psk", password),
    )
    for said in (read, made):
        assert said.returncode == 0, said.stderr
    wanted = [line for line in made.stdout.splitlines() if line.startswith(("ssid=", "psk=", "key-mgmt="))]
    assert len(wanted) == 3
    assert [
        line for line in read.stdout.splitlines() if line.startswith(("ssid=", "psk=", "key-mgmt="))
    ] == wanted


def test_values_of_the_environment_are_what_systemd_reads(tmp_path: Path) -> None:
    value = 'rtsp://a:"b"@c/$HOME\\x `id` # 1'
    text = merged("", {"KINEBOX_CAMERA": value})
    assert text == 'KINEBOX_CAMERA="rtsp://a:\\"b\\"@c/\\$HOME\\\\x \\`id\\` # 1"\n'
    # systemd's quoting is the shell's.
    (tmp_path / "env").write_text(text)
    shell = f'. {tmp_path}/env; printf %s "$KINEBOX_CAMERA"'
    assert subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout == value


@pytest.mark.parametrize("told", [TOLD, 'open = ["ssh"]\n'], ids=["everything", "little"])
def test_a_power_cut_at_any_moment_loses_nothing(root: Path, tmp_path: Path, told: str) -> None:
    (root / "boot/firmware" / NAME).write_text(told)
    before = tmp_path / "before"
    shutil.copytree(root, before, symlinks=True)
    steps = trace(root, "tests.firmware.firstbooter", str(root))
    whole = state(root)
    again = 0
    for cut, _ in cuts(steps, tmp_path, CUTS // 2, before):
        again += (cut / "boot/firmware" / NAME).exists()
        first_boot(cut)
        assert {name: text for name, (text, _) in state(cut).items()} == {
            name: text for name, (text, _) in whole.items()
        }
    assert 0 < again < CUTS // 2


def test_the_command(root: Path) -> None:
    first, again = (CliRunner().invoke(app, ["firstboot", "--root", str(root)]) for _ in range(2))
    assert "the name is kinebox-7" in first.stdout
    assert again.stdout == "there is no kinebox.toml: nothing to do\n"
    assert (first.exit_code, again.exit_code) == (0, 0)
