"""`kinebox update`, `backup` and `restore`: the life of a box."""
# ruff: noqa: PLC0415

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

update_app = typer.Typer(no_args_is_help=True, help="Install signed releases, and go back where one is bad.")

PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        help="Read the passphrase from the first line of this file (- is standard input), do not ask."
    ),
]

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
    if found.refused:
        _out.print(Text(f"The cloud wants another release, which was refused: {found.refused}"))


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


@update_app.command("fetch")
def fetch_command() -> None:
    """Fetch what the cloud wants to run here, from where the owner says: for kinebox-fetch.service."""
    from edge.device.follow import fetch_wanted
    from edge.device.tree import ROOT

    if text := fetch_wanted(ROOT):
        typer.echo(text)


@update_app.command("follow")
def follow_command() -> None:
    """Install what was fetched, as `apply` does, once nobody trains: for kinebox-follow.service."""
    from edge.device.follow import follow
    from edge.device.update import Machine

    if text := follow(Machine()):
        typer.echo(text)


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


def backup_command(
    file: Annotated[Path, typer.Argument(help="The file to write, such as one on a USB stick.")],
    passphrase_file: PassphraseFile = None,
    identity: Annotated[
        bool,
        typer.Option(
            "--identity",
            help="Also certificates, keys, device id and access token: who restores it is this box.",
        ),
    ] = False,
) -> None:
    """Write everything that the box knows into one encrypted file, while it goes on working.

    Sessions, what waits for the cloud, settings, calibration and your own exercises. The file opens with its
    passphrase only: nobody can help who has lost it.
    """
    from edge.device.backup import back_up, check
    from edge.device.parts import places

    passphrase = _passphrase(passphrase_file, confirm=True)
    check(passphrase)
    size = back_up(file, passphrase, places(), identity=identity)
    typer.echo(f"{file}: {size / 1e6:.1f} MB")


def restore_command(
    file: Annotated[Path, typer.Argument(help="A file that kinebox backup wrote.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Put what a backup holds in the place of what the box knows, which is kept beside it as *.before-TIME.

    The hub is stopped meanwhile.
    """
    from datetime import UTC, datetime

    from edge.device.parts import places
    from edge.device.restore import restore
    from edge.device.systemd import without_hub

    passphrase = _passphrase(passphrase_file, confirm=False)
    with without_hub():
        about = restore(file, passphrase, places())
    typer.echo(
        f"Restored what Kinebox {about.kinebox} kept on {datetime.fromtimestamp(about.made, UTC):%Y-%m-%d %H:%M} UTC"
    )


def _passphrase(file: Path | None, *, confirm: bool) -> str:
    """Never from the command line, which every user of the machine can read."""
    from edge.errors import BackupError

    if file is None:
        return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True))
    try:
        text = sys.stdin.readline() if file == Path("-") else file.read_text(encoding="utf-8").split("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(
            f"the passphrase cannot be read from {file}", "Name a readable file, or -"
        ) from error
    return text.rstrip("\r\n")
