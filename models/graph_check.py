"""What a graph from anywhere must be before anything is computed with it.

Reads the parsed file only. Whatever the file says is hostile until it has passed: names are quoted and cut, sizes are
compared with what is really there, nothing outside the file is opened.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import onnx
from onnx import AttributeProto, TensorProto, defs

from models.errors import ImportRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

    from models.families import Family

OPSETS = (11, 26)
"""Below 11, Resize and Pad mean something else; above, no released ONNX Runtime computes it."""
_MOST_NODES = 10_000
_MOST_ELEMENTS = 256 * 1024 * 1024
"""Of all constants together: as many single bytes as the largest file has."""
_MOST_NAME = 60
_QUANTISED = {"QuantizeLinear", "DequantizeLinear", "QLinearConv", "ConvInteger", "MatMulInteger"}

_NUMBERS: dict[int, int] = {
    TensorProto.FLOAT: 4,
    TensorProto.UINT8: 1,
    TensorProto.INT8: 1,
    TensorProto.UINT16: 2,
    TensorProto.INT16: 2,
    TensorProto.INT32: 4,
    TensorProto.INT64: 8,
    TensorProto.BOOL: 1,
    TensorProto.DOUBLE: 8,
    TensorProto.UINT32: 4,
    TensorProto.UINT64: 8,
    TensorProto.FLOAT16: 2,
}
"""Bytes of an element of each type that a constant may have."""
_FIELDS: dict[int, str] = {
    TensorProto.FLOAT: "float_data",
    TensorProto.DOUBLE: "double_data",
    TensorProto.INT64: "int64_data",
    TensorProto.UINT32: "uint64_data",
    TensorProto.UINT64: "uint64_data",
}
_RANDOM = {
    "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
}  # fmt: skip


def check_graph(model: ModelProto, family: Family) -> tuple[int, int, str]:
    """Judge a parsed file and give its input a batch of one; raises ImportRefused.

    Returns the input's width, height and element type.
    """
    if not model.graph.node:
        raise ImportRefused("the file has no network in it", family.export)
    _check_opset(model, family)
    if model.functions or model.training_info:
        raise ImportRefused(
            "the file has functions or training steps of its own, which are not run here",
            "Export it for inference, without functions.",
        )
    _check_nodes(model)
    _check_constants(model.graph)
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise ImportRefused(
            f"the network is not valid ONNX: {_first_line(error)}", "Export it again."
        ) from error
    return _check_input(model.graph, family)


def is_quantised(model: ModelProto) -> bool:
    """Whether the network computes in whole numbers already."""
    return any(node.op_type in _QUANTISED for node in model.graph.node)


def quoted(name: str) -> str:
    """A name out of the file, for a message: in quotes, without control characters, cut."""
    return ascii(name if len(name) <= _MOST_NAME else name[:_MOST_NAME] + "...")


def _check_opset(model: ModelProto, family: Family) -> None:
    opset = next((entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"}), None)
    if opset is None:
        raise ImportRefused(
            "the file does not say which version of ONNX it is written in", "Export it again."
        )
    least, most = OPSETS
    if not least <= opset <= most:
        raise ImportRefused(
            f"the network is written in opset {opset}; Kinebox reads {least} to {most}",
            f"Export it anew with opset 17. {family.export}",
        )


def _check_nodes(model: ModelProto) -> None:
    nodes = model.graph.node
    if len(nodes) > _MOST_NODES:
        raise ImportRefused(
            f"the network has {len(nodes)} operators; at most {_MOST_NODES} are read",
            "Simplify it (onnxsim).",
        )
    opset = next(entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"})
    allowed: dict[str, str] = {}
    for node in nodes:
        if node.domain not in {"", "ai.onnx"}:
            raise ImportRefused(
                f"operator {quoted(node.op_type)} is not ONNX's but of {quoted(node.domain)}, which is not run",
                "Export it without custom operators or a runtime's own optimisations.",
            )
        if node.op_type not in allowed:
            allowed[node.op_type] = why_not(node, opset)
        if allowed[node.op_type]:
            raise ImportRefused(
                f"operator {quoted(node.op_type)} {allowed[node.op_type]}",
                "Export it for inference with fixed sizes; onnxsim takes out what does not depend on the picture.",
            )
        for attribute in node.attribute:
            if attribute.type in {AttributeProto.GRAPH, AttributeProto.GRAPHS} or attribute.ref_attr_name:
                raise ImportRefused(
                    f"operator {quoted(node.op_type)} has a network inside it",
                    "Export it without branches and loops.",
                )


def why_not(node: NodeProto, opset: int) -> str:
    """Why an operator is not run, or nothing: those over tensors of numbers that always do the same are."""
    if not defs.has(node.op_type, ""):
        return "is not known"
    try:
        schema = defs.get_schema(node.op_type, opset, "")
    except defs.SchemaError:
        return f"does not exist in opset {opset}"
    if any(each.type == defs.OpSchema.AttrType.GRAPH for each in schema.attributes.values()):
        return "decides or repeats while running: branches and loops are not run"
    if node.op_type in _RANDOM:
        return "draws lots"
    for part in (*schema.inputs, *schema.outputs):
        if not any(kind.startswith("tensor(") and kind != "tensor(string)" for kind in part.types):
            return "is not about tensors of numbers"
    return ""


def _check_constants(graph: GraphProto) -> None:
    total = 0
    if graph.sparse_initializer:
        raise ImportRefused("the network has sparse constants", "Export it with dense ones.")
    for tensor in _constants(graph):
        name = quoted(tensor.name)
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            where = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
            raise ImportRefused(
                f"constant {name} lies in another file, {quoted(where)}, and no other file is opened",
                "Save the model as one file: onnx.save(model, path, save_as_external_data=False).",
            )
        width = _NUMBERS.get(tensor.data_type)
        if width is None:
            raise ImportRefused(
                f"constant {name} is of a type that is not read ({_type_name(tensor.data_type)})",
                "Export it in float32.",
            )
        if any(size < 0 for size in tensor.dims):
            raise ImportRefused(f"constant {name} has a negative size", "Export it again.")
        elements = math.prod(tensor.dims)
        total += elements
        if elements > _MOST_ELEMENTS or total > _MOST_ELEMENTS:
            raise ImportRefused(
                f"constant {name} says that it has {elements:,} numbers: too many", "Use a smaller model."
            )
        there = _elements_there(tensor, width)
        if there != elements:
            raise ImportRefused(
                f"constant {name} says that it has {elements:,} numbers, and {there:,} are there",
                "The file is damaged: fetch or export it again.",
            )


def _constants(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
                raise ImportRefused("the network has sparse constants", "Export it with dense ones.")


def _elements_there(tensor: TensorProto, width: int) -> int:
    if tensor.HasField("raw_data"):
        whole, rest = divmod(len(tensor.raw_data), width)
        return whole if not rest else -1
    return len(getattr(tensor, _FIELDS.get(tensor.data_type, "int32_data")))


def _check_input(graph: GraphProto, family: Family) -> tuple[int, int, str]:
    wanted = family.input
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [info for info in graph.input if info.name not in constants]
    if len(inputs) != 1:
        raise ImportRefused(
            f"the network has {len(inputs)} inputs; {family.title} has one, the picture", family.export
        )
    (info,) = inputs
    tensor = info.type.tensor_type
    element = _type_name(tensor.elem_type)
    if element not in wanted.types:
        raise ImportRefused(
            f"the input {quoted(info.name)} takes {element}; {family.title} takes {' or '.join(wanted.types)}",
            f"Export it with that type of input. {family.export}",
        )
    dims = list(tensor.shape.dim)
    if len(dims) != len(wanted.axes):
        raise ImportRefused(
            f"the input {quoted(info.name)} has {len(dims)} axes; {family.title} has {', '.join(wanted.axes)}",
            family.export,
        )
    shape = dict(zip(wanted.axes, dims, strict=True))
    _fix_batch(shape["batch"], family)
    for axis in ("channels", "height", "width"):
        if not shape[axis].HasField("dim_value"):
            raise ImportRefused(
                f"the {axis} of the input {quoted(info.name)} is not fixed ({_axis(shape[axis])})",
                f"Fix it: python -m onnxruntime.tools.make_dynamic_shape_fixed. {family.export}",
            )
    if shape["channels"].dim_value != 3:
        raise ImportRefused(
            f"the input {quoted(info.name)} is {_sizes(info)}: {wanted.layout} with 3 channels is needed",
            family.export,
        )
    width, height = shape["width"].dim_value, shape["height"].dim_value
    for axis, size in (("width", width), ("height", height)):
        if size % wanted.multiple or not wanted.least <= size <= wanted.most:
            raise ImportRefused(
                f"the {axis} of the input is {size}; {family.title} takes multiples of {wanted.multiple} "
                f"from {wanted.least} to {wanted.most}",
                family.export,
            )
    return width, height, element


def _fix_batch(batch: onnx.TensorShapeProto.Dimension, family: Family) -> None:
    """A dynamic batch becomes one picture; a larger one is refused."""
    if not batch.HasField("dim_value"):
        batch.dim_value = 1
    if batch.dim_value != 1:
        raise ImportRefused(
            f"the network reads {batch.dim_value} pictures at once; one is needed",
            f"Export it with a batch of 1. {family.export}",
        )


def _axis(dim: onnx.TensorShapeProto.Dimension) -> str:
    return f"called {quoted(dim.dim_param)}" if dim.dim_param else "without a name"


def _sizes(info: ValueInfoProto) -> str:
    return " x ".join(str(dim.dim_value) for dim in info.type.tensor_type.shape.dim)


def _type_name(element: int) -> str:
    try:
        name = str(TensorProto.DataType.Name(element))
    except ValueError:
        return f"type {element}"
    return {"FLOAT": "float32", "DOUBLE": "float64"}.get(name, name.lower())


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return ascii(lines[0][:160])[1:-1] if lines else type(error).__name__
