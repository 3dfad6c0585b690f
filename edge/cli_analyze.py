"""`kinebox analyze`: what is in a video, as a table or JSON."""
# ruff: noqa: PLC0415, TC003 - as in cli.py: what only a command needs is imported there; typer reads annotations

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from edge.cli_common import NO_DEPTH, ExerciseOption, ModelOption, adopt_own_exercises, messages, tell
from edge.errors import ConfigError, KineboxError
from edge.evaluate.command import Precision
from models.load import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Collection

    from edge.analyze import ClipError, ClipReport
    from edge.calibration import CameraSettings

_WARNINGS = {
    "turned": "taken with the camera held sideways; the pictures were turned upright",
    "variable_frame_rate": "the frame rate varies; every picture was taken at its own time",
    "truncated": "the file breaks off before its end; what was there has been analysed",
    "black": "some of it is black",
    "no_depth": "its keypoints have no depth, by which exercises are recognised: name the exercise with --exercise",
}


class Species(StrEnum):
    """Who is analysed."""

    human = "human"
    dog = "dog"


def analyze_command(
    video: Annotated[Path, typer.Argument(help="A video, a recorded trace, or a folder of them.")],
    exercise: ExerciseOption = "auto",
    species: Annotated[Species, typer.Option(help="Who moves.")] = Species.human,
    reference: Annotated[Path | None, typer.Option(help="A target video to compare with.")] = None,
    height_m: Annotated[
        float | None,
        typer.Option(min=0.3, max=2.6, help="Body height, in metres: needed for lengths in metres."),
    ] = None,
    camera_settings: Annotated[
        Path | None,
        typer.Option(
            help="For clips of a box's camera, its config.toml or its state folder's camera.json: parts left out, "
            "station, field of view, body height."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report (JSON), measurements (CSV) and keypoint trace.")
    ] = None,
    format: Annotated[  # noqa: A002
        str,
        typer.Option(
            help="More files for --out, separated by commas: trc (markers in metres and in pixels, for OpenSim and "
            "Sports2D), mot (angles, for OpenSim), c3d (markers), csv or json (keypoints over time)."
        ),
    ] = "",
    precision: Annotated[
        Precision, typer.Option(help="int8 is the fast one, fp32 the fallback.")
    ] = Precision.int8,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Processor threads of the model.")] = 2,
    model: ModelOption = DEFAULT_MODEL,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count and measure the movement in a video, with the pipeline the box runs live."""
    from edge import analyze as analysis
    from edge.analyze_out import display_name
    from edge.coach.coach import AUTO
    from edge.coach.observer import Observer
    from edge.export import check_formats, parse_formats
    from models.imported import check_model

    if species is Species.dog:
        raise ConfigError("this release has no pose model for dogs", "Analyse people with --species human.")
    if reference is not None:
        raise ConfigError("this release cannot compare with a reference video yet", "Leave --reference out.")
    adopt_own_exercises()
    Observer(exercise)  # an unknown exercise is told once, not for every clip
    formats = parse_formats(format)
    check_formats(formats)
    if formats and out is None:
        raise ConfigError("--format says what is written, but not where", "Add --out FOLDER.")
    settings = _settings(camera_settings, height_m)
    check_model(model)  # told once, not for every clip
    told: set[str] = set()
    if model != DEFAULT_MODEL and exercise == AUTO:
        messages.print(Text(f"{NO_DEPTH}.", "yellow"), soft_wrap=True)
        told.add("no_depth")
    files = analysis.clips(video)
    if out is not None:
        analysis.refuse_overwriting(files, out)
    reports: list[ClipReport | ClipError] = []
    code = 0
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed} frames"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=messages, transient=True) as progress:
        for file in files:
            name = display_name(file)
            task = progress.add_task(name, total=None)
            try:
                report = analysis.analyze(
                    file,
                    exercise=exercise,
                    precision=precision.value,
                    threads=threads,
                    model=model,
                    settings=settings,
                    out=out,
                    formats=formats,
                    progress=partial(progress.advance, task),
                )
            except KineboxError as error:
                if not video.is_dir():
                    raise
                tell(error)
                reports.append(analysis.ClipError(file=name, error=str(error), remedy=error.remedy))
                code = code or error.exit_code
            else:
                reports.append(report)
            progress.remove_task(task)
    if json:
        result = {"schema": analysis.SCHEMA, "clips": reports} if video.is_dir() else reports[0]
        typer.echo(msgspec.json.encode(result).decode())
    else:
        Console().print(_analysis_table(reports, told))
    raise typer.Exit(code)


def _settings(file: Path | None, height_m: float | None) -> CameraSettings:
    """What is told of the camera in `file`; a body height that is given goes before."""
    from edge.calibration import CameraSettings
    from edge.camera_setup import named_settings

    said = CameraSettings() if file is None else named_settings(file)
    return said if height_m is None else replace(said, height_m=height_m)


def _analysis_table(reports: list[ClipReport | ClipError], told: Collection[str]) -> Table:
    """A row for everyone in each clip. Its warnings go to standard error, less those `told` before."""
    from edge.analyze import ClipError

    table = Table("Clip", "Who", "Seen", "Exercise", "Reps", "Partial", "Hold")
    for report in reports:
        clip = Text(report.file)
        if isinstance(report, ClipError):
            table.add_row(clip, Text("not analysed", "red"))
            continue
        if not report.subjects:
            table.add_row(clip, "nobody was found")
        for subject in report.subjects:
            table.add_row(
                clip,
                f"{subject.species} {subject.id}",
                f"{subject.first_s:.1f}-{subject.last_s:.1f} s",
                subject.exercise or subject.gait or "not recognised",
                str(subject.reps),
                str(subject.partial_reps),
                f"{subject.hold_s:.1f} s" if subject.hold_s else "",
            )
        for warning in (warning for warning in report.warnings if warning not in told):
            messages.print(Text(f"{report.file}: {_WARNINGS[warning]}", "yellow"), soft_wrap=True)
    return table
