"""What may leave the box, and where it goes: the sections [uplink] and [home_assistant] of `config.toml`.

Without them nothing leaves, and nothing of this costs anything.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
import platformdirs
from msgspec import Meta

from edge.errors import ConfigError
from edge.uplink.consent import Consent
from wire.messages import Uuid
from wire.topics import SEGMENT

SYSTEM_FILE = Path("/etc/kinebox/config.toml")
_PORTS = {"mqtt": 1883, "mqtts": 8883}

Segment = Annotated[str, Meta(pattern=rf"^{SEGMENT}$(?!\n)")]


class Broker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A broker and how it knows us. Beyond this machine the connection is encrypted."""

    url: str
    """`mqtts://host[:port]`, or `mqtt://` for a broker on this machine."""
    ca: Path | None = None
    """PEM file of the authority that signed the broker's certificate; without it the system's own."""
    certificate: Path | None = None
    """PEM file of this box's certificate, with `key` its private key."""
    key: Path | None = None
    username: str | None = None
    password_file: Path | None = None
    plain: bool = False
    """Allow `mqtt://` to another machine: everyone on the way can read and change what is sent."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` for an address that is none, or one that would be readable on the way."""
        parts = urlsplit(self.url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in _PORTS or not parts.hostname or port == -1 or parts.path not in ("", "/"):
            raise ConfigError(
                f"{self.url!r} is no address of a broker", "Write mqtts://host or mqtts://host:port"
            )
        if parts.username or parts.password:
            raise ConfigError(
                "The broker's address holds a name or password", "Use `username` and `password_file`"
            )
        if not self.tls and not self.plain and not _is_loopback(parts.hostname):
            raise ConfigError(
                f"{self.url} is not encrypted", "Use mqtts://, or set `plain = true` if you accept that"
            )
        if (self.certificate is None) != (self.key is None):
            raise ConfigError("`certificate` and `key` belong together", "Set both or neither")

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def host(self) -> str:
        """Name or address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port, where none is given the usual one."""
        parts = urlsplit(self.url)
        return parts.port or _PORTS[parts.scheme]

    def password(self) -> str | None:
        """The password from its file. Raises `ConfigError` where that cannot be read."""
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The password file cannot be read: {error}", "See `password_file`") from error


class UplinkSettings(Broker, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cloud's broker, and what it may be told."""

    tenant: Segment
    site: Segment
    device: Uuid | None = None
    """This box's id; without it one is made at the first start and kept in the state folder."""
    desired_key: Path | None = None
    """PEM file of the public key that signs what this box shall run; without it nobody is believed."""
    unknown_subjects: Consent = "nothing"
    """What may be told of people and dogs whom the box does not know: `nothing`, or `anonymous` measurements."""
    max_days: Annotated[float, Meta(gt=0, le=3650)] = 30
    """Windows that waited longer for the cloud are given up."""
    max_mb: Annotated[float, Meta(gt=0, le=1e6)] = 512
    """Beyond this the oldest windows are given up; sessions never are."""
    replay_per_s: Annotated[float, Meta(gt=0, le=10_000)] = 50
    """At most so many late messages a second."""
    resend_after_s: Annotated[float, Meta(gt=0, le=3600)] = 30
    """Seconds without progress of the acknowledgement after which what is not acknowledged is sent again."""
    health_every_s: Annotated[float, Meta(gt=0, le=86_400)] = 60
    clock_wait_s: Annotated[float, Meta(ge=0, le=86_400)] = 600
    """After so long without a synchronised clock the system's time is used all the same, and marked `estimated`."""


class HomeAssistantSettings(Broker, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The household's own broker, for Home Assistant's discovery."""

    prefix: Segment = "homeassistant"
    name: Annotated[str, Meta(min_length=1, max_length=64)] = "Kinebox"
    language: Literal["en", "ko"] = "en"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration file, as far as this room reads it."""

    uplink: UplinkSettings | None = None
    home_assistant: HomeAssistantSettings | None = None


def config_file() -> Path:
    """The file: KINEBOX_CONFIG, else the system's if it is there, else the user's."""
    override = os.environ.get("KINEBOX_CONFIG")
    if override:
        return Path(override)
    return SYSTEM_FILE if SYSTEM_FILE.exists() else platformdirs.user_config_path("kinebox") / "config.toml"


def load_settings() -> Settings:
    """What the file says; without a file: nothing. Raises `ConfigError` for what it cannot mean."""
    path = config_file()
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Settings, dec_hook=_decode)
    except FileNotFoundError as error:
        if os.environ.get("KINEBOX_CONFIG"):
            raise ConfigError(f"There is no {path}", "See KINEBOX_CONFIG") from error
        return Settings()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "See docs/uplink.md for what may stand there") from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", "Give this user the right to"
        ) from error


def _decode(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"a {kind.__name__} cannot be made of {value!r}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
