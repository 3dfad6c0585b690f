"""The command `kinebox models eval`."""
# ruff: noqa: PLC0415 - what it needs is imported when it runs, so that `kinebox --help` is quick

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from edge.errors import CameraError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.evaluate.nothing import Found
    from edge.evaluate.pck import Accuracy
    from edge.evaluate.people import SceneResult
    from edge.evaluate.reps import ClipFailed, ClipResult
    from models.imported import Imported

SCHEMA = 1
Result = TypeVar("Result")
Step = tuple[str, "Callable[..., Result]"]
"""Name of a clip, and what evaluates it; that calls its argument `progress` after each frame."""

_messages = Console(stderr=True)


class Precision(StrEnum):
    """Arithmetic of the pose models."""

    int8 = "int8"
    fp32 = "fp32"


class Runs(StrEnum):
    """Whether the coach is told the exercise."""

    given = "given"
    auto = "auto"
    both = "both"


def evaluate(
    reps: Annotated[
        Path | None, typer.Option(help="Folder of clips with their labels.json: count them and compare.")
    ] = None,
    nothing: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of clips without exercises: list what is counted. May be repeated."),
    ] = None,
    form: Annotated[
        Path | None,
        typer.Option(help="Folder of the tables of Exercise-Correction: judge the form in their pictures."),
    ] = None,
    pck: Annotated[
        Path | None,
        typer.Option(
            help="Folder of pictures with their joints.json (14 joints): how many joints are found."
        ),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="With --pck: an imported model, too. May be repeated.")
    ] = None,
    people: Annotated[
        Path | None,
        typer.Option(
            help="Folder with exercise, gait, dog and human_images: people found and kept apart in scenes of them."
        ),
    ] = None,
    drawn: Annotated[
        int, typer.Option(min=0, max=1000, help="With --people: so many further scenes, drawn by chance.")
    ] = 0,
    drawn_from: Annotated[
        int, typer.Option(min=0, max=100_000, help="The first of them; others follow.")
    ] = 0,
    exercise: Annotated[
        Runs, typer.Option(help="Tell the coach the exercise, let it find out, or try both.")
    ] = Runs.both,
    precision: Annotated[Precision, typer.Option(help="Of the pose models.")] = Precision.int8,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Processor threads of the model.")] = 2,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Measure on your own labelled clips how well exercises are counted and named, and joints found in pictures.

    Beside it stands the usual counter of one angle and two thresholds, on the same keypoints. The keypoints of a clip
    are kept in the cache, so the second time is quick.
    """
    from edge.evaluate import table
    from edge.evaluate.form import TASKS, evaluate_form
    from edge.evaluate.labels import read_labels
    from edge.evaluate.nothing import evaluate_nothing
    from edge.evaluate.reps import ClipFailed, by_source, evaluate_clip, totals

    if reps is None and not nothing and form is None and pck is None and people is None:
        raise ConfigError(
            "there is nothing to evaluate", "Give --reps, --nothing, --form, --pck or --people with a FOLDER."
        )
    seeds = _seeds(drawn, drawn_from, people)
    if people is not None and not people.is_dir():
        raise ConfigError(f"there is no folder {people}", "docs/people.md says what lies in it.")
    if model and pck is None:
        raise ConfigError("--model is for --pck alone", "Add --pck FOLDER, or leave --model out.")
    brought = _brought(model or [])
    counting: list[Step[ClipResult]] = []
    if reps is not None:
        clip = partial(evaluate_clip, reps, runs=exercise.value, precision=precision.value, threads=threads)
        counting = [(label.file, partial(clip, label)) for label in read_labels(reps)]
    quiet = partial(evaluate_nothing, precision=precision.value, threads=threads)
    idle: list[Step[Found]] = [(clip.name, partial(quiet, clip)) for clip in _clips(nothing or [])]
    answer: dict[str, object] = {"schema": SCHEMA}
    out = Console(width=None if Console().is_terminal else 140)
    failed: list[CameraError] = []
    if counting:
        results = _run("counting", counting, failed)
        done = [one for one in results if not isinstance(one, ClipFailed)]
        together, sources = totals(done), by_source(done)
        answer |= {"clips": results, "totals": together, "sources": sources}
        if not json:
            out.print(table.clips_table(results))
            out.print(table.totals_table(together, sources))
    if idle:
        found = _run("nothing to count", idle, failed)
        answer["nothing"] = found
        if not json:
            out.print(table.nothing_table(found))
    if form is not None:
        answer["form"] = judged = [evaluate_form(form, task) for task in TASKS]
        if not json:
            out.print(table.form_table(judged))
    if pck is not None:
        answer["pck"] = figures = _stills(pck, threads, brought)
        if not json:
            out.print(table.pck_table(figures))
    if people is not None:
        answer |= _people(people, seeds, precision.value, threads, failed, None if json else out)
    if json:
        typer.echo(msgspec.json.encode(answer).decode())
    raise typer.Exit(failed[0].exit_code if failed else 0)


def _brought(names: Sequence[str]) -> list[Imported]:
    """The imported models of these names: a damaged file is told before the others have run for minutes."""
    from models import imported

    models = [imported.load(name) for name in dict.fromkeys(names)]
    for model in models:
        for precision in model.files:
            imported.model_bytes(model, precision)
    return models


def _seeds(count: int, first: int, people: Path | None) -> range:
    """Those of the scenes drawn by chance."""
    if count and people is None:
        raise ConfigError("--drawn is for --people alone", "Add --people FOLDER, or leave --drawn out.")
    if first and not count:
        raise ConfigError("--drawn-from alone draws nothing", "Say with --drawn how many scenes.")
    return range(first, first + count)


def _people(
    data: Path,
    seeds: range,
    precision: Literal["int8", "fp32"],
    threads: int,
    failed: list[CameraError],
    out: Console | None,
) -> dict[str, object]:
    """Scenes of several people, clips without further ones, and annotated pictures; `out` is told as it goes."""
    from edge.evaluate import people_table
    from edge.evaluate.people import evaluate_clip, evaluate_scene
    from edge.evaluate.people_images import FOLDER, evaluate_images
    from edge.evaluate.scenes import rows
    from edge.evaluate.scenes_drawn import draw

    scene = partial(evaluate_scene, data=data, precision=precision, threads=threads)
    clip = partial(evaluate_clip, precision=precision, threads=threads)
    steps: list[Step[SceneResult]] = [(one.name, partial(scene, one)) for one in rows().scene]
    steps += [(one.clip, partial(clip, data / one.clip, people=one.people)) for one in rows().clip]
    results = _run("people", steps, failed)
    chance: list[Step[SceneResult]] = [(f"drawn {seed}", partial(scene, draw(seed))) for seed in seeds]
    more = _run("drawn by chance", chance, failed)
    for part in (results, more):
        if out is not None and part:
            out.print(people_table.scenes_table(part))
            out.print("\n".join(people_table.moments(part)), markup=False, highlight=False)
            out.print(people_table.counts_table(part))
            out.print(people_table.false_table(part))
    images = evaluate_images(data / FOLDER, precision=precision, threads=threads)
    if out is not None:
        out.print(people_table.images_table(images))
    return {"people": results, "drawn": more, "images": images}


def _stills(folder: Path, threads: int, models: Sequence[Imported]) -> list[Accuracy]:
    """Every pipeline on labelled pictures; where MediaPipe cannot be had, its absence is told."""
    from edge.evaluate.stills import evaluate_stills

    with _progress() as bar:

        def start(name: str, pictures: int) -> Callable[[], object]:
            return partial(bar.advance, bar.add_task(name, total=pictures))

        figures, missing = evaluate_stills(folder, threads=threads, models=models, start=start)
    if missing is not None:
        _messages.print(Text.assemble(("MediaPipe: ", "yellow"), missing), soft_wrap=True)
    return figures


def _clips(folders: Sequence[Path]) -> list[Path]:
    from edge.analyze import clips

    return [clip for folder in folders for clip in clips(folder)]


def _run(title: str, steps: Sequence[Step[Result]], failed: list[CameraError]) -> list[Result | ClipFailed]:
    """The result of each step; a clip that cannot be read is told, and does not keep the others from running."""
    from edge.evaluate.reps import ClipFailed

    results: list[Result | ClipFailed] = []
    with _progress() as bar:
        task = bar.add_task(title, total=len(steps))
        for name, step in steps:
            bar.update(task, description=f"{title}: {name}")
            try:
                results.append(step(progress=partial(bar.advance, task, 0)))
            except CameraError as error:
                failed.append(error)
                _messages.print(
                    Text.assemble((f"{name}: ", "red"), f"{error}. {error.remedy}"), soft_wrap=True
                )
                results.append(ClipFailed(file=name, error=str(error), remedy=error.remedy))
            bar.advance(task)
    return results


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=_messages,
        transient=True,
    )
