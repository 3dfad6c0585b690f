"""Where the dashboard listens, and under which names it may be reached."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

import msgspec

from edge.errors import ConfigError
from edge.web.broadcast import MAX_CLIENTS

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
LOCAL = "http.sock"
"""Name of the socket for root, in the folder that systemd makes for the hub."""


class WebSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the dashboard's server. Without any it is reachable from this machine only."""

    host: str = "127.0.0.1"
    """Name or address to listen on; `0.0.0.0` or `::` for every network interface."""
    port: int = 8080
    """0 takes a free one."""
    names: tuple[str, ...] = ()
    """Further host names under which browsers reach the box, such as a reverse proxy's."""
    token: str | None = None
    """What a browser must know; required beyond loopback. See `edge.web.token.access_token`."""
    max_clients: int = MAX_CLIENTS
    """Browsers that may watch live at the same time."""
    static: Path = Path(__file__).parent / "static"
    """The built dashboard."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` where the network could reach the dashboard without a token."""
        if self.token is None and not self.loopback:
            raise ConfigError(
                f"The dashboard would be open to everyone who can reach {self.host}",
                "Beyond loopback an access token is needed",
            )
        if self.token is not None and len(self.token) < MIN_TOKEN:
            raise ConfigError(f"The access token has fewer than {MIN_TOKEN} characters", "Take a longer one")

    @property
    def loopback(self) -> bool:
        """Only programs on this machine can connect."""
        return is_loopback(self.host)

    def url(self, port: int) -> str:
        """The address to open in a browser, with the token where one is needed."""
        host = _outward_address(self.host) if _is_wildcard(self.host) else self.host
        netloc = f"[{host}]" if ":" in host else host
        return f"http://{netloc}:{port}/" + (f"?token={self.token}" if self.token is not None else "")


MIN_TOKEN = 20


def is_loopback(host: str) -> bool:
    """The name or address means this machine, seen from itself."""
    address = as_address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def as_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that `host` spells; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def own_names() -> tuple[str, ...]:
    """This machine's name, alone and in the local network's mDNS domain."""
    name = socket.gethostname().lower().split(".")[0]
    return (socket.gethostname().lower(), name, f"{name}.local")


def _is_wildcard(host: str) -> bool:
    address = as_address(host)
    return address is not None and address.is_unspecified


def _outward_address(wildcard: str) -> str:
    """The address other machines see. Connecting a datagram socket only looks up the route: nothing is sent."""
    family, target = (socket.AF_INET6, "2001:db8::1") if ":" in wildcard else (socket.AF_INET, "192.0.2.1")
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((target, 9))
        except OSError:
            return own_names()[-1]
        return str(probe.getsockname()[0])
