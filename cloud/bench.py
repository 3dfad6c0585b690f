"""How fast ingest is: against the database's own limit, and against other MQTT clients with the same guarantees.

    scripts/testbed start       (KINEBOX_TESTBED_DURABLE=1: with fsync, as in earnest)
    python -m cloud.bench --rounds 3
    python -m cloud.bench --clients ours,ours:2 --present 0,10e6,100e6

Every round, interleaved: the same windows by a straight binary COPY into the same table with the same indexes (the
limit), and from a filled broker by each client in a process of its own. All clients write with the same Writer and
acknowledge after the commit. Makes and drops the database kinebox_bench; needs the superuser of a test bed.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit, urlunsplit

import mqtt5
import msgspec
import psycopg
import typer
from psycopg import sql
from rich.console import Console
from rich.table import Table

from cloud.bench_clients import CONSUMERS, LIMITS, Cost, Job
from cloud.fleet_sim.fleet import addresses, enrol
from cloud.ingest.writer import Writer
from cloud.mqtt import Connection, Target, open_connection
from cloud.schema.upgrade import upgrade
from wire.messages import Window, encode
from wire.metrics import metrics

if TYPE_CHECKING:
    from wire.topics import Address

BOXES = 50
TIMEOUT_S = 120


def windows(fleet: list[Address], count: int) -> list[tuple[str, bytes]]:
    """Windows with every metric of the catalogue, in the order in which boxes send them."""
    dice = random.Random(1)  # noqa: S311 (repeatable)
    start = time.time() - 10 * count / len(fleet) - 60
    made = []
    for n in range(count):
        seq, box = divmod(n, len(fleet))
        device = fleet[box].device
        window = Window(
            device=device, boot=device, seq=seq + 1, at=start + 10 * seq, clock="synchronised", subject=device,
            species="human", session=device, camera="cam0", duration_s=10.0, exercise="squat", reps=3,
            metrics={m.key: round(dice.uniform(m.minimum, m.maximum), 2) for m in metrics().values()},
            grade="A",
        )  # fmt: skip
        made.append((fleet[box].topic("window"), encode(window)))
    return made


class _Nobody:
    """Takes nothing: the broker keeps it."""

    def put(self, delivery: object) -> None:
        """Leave it."""


async def forget(job: Job) -> None:
    """End the consumer's sessions, so that the broker does not carry them through the next runs."""
    for name in job.sessions:
        session = Connection(_Nobody())
        await open_connection(session, Target(job.mqtt, name, session_expiry_s=0), job.filters())
        session.close()
        await session.lost


async def fill(job: Job, messages: list[tuple[str, bytes]]) -> None:
    """Sessions of the consumer's names with all messages waiting in the broker."""
    for name in job.sessions:
        session = Connection(_Nobody())
        target = Target(job.mqtt, name, session_expiry_s=3600, receive_max=1)
        await open_connection(session, target, job.filters())
        session.close()
        await session.lost
    sender = Connection(_Nobody())
    await open_connection(sender, Target(job.mqtt, "bench-sender"), ["bench/done"])
    for n, (topic, payload) in enumerate(messages):
        packet = mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=n % 65_535 + 1)
        sender.send(packet.write())
        if n % 500 == 0:
            await asyncio.sleep(0.01)
    await asyncio.sleep(1)
    sender.close()


def empty(database: str) -> None:
    """As before the first window; what `fill_table` made stays."""
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("delete from telemetry_10s where boot_id > 0")
        db.execute("truncate boots, subjects, rollup_pending, dead_letters cascade")
        db.execute("vacuum telemetry_10s")
        db.execute("checkpoint")


