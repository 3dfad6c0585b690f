"""`kinebox models import` and `remove`: models that the user brings.

Here and not in `models`, because the pictures to calibrate on are seen with the box's own detector.
"""
# ruff: noqa: PLC0415 - as in models/cli.py: what only one command needs is imported there

from __future__ import annotations

import functools
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from edge.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import numpy.typing as npt

    from edge.vision.detector import Detector
    from models.decode import Box
    from models.imported import Imported

_messages = Console(stderr=True, soft_wrap=True, highlight=False)
_FRAMES_A_CLIP = 8
_MOST_INPUTS = 200
"""Pictures that a calibration looks at: more change the ranges no more, and each takes memory."""


def import_command(
    file: Annotated[Path, typer.Argument(help="The .onnx file.")],
    family: Annotated[str, typer.Option(help="What it is: yolo-pose, rtmpose or movenet.")],
    name: Annotated[str, typer.Option(help="What it shall be called here: small letters, digits, hyphens.")],
    quantise: Annotated[
        bool, typer.Option("--quantise", help="Also make an INT8 model of it; needs --calibrate.")
    ] = False,
    calibrate: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="Pictures or clips of people, or a folder of them; may be repeated."),
    ] = None,
    eval_folder: Annotated[
        Path | None,
        typer.Option(
            "--eval", help="Folder of labelled pictures (joints.json): measures the model; INT8 must pass."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Check a pose model that you bring, try it, and keep it under a name for analyze and run.

    A file that is not what its family is, or that may be hostile, is refused with the reason (exit code 4).
    """
    from edge.evaluate.imported import score
    from edge.evaluate.lsp import read_labels
    from models import families
    from models.importing import import_model

    row = families.family(family)
    if quantise and not calibrate:
        raise ConfigError(
            "--quantise needs pictures of people", "Add --calibrate FOLDER, with pictures like the box's."
        )
    if calibrate and not quantise:
        raise ConfigError("--calibrate is for --quantise alone", "Add --quantise, or leave --calibrate out.")
    if quantise and eval_folder is None:
        raise ConfigError(
            "whether INT8 loses accuracy can only be told on labelled pictures",
            "Add --eval FOLDER (docs/models.md says what lies in it), or leave --quantise out.",
        )
    labels = read_labels(eval_folder) if eval_folder is not None else []
    with _messages.status("examine") as status:
        model, verdict = import_model(
            file,
            family=family,
            name=name,
            inputs=functools.partial(_inputs, calibrate or [], _boxes) if quantise else None,
            score=functools.partial(score, labels=labels) if labels else None,
            pictures=len(labels),
            step=status.update,
        )
    if json:
        told = msgspec.to_builtins(model) | {
            "licence": row.licence,
            "milliseconds": round(verdict.milliseconds, 2),
            "found_the_figure": verdict.people > 0,
        }
        typer.echo(msgspec.json.encode(told).decode())
        return
    _tell(model, verdict.milliseconds, found=verdict.people > 0)
    _messages.print(Text(row.licence, "yellow"))


def remove_command(
    name: Annotated[str, typer.Argument(help="Name of an imported model.")],
) -> None:
    """Forget an imported model and delete its files."""
    from models import imported

    imported.remove(name)
    _messages.print(Text(f"{name} is removed."))


def _tell(model: Imported, milliseconds: float, *, found: bool) -> None:
    size = ", ".join(f"{precision} {file.size / 1e6:.1f} MB" for precision, file in model.files.items())
    _messages.print(
        Text(
            f"Imported {model.name}: {model.row.title}, {model.form}, {model.width} x {model.height}, {size}; "
            f"{milliseconds:.1f} ms a picture on one thread of this machine."
        )
    )
    if not found:
        _messages.print(
            Text(
                "It does not see the person in the drawn picture for tests. A model for real pictures may not; "
                "try it: kinebox analyze CLIP --model " + model.name,
                "yellow",
            )
        )
    if model.accuracy is not None:
        said = ", ".join(f"{precision} {value:.1f} %" for precision, value in model.accuracy.pck.items())
        _messages.print(Text(f"PCK@0.2 on {model.accuracy.pictures} pictures: {said}."))
    _messages.print(Text(f"Use it: kinebox analyze CLIP --model {model.name}"))


def _inputs(
    sources: list[Path],
    boxes: Callable[[npt.NDArray[np.uint8]], list[Box]],
    model: Imported,
) -> Iterator[npt.NDArray[np.generic]]:
    """What the network reads of pictures of people; those for a top-down one are cut out around whom we find."""
    from itertools import islice

    import numpy as np

    from models.calibrate.footage import pictures
    from models.decode import cut, letterbox, tensor

    wanted, size = model.row.input, (model.width, model.height)

    def fitted() -> Iterator[npt.NDArray[np.uint8]]:
        for rgb in pictures(sources, _FRAMES_A_CLIP):
            bgr = np.ascontiguousarray(rgb[:, :, ::-1])
            if model.row.top_down:
                yield from (cut(bgr, box, *size, wanted.fill)[0] for box in boxes(bgr))
            else:
                yield letterbox(bgr, *size, wanted.fill)[0]

    return (tensor(each, wanted, model.element) for each in islice(fitted(), _MOST_INPUTS))


def _boxes(bgr: npt.NDArray[np.uint8]) -> list[Box]:
    """Where Kinebox' own detector finds people."""
    from edge.vision.imported import box_of

    return [box_of(found.roi) for found in _detector().detect(bgr)]


@functools.cache
def _detector() -> Detector:
    from edge.vision.detector import Detector

    return Detector("int8", threads=2)
