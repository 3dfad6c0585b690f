"""What can go wrong, and what the user can do about it.

KineboxError
├── CameraError      the camera or file gives no usable pictures
├── ModelError       a model is missing, damaged or cannot be built
├── StoreError       the database cannot be opened or written
├── ConfigError      a setting or a row of a table is wrong
├── LinkError        vision and hub do not understand each other
├── UpdateError      a release cannot be installed
└── BackupError      a backup cannot be made or read
"""

from __future__ import annotations


class KineboxError(Exception):
    """An error meant for the user: what happened, and in `remedy` what to do about it."""

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class CameraError(KineboxError):
    """The camera, video file or trace gives no usable pictures."""

    exit_code = 3


class ModelError(KineboxError):
    """A model is missing, damaged or cannot be built."""

    exit_code = 4


class StoreError(KineboxError):
    """The database cannot be opened, understood or written."""

    exit_code = 5


class ConfigError(KineboxError):
    """A setting, an exercise row or a catalogue row is wrong."""

    exit_code = 6


class LinkError(KineboxError):
    """A message on the vision socket is not one this version understands."""

    exit_code = 7


class UpdateError(KineboxError):
    """A release is not signed, not for this box, damaged, or did not work."""

    exit_code = 8


class BackupError(KineboxError):
    """A backup cannot be written, or is not one that this box can use."""

    exit_code = 9
