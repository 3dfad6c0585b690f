"""kinebox-dead-letters: what ingest refused, and another try for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import psycopg
import typer
from rich.console import Console
from rich.table import Table

from cloud.ingest.batch import Limits
from cloud.ingest.replay import Which, letters, replay

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="What ingest refused, and another try for it."
)
Url = Annotated[
    str, typer.Option("--database", envvar="KINEBOX_DATABASE_URL", help="postgresql://… as ingest has it")
]
Reason = Annotated[str | None, typer.Option(help="only those of one reason, such as unknown_device")]
Device = Annotated[str | None, typer.Option(help="only those on topics of the box with this UUID")]
Since = Annotated[datetime | None, typer.Option(help="only those received then or later, in UTC")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


def _which(reason: str | None, device: str | None, since: datetime | None) -> Which:
    return Which(reason, device, since.replace(tzinfo=UTC) if since else None)


def _fail(error: psycopg.Error) -> typer.Exit:
    typer.echo(f"The database does not do it: {error}", err=True)
    return typer.Exit(1)


@app.command("list")
def show(
    url: Url,
    reason: Reason = None,
    device: Device = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(help="at most so many, the latest first", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """Show letters."""
    try:
        found = letters(url, _which(reason, device, since), limit)
    except psycopg.Error as error:
        raise _fail(error) from error
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table("last received", "times", "reason", "topic", "bytes", "detail")
    for letter in found:
        table.add_row(f"{letter.pop('last_received'):%Y-%m-%d %H:%M:%S}", *map(str, letter.values()))
    Console().print(table)


@app.command("replay")
def again(
    url: Url,
    reason: Reason = None,
    device: Device = None,
    since: Since = None,
    future_s: Annotated[float, typer.Option(envvar="KINEBOX_INGEST_FUTURE_S", help="as ingest has it")] = 600,
    past_days: Annotated[
        float, typer.Option(envvar="KINEBOX_INGEST_PAST_DAYS", help="as ingest has it")
    ] = 400,
    as_json: AsJson = False,
) -> None:
    """Try letters again: what is taken now is a letter no more, the others stay. Nothing is written twice."""
    try:
        done = replay(url, _which(reason, device, since), Limits(future_s, past_days * 86400))
    except psycopg.Error as error:
        raise _fail(error) from error
    if as_json:
        typer.echo(msgspec.json.encode(done).decode())
        return
    typer.echo(f"{done.taken} taken, of which {done.windows} are new windows.")
    for why, count in sorted(done.kept.items()):
        typer.echo(f"{count} refused again: {why}")
    if done.skipped:
        typer.echo(f"{done.skipped} not tried: cut short, or of the moment.")


if __name__ == "__main__":
    app()
