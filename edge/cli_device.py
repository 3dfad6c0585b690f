"""`kinebox update`, `backup` and `restore`: the life of a box."""
# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

update_app = typer.Typer(no_args_is_help=True, help="Install signed releases, and go back where one is bad.")

_out = Console(soft_wrap=True, highlight=False)


@update_app.command("apply")
def apply_command(
    source: Annotated[Path, typer.Argument(help="A release: its folder, or the file that it came in.")],
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for the end of a session; without it, none.")
    ] = 0,
) -> None:
    """Install a release of the software or the models, and take it back if the box does not stay healthy.

    Nothing changes while somebody is before the camera.
    """
    from edge.device.update import Machine, apply

    typer.echo(apply(Machine(), source, wait_s=wait))


@update_app.command("status")
def status_command(
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Tell which releases there are, how the last update ended and whether the box is healthy."""
    from edge.device.update import Machine, status

    found = status(Machine())
    if json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table("", "Current", "Previous", "On trial", "Last update")
    for name, tree in (("software", found.software), ("models", found.models)):
        last = f"{tree.last.version}: {tree.last.result} {tree.last.reason}" if tree.last else ""
        table.add_row(
            name, *(Text(text or "-") for text in (tree.current, tree.previous, tree.pending, last))
        )
    _out.print(table)
    _out.print(Text(found.problem or "The box is healthy."))


@update_app.command("rollback")
def rollback_command(
    automatic: Annotated[
        bool,
        typer.Option("--automatic", help="Only where an update is on trial: for kinebox-rollback.service."),
    ] = False,
    models: Annotated[bool, typer.Option("--models", help="The models instead of the software.")] = False,
) -> None:
    """Go back to the release before, at once."""
    from edge.device.manifest import MODELS, SOFTWARE
    from edge.device.update import Machine, roll_back

    for line in roll_back(Machine(), MODELS if models else SOFTWARE, automatic=automatic):
        typer.echo(line)


@update_app.command("resume")
def resume_command() -> None:
    """Finish an update that a power cut interrupted: at each start, for kinebox-update.service."""
    from edge.device.update import Machine, resume

    for line in resume(Machine()):
        typer.echo(line)


@update_app.command("link-units")
def link_units_command() -> None:
    """Let systemd find the units of the release in use, whichever that is from now on."""
    from edge.device.manifest import SOFTWARE
    from edge.device.systemd import Systemd
    from edge.device.tree import trees

    Systemd().link(trees()[SOFTWARE])


@update_app.command("keys")
def keys_command() -> None:
    """List the keys that may sign what this box installs."""
    from edge.device.keys import TRUSTED, fingerprint, trusted_keys

    for name, key in trusted_keys().items():
        typer.echo(f"{fingerprint(key)}  {TRUSTED / name}.pub")


@update_app.command("new-key")
def new_key_command(
    file: Annotated[Path, typer.Argument(help="Where the private key is written; the public one beside it.")],
) -> None:
    """Make a key that signs releases. Boxes trust its .pub in /etc/kinebox/update-keys."""
    from edge.device.keys import new_key

    typer.echo(f"Keep {file} to yourself. Boxes need {new_key(file)}")
