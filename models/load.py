"""Reading a built model, checked: all that the vision process needs, and no way to a network."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import platformdirs

from models import catalogue
from models.errors import ModelDamaged, ModelMissing

if TYPE_CHECKING:
    from models.catalogue import Precision

DEFAULT_MODEL = "blazepose"
BUILD_COMMAND = "kinebox models build"

Stage = Literal["detector", "landmark"]


def model_dir() -> Path:
    """Return the folder of the built models: KINEBOX_MODELS, else the user's data folder."""
    chosen = os.environ.get("KINEBOX_MODELS")
    return Path(chosen) if chosen else platformdirs.user_data_path("kinebox") / "models"


class _Manifest(msgspec.Struct):
    version: str


def release() -> str:
    """Return the name of the release that brought the models; empty where they were built on this machine."""
    try:
        return msgspec.json.decode((model_dir() / "manifest.json").read_bytes(), type=_Manifest).version
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return ""


def model_bytes(stage: Stage, precision: Precision) -> bytes:
    """Return an ONNX file of the default model, its sha256 compared with the catalogue's.

    Raises ModelMissing where it has not been built, ModelDamaged where it differs from the catalogue.
    """
    return checked_bytes(model_dir(), catalogue.model(DEFAULT_MODEL), stage, precision)


def checked_bytes(folder: Path, model: catalogue.Model, stage: str, precision: Precision) -> bytes:
    """Return one built file of `model` in `folder`; errors as in `model_bytes`."""
    path = folder / model.file_name(stage, precision)
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelMissing(f"the model file {path} does not exist", f"Run: {BUILD_COMMAND}") from error
    except OSError as error:
        remedy = "Give this user read access to the file, or set KINEBOX_MODELS to another folder."
        raise ModelMissing(f"the model file {path} cannot be read: {error.strerror}", remedy) from error
    if hashlib.sha256(data).hexdigest() != model.stages[stage].files[precision].sha256:
        raise ModelDamaged(
            f"the model file {path} is damaged or belongs to another version of Kinebox",
            f"Run: {BUILD_COMMAND}",
        )
    return data
