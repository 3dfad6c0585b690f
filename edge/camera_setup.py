"""What the owner says of the camera: `[camera]` of config.toml, unless the dashboard was told otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge import settings_file
from edge.calibration import CameraSettings, Keeper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = "camera.json"


class CameraSetup:
    """The settings of the camera, and how it stands."""

    def __init__(self, folder: Path, configured: CameraSettings) -> None:
        """Take up what was set before in `folder`; a damaged file counts as none."""
        self._path = folder / FILE
        self.settings: CameraSettings = settings_file.read(self._path, configured)
        self.on_change: Callable[[], None] = lambda: None
        """Called when there are other settings."""
        self.keeper = Keeper(folder, self.settings.field)

    def choose(self, settings: CameraSettings) -> None:
        """These hold from now on. Raises StoreError, and changes nothing, where they cannot be kept."""
        settings_file.write(self._path, settings)
        self.settings = settings
        self.keeper.use_field(settings.field)
        self.on_change()
