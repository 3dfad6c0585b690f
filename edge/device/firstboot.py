"""`kinebox firstboot`: what somebody wrote on the card for a new box is applied once, and its secrets are taken away.

The file is kinebox.toml on the partition that every computer can write (FAT). It is applied wholly or, where a line
is wrong, not at all; every single file is replaced in one rename, and applying twice is applying once. The file goes
last: a power cut before that only means that the next start applies it again.

Removed is not erased. A card writes to new cells and keeps old ones: neither overwriting nor deleting takes a secret
from somebody with the right equipment. What is in the file has to be such that it can be revoked.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import socket
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from edge.device.durable import point, sync, write_whole
from edge.errors import ConfigError, StoreError

PLACES: Final = (Path("bootfs"), Path("boot/firmware"), Path("boot"))
"""Where the partition is mounted: in A/B images of rpi-image-gen, in Raspberry Pi OS, on Jetson. Below the root."""
NAME: Final = "kinebox.toml"
_LEFTOVERS: Final = (f"{NAME}~", f".{NAME}.swp", f"._{NAME}")
"""What editors and macOS leave beside it."""
ADMINISTRATOR: Final = "kinebox-admin"
_ETC: Final = Path("etc/kinebox")

Line = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]*\Z", max_length=4096)]
HostName = Annotated[str, Meta(pattern=r"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")]
PublicKey = Annotated[
    str, Meta(pattern=r"\A(ssh-ed25519|ecdsa-\S+|ssh-rsa|sk-\S+) [A-Za-z0-9+/]+=*( [^\x00-\x1f]*)?\Z")
]
Opening = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9-]*\Z")]
Variable = Annotated[str, Meta(pattern=r"\AKINEBOX_[A-Z0-9_]+\Z")]


class Wifi(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wireless network (WPA2 or WPA3 with a password)."""

    ssid: Annotated[str, Meta(min_length=1, max_length=32)]
    password: Annotated[str, Meta(pattern=r"\A([ -~]{8,63}|[0-9a-fA-F]{64})\Z")]
    country: Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")] | None = None
    hidden: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for a name that is longer than radio allows."""
        if len(self.ssid.encode()) > 32:
            raise ValueError("the network's name is longer than 32 bytes")


class Provision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file may hold; every part may be absent."""

    hostname: HostName | None = None
    authorized_keys: tuple[PublicKey, ...] = ()
    """Who may log in by ssh as the administrator."""
    open: tuple[Opening, ...] = ()
    """What the firewall opens: names of files in /etc/kinebox/firewall."""
    wifi: Wifi | None = None
    environment: dict[Variable, Line] = {}
    enrolment_token: Annotated[str, Meta(pattern=r"\A[!-~]{8,512}\Z")] | None = None


def first_boot(root: Path, file: Path | None = None) -> list[str]:
    """Apply and remove what is there; returns what was done. ConfigError, StoreError where that is not possible."""
    path = file or find(root)
    if path is None:
        return []
    done = apply(read(path), root)
    remove(path)
    return [*done, f"{path} is removed"]


def find(root: Path) -> Path | None:
    """The file, if there is one."""
    return next((path for place in PLACES if (path := root / place / NAME).is_file()), None)


