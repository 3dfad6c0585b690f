"""How well a model that the user brought finds joints: the score that its INT8 form has to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ConfigError
from edge.evaluate.lsp import from_skeleton
from edge.evaluate.pck import accuracy, distances
from edge.vision.providers import session
from models.decode import Box, cut, decode, letterbox, tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.evaluate.lsp import Array, Labelled
    from models.imported import Imported

_THREADS = 2


def score(model: Imported, data: bytes, labels: Sequence[Labelled]) -> float:
    """Mean PCK@0.2 in percent of one of the model's files; pictures in which nobody is found have no joint right.

    Where several people are found it is the one nearest to the labelled one. A model that reads a crop of one person
    is given the box around the labelled joints: it is the model that is judged, not whoever finds people for it.
    """
    network = session(data, _THREADS)
    (name,) = [each.name for each in network.get_inputs()]
    size, wanted = (model.width, model.height), model.row.input
    off = []
    for label in labels:
        bgr = label.picture()
        known = ~np.isnan(label.joints[:, 0])
        if model.row.top_down and known.any():
            fitted, affine = cut(bgr, Box.around(label.joints[known]), *size, wanted.fill)
        else:
            fitted, affine = letterbox(bgr, *size, wanted.fill)
        results = network.run(None, {name: tensor(fitted, wanted, model.element)})
        ordered = [results[index] for index in model.order]
        people = decode(model.outputs.decoder, model.row, ordered, size).moved(affine).points
        said = [from_skeleton(model.row.skeleton, points) for points in people]
        off.append(distances(_nearest(said, label.joints), label.joints))
    if np.isnan(off).all():
        raise ConfigError(
            "no labelled picture has both the right shoulder and the left hip, whose distance is the measure",
            "Label more of them in joints.json.",
        )
    return accuracy(model.name, off).mean.value


def _nearest(said: Sequence[Array], true: Array) -> Array | None:
    """The joints nearest to those labelled; None where nobody was found."""
    if not said:
        return None
    return min(said, key=lambda joints: float(np.nan_to_num(np.linalg.norm(joints - true, axis=1)).sum()))
