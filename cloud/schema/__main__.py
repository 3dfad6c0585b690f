"""kinebox-schema: bring the database to this version."""

from __future__ import annotations

from typing import Annotated

import typer

from cloud.schema.upgrade import upgrade

app = typer.Typer(add_completion=False)


@app.command()
def main(
    database: Annotated[str, typer.Option(envvar="KINEBOX_DATABASE_URL", help="postgresql://… of its owner")],
) -> None:
    """Apply the migrations and add a column for each new metric. Safe to run again, and from several at once."""
    added = upgrade(database)
    typer.echo(f"The database is up to date; {len(added)} metrics got a column.")


if __name__ == "__main__":
    app()
