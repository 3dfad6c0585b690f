"""Tiny networks in exactly the forms of the families that a user may bring: all of them point at the brightest spot.

Each is a few operators: where the spot is on each axis, and a table of numbers that is moved with it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
from onnx import ModelProto, TensorProto

from edge.evaluate.lsp import from_skeleton
from models import families, imported
from models.examine import judge
from models.onnx_graph import GraphWriter, serialise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

SIDE = 64
KEYPOINTS = 17
PICTURES = 6
GREY = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])

# A standing person around (0, 0), COCO's order: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles.
BODY = np.array(
    [
        (0, -11), (1, -12), (-1, -12), (2, -11), (-2, -11), (3, -8), (-3, -8), (4, -4), (-4, -4),
        (5, 0), (-5, 0), (2, 0), (-2, 0), (2, 6), (-2, 6), (2, 12), (-2, 12),
    ],
    float,
)  # fmt: skip


def spot(writer: GraphWriter, image: str, axes: Sequence[int], output: str) -> str:
    """The index of the largest value along the axis that is not in `axes`, as float32[1]."""
    writer.node("ReduceMax", [image], f"{output}_profile", axes=list(axes), keepdims=0)
    writer.node("ArgMax", [f"{output}_profile"], f"{output}_index", axis=0, keepdims=1)
    return writer.node("Cast", [f"{output}_index"], output, to=TensorProto.FLOAT)


def moved(
    table: npt.NDArray[np.float64],
    by_x: npt.NDArray[np.float64],
    by_y: npt.NDArray[np.float64],
    *,
    shape: Sequence[int] = (1, 3, SIDE, SIDE),
    element: int = TensorProto.FLOAT,
    stem: bool = False,
    slip: float = 0.0,
) -> ModelProto:
    """A network with one output, table + x by_x + y by_y, of the brightest spot x, y of its input.

    stem: let three convolutions that change nothing go first. slip: what INT8 would make of it (see `convolved`).
    """
    writer = GraphWriter()
    image = "image"
    if element != TensorProto.FLOAT:
        image = writer.node("Cast", [image], "as_float", to=TensorProto.FLOAT)
    if stem:
        image = convolved(writer, image, slip)
    channels_last = shape[3] == 3
    x = spot(writer, image, [0, 1, 3] if channels_last else [0, 1, 2], "x")
    y = spot(writer, image, [0, 2, 3] if channels_last else [0, 1, 3], "y")
    for name, value, factor in (("x", by_x, x), ("y", by_y, y)):
        writer.node("Mul", [writer.constant(f"by_{name}", value.astype(np.float32)), factor], f"moved_{name}")
    writer.node("Add", ["moved_x", "moved_y"], "moved")
    writer.node("Add", ["moved", writer.constant("table", table.astype(np.float32))], "output0")
    return with_input(writer.model({"image": shape}, {"output0": table.shape}), element)


def convolved(writer: GraphWriter, image: str, slip: float) -> str:
    """Three 1 x 1 convolutions that change nothing; `slip`: of how much more than the picture the middle one sees.

    That much is added before it and taken away behind it: in float nothing happens, in INT8 the scale grows with it
    and the picture is lost.
    """
    same = np.eye(3, dtype=np.float32)[:, :, None, None]
    for number, offset in enumerate((slip, 0.0, -slip)):
        weights = [
            writer.constant(f"w{number}", same),
            writer.constant(f"b{number}", np.full(3, offset, np.float32)),
        ]
        image = writer.node("Conv", [image, *weights], f"conv{number}", kernel_shape=[1, 1])
    return image


def with_input(model: ModelProto, element: int) -> ModelProto:
    """The same with another type of input."""
    model.graph.input[0].type.tensor_type.elem_type = element
    return model


def yolo_grid(n: int = 84, *, stem: bool = False, slip: float = 0.0) -> ModelProto:
    """[1, 56, N]: the same person in three cells that overlap, and nobody in the others."""
    table, by_x, by_y = (np.zeros((1, 56, n)) for _ in range(3))
    for cell, score in ((3, 0.6), (4, 0.9), (50, 0.7)):
        table[0, 2:5, cell] = 12, 26, score
        table[0, 5::3, cell], table[0, 6::3, cell] = BODY.T
        table[0, 7::3, cell] = 0.8
        for part, rows in ((by_x, (0, slice(5, None, 3))), (by_y, (1, slice(6, None, 3)))):
            for row in rows:
                part[0, row, cell] = 1
    return moved(table, by_x, by_y, stem=stem, slip=slip)


def yolo_end_to_end(n: int = 300) -> ModelProto:
    """[1, N, 57]: one person in the first row, the others with a score of nothing."""
    table, by_x, by_y = (np.zeros((1, n, 57)) for _ in range(3))
    table[0, 0, :6] = -6, -13, 6, 13, 0.9, 0
    table[0, 0, 6::3], table[0, 0, 7::3] = BODY.T
    table[0, 0, 8::3] = 0.8
    by_x[0, 0, [0, 2]] = by_y[0, 0, [1, 3]] = 1
    by_x[0, 0, 6::3] = by_y[0, 0, 7::3] = 1
    return moved(table, by_x, by_y)


def movenet_single(element: int = TensorProto.INT32) -> ModelProto:
    """[1, 1, 17, 3]."""
    table, by_x, by_y = (np.zeros((1, 1, KEYPOINTS, 3)) for _ in range(3))
    table[..., 0], table[..., 1] = BODY[:, 1] / SIDE, BODY[:, 0] / SIDE
    table[..., 2] = 0.6
    by_y[..., 0] = by_x[..., 1] = 1 / SIDE
    return moved(table, by_x, by_y, shape=(1, SIDE, SIDE, 3), element=element)


def movenet_multi() -> ModelProto:
    """[1, 6, 56]: one person, and five rows of nobody."""
    table, by_x, by_y = (np.zeros((1, 6, 56)) for _ in range(3))
    table[0, 2, :51:3], table[0, 2, 1:51:3] = BODY[:, 1] / SIDE, BODY[:, 0] / SIDE
    table[0, 2, 2:51:3] = 0.6
    table[0, 2, 55] = 0.8
    by_y[0, 2, :51:3] = by_x[0, 2, 1:51:3] = 1 / SIDE
    return moved(table, by_x, by_y, shape=(1, SIDE, SIDE, 3), element=TensorProto.INT32)


def simcc(width: int = 192, height: int = 256) -> ModelProto:
    """simcc_x [1, 17, 2 W] and simcc_y [1, 17, 2 H]: three times `BODY` around the brightest spot."""
    writer = GraphWriter()
    # ImageNet's mean and deviation make white about 2.4 and black about -2: as shares, 0.9 and 0.
    writer.node("Add", ["image", writer.constant("two", np.float32(2).reshape(1))], "lifted")
    writer.node("Mul", ["lifted", writer.constant("fifth", np.float32(0.2).reshape(1))], "shares")
    for axis, (name, axes, length) in enumerate((("simcc_x", [1, 2], width), ("simcc_y", [1, 3], height))):
        writer.node("ReduceMax", ["shares"], f"{name}_profile", axes=axes, keepdims=0)
        column = writer.constant(f"{name}_column", np.array([length, 1], np.int64))
        writer.node("Reshape", [f"{name}_profile", column], f"{name}_reshaped")
        # Each pixel is two cells, of which the first is the higher.
        halves = writer.constant(f"{name}_halves", np.array([1, 0.99], np.float32))
        writer.node("Mul", [f"{name}_reshaped", halves], f"{name}_cells")
        row = writer.constant(f"{name}_row", np.array([2 * length], np.int64))
        writer.node("Reshape", [f"{name}_cells", row], f"{name}_flat")
        shifts = (6 * BODY[:, axis]).astype(np.int64)
        cells = (np.arange(2 * length)[None, None] - shifts[None, :, None]) % (2 * length)
        writer.node("Gather", [f"{name}_flat", writer.constant(f"{name}_table", cells)], name, axis=0)
    return writer.model(
        {"image": (1, 3, height, width)},
        {"simcc_x": (1, KEYPOINTS, 2 * width), "simcc_y": (1, KEYPOINTS, 2 * height)},
    )


def picture(width: int, height: int, x: float, y: float) -> npt.NDArray[np.uint8]:
    """Dark, with a white square of 5 x 5 pixels around (x, y)."""
    made = np.full((height, width, 3), 30, np.uint8)
    made[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3] = 255
    return made


def labelled(folder: Path) -> Path:
    """`folder` with pictures in each of which the networks see somebody just where the labels have them."""
    (folder / "images").mkdir(parents=True)
    table = {}
    for number in range(PICTURES):
        x, y = 60 + 10 * number, 70
        cv2.imwrite(str(folder / "images" / f"{number}.png"), picture(128, 128, x, y))
        # Of the spot's 5 x 5 pixels the first is meant; two of the picture's are one of the network's.
        joints = from_skeleton("coco17", BODY * 2 + (x - 1, y - 1))
        table[f"{number}.png"] = [[*point, 1] for point in joints.tolist()]
    (folder / "joints.json").write_text(json.dumps(table))
    return folder


GRAPHS = {
    "yolo-pose grid": ("yolo-pose", yolo_grid),
    "yolo-pose end-to-end": ("yolo-pose", yolo_end_to_end),
    "rtmpose simcc": ("rtmpose", simcc),
    "movenet single": ("movenet", movenet_single),
    "movenet multi": ("movenet", movenet_multi),
}


def file(model: ModelProto) -> bytes:
    """Its bytes."""
    return serialise(model)


def kept(family: str, model: ModelProto, name: str = "tiny") -> imported.Imported:
    """The network as an import keeps it, without the process that examines it."""
    verdict = judge(file(model), families.family(family))
    made = imported.Imported(
        name=name,
        family=family,
        form=verdict.form,
        order=verdict.order,
        width=verdict.width,
        height=verdict.height,
        element=verdict.element,
        files={"fp32": imported.described(verdict.data)},
    )
    imported.save(made, {"fp32": verdict.data})
    return made
