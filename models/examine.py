"""A process that reads a model from anywhere, tries it and says what it is: `python -m models.examine FAMILY`.

The file comes on the standard input, the verdict goes out as msgpack. The process may not have more than its share of
memory and time, may not write a file, and is the only one that meets the file before the verdict: a file that crashes
a library, or that unpacks into more than the machine has, ends this process and nothing else.
"""

from __future__ import annotations

import functools
import resource
import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from onnx import ModelProto

    from models.families import Family, Match

MOST_MEMORY = 4 * 1024**3
"""Bytes of address space."""
MOST_SECONDS = 120
"""Of computing."""


class Verdict(msgspec.Struct, frozen=True):
    """What became of a file."""

    refused: str = ""
    """Why; empty for a file that may be used."""
    remedy: str = ""
    data: bytes = b""
    """The model as it is to be kept: with a batch of one."""
    form: str = ""
    order: tuple[int, ...] = ()
    """Which output is which, as the decoder wants them."""
    width: int = 0
    height: int = 0
    element: str = ""
    quantised: bool = False
    milliseconds: float = 0.0
    """A picture, on one thread."""
    people: int = 0
    """Found in the drawn figure."""


def main() -> None:
    """Read, examine, answer."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from models import families  # noqa: PLC0415 - under the limits, like everything that it loads
    from models.errors import ImportRefused  # noqa: PLC0415

    try:
        verdict = judge(sys.stdin.buffer.read(), families.family(sys.argv[1]))
    except ImportRefused as error:
        verdict = Verdict(refused=str(error), remedy=error.remedy)
    except MemoryError:
        verdict = _too_large()
    sys.stdout.buffer.write(msgspec.msgpack.encode(verdict))


def judge(data: bytes, family: Family) -> Verdict:
    """What is to be said of a file, in this process; raises ImportRefused, or MemoryError for one too large."""
    import onnx  # noqa: PLC0415
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # noqa: PLC0415

    from models.errors import ImportRefused  # noqa: PLC0415
    from models.graph_check import check_graph, is_quantised  # noqa: PLC0415

    try:
        model = onnx.load_from_string(data)  # from bytes: it opens no other file
    except DecodeError as error:
        raise ImportRefused(
            "the file is no ONNX model, or only a part of one", f"Fetch or export it again. {family.export}"
        ) from error
    width, height, element = check_graph(model, family)
    return _tried(model, family, (width, height), element, quantised=is_quantised(model))


def _tried(
    model: ModelProto, family: Family, size: tuple[int, int], element: str, *, quantised: bool
) -> Verdict:
    """Run the network on pictures that differ and judge what comes out."""
    import numpy as np  # noqa: PLC0415

    from models.decode import decode  # noqa: PLC0415
    from models.errors import ImportRefused  # noqa: PLC0415

    data = model.SerializeToString(deterministic=True)
    session = _session(data, family)
    inputs = _pictures(family, size, element)
    (name,) = [each.name for each in session.get_inputs()]
    started = time.perf_counter()
    results = [_run(session, name, image, family) for image in inputs]
    spent = (time.perf_counter() - started) / len(inputs)
    match = _form(results[0], family, size)
    for result in results:
        if [each.shape for each in result] != [each.shape for each in results[0]]:
            raise ImportRefused("the size of an output depends on the picture", family.export)
        if not all(np.isfinite(each).all() for each in result):
            raise ImportRefused(
                "the network gives values that are no numbers (NaN or infinite)",
                "Export it in float32, or quantise it anew.",
            )
    _fix_outputs(model, results[0])
    figure = [results[0][index] for index in match.order]
    return Verdict(
        data=model.SerializeToString(deterministic=True),
        form=match.form.name,
        order=match.order,
        width=size[0],
        height=size[1],
        element=element,
        quantised=quantised,
        milliseconds=spent * 1e3,
        people=len(decode(match.form.decoder, family, figure, size).found),
    )


def _session(data: bytes, family: Family) -> Any:
    from models.errors import ImportRefused  # noqa: PLC0415
    from models.runtime import session  # noqa: PLC0415

    try:
        return session(data, threads=1)
    except Exception as error:  # the runtime's errors have no other class in common
        if _is_memory(error):
            raise MemoryError from error
        raise ImportRefused(
            f"ONNX Runtime cannot load the network: {_told(error)}", f"Export it again. {family.export}"
        ) from error


def _run(
    session: Any, name: str, image: npt.NDArray[np.generic], family: Family
) -> list[npt.NDArray[np.float32]]:
    from models.errors import ImportRefused  # noqa: PLC0415

    try:
        result: list[npt.NDArray[np.float32]] = session.run(None, {name: image})
    except Exception as error:
        if _is_memory(error):
            raise MemoryError from error
        raise ImportRefused(
            f"the network cannot be computed: {_told(error)}", f"Export it again. {family.export}"
        ) from error
    return result


def _form(result: list[npt.NDArray[np.float32]], family: Family, size: tuple[int, int]) -> Match:
    from models.errors import ImportRefused  # noqa: PLC0415
    from models.families import matching  # noqa: PLC0415

    shapes = [each.shape for each in result]
    said = ", ".join(" x ".join(map(str, shape)) for shape in shapes[:4])
    matches = matching(family, shapes, *size)
    if not matches:
        wanted = "; ".join(
            f"{form.name}: {', '.join(' x '.join(map(str, each)) for each in form.outputs)}"
            for form in family.forms
        )
        raise ImportRefused(
            f"the outputs are {said}, which is no form of {family.title} ({wanted})",
            f"Is it another family, or for other keypoints than COCO's 17? {family.export}",
        )
    if len(matches) > 1:
        raise ImportRefused(f"the outputs, {said}, could be more than one form", family.export)
    for each in result:
        if each.dtype.name != "float32":
            raise ImportRefused(f"an output is {each.dtype.name}; float32 is needed", family.export)
    return matches[0]


def _pictures(family: Family, size: tuple[int, int], element: str) -> list[npt.NDArray[np.generic]]:
    """A drawn person, the same in another place, noise, and nothing: inputs of the network."""
    import numpy as np  # noqa: PLC0415

    from models.decode import letterbox, tensor  # noqa: PLC0415

    figure = _figure()
    noise = np.random.default_rng(7).integers(0, 256, (256, 256, 3), np.uint8)
    scenes = [figure, np.roll(figure, 40, axis=1), noise, np.zeros_like(figure)]
    return [
        tensor(letterbox(np.ascontiguousarray(scene), *size, family.input.fill)[0], family.input, element)
        for scene in scenes
    ]


@functools.cache
def _figure() -> npt.NDArray[np.uint8]:
    """The drawn person, BGR: it takes longer to draw than to read."""
    from models.figure import draw  # noqa: PLC0415

    return draw(256)[:, :, ::-1]


def _fix_outputs(model: ModelProto, result: list[npt.NDArray[np.float32]]) -> None:
    """Write down the sizes that the outputs really have."""
    for info, each in zip(model.graph.output, result, strict=True):
        shape = info.type.tensor_type.shape
        del shape.dim[:]
        for size in each.shape:
            shape.dim.add().dim_value = size


def _is_memory(error: Exception) -> bool:
    text = str(error)
    return "bad_alloc" in text or "allocate memory" in text or "bad allocation" in text


def _told(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return ascii(lines[0][:200])[1:-1]


def _too_large() -> Verdict:
    return Verdict(
        refused=f"the network needs more than {MOST_MEMORY // 1024**3} GB of memory",
        remedy="Use a smaller model or a smaller input.",
    )


if __name__ == "__main__":
    main()
