"""`kinebox models import`: from a file of anybody's to a model that Kinebox uses."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from models import families
from models.errors import ImportRefused
from models.examine import MOST_SECONDS, Verdict
from models.gate import check as check_loss
from models.imported import Accuracy, Imported, check_name, described, save
from models.static import quantise_static

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from models.catalogue import Precision
    from models.gate import Score

MOST_BYTES = 256 * 1024**2
"""Of a file: the largest YOLO-pose of the sizes n to l has half of it."""


def import_model(
    path: Path,
    *,
    family: str,
    name: str,
    inputs: Callable[[Imported], Iterable[npt.NDArray[np.generic]]] | None = None,
    score: Score | None = None,
    pictures: int = 0,
    step: Callable[[str], None] = lambda _: None,
) -> tuple[Imported, Verdict]:
    """Examine, quantise, measure and keep the model at `path`.

    inputs: the network's inputs to calibrate INT8 on, made when the model's size is known; None: no INT8.
    score: percent of joints found right, of a model and the bytes of one of its files; `pictures`: on so many.
    step: called before each step with its name.
    Raises ConfigError for an unknown family, ImportRefused with the reason, WriteFailed.
    """
    check_name(name)
    row = families.family(family)
    step("examine")
    verdict = examine(read(path), family)
    first: Precision = "int8" if verdict.quantised else "fp32"
    files = {first: verdict.data}
    model = Imported(
        name=name,
        family=row.name,
        form=verdict.form,
        order=verdict.order,
        width=verdict.width,
        height=verdict.height,
        element=verdict.element,
        files={first: described(verdict.data)},
    )
    if inputs is not None:
        if verdict.quantised:
            raise ImportRefused("the network is quantised already", "Leave --quantise out.")
        step("quantise")
        made = quantise_static(verdict.data, inputs(model))
        again = examine(made, family)
        if (again.form, again.order) != (verdict.form, verdict.order):
            raise ImportRefused("quantised, the network has other outputs", "Leave --quantise out.")
        files["int8"] = again.data
        model = msgspec.structs.replace(
            model, files={precision: described(data) for precision, data in files.items()}
        )
    if score is not None:
        pck: dict[Precision, float] = {}
        for precision, data in files.items():
            step(f"measure {precision}")
            pck[precision] = score(model, data)
        check_loss(pck)
        model = msgspec.structs.replace(model, accuracy=Accuracy(pck=pck, pictures=pictures))
    step("keep")
    save(model, files)
    return model, verdict


def read(path: Path) -> bytes:
    """The bytes of a file that may be a model; raises ImportRefused."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not make it wait
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror}", "Check the path.") from error
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise ImportRefused(f"{path} is no file", "Give the .onnx file itself.")
        if not 0 < about.st_size <= MOST_BYTES:
            raise ImportRefused(
                f"{path} has {about.st_size / 1e6:,.1f} MB; models have some, up to {MOST_BYTES / 1e6:.0f}",
                "Use a smaller model, and save it as one file.",
            )
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(MOST_BYTES)
    finally:
        os.close(handle)


def examine(data: bytes, family: str) -> Verdict:
    """What `models.examine` says of a file, in a process of its own; raises ImportRefused."""
    command = [sys.executable, "-m", "models.examine", family]
    try:
        done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=2 * MOST_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise _ended("does not come to an end") from error
    try:
        verdict = msgspec.msgpack.decode(done.stdout, type=Verdict)
    except msgspec.DecodeError as error:
        raise _ended(
            "takes more memory or time than it may, or ends the process that reads it"
            + (f" (signal {-done.returncode})" if done.returncode < 0 else "")
        ) from error
    if verdict.refused:
        raise ImportRefused(verdict.refused, verdict.remedy)
    return verdict


def _ended(what: str) -> ImportRefused:
    return ImportRefused(
        f"the file {what}", "It is damaged, hostile or too large for a box: use another, smaller model."
    )
