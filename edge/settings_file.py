"""Settings that the dashboard changed: one small JSON file each in the state folder.

A service may not write its config.toml, so what is set in the dashboard lies here and goes before it.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, TypeVar

import msgspec

from edge.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("edge.settings_file")

Record = TypeVar("Record", bound=msgspec.Struct)


def read(path: Path, otherwise: Record) -> Record:
    """The settings in `path`; `otherwise` where there are none, or the file is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=type(otherwise))
    except FileNotFoundError:
        pass
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        log.warning("%s cannot be read (%s): config.toml counts", path, error)
    return otherwise


def write(path: Path, settings: msgspec.Struct) -> None:
    """Keep `settings` in `path`: all of it or nothing. Raises StoreError where that is not possible."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with part.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(settings), indent=2))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}",
            "Make room on the disk, or give this user the right to write there",
        ) from error
