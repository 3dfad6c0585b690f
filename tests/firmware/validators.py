"""Which program judges which file, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.firmware.places import FIRMWARE, SHARED

if TYPE_CHECKING:
    from pathlib import Path


class Validator(NamedTuple):
    """A program of the system that reads a file of ours where it belongs."""

    bad: str
    """The file in tests/firmware/bad that it refuses."""
    source: Path
    place: str
    command: str
    """A line of shell."""
    complains: str
    """What it says of the bad one."""
    silent: str = ""
    """It ends with 0 for bad files as well, and complains in lines with this in it."""


_OFFLINE = "nmcli --offline connection modify connection.autoconnect yes <"

VALIDATORS = (
    Validator(
        "camera.rules",
        SHARED / "udev/rules.d/70-kinebox-camera.rules",
        "/etc/udev/rules.d/70-kinebox-camera.rules",
        "udevadm verify --no-summary /etc/udev/rules.d",
        "Invalid key 'SIMLINK'",
    ),
    Validator(
        "nftables.conf",
        SHARED / "nftables.conf",
        "/etc/nftables.conf",
        "nft --check --file /etc/nftables.conf",
        "syntax error",
    ),
    Validator(
        "chrony.conf",
        SHARED / "chrony/conf.d/50-kinebox.conf",
        "/etc/chrony/conf.d/50-kinebox.conf",
        "chronyd -p -f /etc/chrony/chrony.conf",
        "Missing arguments for makestep",
    ),
    Validator(
        "wired.nmconnection",
        SHARED / "NetworkManager/system-connections/kinebox-wired.nmconnection",
        "/etc/NetworkManager/system-connections/kinebox-wired.nmconnection",
        f"{_OFFLINE} /etc/NetworkManager/system-connections/kinebox-wired.nmconnection",
        "ipv4.method: property is invalid",
    ),
    Validator(
        "NetworkManager.conf",
        SHARED / "NetworkManager/conf.d/50-kinebox.conf",
        "/etc/NetworkManager/conf.d/50-kinebox.conf",
        "NetworkManager --print-config",
        "unknown key 'enabeld'",
        silent="WARNING",
    ),
    Validator(
        "journald.conf",
        SHARED / "systemd/journald.conf.d/zz-kinebox.conf",
        "/etc/systemd/journald.conf.d/zz-kinebox.conf",
        # It reads its settings and then finds that it is none of systemd's services.
        "SYSTEMD_LOG_TARGET=console timeout 10 /usr/lib/systemd/systemd-journald 2>&1 || true",
        "Failed to parse SystemMaxUse=plenty",
        silent="journald.conf.d",
    ),
    Validator(
        "zram-generator.conf",
        SHARED / "systemd/zram-generator.conf",
        "/etc/systemd/zram-generator.conf",
        "mkdir /o && ZRAM_GENERATOR_ROOT=/ /usr/lib/systemd/system-generators/zram-generator /o /o /o",
        "zram-size zram0",
    ),
    Validator(
        "sysctl.conf",
        SHARED / "sysctl.d/90-kinebox.conf",
        "/etc/sysctl.d/90-kinebox.conf",
        "sysctl --dry-run --load=/etc/sysctl.d/90-kinebox.conf",
        "vm/swapiness",
    ),
    Validator(
        "sshd.conf",
        SHARED / "ssh/sshd_config.d/50-kinebox.conf",
        "/etc/ssh/sshd_config.d/50-kinebox.conf",
        "ssh-keygen -A >/dev/null && sshd -t",
        'unsupported option "never"',
    ),
    Validator(
        "user-data",
        FIRMWARE / "cloud-init/user-data",
        "/boot/firmware/user-data",
        "cloud-init schema --config-file /boot/firmware/user-data",
        "'hostnam' was unexpected",
    ),
    Validator(
        "network-config",
        FIRMWARE / "cloud-init/network-config",
        "/boot/firmware/network-config",
        "cloud-init schema --schema-type network-config --config-file /boot/firmware/network-config",
        "ethernets.wired.dhcp4",
    ),
)
