"""Counts generated sets and says where that fails: `python -m tests.truth.report_sets --sets 200 --level bodies`.

Levels: `signals` (courses straight into the counting: quick, for ten thousand sets), `bodies` (everything that vision
would send through the observer), `idle` (nothing is to be counted).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.coach.observer import Observer
from edge.errors import ConfigError
from tests.truth.idle import IDLE, idle_frames
from tests.truth.set_bodies import see_set
from tests.truth.set_signals import count_signals, make_signals
from tests.truth.sets import draw_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edge.link import PoseFrame

TEMPOS, COUNTS, RATES = (0.4, 0.7, 1, 2, 4, 8), (1, 4, 11, 26, 61), (10, 15, 20, 30, 45, 60)


class Outcome(NamedTuple):
    """A set and what was counted of it."""

    seed: int
    movement: str
    reps: int
    counted: int | None
    """None: there is no exercise for it."""
    partial: int
    others: dict[str, int]
    """Repetitions counted as something else."""
    tempo_s: float
    fps: float
    set_up: bool
    losses: int

    @property
    def exact(self) -> bool:
        return self.counted == self.reps and not self.others


def count_set(seed: int, level: str, most_s: float, choice: str) -> Outcome:
    """Draw a set and count it."""
    plan = draw_plan(seed, most_s)
    rows = [exercise for exercise in plan.kind.exercises if _is_row(exercise)]
    counted, parts, others = None, 0, Counter[str]()
    if rows and level == "signals":
        made = make_signals(plan)
        counted = count_signals(made.times, made.courses, rows[0])
    elif rows:
        full, partials = count_frames(see_set(plan), rows[0] if choice == "given" else "auto")
        counted = sum(full.pop(row, 0) for row in plan.kind.exercises)
        parts, others = sum(partials.values()), full
    return Outcome(
        seed,
        plan.movement,
        plan.reps,
        counted,
        parts,
        dict(others),
        plan.tempo_s,
        plan.fps,
        plan.set_up,
        len(plan.losses),
    )


def count_frames(frames: Iterable[PoseFrame], choice: str) -> tuple[Counter[str], Counter[str]]:
    """Repetitions and partial ones by exercise, of everyone."""
    observer = Observer(choice)
    people = []
    for frame in frames:
        observer.update(frame)
        people += observer.absent(frame.monotonic_ns / 1e9)
    people += observer.finish()
    full, partials = Counter[str](), Counter[str]()
    for person in people:
        for exercise, (reps, parts, _) in person.coach.totals().items():
            full[exercise] += reps
            partials[exercise] += parts
    return +full, +partials  # without those of which there are none


def main() -> None:
    """Count, and print."""
    options = _options()
    out = Console(width=120)
    if options.level == "idle":
        out.print(_idle_table(range(options.first, options.first + (options.sets or 1))))
        return
    seeds = range(options.first, options.first + (options.sets or 200))
    if options.replay is not None:
        seeds = range(options.replay, options.replay + 1)
    count = partial(count_set, level=options.level, most_s=options.most, choice=options.exercise)
    with ProcessPoolExecutor(options.jobs) as pool:
        found = list(
            track(pool.map(count, seeds, chunksize=4), "sets", total=len(seeds), console=Console(stderr=True))
        )
    outcomes = [one for one in found if one.counted is not None]
    if options.json:
        out.print_json(json.dumps([one._asdict() for one in found]))
        return
    missing = sorted({one.movement for one in found if one.counted is None})
    if missing:
        out.print(
            f"No exercise, and so not counted ({len(found) - len(outcomes)} sets): {', '.join(missing)}"
        )
    out.print(_shares(outcomes))
    out.print(_failures(outcomes))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.truth.report_sets", description=__doc__)
    parser.add_argument("--sets", type=int, help="how many (200); idle: seeds of each (1)")
    parser.add_argument("--level", choices=("signals", "bodies", "idle"), default="bodies")
    parser.add_argument("--exercise", choices=("given", "auto"), default="given", help="bodies only")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--most", type=float, default=60.0, help="seconds a set lasts at most, about")
    parser.add_argument("--replay", type=int, help="this seed alone (with the same --most)")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _is_row(exercise: str) -> bool:
    try:
        Observer(exercise)
    except ConfigError:
        return False
    return True


def _shares(outcomes: list[Outcome]) -> Table:
    table = Table("", "", "Sets", "Exact", "Within one")
    groups: dict[str, Callable[[Outcome], str]] = {
        "tempo, s": lambda one: _band(one.tempo_s, TEMPOS),
        "repetitions": lambda one: _band(one.reps, COUNTS, whole=1),
        "pictures a second": lambda one: _band(one.fps, RATES),
        "set-up": lambda one: "with" if one.set_up else "without",
        "losses of sight": lambda one: "some" if one.losses else "none",
        "movement": lambda one: one.movement,
    }
    _share(table, "all", "", outcomes)
    for title, band in groups.items():
        table.add_section()
        sorted_out = defaultdict(list)
        for one in outcomes:
            sorted_out[band(one)].append(one)
        for name in sorted(sorted_out, key=lambda name: (_leading(name), name)):
            _share(table, title, name, sorted_out[name])
            title = ""  # noqa: PLW2901 - only beside the first
    return table


def _share(table: Table, title: str, name: str, outcomes: list[Outcome]) -> None:
    count = max(len(outcomes), 1)
    exact = sum(one.exact for one in outcomes) / count
    near = sum(abs((one.counted or 0) - one.reps) <= 1 for one in outcomes) / count
    table.add_row(title, name, str(len(outcomes)), f"{100 * exact:.1f} %", f"{100 * near:.1f} %")


def _failures(outcomes: list[Outcome]) -> Table:
    """Those that were not exact, to be replayed by their seed."""
    table = Table(
        "Seed", "Movement", "True", "Counted", "Partial", "Others", "Tempo, s", "fps", "Set-up", "Losses"
    )
    for one in outcomes:
        if not one.exact:
            table.add_row(
                str(one.seed),
                one.movement,
                str(one.reps),
                str(one.counted),
                str(one.partial),
                ", ".join(f"{name} {count}" for name, count in one.others.items()),
                f"{one.tempo_s:.2f}",
                f"{one.fps:.0f}",
                "yes" if one.set_up else "",
                str(one.losses or ""),
            )
    return table


def _idle_table(seeds: range) -> Table:
    table = Table("What", "Seconds", "Counted", "Partial")
    for name in IDLE:
        seconds, full, partials = 0.0, Counter[str](), Counter[str]()
        for seed in seeds:
            frames = list(idle_frames(name, seed))
            seconds += (frames[-1].monotonic_ns - frames[0].monotonic_ns) / 1e9
            for sums, more in zip((full, partials), count_frames(frames, "auto"), strict=True):
                sums.update(more)
        table.add_row(name, f"{seconds:.0f}", *(_listed(counts) for counts in (full, partials)))
    return table


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _band(value: float, edges: tuple[float, ...], whole: int = 0) -> str:
    """Name of the band between two edges; `whole`: 1 for whole numbers, which are below the upper edge."""
    bands = list(pairwise(edges))
    low, high = next((band for band in bands if value < band[1]), bands[-1])
    return f"{low}-{high - whole}"


def _leading(name: str) -> float:
    head = name.partition("-")[0]
    return float(head) if head.replace(".", "").isdigit() else 0.0


if __name__ == "__main__":
    main()
