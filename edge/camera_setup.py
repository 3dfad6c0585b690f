"""What the owner says of the camera: `[camera]` of config.toml, unless the dashboard was told otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from edge import settings_file
from edge.calibration import CameraSettings, Keeper, camera_settings
from edge.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = "camera.json"


def named_settings(path: Path) -> CameraSettings:
    """What a file that the user names says of the camera: a config.toml, or a state folder's `camera.json`.

    Raises ConfigError where it is missing, damaged, or says nothing of a camera.
    """
    if not path.is_file():
        raise ConfigError(
            f"there is no file {path}", f"Name the box's config.toml, or {FILE} of its state folder."
        )
    if path.suffix != ".json":
        said = camera_settings(path)
    else:
        try:
            said = msgspec.json.decode(path.read_bytes(), type=CameraSettings)
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be read: {error.strerror}", "Give this user the right to."
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: {error}", "docs/cameras.md says what may stand there.") from error
    if said == CameraSettings():
        raise ConfigError(f"{path} says nothing of a camera", "See docs/cameras.md, or leave it out.")
    return said


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
