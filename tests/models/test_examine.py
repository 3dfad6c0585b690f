"""What may be imported and what may not: each refusal says why and what to do, and takes nobody with it."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto, helper

from models import families
from models.errors import ImportRefused
from models.examine import MOST_MEMORY, judge
from models.graph_check import why_not
from models.importing import examine
from tests.conftest import ROOT
from tests.models.brought import GRAPHS, file, simcc, yolo_grid

if TYPE_CHECKING:
    from collections.abc import Callable

YOLO = families.family("yolo-pose")


def changed(change: Callable[[ModelProto], object]) -> bytes:
    model = yolo_grid()
    change(model)
    return model.SerializeToString()


def initializer(model: ModelProto, name: str = "table") -> TensorProto:
    return next(each for each in model.graph.initializer if each.name == name)


def dim(model: ModelProto, axis: int) -> onnx.TensorShapeProto.Dimension:
    return model.graph.input[0].type.tensor_type.shape.dim[axis]


@pytest.mark.parametrize("kind", GRAPHS)
def test_every_form_is_known(kind: str) -> None:
    family, make = GRAPHS[kind]
    verdict = judge(file(make()), families.family(family))
    assert verdict.form == kind.split()[1]
    assert verdict.people == 1
    assert not verdict.quantised
    assert judge(verdict.data, families.family(family)).data == verdict.data


def test_outputs_in_the_other_order_are_told_apart_by_their_sizes() -> None:
    model = simcc()
    outputs = list(model.graph.output)[::-1]
    del model.graph.output[:]
    model.graph.output.extend(outputs)
    assert judge(file(model), families.family("rtmpose")).order == (1, 0)


def test_a_dynamic_batch_becomes_one_picture_and_sizes_that_are_not_written_down_are_measured() -> None:
    def change(model: ModelProto) -> None:
        dim(model, 0).dim_param = "batch"
        shape = model.graph.output[0].type.tensor_type.shape
        shape.dim[0].dim_param = "batch"
        shape.dim[2].dim_param = "anchors"
        inside = helper.make_tensor_value_info("moved", TensorProto.FLOAT, ["batch", 56, "anchors"])
        model.graph.value_info.append(inside)

    kept = onnx.load_from_string(judge(changed(change), YOLO).data)
    for info, sizes in ((kept.graph.input[0], [1, 3, 64, 64]), (kept.graph.output[0], [1, 56, 84])):
        assert [each.dim_value for each in info.type.tensor_type.shape.dim] == sizes


def set_external(model: ModelProto) -> None:
    table = initializer(model)
    table.ClearField("raw_data")
    table.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "../../../../etc/passwd"), ("offset", "0"), ("length", "64")):
        entry = table.external_data.add()
        entry.key, entry.value = key, value


def in_a_node(model: ModelProto) -> None:
    node = model.graph.node.add(op_type="Constant", name="sly", output=["sly"])
    tensor = TensorProto(
        name="sly", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL
    )
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/dev/zero"
    node.attribute.append(AttributeProto(name="value", type=AttributeProto.TENSOR, t=tensor))


def branch(model: ModelProto) -> None:
    body = GraphProto(name="body")
    node = NodeProto(op_type="If", name="if", input=["image"], output=["sly"])
    for name in ("then_branch", "else_branch"):
        node.attribute.append(AttributeProto(name=name, type=AttributeProto.GRAPH, g=body))
    model.graph.node.append(node)


def hidden_body(model: ModelProto) -> None:
    """A network inside an operator that has no place for one."""
    model.graph.node[0].attribute.append(
        AttributeProto(name="sly", type=AttributeProto.GRAPH, g=GraphProto(name="body"))
    )


def sparse(model: ModelProto) -> None:
    model.graph.sparse_initializer.append(SparseTensorProto(dims=[2**40]))


def two_inputs(model: ModelProto) -> None:
    model.graph.input.append(model.graph.input[0])
    model.graph.input[1].name = "more"


def half(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16


def no_number(model: ModelProto) -> None:
    values = np.frombuffer(initializer(model).raw_data, np.float32).copy()
    values[100] = np.nan
    initializer(model).raw_data = values.tobytes()


def other_shape(model: ModelProto) -> None:
    """The outputs of a detector: no keypoints."""
    table = np.zeros((1, 84, 84), np.float32)
    for name in ("table", "by_x", "by_y"):
        initializer(model, name).CopyFrom(
            helper.make_tensor(name, TensorProto.FLOAT, table.shape, table.ravel())
        )
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 84


def by_picture(model: ModelProto) -> None:
    """As many rows as the picture has bright places."""
    model.graph.node[-1].output[0] = "all"
    model.graph.node.extend(
        [
            helper.make_node("NonZero", ["image"], ["places"]),
            helper.make_node("Shape", ["places"], ["count"]),
            helper.make_node("Gather", ["count", "one"], ["places_found"]),
            helper.make_node("Div", ["places_found", "part"], ["few"]),
            helper.make_node("Add", ["few", "one"], ["end"]),
            helper.make_node("Slice", ["all", "zero", "end", "axis"], ["output0"]),
        ]
    )
    for name, value in (("zero", 0), ("one", 1), ("axis", 2), ("part", 200)):
        model.graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, [1], [value]))
    del model.graph.output[0].type.tensor_type.shape.dim[:]


REFUSALS: dict[str, tuple[Callable[[ModelProto], object], str]] = {
    "no network": (lambda m: m.ClearField("graph"), "no network in it"),
    "opset too old": (lambda m: setattr(m.opset_import[0], "version", 9), "opset 9; Kinebox reads 11 to"),
    "opset too new": (lambda m: setattr(m.opset_import[0], "version", 99), "opset 99"),
    "opset unsaid": (lambda m: m.ClearField("opset_import"), "does not say which version"),
    "dynamic width": (
        lambda m: setattr(dim(m, 3), "dim_param", "wide\x1b[31m"),
        r"width .*not fixed \(called 'wide\\x1b",
    ),
    "dynamic height": (lambda m: dim(m, 2).Clear(), r"height .*not fixed \(without a name\)"),
    "two at once": (lambda m: setattr(dim(m, 0), "dim_value", 2), "reads 2 pictures at once"),
    "grey": (lambda m: setattr(dim(m, 1), "dim_value", 1), "1 x 1 x 64 x 64: NCHW with 3 channels"),
    "odd size": (lambda m: setattr(dim(m, 3), "dim_value", 65), "width of the input is 65"),
    "huge input": (lambda m: setattr(dim(m, 3), "dim_value", 1 << 40), "width of the input is 1099511627776"),
    "half floats": (half, "takes float16; YOLO-pose v8, 11 and 26 takes float32"),
    "two inputs": (two_inputs, "2 inputs"),
    "external data": (
        set_external,
        r"another file, '\.\./\.\./\.\./\.\./etc/passwd', and no other file is opened",
    ),
    "external data in a node": (in_a_node, "another file, '/dev/zero'"),
    "declared huge": (lambda m: initializer(m).dims.append(1 << 50), "too many"),
    "declared more": (
        lambda m: initializer(m).dims.append(3),
        "says that it has 14,112 numbers, and 4,704 are there",
    ),
    "negative": (lambda m: initializer(m).dims.append(-1), "negative size"),
    "text": (lambda m: setattr(initializer(m), "data_type", TensorProto.STRING), "type that is not read"),
    "no type": (lambda m: setattr(initializer(m), "data_type", 0), "type that is not read"),
    "sparse": (sparse, "sparse constants"),
    "branch": (branch, "'If' decides or repeats while running"),
    "body where none belongs": (hidden_body, "has a network inside it"),
    "custom operator": (
        lambda m: setattr(m.graph.node[0], "domain", "com.evil"),
        "not ONNX's but of 'com.evil'",
    ),
    "unknown operator": (lambda m: setattr(m.graph.node[0], "op_type", "Evil"), "'Evil' is not known"),
    "random": (lambda m: setattr(m.graph.node[0], "op_type", "RandomNormalLike"), "draws lots"),
    "sequence": (lambda m: setattr(m.graph.node[0], "op_type", "SequenceLength"), "not about tensors"),
    "function": (lambda m: m.functions.add(name="f"), "functions or training"),
    "cycle": (lambda m: m.graph.node[0].input.__setitem__(0, "output0"), "not valid ONNX"),
    "missing input": (lambda m: m.graph.node[0].input.__setitem__(0, "nobody"), "not valid ONNX"),
    "wrong type inside": (
        lambda m: m.graph.node[2].attribute[0].__setattr__("i", TensorProto.BOOL),
        "cannot load",
    ),
    "no number": (no_number, r"no numbers \(NaN or infinite\)"),
    "other outputs": (other_shape, "outputs are 1 x 84 x 84, which is no form of YOLO-pose"),
    "size by picture": (by_picture, "depends on the picture|no form"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refused_with_the_reason_and_what_to_do(case: str) -> None:
    change, reason = REFUSALS[case]
    with pytest.raises(ImportRefused, match=reason) as caught:
        judge(changed(change), YOLO)
    assert caught.value.remedy
    assert caught.value.exit_code == 4
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "operators",
    [
        "Add Concat Constant Conv Div Gather MatMul MaxPool Mul Reshape Resize Shape Sigmoid Slice Softmax Split Sub "
        "Transpose Unsqueeze Cast Expand Flatten GatherElements GatherND Mod ReduceMax Tile TopK Range",
        "AveragePool BatchNormalization Clip GlobalAveragePool HardSigmoid Identity LayerNormalization Pow ReduceL2 "
        "ReduceMean ReduceSum Relu Sqrt Squeeze Max Min Exp NonMaxSuppression NonZero Where Equal Greater Less",
        "ArgMax DepthToSpace Floor Gemm HardSwish LeakyRelu Neg Pad PRelu Abs And Not Or ScatterND Erf Gelu Mish "
        "ConvTranspose QuantizeLinear DequantizeLinear QLinearConv QLinearMatMul InstanceNormalization Tanh Sum",
    ],
    ids=["yolo", "rtmpose", "movenet"],
)
def test_operators_that_pose_models_are_made_of_are_run(operators: str) -> None:
    refused = {name: why for name in operators.split() if (why := why_not(NodeProto(op_type=name), 20))}
    assert refused == {}


@pytest.mark.parametrize(
    "data",
    [b"\x00", b"not a model at all", b"PK\x03\x04" + bytes(100), file(yolo_grid())[:-1000], b"\x0a" * 50_000],
    ids=["zero", "text", "zip", "truncated", "nested"],
)
def test_what_is_no_model(data: bytes) -> None:
    with pytest.raises(ImportRefused, match=r"no ONNX model|no network in it"):
        judge(data, YOLO)


def bomb(model: ModelProto) -> None:
    """A few bytes that become sixteen gigabytes when they are computed."""
    model.graph.initializer.append(helper.make_tensor("shape", TensorProto.INT64, [2], [1 << 16, 1 << 16]))
    model.graph.node.extend(
        [
            helper.make_node("ConstantOfShape", ["shape"], ["huge"]),
            helper.make_node("ReduceMax", ["huge"], ["small"], keepdims=0),
            helper.make_node("Mul", ["moved_x", "small"], ["moved_more"]),
        ]
    )
    first = [node for node in model.graph.node if node.output[0] in {"moved", "output0"}]
    for node in first:
        model.graph.node.remove(node)
    model.graph.node.extend(first)
    first[0].input[0] = "moved_more"


def test_a_network_that_unpacks_into_more_than_there_is_ends_in_a_refusal() -> None:
    with pytest.raises(ImportRefused, match="memory"):
        examine(changed(bomb), "yolo-pose")


def test_in_a_process_of_its_own_with_the_same_verdict() -> None:
    verdict = examine(file(yolo_grid()), "yolo-pose")
    assert (verdict.form, verdict.width, verdict.people) == ("grid", 64, 1)
    with pytest.raises(ImportRefused, match="another file") as caught:
        examine(changed(set_external), "yolo-pose")
    assert "one file" in caught.value.remedy


def test_the_process_has_limits_of_its_own() -> None:
    code = (
        "import models.examine as e, resource, sys\n"
        "e.judge = lambda data, family: e.Verdict(refused=' '.join("
        "str(resource.getrlimit(n)[0]) for n in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE)))\n"
        "sys.argv = ['examine', 'yolo-pose']\n"
        "e.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], input=b"", capture_output=True, check=True, cwd=ROOT)
    assert f"{MOST_MEMORY} 0".encode() in done.stdout
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0
