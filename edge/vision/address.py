"""Cameras that are named by an address: what may be shown of it, and what the login is.

Nothing here opens a connection, and nothing but the standard library is loaded: whether vision needs a network is
decided before anything else is.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from edge.errors import CameraError

LOGIN = "KINEBOX_CAMERA_LOGIN"
CREDENTIAL = "camera-login"
"""Name of the same as a systemd credential, which comes first."""
PINNED = "KINEBOX_CAMERA_ADDRESS"
_PORT = 554
_ADDRESS = re.compile(
    r"rtsp://(?:(?P<login>[^/?#]*)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?"
    r"(?P<path>[/?]\S*)?",
    re.IGNORECASE,
)
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def is_address(what: str) -> bool:
    """Whether the description of a camera is an address rather than a device or a file."""
    return "://" in what


@dataclass(frozen=True, repr=False)
class CameraAddress:
    """A camera on the network. Its `str` is what may be shown: paths of cameras often hold passwords, too."""

    host: str
    port: int
    path: str

    def __str__(self) -> str:
        """Host and port, which anybody may see."""
        return f"rtsp://{_joined(self.host, self.port)}"

    __repr__ = __str__

    def url(self, login: str, pinned: str = "") -> str:
        """The whole address for FFmpeg: with `login` (user:password), and `pinned` in place of the host's name.

        This is a secret.
        """
        user, _, password = login.partition(":")
        who = f"{_quoted(user)}:{_quoted(password)}@" if login else ""
        return f"rtsp://{who}{_joined(pinned or self.host, self.port)}{self.path}"


def parse(what: str) -> CameraAddress:
    """The address in `what`. Raises CameraError, which does not repeat it."""
    scheme = what.partition("://")[0].lower()
    if scheme != "rtsp":
        raise CameraError(
            f"a camera cannot be reached by {scheme}://",
            "Give rtsp://HOST[:PORT]/PATH, a device or a file. Other addresses are not opened.",
        )
    match = _ADDRESS.fullmatch(what)
    if match is None or not 0 < int(match["port"] or _PORT) < 2**16:
        raise CameraError("the address of the camera cannot be understood", "Write rtsp://HOST[:PORT]/PATH.")
    if match["login"] is not None:
        raise CameraError(
            "the address of the camera holds a login, which every user of this machine could read",
            f"Take what stands before the @ out of it, and put user:password into {LOGIN} (docs/cameras.md).",
        )
    return CameraAddress(match["host"].strip("[]").lower(), int(match["port"] or _PORT), match["path"] or "/")


def login() -> str:
    """`user:password` of the camera, or nothing: from the systemd credential, else from the environment.

    Raises CameraError where the credential is there and cannot be read, or is no login.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(folder) / CREDENTIAL if folder else None
    try:
        text = (
            path.read_text(encoding="utf-8")
            if path is not None and path.exists()
            else os.environ.get(LOGIN, "")
        )
    except (OSError, UnicodeDecodeError) as error:
        raise CameraError(
            f"the credential {CREDENTIAL} cannot be read: {type(error).__name__}",
            "Write it again: user:password.",
        ) from error
    text = text.strip("\r\n")
    if text and (":" not in text or text.startswith(":")):
        raise CameraError(
            "the login of the camera is not user:password", f"Correct {LOGIN}, or {CREDENTIAL}."
        )
    return text


def _joined(host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == _PORT else f"{name}:{port}"


def _quoted(text: str) -> str:
    return "".join(c if c in _UNRESERVED else "".join(f"%{byte:02X}" for byte in c.encode()) for c in text)
