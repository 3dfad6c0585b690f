"""How long the documented questions take with a month of a fleet in the database.

    KINEBOX_TESTBED_DURABLE=1 scripts/testbed start
    python -m cloud.bench_cohorts --values 100000000

Makes and drops the database kinebox_cohorts; needs the superuser of a test bed, and 40 bytes of disk for each value.
The rows are made inside the database; rollups by the function that makes them in earnest. Each question is asked as
the API asks it, by the API's role: first with the database's buffers emptied, then warm.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import psycopg
import typer
from psycopg.rows import dict_row
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cloud.api import cohorts, history
from cloud.api.cohorts import Question
from cloud.api.history import Stretch
from cloud.api.trends import trends_of
from cloud.schema.upgrade import upgrade
from wire.metrics import Species, metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud.api.database import Db

    Ask = Callable[[Db, Stretch], Awaitable[Any]]

DATABASE = "kinebox_cohorts"
DAYS = 30
WINDOWS = 30
"""Of a session: five minutes."""
TENANTS = (0.6, 0.15, 0.1, 0.05, 0.05, 0.05)
"""Their shares. Questions are asked of the first."""
_JOINTS: dict[Species, tuple[str, ...]] = {
    "human": ("knee", "hip", "ankle", "elbow", "shoulder", "trunk", "view"),
    "dog": ("knee", "hip"),
}


class Fleet(msgspec.Struct, frozen=True):
    """How much there is."""

    values: int
    """Metric values in windows, of one month."""

    @property
    def sessions(self) -> int:
        """A day; four of five are of people."""
        per_window = 0.8 * len(live("human")) + 0.2 * len(live("dog"))
        return round(self.values / per_window / WINDOWS / DAYS)

    @property
    def subjects(self) -> int:
        """Each exercises about 20 times a month."""
        return max(self.sessions * DAYS // 20, 50)


def live(species: Species) -> list[str]:
    """Metrics of a window: of each joint what the catalogue has, also ranges of the window where there is one."""
    return [
        key
        for key, metric in metrics().items()
        if key.startswith(_JOINTS[species]) and not key.endswith("_peak")
    ]


def measured(species: Species) -> list[str]:
    """Metrics of a session: peaks and ranges."""
    return [
        key
        for key, metric in metrics().items()
        if key.startswith(_JOINTS[species]) and metric.statistic != "live"
    ]


def fill(db: psycopg.Connection[Any], fleet: Fleet, say: Callable[[str], None]) -> None:
    """One month of the fleet, up to now."""
    db.execute("select setseed(0.5)")
    for statement in _WHO:
        db.execute(statement, {"shares": list(TENANTS), "subjects": fleet.subjects})
    db.commit()
    for day in track(range(DAYS), "days"):
        db.execute(_SESSIONS, {"day": day - DAYS, "sessions": fleet.sessions})
        for species in ("human", "dog"):
            _measure(db, species)
        db.execute(
            "insert into rollup_pending select distinct date_trunc('hour', started), tenant_id, subject_id"
            " from fresh"
        )
        db.execute(
            "insert into rollup_pending select distinct date_trunc('hour', started + interval '5 min'),"
            " tenant_id, subject_id from fresh"
        )
        db.execute("select refresh_rollups()")
        db.execute("drop table fresh")
        db.commit()
    say("vacuum analyze")
    db.autocommit = True
    db.execute("vacuum analyze")
    db.execute("checkpoint")
    db.autocommit = False


_WHO = (
    """insert into tenants (slug, name)
       select 'tenant-' || n, 'Tenant ' || n from generate_series(1, cardinality(%(shares)s::real[])) n""",
    "insert into sites (tenant_id, slug, name) select id, 'hall', 'Hall' from tenants",
    """insert into devices (tenant_id, site_id, device)
       select s.tenant_id, s.id, gen_random_uuid() from sites s, generate_series(1, 20) order by s.tenant_id""",
    # Four of five are people; of ten seven are enrolled, of these nine agreed to research.
    """insert into subjects (tenant_id, subject, species)
       select t.id, gen_random_uuid(), case when n %% 5 = 0 then 'dog' else 'human' end
       from tenants t cross join lateral
            generate_series(1, (%(subjects)s * (%(shares)s::real[])[t.id])::int) n""",
    """insert into people (subject_id, tenant_id, birth_year, height_m, weight_kg)
       select id, tenant_id, 1940 + (random() * 65)::int, 1.75, 70 from subjects
       where species = 'human' and id %% 10 < 7""",
    """insert into dogs (subject_id, tenant_id, breed, born, weight_kg)
       select id, tenant_id, (array['Labrador', 'Beagle', 'Poodle', 'Border Collie', 'Dachshund', 'Mixed'])
           [1 + floor(random() * 6)::int], current_date - (random() * 14 * 365)::int, 20
       from subjects where species = 'dog'""",
    """insert into consents (tenant_id, subject_id, version, purposes)
       select tenant_id, subject_id, '1', case when subject_id %% 100 < 90 then '{record,coach,research}'
           else '{record}' end::text[]
       from (select tenant_id, subject_id from people union all select tenant_id, subject_id from dogs) x""",
)
# A session's subject gives its tenant; a tenth of the sessions is of two exercises.
_SESSIONS = """
    create temp table fresh as
    select gen_random_uuid() as session, s.tenant_id, (s.tenant_id - 1) * 20 + 1 + s.id %% 20 as device_id,
        s.id as subject_id, s.species, date_trunc('hour', now()) + make_interval(days => %(day)s)
            + random() * interval '23 hours 50 minutes' as started,
        case when s.species = 'human' then (array['squat', 'sit_to_stand', 'lunge', 'push_up', 'plank',
            'biceps_curl', 'sit_up', 'jumping_jack'])[1 + floor(random() * 8)::int] end as exercise,
        random() < 0.1 as mixed, (s.id * 7919 %% 40)::real as own
    from (select 1 + floor(random() * (select count(*) from subjects))::int as id
          from generate_series(1, %(sessions)s)) drawn join subjects s using (id)"""


def _measure(db: psycopg.Connection[Any], species: Species) -> None:
    """Windows and sessions of a day's sessions, with every metric that this species has."""
    dice = {
        key: f"(greatest({m.minimum}, least({m.maximum}, 40 + f.own + 12 * (random() - 0.5))))::real"
        for key, m in metrics().items()
    }
    of_windows, of_sessions = live(species), measured(species)
    windows = f"""
        insert into telemetry_10s (time, seq, boot_id, tenant_id, device_id, subject_id, session, duration_s, reps,
            partial_reps, clock, historical, camera, exercise, grades, {", ".join(of_windows)})
        select f.started + n * interval '10 s', n, 1 + f.subject_id, f.tenant_id, f.device_id, f.subject_id,
            f.session, 10, 3, 0, 's', false, 'cam0', f.exercise, repeat('A', 33),
            {", ".join(dice[key] for key in of_windows)}
        from fresh f, generate_series(1, {WINDOWS}) n where f.species = %(species)s
        on conflict do nothing"""  # noqa: S608 (names of the catalogue)
    sessions = f"""
        insert into exercise_sessions (session, tenant_id, device_id, subject_id, species, started, duration_s, ended,
            reason, exercise, exercise_s, exercises, reps, partial_reps, hold_s, clock, camera, model, software,
            grades, {", ".join(of_sessions)})
        select f.session, f.tenant_id, f.device_id, f.subject_id, f.species, f.started, 300, true, 'left', f.exercise,
            0, case when f.mixed then array[f.exercise, 'stretch'] else array_remove(array[f.exercise], null) end,
            90, 2, 0, 's', 'cam0', 'model', '1', repeat('A', 33), {", ".join(dice[key] for key in of_sessions)}
        from fresh f where f.species = %(species)s"""  # noqa: S608
    for statement in (windows, sessions):
        db.execute(statement.encode(), {"species": species})