def read(path: Path) -> Provision:
    """What the file says. ConfigError names what is wrong; nothing of a value is repeated: it may be a secret."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Provision)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{path}: {error}", "Correct the line (docs/firmware.md) and start the box again"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        where = re.search(r"\(at .*?\)", str(error))
        raise ConfigError(
            f"{path} is no TOML {where[0] if where else ''}".rstrip(),
            "Correct it (docs/firmware.md) and start the box again",
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", "Run it as root") from error


def apply(said: Provision, root: Path) -> list[str]:
    """Write what was said below `root`; returns what was done, without secrets. ConfigError, StoreError."""
    done = []
    etc = root / "etc"
    for name in said.open:
        _check_opening(root, name)
    if said.open:
        for name in said.open:
            _open(root, name)
        done.append(f"the firewall opens {', '.join(said.open)}")
    if said.wifi is not None:
        if said.wifi.country is not None:
            _keep(
                etc / "modprobe.d/kinebox-wifi.conf",
                f"options cfg80211 ieee80211_regdom={said.wifi.country}\n",
                0o644,
            )
        _keep(etc / "NetworkManager/system-connections/kinebox-wifi.nmconnection", keyfile(said.wifi), 0o600)
        done.append("Wi-Fi is set up")
    if said.authorized_keys:
        keys = "".join(f"{key}\n" for key in said.authorized_keys)
        _keep(root / _ETC / "authorized_keys.d" / ADMINISTRATOR, keys, 0o644)
        done.append(f"{len(said.authorized_keys)} key(s) may log in as {ADMINISTRATOR}")
    if said.environment:
        path = root / _ETC / "kinebox.env"
        _keep(path, merged(path.read_text("utf-8") if path.exists() else "", said.environment), 0o644)
        done.append(f"set: {', '.join(said.environment)}")
    if said.enrolment_token is not None:
        _keep(root / _ETC / "enrolment-token", f"{said.enrolment_token}\n", 0o600)
        done.append("the enrolment token is kept for the certificate")
    if said.hostname is not None:
        _keep(etc / "hostname", f"{said.hostname}\n", 0o644)
        if root == Path("/"):
            socket.sethostname(said.hostname)
        done.append(f"the name is {said.hostname}")
    return done


def remove(path: Path) -> None:
    """Take the file and what editors left of it away, down to the card. StoreError where that is not possible."""
    try:
        for name in (*_LEFTOVERS, path.name):
            path.with_name(name).unlink(missing_ok=True)
        sync(path.parent)
        _sync_file_system(path.parent)
    except OSError as error:
        raise StoreError(
            f"{path} is applied, but cannot be removed: {error.strerror}",
            "Remove it by hand: it holds secrets. The partition may be mounted read-only",
        ) from error


def keyfile(wifi: Wifi) -> str:
    """NetworkManager's profile of a network. Its name is written as bytes, which need no escaping."""
    ssid = "".join(f"{byte};" for byte in wifi.ssid.encode())
    # GLib takes backslashes for escapes and drops spaces in front.
    psk = re.sub(r"^ +", lambda spaces: r"\s" * len(spaces[0]), wifi.password.replace("\\", "\\\\"))
    return f"""\
[connection]
id=kinebox-wifi
type=wifi
autoconnect=true
autoconnect-retries=0

[wifi]
mode=infrastructure
ssid={ssid}
hidden={str(wifi.hidden).lower()}

[wifi-security]
key-mgmt=wpa-psk
psk={psk}

[ipv4]
method=auto

[ipv6]
method=auto
addr-gen-mode=stable-privacy
ip6-privacy=2
"""


def merged(text: str, variables: dict[str, str]) -> str:
    """The lines of an environment file for systemd with `variables` in it, each once."""
    lines = [line for line in text.splitlines() if line.partition("=")[0].strip() not in variables]
    for name, value in variables.items():
        quoted = re.sub(r'(["\\$`])', r"\\\1", value)
        lines.append(f'{name}="{quoted}"')
    return "\n".join(lines) + "\n"


def _check_opening(root: Path, name: str) -> None:
    if not (root / _ETC / "firewall" / f"{name}.nft").is_file():
        known = sorted(path.stem for path in (root / _ETC / "firewall").glob("*.nft"))
        raise ConfigError(
            f"the firewall has nothing called {name} to open", f"There are: {', '.join(known) or 'none'}"
        )


def _open(root: Path, name: str) -> None:
    link = root / "etc/nftables.d" / f"{name}.nft"
    try:
        _make_folder(link.parent)
        point(link, f"/etc/kinebox/firewall/{name}.nft")
    except OSError as error:
        raise _cannot(link, error) from error


def _keep(path: Path, text: str, mode: int) -> None:
    try:
        _make_folder(path.parent)
        write_whole(path, text.encode(), mode)
        path.chmod(mode)  # whatever the umask: sshd reads keys as the user who logs in
    except OSError as error:
        raise _cannot(path, error) from error


def _make_folder(folder: Path) -> None:
    """With a name that is on the disk before anything in it counts as kept: the card is another file system."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o755)
        sync(folder.parent)


def _cannot(path: Path, error: OSError) -> StoreError:
    if error.errno == errno.EROFS:
        return StoreError(
            f"{path} is part of the read-only system", "Set it when the image is built, and leave it out here"
        )
    return StoreError(f"{path} cannot be written: {error.strerror}", "Run it as root, with room on the disk")


def _sync_file_system(folder: Path) -> None:
    """Everything of the file system: FAT's table is not part of the folder's own sync."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(descriptor)
