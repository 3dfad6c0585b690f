"""kinebox-fleet-sim: simulated boxes with outages, skewed clocks and floods, and a count of what arrived."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
import typer

from cloud.fleet_sim.box import Habits
from cloud.fleet_sim.fleet import addresses, compare, enrol, run
from cloud.mqtt import Target

app = typer.Typer(add_completion=False)


@app.command()
def main(
    mqtt: Annotated[str, typer.Option(envvar="KINEBOX_MQTT_URL", help="mqtt://host:port of the broker")],
    database: Annotated[
        str, typer.Option(envvar="KINEBOX_DATABASE_URL", help="postgresql://… of a role that may enrol boxes")
    ],
    boxes: Annotated[int, typer.Option(help="how many boxes")] = 20,
    windows: Annotated[int, typer.Option(help="windows that each records; an hour has 360")] = 60,
    interval: Annotated[float, typer.Option(help="seconds between two windows")] = 0.1,
    outage: Annotated[float, typer.Option(help="part of the time that a link is down", min=0, max=0.9)] = 0.1,
    restart: Annotated[float, typer.Option(help="chance of a restart, at each window", min=0, max=1)] = 0.01,
    skew: Annotated[float, typer.Option(help="largest error of a box's clock, in seconds")] = 300.0,
    limit: Annotated[float, typer.Option(help="give up after this many seconds")] = 600.0,
    seed: Annotated[int, typer.Option(help="another fleet")] = 1,
) -> None:
    """Print what was recorded and what arrived, as JSON. Exit status 1: lost, doubled or not acknowledged."""
    fleet = addresses(boxes, seed)
    enrol(database, fleet)
    habits = Habits(windows=windows, interval_s=interval, outage=outage, restart=restart, skew_s=skew)
    done = asyncio.run(run(Target(mqtt), fleet, habits, seed, limit))
    outcome = compare(database, done)
    typer.echo(msgspec.json.encode(outcome).decode())
    raise typer.Exit(1 if outcome.lost or outcome.doubled or outcome.waiting else 0)


if __name__ == "__main__":
    app()
