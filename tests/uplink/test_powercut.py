"""A power cut at any moment: no message that was safe is lost, and the outbox is whole.

The method is that of tests/store/test_powercut.py; KINEBOX_POWER_CUTS sets how many cuts are replayed.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from edge.errors import StoreError
from edge.uplink.outbox import START, Outbox
from tests.conftest import missing
from tests.store.test_powercut import ROOT, Step, disk_after, parse
from tests.uplink.samples import LIMITS
from tests.uplink.writer import PER_GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GROUPS = 200
CUTS = int(os.environ.get("KINEBOX_POWER_CUTS", "60"))


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    if shutil.which("strace") is None:
        missing("strace")
    folder = tmp_path_factory.mktemp("traced")
    trace = folder / "trace"
    subprocess.run(
        ["strace", "-f", "-xx", "-s", "1000000", "-o", str(trace),
         "-e", "trace=openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink",
         sys.executable, "-m", "tests.uplink.writer", str(folder / "state" / "outbox.db"), str(GROUPS)],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return list(parse(trace, str(folder / "state")))


def outcomes(steps: Sequence[Step], folder: Path, cuts: int) -> Counter[str]:
    """How random power cuts ended."""
    chance = random.Random(11)  # noqa: S311
    first = next(number for number, step in enumerate(steps) if step.kind == "say" and b"\n" in step.data)
    found: Counter[str] = Counter()
    for number in range(cuts):
        cut = chance.randrange(first + 1, len(steps) + 1)
        said = b"".join(step.data for step in steps[:cut] if step.kind == "say").decode()
        state = folder / str(number)
        state.mkdir()
        for name, content in disk_after(steps[:cut], chance).items():
            if not name.endswith("-shm"):
                (state / name).write_bytes(content)
        found[outcome(state / "outbox.db", said)] += 1
        shutil.rmtree(state)
    return found


def outcome(path: Path, said: str) -> str:
    opening, *flushes = said[: said.rindex("\n")].splitlines()
    boot = opening.split()[1]
    needed, safe = (int(number) for number in flushes[-1].split()) if flushes else (1, 0)
    try:
        with Outbox(path, **LIMITS) as outbox:
            if outbox.damaged is not None:
                return "damaged"
            waiting = [message for _, message in outbox.after(START, 10_000)]
            level = outbox.level()
            integrity = outbox._db.execute("PRAGMA integrity_check").fetchone()
    except StoreError as error:
        return f"unusable: {error}"
    if integrity != ("ok",) or None in waiting or level.rows != len(waiting):
        return "damaged"
    seqs = [message.seq for message in waiting if message is not None and message.boot == boot]
    if any(message.reps != message.seq for message in waiting if message is not None):
        return "damaged"
    if seqs != list(range(seqs[0], seqs[-1] + 1)) if seqs else safe:
        return "gap"
    # A group that was written but not yet reported may be there, whole.
    if seqs and (seqs[-1] % PER_GROUP or seqs[-1] < safe or seqs[0] > needed + PER_GROUP):
        return "lost"
    return "all there"


def test_nothing_that_was_safe_is_lost(steps: list[Step], tmp_path: Path) -> None:
    kinds = Counter((step.kind, step.file) for step in steps)
    assert kinds["sync", "outbox.db-wal"] >= GROUPS
    assert outcomes(steps, tmp_path, CUTS) == {"all there": CUTS}


def test_the_method_sees_a_loss(steps: list[Step], tmp_path: Path) -> None:
    unsynced = [step for step in steps if step.kind != "sync" or not step.file.endswith("-wal")]
    assert outcomes(unsynced, tmp_path, 20)["all there"] < 10
