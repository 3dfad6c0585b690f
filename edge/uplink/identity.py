"""The name of this box: made once, kept in the state folder, without meaning."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

from edge.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "device-id"


def device_id(folder: Path) -> str:
    """The UUID of this box. Raises `ConfigError` where it can be neither read nor written."""
    path = folder / FILE
    try:
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = path.with_name(f"{FILE}.{uuid.uuid4()}")
            with draft.open("x", encoding="ascii") as file:
                file.write(f"{uuid.uuid4()}\n")
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)  # whole or not at all
            _sync(folder)
        return str(uuid.UUID(path.read_text(encoding="ascii").strip()))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The device id in {path} cannot be used: {error}", "Restore it, or set `device` in [uplink]"
        ) from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
