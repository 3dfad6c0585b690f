"""Quantisation, the expensive half: from float models and pictures of people to a recipe.

Needed only to make a new recipe; a build applies the committed one. One run takes some ten minutes on two cores.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import onnx

from models.calibrate.bias import corrected
from models.calibrate.equalise import equalise
from models.calibrate.plan import int8_nodes
from models.calibrate.ranges import activations
from models.calibrate.statistics import channels
from models.onnx_read import GraphReader
from models.quantise.recipe import FORMAT, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from models.regions import Floats

# Means settle with far fewer pictures than extremes.
_BIAS_SAMPLES = 100


def calibrate(fp32: bytes, stage: str, inputs: Sequence[Floats], step: Callable[[str], None]) -> Recipe:
    """Return the recipe of a float model: ranges, equalisation factors and bias corrections.

    inputs: the network's inputs, each f32[1, 3, size, size]. step: called with what has just been done.
    """
    model = onnx.load_from_string(fp32)
    source = GraphReader(model)
    nodes = int8_nodes(model, stage)
    tensors = [node.output[0] for node in source.nodes if node.name in nodes or node.op_type == "Clip"]
    tensors += [name for node in source.nodes if node.name in nodes for name in node.input]
    pictures = sorted({name for name in tensors if name in source.producers})
    seen = channels(model, pictures, inputs)
    step(f"{stage}: ranges")
    streams = equalise(model, seen, nodes)
    recipe = Recipe(
        format=FORMAT,
        source_sha256=hashlib.sha256(fp32).hexdigest(),
        nodes=nodes,
        activations=activations(model, seen, nodes, streams),
        streams=streams,
        biases={},
    )
    few = inputs[:: max(len(inputs) // _BIAS_SAMPLES, 1)]
    means = channels(model, pictures, few)
    return corrected(model, recipe, means, few, lambda name: step(f"{stage}: bias of {name}"))
