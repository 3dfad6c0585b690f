"""What the owner says of the camera: `[camera]` of config.toml, unless the dashboard was told otherwise.

That is kept in the state folder, because a service may not write its config.toml.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import msgspec

from edge.calibration import CameraSettings, Keeper
from edge.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger("edge.camera_setup")

FILE = "camera.json"


class CameraSetup:
    """The settings of the camera, and how it stands."""

    def __init__(self, folder: Path, configured: CameraSettings) -> None:
        """Take up what was set before in `folder`; a damaged file counts as none."""
        self._path = folder / FILE
        self.settings = configured
        self.on_change: Callable[[], None] = lambda: None
        """Called when there are other settings."""
        try:
            self.settings = msgspec.json.decode(self._path.read_bytes(), type=CameraSettings)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("%s cannot be read (%s): config.toml counts", self._path, error)
        self.keeper = Keeper(folder, self.settings.field)

    def choose(self, settings: CameraSettings) -> None:
        """These hold from now on. Raises StoreError, and changes nothing, where they cannot be kept."""
        self._write(settings)
        self.settings = settings
        self.keeper.use_field(settings.field)
        self.on_change()

    def _write(self, settings: CameraSettings) -> None:
        """All of it or nothing."""
        part = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with part.open("wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(settings), indent=2))
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            raise StoreError(
                f"{self._path} cannot be written: {error.strerror or error}",
                "Make room on the disk, or give this user the right to write there",
            ) from error
