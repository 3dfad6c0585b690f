"""What calibration found out about a model, as a small text file: all that a build needs to quantise it.

The file is JSON. Float32 arrays stand in it as base64 of their little-endian bytes, single numbers as the
shortest decimal that reads back as the same number, so a recipe means the same bits everywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from models.errors import RecipeMismatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FORMAT = 1
RECIPES = Path(__file__).parent.parent / "recipes"


class Activation(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How a tensor becomes uint8: value = (byte - zero_point) * scale. `scale` is a float32 number."""

    scale: float
    zero_point: int


class Stream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tensors that carry the same channels (joined by additions), and what each channel is divided by.

    Convolutions that write a stream are divided by `factors`, those that read it are multiplied: what the
    network computes stays the same, but its channels then fill one common range evenly.
    """

    tensors: list[str]
    factors: bytes


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one ONNX file is quantised.

    source_sha256: the float32 ONNX file it was made for.
    nodes: names of the nodes that compute in INT8; all others stay float32.
    activations: scale and zero point of each tensor that those nodes read or write. A tensor that only moves
        values (Resize, MaxPool, DepthToSpace) has none: it keeps that of the tensor it came from.
    streams: channel equalisation, applied before weights are quantised.
    biases: node name to float32 values that are added to the bias after equalisation.
    """

    format: int
    source_sha256: str
    nodes: list[str]
    activations: dict[str, Activation]
    streams: list[Stream]
    biases: dict[str, bytes]


def load(path: Path) -> Recipe:
    """Read a recipe; raises RecipeMismatch where it is unreadable or of another format version."""
    try:
        recipe = msgspec.json.decode(path.read_bytes(), type=Recipe)
    except (OSError, msgspec.DecodeError) as error:
        raise RecipeMismatch(f"the recipe {path} cannot be read: {error}", "Reinstall Kinebox.") from error
    if recipe.format != FORMAT:
        message = f"the recipe {path} has format {recipe.format}, this version reads format {FORMAT}"
        raise RecipeMismatch(message, "Reinstall Kinebox.")
    return recipe


def dump(recipe: Recipe) -> bytes:
    """Return a recipe as text, the same bytes for the same recipe."""
    return msgspec.json.format(msgspec.json.encode(recipe, order="deterministic"), indent=1) + b"\n"


def pack(values: Sequence[float] | NDArray[np.floating]) -> bytes:
    """Return numbers as little-endian float32 bytes."""
    return np.asarray(values, "<f4").tobytes()


def unpack(data: bytes) -> NDArray[np.float32]:
    """Return the numbers that `pack` was given, as float32."""
    return np.frombuffer(data, "<f4").astype(np.float32)
