"""What a picture of one to eight people costs, beside MediaPipe's solution, which follows one person."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from edge.bench.peer import PeerUnavailable, peer_python
from edge.bench.race import BLOCK, SETTLE, Lap, race
from edge.errors import ConfigError
from edge.evaluate.people_score import box_of
from edge.evaluate.scenes import HEIGHT, WIDTH, Person, Scene, render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PEER, PEER_EACH, OURS, EVERYBODY = "mediapipe", "mediapipe-each", "int8", "int8-all"
_ROOM = "exercise/squat_01.mp4"
_CLIPS = (
    ("exercise/squat_01.mp4", 0.0),
    ("exercise/sidelunge_01.mp4", 0.0),
    ("exercise/overheadclap_01.mp4", 5.0),
    ("exercise/jack_03a.mp4", 0.0),
    ("exercise/lunge_01.mp4", 0.0),
    ("exercise/jack_01a.mp4", 0.0),
    ("exercise/jack_05.mp4", 0.0),
    ("exercise/sidelunge_01.mp4", 5.0),
)
"""Who stands in the row, and when their clip starts."""
MOST = len(_CLIPS)
_SIZE, _FOOT = 0.33, 0.85
"""Everyone's height and feet, shares of the picture's height."""
_SECONDS = 2.4
_MARGIN = 0.2
"""Around everything that somebody does, as a share of it: what a crop for MediaPipe has to show."""
_CORES = 2


class PeopleCost(msgspec.Struct, frozen=True, kw_only=True):
    """A picture with so many people, on one core; milliseconds are medians."""

    people: int
    ms: float
    """INT8, with its budget of people in one picture."""
    cpu_ms: float
    cpu_mean_ms: float
    """Also what is not done in every picture; without the first pass, in which the whole room is searched."""
    read: float
    """People read in a picture, mean."""
    all_ms: float
    """INT8, everybody in every picture."""
    all_cpu_ms: float
    all_read: float
    two_cores_ms: float
    """Mean, with the budget, on two cores."""
    peer_ms: float | None = None
    """MediaPipe's solution, for one of them."""
    peer_each_ms: float | None = None
    """MediaPipe's solution, once for each of them, in a crop that shows them all the time."""
    peer_each_found: float | None = None
    peer_cpu_ms: float | None = None
    peer_cpu_mean_ms: float | None = None
    peer_each_cpu_ms: float | None = None


def counts_of(text: str) -> list[int]:
    """Numbers of people, with commas in between. ConfigError for anything else."""
    try:
        counts = [int(one) for one in text.split(",")]
    except ValueError:
        counts = []
    if not counts or not all(1 <= one <= MOST for one in counts):
        raise ConfigError(
            f"--people {text} is no list of numbers from 1 to {MOST}", "Give --people 1,2,4,6,8."
        )
    return counts


def run_people(counts: Sequence[int], data: Path | None, *, peers: bool, json: bool, seconds: float) -> None:
    """Measure and print. `data`: the folder of the clips; `seconds`: about how long each number of people takes.

    Raises KineboxError when a clip, their folder or a model is missing.
    """
    if data is None:
        raise ConfigError("--people makes its pictures of clips", "Give their folder with --data.")
    progress = Console(stderr=True)
    python, missing = None, None
    if peers:
        try:
            with progress.status("Looking for MediaPipe (installed once, about 430 MB)"):
                python = peer_python()
        except PeerUnavailable as error:
            missing = f"{error}. {error.remedy}".strip()
    costs = []
    for count in counts:
        with progress.status(f"Measuring a picture of {count}"):
            costs.append(_measure(count, data, python, seconds))
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(costs)).decode() + "\n")
        return
    _print(costs)
    if missing:
        Console().print(f"MediaPipe was not measured: {missing}")


def row_of(count: int, seconds: float = _SECONDS) -> Scene:
    """A scene of `count` people beside each other."""
    people = tuple(
        Person(
            who=str(number),
            clip=clip,
            start=start,
            path=tuple((t, (number + 0.5) / count, _FOOT, _SIZE) for t in (0.0, seconds)),
        )
        for number, (clip, start) in enumerate(_CLIPS[:count])
    )
    return Scene(name=f"{count} in a row", room=_ROOM, seconds=seconds, people=people)


