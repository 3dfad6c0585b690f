"""`kinebox exercises`: what the coach knows, and how to teach it more."""
# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from edge.store.paths import added_exercises, exercise_folders

if TYPE_CHECKING:
    from edge.coach.exercise import Exercise
    from edge.coach.library import Library

COUNTED = {"reps": "repetitions", "hold": "seconds", "rhythm": "its rhythm", "other": "not counted"}
"""What is counted of each kind."""

app = typer.Typer(no_args_is_help=True, help="List the exercises, check your own and add them.")

# Names, cues and files may be the user's: as strings, brackets in them would be markup.
_out = Console(soft_wrap=True, highlight=False)
_messages = Console(stderr=True, soft_wrap=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
FileArgument = Annotated[Path, typer.Argument(help="A TOML file with one exercise (docs/exercises.md).")]


@app.command("list")
def list_command(json: Json = False) -> None:
    """List every exercise, the box's and your own, and the files that were refused."""
    library = _library()
    if json:
        _print(
            {"exercises": [_info(row, library) for row in library.rows.values()], "refused": library.refused}
        )
        return
    table = Table(Column("Id", no_wrap=True), "Name", "Counted", "Camera", "From")
    for row in library.rows.values():
        file = library.files.get(row.id)
        counted = COUNTED[row.kind]
        camera = row.camera.replace("_", " ")
        cells = row.id, row.name["en"], counted, camera, str(file or "the box")
        table.add_row(*map(Text, cells))
    _out.print(table)
    for refused in library.refused:
        _messages.print(Text(f"refused: {refused}", "yellow"))


@app.command("show")
def show_command(
    exercise: Annotated[str, typer.Argument(help="Id of an exercise.")], json: Json = False
) -> None:
    """Show what an exercise is counted by and told by, and what good form is."""
    from rich.markdown import Markdown

    from edge.coach.page import section
    from edge.errors import ConfigError

    library = _library()
    row = library.rows.get(exercise)
    if row is None:
        raise ConfigError(f"there is no exercise {exercise}", "kinebox exercises list names them all.")
    if json:
        _print(_info(row, library) | {"row": row})
    else:
        _out.print(Markdown(section(row)), soft_wrap=False)


@app.command("check")
def check_command(file: FileArgument, json: Json = False) -> None:
    """Check a file: whether it is an exercise, and otherwise in which line it is not (exit 6)."""
    from edge.coach.library import BadRowError, check

    try:
        row = check(file, _library())
    except BadRowError as error:
        if json:
            _print({"ok": False, "refused": error.refused})
            raise typer.Exit(error.exit_code) from None
        raise
    if json:
        _print({"ok": True, "id": row.id})
    else:
        _out.print(Text(f"{file}: {row.id} is a good exercise"))


@app.command("add")
def add_command(
    file: FileArgument,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in place of one added before.")] = False,
    json: Json = False,
) -> None:
    """Add an exercise of your own; the box knows it from its next start on."""
    from edge.coach.library import read_exercise, save

    read_exercise(file)  # speaks of the file, where `save` speaks of a new row
    row = save(file.read_text(encoding="utf-8"), added_exercises(), _library(), replace=replace)
    added = added_exercises() / f"{row.id}.toml"
    if json:
        _print({"id": row.id, "file": str(added)})
    else:
        _out.print(Text(f"{row.id} is added: {added}"))


def _library() -> Library:
    from edge.coach.library import library

    return library(exercise_folders())


def _info(row: Exercise, library: Library) -> dict[str, object]:
    """What `list` says of a row."""
    file = library.files.get(row.id)
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "species": row.species,
        "camera": row.camera,
        "auto": row.auto,
        "file": None if file is None else str(file),
    }


def _print(value: object) -> None:
    typer.echo(msgspec.json.encode(value).decode())
