"""What several commands of `kinebox` have in common: options, and how things are told."""
# ruff: noqa: PLC0415 - as in cli.py: what only a command needs is imported there

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from edge.errors import KineboxError

# What is not ours (names of files, messages) goes into Text: as a string, `[/b]` or `:x:` in it would be markup.
messages = Console(stderr=True)
NO_DEPTH = (
    "Imported models give no depth, by which exercises are recognised: what repeats is counted as a movement without "
    "a name, and not all of it. Name the exercise with --exercise"
)

ModelOption = Annotated[
    str, typer.Option(envvar="KINEBOX_MODEL", help="Pose model: blazepose, or the name of an imported one.")
]
ExerciseOption = Annotated[str, typer.Option(help="Id of an exercise, or auto to recognise it.")]


def adopt_own_exercises() -> None:
    """Know the exercises that the user has added, besides Kinebox's own."""
    from edge.coach.library import adopt, library
    from edge.store.paths import exercise_folders

    adopt(library(exercise_folders()))


def tell(error: KineboxError) -> None:
    """What happened, and what to do about it."""
    messages.print(Text.assemble(("kinebox: ", "red"), str(error)), soft_wrap=True)
    if error.remedy:
        messages.print(Text(error.remedy), soft_wrap=True)
