"""`kinebox update`: signed releases on a box."""
# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import typer

update_app = typer.Typer(no_args_is_help=True, help="Install signed releases, and go back where one is bad.")


@update_app.command("new-key")
def new_key_command(
    file: Annotated[Path, typer.Argument(help="Where the private key is written; the public one beside it.")],
) -> None:
    """Make a key that signs releases. Boxes trust its .pub in /etc/kinebox/update-keys."""
    from edge.device.keys import new_key

    typer.echo(f"Keep {file} to yourself. Boxes need {new_key(file)}")
