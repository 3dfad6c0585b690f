"""Several pipelines over the same frames on one core, in turns, so that all see the same background load."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from edge.errors import KineboxError

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 12
"""Frames a pipeline gets before the next one has its turn."""
SETTLE = 2
"""Frames at the start of a block that do not count: the caches still hold another pipeline's data."""


class Block(msgspec.Struct, frozen=True):
    """A worker's answer: milliseconds for each frame, by the clock and of processor time."""

    wall_ms: list[float]
    cpu_ms: list[float]
    found: int
    """Frames with someone in them."""
    people: int
    """Everyone found in all of them."""
    stages: list[dict[str, float]]


class Lap(msgspec.Struct):
    """What one pipeline did, frames that settle the caches left out."""

    wall_ms: list[float] = []
    cpu_ms: list[float] = []
    stages: list[dict[str, float]] = []
    found: int = 0
    people: int = 0
    frames: int = 0
    """All frames, for the shares of `found` and `people`."""


class _Runner:
    """The pipe to a worker process."""

    def __init__(self, process: subprocess.Popen[str], log: IO[str]) -> None:
        self._log = log
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout

    def run(self, first: int, count: int) -> Block:
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(f'{{"first": {first}, "count": {count}}}\n')
            self._stdin.flush()
        return msgspec.json.decode(self.answer(), type=Block)

    def answer(self) -> str:
        line: str = self._stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            last = (self._log.read().strip().splitlines() or ["no reason given"])[-1]
            raise KineboxError(f"a measured pipeline stopped: {last}")
        return line


@contextlib.contextmanager
def _runner(
    name: str, python: Path | None, frames: Path, places: Path, fps: float, cores: list[int]
) -> Iterator[_Runner]:
    """A running worker; `python`: the environment of a pipeline that is not ours."""
    worker = Path(__file__).with_name("worker.py")
    command = [str(python), "-P", str(worker)] if python else [sys.executable, "-m", "edge.bench.worker"]
    command += [name, "--frames", str(frames), "--places", str(places), "--fps", str(fps)]
    command += ["--cores", *map(str, cores)]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        runner = _Runner(process, log)
        runner.answer()  # ready
        yield runner


def race(
    frames: npt.NDArray[np.uint8],
    fps: float,
    runners: dict[str, Path | None],
    seconds: float,
    *,
    places: npt.NDArray[np.int64] | None = None,
    cores: int = 1,
) -> dict[str, Lap]:
    """Run every pipeline over `frames` uint8[N, H, W, 3], at least once and for about `seconds`.

    `runners`: name of the pipeline to the Python of its environment, None for ours. `places` int64[P, 4]: where each
    person is (left, top, right, bottom), for the pipelines that are run once a person. `cores`: that they may use.
    Raises KineboxError when a pipeline cannot start or dies.
    """
    allowed = sorted(os.sched_getaffinity(0))[-cores:]
    laps = {name: Lap() for name in runners}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kinebox-bench-")))
        path = folder / "frames.npy"
        np.save(path, frames)
        where = folder / "places.npy"
        np.save(where, np.empty((0, 4), np.int64) if places is None else places)
        running = [
            (name, stack.enter_context(_runner(name, python, path, where, fps, allowed)))
            for name, python in runners.items()
        ]
        order = random.Random(0)  # noqa: S311 - fair turns, not a secret
        end = time.monotonic() + seconds
        while True:
            for first in range(0, len(frames), BLOCK):
                order.shuffle(running)
                for name, runner in running:
                    _add(laps[name], runner.run(first, min(BLOCK, len(frames) - first)))
            if time.monotonic() > end:
                return laps


def _add(lap: Lap, block: Block) -> None:
    lap.wall_ms += block.wall_ms[SETTLE:]
    lap.cpu_ms += block.cpu_ms[SETTLE:]
    lap.stages += block.stages[SETTLE:]
    lap.found += block.found
    lap.people += block.people
    lap.frames += len(block.wall_ms)