def _cohort(**fields: Any) -> Ask:
    return lambda db, stretch: cohorts.answer(db, stretch.tenant_id, Question(**fields))


def _last_day(stretch: Stretch) -> Stretch:
    return msgspec.structs.replace(stretch, begin=stretch.end - timedelta(days=1))


QUESTIONS: dict[str, Ask] = {
    "mean knee range of motion in sit-to-stand sessions of the last 30 days": _cohort(
        metric="knee_rom", exercise="sit_to_stand"
    ),
    "hip range of motion by week of Labradors aged eight or more": _cohort(
        metric="hip_rom", species="dog", breed="labrador", min_age_years=8, by="week"
    ),
    "knee range of motion in squats by day, of people aged 60 to 75": _cohort(
        metric="knee_rom", exercise="squat", min_age_years=60, max_age_years=75, by="day"
    ),
    "hip range of motion of all dogs by day": _cohort(metric="hip_rom", species="dog", by="day"),
    "knee range of motion of everyone, whatever they did, by day": _cohort(metric="knee_rom", by="day"),
    "the latest 50 sessions of one person": lambda db, s: history.page(db, s, 50, None),
    "knee flexion of one person by hour over 30 days": lambda db, s: history.series(
        db, s, "knee_flexion_left", "1h"
    ),
    "knee flexion of one person by window over a day": lambda db, s: history.series(
        db, _last_day(s), "knee_flexion_left", "10s"
    ),
    "trend of one person's knee range of motion over 12 weeks": lambda db, s: trends_of(
        db, s.subject_id, "knee_rom"
    ),
}


class Watched:
    """A connection that keeps what it was asked, to explain it afterwards."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self.asked: list[tuple[Any, Any]] = []

    async def execute(self, query: Any, parameters: Any = None, **how: Any) -> Any:
        """As the connection's."""
        self.asked.append((query, parameters))
        return await self._db.execute(query, parameters, **how)


class Outcome(msgspec.Struct):
    """Milliseconds of a question, and the plan of its largest statement."""

    cold: list[float]
    warm: list[float]
    plan: str


