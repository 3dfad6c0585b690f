"""Quantisation, the cheap half: a recipe applied to a float32 model gives the same bytes everywhere."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import onnx

from models.errors import RecipeMismatch
from models.onnx_graph import serialise
from models.quantise.qdq import write_qdq

if TYPE_CHECKING:
    from models.quantise.recipe import Recipe


def quantise(model: bytes, recipe: Recipe) -> bytes:
    """Return the INT8 ONNX file of a float32 ONNX file.

    Raises RecipeMismatch where the recipe was made for another file.
    """
    if hashlib.sha256(model).hexdigest() != recipe.source_sha256:
        message = "the quantisation recipe was made for another build of the float model"
        raise RecipeMismatch(message, "Reinstall Kinebox; to make a new recipe run: kinebox models calibrate")
    return serialise(write_qdq(onnx.load_from_string(model), recipe))