def fill_table(database: str, values: int) -> int:
    """Rows of a month of other boxes, a thousand windows of each; returns how many values the table then has."""
    keys = list(metrics())
    statement = sql.SQL(
        """insert into telemetry_10s (time, seq, boot_id, tenant_id, device_id, subject_id, session, duration_s, reps,
               partial_reps, clock, historical, camera, exercise, grades, {columns})
           select now() - interval '30 days' + n * interval '30 days' / %(rows)s, n, -1 - n %% %(boots)s, 1,
               1 + n %% %(boots)s, 1 + n %% %(boots)s, gen_random_uuid(), 10, 3, 0, 's', false, 'cam0', 'squat',
               repeat('A', {metrics}), {values}
           from generate_series(%(first)s::int8, %(last)s) n"""
    ).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, keys)),
        metrics=len(keys),
        values=sql.SQL(", ").join([sql.SQL("random() * 100")] * len(keys)),
    )
    rows = values // len(keys)
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("delete from telemetry_10s")
        for first in range(0, rows, 100_000):
            last = min(first + 100_000, rows) - 1
            db.execute(statement, {"rows": rows, "boots": max(rows // 1000, 1), "first": first, "last": last})
        db.execute("vacuum analyze telemetry_10s")
        counted = db.execute(
            sql.SQL("select {} from telemetry_10s").format(
                sql.SQL(" + ").join(sql.SQL("count({})").format(sql.Identifier(key)) for key in keys)
            )
        ).fetchone()
    assert counted is not None
    return int(counted[0])


def consume(name: str, job: Job, messages: list[tuple[str, bytes]]) -> Cost:
    """One consumer, in a process of its own."""
    empty(job.database)
    asyncio.run(fill(job, messages))
    code = (
        "import sys, msgspec; from cloud.bench_clients import *;"
        "job = msgspec.json.decode(sys.argv[1], type=Job);"
        f"print(msgspec.json.encode(CONSUMERS[{name!r}](job)).decode())"
    )
    command = [sys.executable, "-c", code, msgspec.json.encode(job).decode()]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=TIMEOUT_S)
    cost = msgspec.json.decode(done.stdout, type=Cost)
    asyncio.run(forget(job))
    with psycopg.connect(job.database) as db:
        row = db.execute("select count(*) from telemetry_10s where boot_id > 0").fetchone()
    if row != (job.messages,):
        raise SystemExit(f"{name}: {row} rows of {job.messages}")
    return cost


def straight(job: Job, messages: list[tuple[str, bytes]]) -> Cost:
    """A binary COPY of the same rows into the same table, a transaction for each batch."""
    empty(job.database)
    writer = Writer(job.database, LIMITS)
    parts = []
    with psycopg.connect(job.database, autocommit=True) as db:
        for first in range(0, len(messages), job.batch):
            writer.write(messages[first : first + job.batch])
            with db.cursor().copy(
                "copy (select * from telemetry_10s where boot_id > 0) to stdout (format binary)"
            ) as copy:
                parts.append(b"".join(copy))
            db.execute("delete from telemetry_10s where boot_id > 0")
        writer.close()
        db.execute("vacuum telemetry_10s")
        db.execute("checkpoint")
        started = Cost.now()
        for part in parts:
            with db.cursor().copy("copy telemetry_10s from stdin (format binary)") as copy:
                copy.write(part)
        return Cost.since(started)


def measure(job: Job, made: list[tuple[str, bytes]], rounds: int, clients: list[str]) -> Table:
    """Each client in turn, and so again; medians."""
    taken: dict[str, list[Cost]] = {}
    for number in range(rounds):
        taken.setdefault("straight COPY", []).append(straight(job, made))
        for name in clients:
            client, _, replicas = name.partition(":")
            group = f"bench-{client}-{number}-{time.time_ns()}"
            sessions = tuple(f"{group}-{n}" for n in range(int(replicas or 1)))
            mine = msgspec.structs.replace(job, client=group, sessions=sessions)
            taken.setdefault(name, []).append(consume(client, mine, made))
    table = Table("", "messages/s", "values/s", "of the limit", "µs of its processor", "rounds (messages/s)")
    limit = statistics.median(cost.wall for cost in taken["straight COPY"])
    for name, costs in taken.items():
        middle = statistics.median(cost.wall for cost in costs)
        own = statistics.median(cost.processor for cost in costs) / job.messages * 1e6
        rate = job.messages / middle
        each = " ".join(f"{job.messages / cost.wall:,.0f}" for cost in costs)
        table.add_row(
            name, f"{rate:,.0f}", f"{rate * len(metrics()):,.0f}", f"{limit / middle:.2f}", f"{own:.1f}", each
        )
    return table


def main(
    database: Annotated[str, typer.Option(envvar="KINEBOX_DATABASE_URL")],
    mqtt: Annotated[str, typer.Option(envvar="KINEBOX_MQTT_URL")],
    messages: Annotated[int, typer.Option(help="of each run")] = 50_000,
    batch: Annotated[int, typer.Option(help="messages of a transaction")] = 5000,
    rounds: int = 3,
    clients: Annotated[
        str, typer.Option(help=f"which, of {', '.join(CONSUMERS)}; ours:2 are two replicas")
    ] = "ours,paho",
    present: Annotated[str, typer.Option(help="values that are in the table before, such as 0,10e6")] = "0",
) -> None:
    """Measure, and print medians."""
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("drop database if exists kinebox_bench with (force)")
        db.execute("create database kinebox_bench")
    url = urlunsplit(urlsplit(database)._replace(path="/kinebox_bench"))
    upgrade(url)
    fleet = addresses(BOXES, seed=1)
    enrol(url, fleet)
    made = windows(fleet, messages)
    for values in map(float, present.split(",")):
        there = fill_table(url, int(values))
        table = measure(Job(url, mqtt, "", messages, batch), made, rounds, clients.split(","))
        table.title = f"batches of {batch}, {there:,} values present"
        Console().print(table)
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("drop database kinebox_bench with (force)")


if __name__ == "__main__":
    typer.run(main)
