"""The access token: made once, kept in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from edge.errors import ConfigError
from edge.web.settings import MIN_TOKEN

if TYPE_CHECKING:
    from pathlib import Path

FILE = "web-token"


def access_token(folder: Path) -> str:
    """The token kept in `folder`; made with 256 random bits where there is none yet.

    To withdraw it from every browser, delete the file and start again. Raises `ConfigError` where it can be
    neither read nor written.
    """
    path = folder / FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            path.chmod(0o600)
            token = path.read_text(encoding="ascii").strip()
            if len(token) >= MIN_TOKEN:
                return token
        return _make(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The access token {path} cannot be used: {error}", "Delete the file; a new token is made then"
        ) from error


def _make(path: Path) -> str:
    token = secrets.token_urlsafe(32)
    part = path.with_name(f"{FILE}.{secrets.token_hex(4)}")
    # Complete under another name first: a power cut must not leave half a token.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(descriptor)
    part.replace(path)
    return token
