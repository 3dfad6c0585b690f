"""How well a model that the user brought finds joints, beside others, and what its INT8 form has to keep."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ConfigError
from edge.evaluate.lsp import from_skeleton
from edge.evaluate.pck import accuracy, distances
from edge.vision.detector import Detector
from edge.vision.imported import BroughtNetwork, box_of
from edge.vision.providers import session
from models.decode import Box, cut, decode, letterbox, tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    from edge.evaluate.lsp import Array, Labelled, Reader
    from edge.vision.inference import Precision
    from models.imported import Imported

    Boxes = Callable[[Labelled, npt.NDArray[np.uint8]], list[Box]]
    """Where people are in a labelled picture, BGR uint8[H, W, 3]."""

_THREADS = 2
_TITLES: dict[Precision, str] = {"fp32": "fp32", "int8": "INT8"}


def readers(model: Imported, threads: int, *, parts: bool) -> Iterator[tuple[str, Reader]]:
    """The model as the box runs it, in each precision it has: its name, and what reads the 14 joints of a picture.

    Of several people it takes the one that it is surest of. `parts`: a model that reads a crop of one person is also
    told by the labels where that person is. Raises ModelError when a file is missing or damaged.
    """
    for precision, title in _TITLES.items():
        if precision not in model.files:
            continue
        network = BroughtNetwork(model, precision, threads)
        if not model.row.top_down:
            yield f"{model.name} {title}", partial(_read, network, None)
            continue
        if parts:
            yield f"{model.name} {title}: told where", partial(_read, network, _labelled)
        detector = Detector("int8", threads)
        yield f"{model.name} {title}", partial(_read, network, partial(_detected, detector))


def _read(network: BroughtNetwork, boxes: Boxes | None, label: Labelled) -> Array | None:
    bgr = label.picture()
    poses = [network.whole(bgr)] if boxes is None else [network.one(bgr, box) for box in boxes(label, bgr)]
    seen = [one for one in poses if len(one.found)]
    if not seen:
        return None
    best = max(seen, key=lambda one: float(one.found.max()))
    return from_skeleton(network.row.skeleton, best.points[int(best.found.argmax())])


def _labelled(label: Labelled, _bgr: npt.NDArray[np.uint8]) -> list[Box]:
    known = ~np.isnan(label.joints[:, 0])
    return [Box.around(label.joints[known])] if known.any() else []


def _detected(detector: Detector, _label: Labelled, bgr: npt.NDArray[np.uint8]) -> list[Box]:
    return [box_of(find.roi) for find in detector.detect(bgr)]


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
        boxes = _labelled(label, bgr) if model.row.top_down else []
        if boxes:
            fitted, affine = cut(bgr, boxes[0], *size, wanted.fill)
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