def _measure(count: int, data: Path, python: Path | None, seconds: float) -> PeopleCost:
    scene = row_of(count)
    shots = list(render(scene, data))
    frames = np.stack([shot.bgr for shot in shots])
    boxes = np.array([[box_of(truth.joints) for truth in shot.truths] for shot in shots])
    runners: dict[str, Path | None] = {OURS: None, EVERYBODY: None}
    if python is not None:
        runners |= {PEER: python, PEER_EACH: python}
    laps = race(frames, scene.fps, runners, seconds, places=_places(boxes))
    wide = race(frames, scene.fps, {OURS: None}, seconds / 4, cores=_CORES)[OURS]
    ours, everybody = laps[OURS], laps[EVERYBODY]
    each = laps.get(PEER_EACH)
    return PeopleCost(
        people=count,
        ms=_median(ours),
        cpu_ms=_cpu(ours),
        cpu_mean_ms=_cpu_mean(ours, len(frames)),
        read=round(ours.people / ours.frames, 2),
        all_ms=_median(everybody),
        all_cpu_ms=_cpu(everybody),
        all_read=round(everybody.people / everybody.frames, 2),
        two_cores_ms=round(float(np.mean(wide.wall_ms)), 2),
        peer_ms=_median(laps[PEER]) if PEER in laps else None,
        peer_each_ms=_median(each) if each else None,
        peer_cpu_ms=_cpu(laps[PEER]) if PEER in laps else None,
        peer_cpu_mean_ms=_cpu_mean(laps[PEER], len(frames)) if PEER in laps else None,
        peer_each_cpu_ms=_cpu(each) if each else None,
        peer_each_found=round(each.people / each.frames, 2) if each else None,
    )


def _places(boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Where everyone is all the time, with a margin: int64[P, 4] of `boxes` float64[N, P, 4]."""
    low, high = boxes[:, :, :2].min(axis=0), boxes[:, :, 2:].max(axis=0)
    margin = (high - low) * _MARGIN
    size = (WIDTH, HEIGHT)
    return np.hstack([np.clip(low - margin, 0, size), np.clip(high + margin, 0, size)]).astype(np.int64)


def _median(lap: Lap) -> float:
    return round(float(np.median(lap.wall_ms)), 2)


def _cpu(lap: Lap) -> float:
    return round(float(np.median(lap.cpu_ms)), 2)


def _cpu_mean(lap: Lap, frames: int) -> float:
    """Of all passes over so many `frames` but the first; of that where there is no other."""
    first = frames - SETTLE * math.ceil(frames / BLOCK)
    return round(float(np.mean(lap.cpu_ms[first:] or lap.cpu_ms)), 2)


def _print(costs: list[PeopleCost]) -> None:
    table = Table(
        box=SIMPLE,
        title=f"One picture of {WIDTH} x {HEIGHT}, on one core",
        caption=(
            "Milliseconds, medians; fps: from the mean on two cores. budget: as many are read in one picture as by"
            " default. x: to MediaPipe, by processor time; mean: x one of means, with the search now and then."
            f"\nTurns of {BLOCK} pictures; people of {_SIZE:.2f} of the picture's height."
        ),
    )
    columns = (
        "people",
        "budget",
        "CPU",
        "read",
        "all",
        "read",
        "fps, two cores",
        "MediaPipe, one",
        "each",
        "found",
    )
    for column in (*columns, "x one", "mean", "x each", "all x each"):
        table.add_column(column, justify="right")
    for cost in costs:
        table.add_row(
            str(cost.people),
            f"{cost.ms:.1f}",
            f"{cost.cpu_ms:.1f}",
            f"{cost.read:.1f}",
            f"{cost.all_ms:.1f}",
            f"{cost.all_read:.1f}",
            f"{1e3 / cost.two_cores_ms:.0f}",
            *(_number(value, 1) for value in (cost.peer_ms, cost.peer_each_ms, cost.peer_each_found)),
            _ratio(cost.cpu_ms, cost.peer_cpu_ms),
            _ratio(cost.cpu_mean_ms, cost.peer_cpu_mean_ms),
            _ratio(cost.cpu_ms, cost.peer_each_cpu_ms),
            _ratio(cost.all_cpu_ms, cost.peer_each_cpu_ms),
        )
    Console(width=None if Console().is_terminal else 140).print(table)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _ratio(ours: float, peers: float | None) -> str:
    return _number(ours / peers if peers else None, 2)
