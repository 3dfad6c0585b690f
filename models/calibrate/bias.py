"""Moving each convolution's mean back to where it was before rounding (sequential bias correction).

Rounding weights and activations shifts the mean of every channel, and the next layers add up the shifts. Each
convolution is corrected with all those before it already rounded and corrected; correcting several at once
lets them correct each other's error twice, which destroyed the model in groups of four.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from models.calibrate.statistics import channels
from models.onnx_read import GraphReader
from models.quantise.qdq import write_qdq
from models.quantise.recipe import Recipe, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from onnx import ModelProto

    from models.calibrate.statistics import Channels
    from models.regions import Floats


def corrected(
    model: ModelProto,
    recipe: Recipe,
    statistics: Mapping[str, Channels],
    inputs: Sequence[Floats],
    step: Callable[[str], None],
) -> Recipe:
    """Return `recipe` with biases; `statistics` are those of the float model over the same `inputs`.

    step: called with the name of each convolution once it is done.
    """
    factors = {name: unpack(stream.factors) for stream in recipe.streams for name in stream.tensors}
    quantised = set(recipe.nodes)
    for node in GraphReader(model).nodes:
        if node.op_type != "Conv" or node.name not in quantised:
            continue
        output = node.output[0]
        wanted = statistics[output].mean / factors.get(output, np.float32(1))
        shifted = channels(write_qdq(model, recipe), [output], inputs)[output].mean
        recipe = msgspec.structs.replace(recipe, biases=recipe.biases | {node.name: pack(wanted - shifted)})
        step(node.name)
    return recipe