async def ask_all(url: str, rounds: int) -> dict[str, Outcome]:
    """Every question, as the API asks it: cold at the beginning of each round, then warm."""
    async with (
        await psycopg.AsyncConnection[dict[str, Any]].connect(
            url, row_factory=dict_row, autocommit=True
        ) as db,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as owner,
    ):
        await owner.execute("create extension if not exists pg_buffercache")
        await db.execute("set role kinebox_api")
        stretch = await _busiest(owner)
        found = {name: Outcome([], [], "") for name in QUESTIONS}
        for _ in range(rounds):
            for name, question in QUESTIONS.items():
                await owner.execute("select pg_buffercache_evict(bufferid) from pg_buffercache")
                found[name].cold.append((await _time(db, question, stretch))[0])
                for _ in range(3):
                    taken, watched = await _time(db, question, stretch)
                    found[name].warm.append(taken)
        for name, question in QUESTIONS.items():
            _, watched = await _time(db, question, stretch)
            found[name].plan = await _explain(db, stretch, watched)
    return found


async def _busiest(owner: psycopg.AsyncConnection[Any]) -> Stretch:
    found = await owner.execute(
        """select subject_id from exercise_sessions where tenant_id = 1 and species = 'human'
           group by 1 order by count(*) desc limit 1"""
    )
    row = await found.fetchone()
    assert row is not None
    end = datetime.now(UTC)
    return Stretch(1, row[0], end - timedelta(days=DAYS), end)


async def _time(db: Db, question: Ask, stretch: Stretch) -> tuple[float, Watched]:
    watched = Watched(db)
    started = time.perf_counter()
    async with db.transaction():
        await db.execute("select set_config('kinebox.tenant', %s, true)", (str(stretch.tenant_id),))
        await question(watched, stretch)  # type: ignore[arg-type]
    return (time.perf_counter() - started) * 1000, watched


async def _explain(db: Db, stretch: Stretch, watched: Watched) -> str:
    plans = []
    async with db.transaction():
        await db.execute("select set_config('kinebox.tenant', %s, true)", (str(stretch.tenant_id),))
        for query, parameters in watched.asked:
            text = query if isinstance(query, str) else query.as_string(db)
            rows = await db.execute(f"explain (analyze, buffers, costs off) {text}".encode(), parameters)
            plans.append("\n".join([row["QUERY PLAN"] async for row in rows]))
    return max(plans, key=len)


def sizes(db: psycopg.Connection[Any]) -> Table:
    """Rows and bytes of the large tables."""
    table = Table("table", "rows", "MB", "metric values")
    counted = {
        "telemetry_10s": " + ".join(f"count({key})" for key in metrics()),
        "exercise_sessions": " + ".join(f"count({key})" for key in metrics()),
        "telemetry_1h": "count(*)",
        "telemetry_1d": "count(*)",
        "subjects": "0",
    }
    for name, values in counted.items():
        size = "hypertable_size" if name == "telemetry_10s" else "pg_total_relation_size"
        row = db.execute(f"select count(*), {values}, {size}('{name}') from {name}".encode()).fetchone()  # noqa: S608
        assert row is not None
        table.add_row(name, f"{row[0]:,}", f"{row[2] / 1e6:,.0f}", f"{row[1]:,}")
    return table


def main(
    database: Annotated[str, typer.Option(envvar="KINEBOX_DATABASE_URL")],
    values: Annotated[int, typer.Option(help="metric values in the windows of the month")] = 1_000_000,
    rounds: Annotated[int, typer.Option(help="each asks every question once cold and three times warm")] = 3,
    plans: Annotated[bool, typer.Option(help="print them")] = True,
    keep: Annotated[bool, typer.Option(help="neither make nor drop the database where it is there")] = False,
) -> None:
    """Fill, ask, print."""
    console = Console(width=120)
    url = urlunsplit(urlsplit(database)._replace(path=f"/{DATABASE}"))
    with psycopg.connect(database, autocommit=True) as db:
        there = db.execute("select from pg_database where datname = %s", (DATABASE,)).rowcount
        if not (there and keep):
            db.execute(f"drop database if exists {DATABASE} with (force)".encode())
            db.execute(f"create database {DATABASE}".encode())
    if not (there and keep):
        upgrade(url)
        started = time.monotonic()
        with psycopg.connect(url) as db:
            fill(db, Fleet(values), console.print)
        console.print(f"filled in {time.monotonic() - started:.0f} s")
    with psycopg.connect(url) as db:
        console.print(sizes(db))
    outcomes = asyncio.run(ask_all(url, rounds))
    table = Table("question", "cold ms", "warm ms", "most")
    for name, one in outcomes.items():
        table.add_row(
            name, f"{statistics.median(one.cold):.0f}", f"{statistics.median(one.warm):.1f}",
            f"{max(one.cold + one.warm):.0f}",
        )  # fmt: skip
    console.print(table)
    for name, one in outcomes.items() if plans else ():
        print(f"\n{name}\n{one.plan}")
    if not keep:
        with psycopg.connect(database, autocommit=True) as db:
            db.execute(f"drop database {DATABASE} with (force)".encode())


if __name__ == "__main__":
    typer.run(main)
