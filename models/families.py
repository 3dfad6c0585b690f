"""Families of pose models that a user may bring: one TOML row each, in `catalogue/families`."""

from __future__ import annotations

import functools
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from edge.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

_FOLDER = Path(__file__).parent / "catalogue" / "families"

Decoder = Literal["yolo_grid", "yolo_end_to_end", "simcc", "movenet_single", "movenet_multi"]
ElementType = Literal["float32", "int32", "uint8"]


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a network of the family reads: a picture in RGB, less `mean`, divided by `scale`."""

    layout: Literal["NCHW", "NHWC"]
    types: tuple[ElementType, ...]
    fill: int
    """Grey value (0-255) around a picture of another shape."""
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    multiple: int
    """Width and height are multiples of this."""
    least: int
    most: int

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes' names, in order."""
        long = {"N": "batch", "C": "channels", "H": "height", "W": "width"}
        return tuple(long[letter] for letter in self.layout)


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One form of outputs: a number is that size, `N` any, `xW` and `xH` a multiple of the width or height."""

    name: str
    decoder: Decoder
    outputs: tuple[tuple[int | str, ...], ...]


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row."""

    name: str
    title: str
    skeleton: str
    keypoints: int
    top_down: bool
    """It reads a crop of one person, whom somebody else has to find."""
    found: float
    """Score (0-1) from which a find is a person."""
    seen: float
    """Score (0-1) from which a keypoint counts as seen."""
    licence: str
    export: str
    """How a file of this family is made."""
    input: Input
    forms: tuple[Form, ...]


class Match(NamedTuple):
    """The form that a file's outputs have, and in which order the decoder wants them."""

    form: Form
    order: tuple[int, ...]


@functools.cache
def family(name: str) -> Family:
    """Return one row; raises ConfigError where there is none or it is wrong."""
    if name not in names():
        raise ConfigError(f"there is no family of models named {name!r}", f"There are: {', '.join(names())}.")
    path = _FOLDER / f"{name}.toml"
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Family)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path.name} is not a valid row: {error}", "Reinstall Kinebox.") from error


@functools.cache
def names() -> tuple[str, ...]:
    """Return the names of all rows, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def matching(row: Family, outputs: Sequence[Sequence[int]], width: int, height: int) -> list[Match]:
    """Return every form of the family that outputs of these shapes have."""
    found = []
    for form in row.forms:
        for order in permutations(range(len(outputs)), len(form.outputs)):
            if len(outputs) == len(form.outputs) and all(
                _fits(outputs[index], wanted, width, height)
                for index, wanted in zip(order, form.outputs, strict=True)
            ):
                found.append(Match(form, order))
                break  # where both orders fit, the file's own is meant
    return found


def _fits(shape: Sequence[int], wanted: Sequence[int | str], width: int, height: int) -> bool:
    multiples = {"N": 1, "xW": width, "xH": height}
    return len(shape) == len(wanted) and all(
        size == want if isinstance(want, int) else size > 0 and size % multiples[want] == 0
        for size, want in zip(shape, wanted, strict=True)
    )
