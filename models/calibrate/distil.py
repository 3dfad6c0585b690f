"""Training of the landmark network's recipe by distillation: INT8 learns to answer as its float parent does.

Calibration sets each layer right by itself; this turns all biases and scales together. Weights are not changed,
so what comes of it is a recipe like any other.

`python -m models.calibrate.distil SOURCE...` improves the committed recipe on the pictures it was calibrated on.
"""
# ruff: noqa: PLC0415 - what stands on PyTorch is imported once it is known to be there

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import onnx
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from edge.errors import ConfigError, KineboxError
from models.calibrate.drift import landmark_drift
from models.calibrate.lessons import Lessons, crops
from models.calibrate.samples import Cutter
from models.files import write_atomic
from models.load import DEFAULT_MODEL, model_bytes
from models.quantise import quantise
from models.quantise.recipe import RECIPES, dump, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from models.calibrate.differentiable import Student
    from models.regions import Floats

_STEPS = 1800
_WARM_UP = 20

_messages = Console(stderr=True, soft_wrap=True, highlight=False)


class Rates(NamedTuple):
    """How far one step of training goes at most: biases in steps of their tensor, scales as a share."""

    shifts: float = 0.01
    log_scales: float = 0.0005


_RATES = Rates()


def check_torch() -> None:
    """Raise ConfigError where PyTorch is not installed."""
    if importlib.util.find_spec("torch") is None:
        raise ConfigError(
            "training a recipe needs PyTorch, which is not installed",
            "Install it into Kinebox's environment: pip install torch (its build for the processor suffices)."
            " Building and running the models needs no PyTorch.",
        )


def train(
    student: Student,
    batch: Callable[[], tuple[Floats, Mapping[str, Floats]]],
    distance: Callable[[Mapping[str, torch.Tensor], Mapping[str, torch.Tensor]], torch.Tensor],
    *,
    steps: int,
    rates: Rates = _RATES,
    step: Callable[[float], None],
) -> None:
    """Bring the student's answers nearer to those wanted (Adam; the rate rises, then falls as a cosine).

    batch: gives inputs and the outputs wanted by name. step: called with the loss of each step once it is done.
    """
    import torch

    chosen = zip((student.shifts, student.log_scales), rates, strict=True)
    groups = [{"params": list(leaves.values()), "lr": rate} for leaves, rate in chosen]
    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.99))
    for number in range(steps):
        share = min(1, (number + 1) / _WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * number / steps))
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * share
        inputs, wanted = batch()
        targets = {name: torch.tensor(value) for name, value in wanted.items()}
        loss = distance(student(torch.tensor(inputs)), targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step(loss.item())


def run(sources: Sequence[Path], start: Path, output: Path, steps: int, stills: int | None) -> None:
    """Train the recipe `start` on the pictures of `sources`, write it to `output` and print what came of it.

    Raises ConfigError where PyTorch is missing or nobody is found, RecipeMismatch where the recipe does not fit.
    """
    check_torch()
    import torch

    from models.calibrate.differentiable import Student
    from models.calibrate.distance import distance

    torch.set_num_threads(1)  # sums on several come in another order: the result would not be repeatable
    fp32 = model_bytes("landmark", "fp32")
    before = load(start)
    files = [quantise(fp32, before)]
    with _progress() as progress:
        task = progress.add_task("crops", total=None)
        found = crops(Cutter(model_bytes("detector", "fp32"), fp32), sources, stills)
        if not found.stills and not found.clips:
            raise ConfigError(
                "nobody is found in these pictures", "Name folders, pictures and clips of people."
            )
        drifts = [landmark_drift(fp32, files[0], found.judged)]
        student = Student(onnx.load_from_string(fp32), before)
        lessons = Lessons(fp32, (found.stills, found.clips))
        progress.update(task, total=steps)

        def tell(loss: float) -> None:
            progress.update(task, description=f"loss {loss:.4f}", advance=1)

        train(student, lessons.batch, distance, steps=steps, step=tell)
    recipe = student.recipe()
    files.append(quantise(fp32, recipe))
    write_atomic(output, dump(recipe))
    drifts.append(landmark_drift(fp32, files[1], found.judged))
    print(f"trained on {len(found.stills)} crops of stills and {len(found.clips)} of clips")
    for when, drift in zip(("before", "after"), drifts, strict=True):
        print(f"{when}: {drift}")
    print(f'landmark: int8 = {{ sha256 = "{hashlib.sha256(files[1]).hexdigest()}", size = {len(files[1])} }}')


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the biases and scales of the landmark network's recipe (for developers; needs PyTorch)."""
    installed = RECIPES / f"{DEFAULT_MODEL}-landmark.json"
    parser = argparse.ArgumentParser(prog="python -m models.calibrate.distil", description=main.__doc__)
    parser.add_argument("sources", nargs="+", type=Path, help="folders, pictures and clips of people")
    parser.add_argument(
        "--recipe", type=Path, default=installed, help="to start from; else the installed one"
    )
    parser.add_argument("--output", type=Path, default=installed, help="else it replaces the installed one")
    parser.add_argument("--steps", type=int, default=_STEPS, help=f"of 8 crops, some 1.3 s each ({_STEPS})")
    parser.add_argument("--stills", type=int, help="how many crops, from the first, count as those of stills")
    given = parser.parse_args(arguments)
    if given.steps < 1:
        parser.error("--steps: at least one")
    if given.stills is not None and given.stills < 0:
        parser.error("--stills: none or more")
    if absent := [str(path) for path in given.sources if not path.exists()]:
        parser.error(f"no such file or folder: {', '.join(absent)}")
    try:
        run(given.sources, given.recipe, given.output, given.steps, given.stills)
    except KineboxError as error:
        _messages.print(f"{error}\n{error.remedy}".rstrip(), markup=False)
        sys.exit(error.exit_code)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=_messages,
        transient=True,
    )


if __name__ == "__main__":
    main()
