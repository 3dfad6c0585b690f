"""A power cut: what was not synced may be lost in any part, what was acknowledged must not.

A real recorder runs under strace. Its system calls are replayed up to a random moment: what was synced by then
is on the disk; of everything written since, each sector may have landed or not. kill -9 cannot show this, because
the kernel then still writes what it was given.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.errors import StoreError
from edge.store import Store
from tests.conftest import missing
from tests.store.writer import PER_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
GROUPS = 250
"""Enough for SQLite to move its log into the database on the way."""
CUTS = 60
SECTOR = 512
CALL = re.compile(r"(?:\[pid +\d+\] |\d+ +)?(\w+)\((.*)\) += (\d+)")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass
class Step:
    """One thing the recorder did to a file; for `say`, `data` is what it printed."""

    kind: str
    file: str = ""
    offset: int = 0
    data: bytes = b""


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    if shutil.which("strace") is None:
        missing("strace")
    folder = tmp_path_factory.mktemp("traced")
    trace = folder / "trace"
    subprocess.run(
        ["strace", "-f", "-xx", "-s", "1000000", "-o", str(trace),
         "-e", "trace=openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink",
         sys.executable, "-m", "tests.store.writer", str(folder / "state" / "kinebox.db"), str(GROUPS)],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return list(parse(trace, str(folder / "state")))


def parse(trace: Path, folder: str) -> Iterator[Step]:
    names: dict[int, str] = {}
    for line in trace.read_text().splitlines():
        match = CALL.match(line)
        if match is None:
            continue
        call, arguments, result = match[1], match[2], int(match[3])
        strings = [bytes.fromhex(text.replace("\\x", "")) for text in STRING.findall(arguments)]
        numbers = [int(part) for part in re.sub(STRING, "", arguments).split(", ") if part.isdigit()]
        if call == "openat":
            names[result] = strings[0].decode() if strings else ""
        elif call == "unlink":
            yield Step("unlink", Path(strings[0].decode()).name)
        elif call == "write" and numbers[0] == 1:
            yield Step("say", data=strings[0])
        elif names.get(numbers[0], "").startswith(folder):
            file = Path(names[numbers[0]]).name
            if call == "pwrite64":
                assert len(strings[0]) == result
                yield Step("write", file, numbers[2], strings[0])
            elif call == "ftruncate":
                yield Step("truncate", file, numbers[1])
            elif call in ("fsync", "fdatasync"):
                yield Step("sync", file)


def disk_after(steps: Sequence[Step], chance: random.Random) -> dict[str, bytearray]:
    """The files after a power cut that follows `steps`."""
    files: dict[str, bytearray] = {}
    unsynced: list[Step] = []
    for step in steps:
        if step.kind == "sync":
            for waiting in unsynced:
                if waiting.file == step.file:
                    apply(files, waiting)
            unsynced = [waiting for waiting in unsynced if waiting.file != step.file]
        elif step.kind == "unlink":
            files.pop(step.file, None)
            unsynced = [waiting for waiting in unsynced if waiting.file != step.file]
        elif step.kind != "say":
            unsynced.append(step)
    share = chance.random()
    for step in unsynced:
        for start in range(0, max(len(step.data), 1), SECTOR):
            if chance.random() < share:
                apply(
                    files, Step(step.kind, step.file, step.offset + start, step.data[start : start + SECTOR])
                )
    return files


def apply(files: dict[str, bytearray], step: Step) -> None:
    file = files.setdefault(step.file, bytearray())
    if len(file) < step.offset:
        file.extend(bytes(step.offset - len(file)))
    if step.kind == "truncate":
        del file[step.offset :]
    else:
        file[step.offset : step.offset + len(step.data)] = step.data


def outcomes(steps: Sequence[Step], folder: Path, cuts: int) -> Counter[str]:
    """How random power cuts ended: everything there that was acknowledged, some of it lost, or a damaged file."""
    chance = random.Random(7)  # noqa: S311
    first = next(number for number, step in enumerate(steps) if step.kind == "say" and b"\n" in step.data)
    found: Counter[str] = Counter()
    for number in range(cuts):
        cut = chance.randrange(first + 1, len(steps) + 1)
        said = b"".join(step.data for step in steps[:cut] if step.kind == "say").decode()
        state = folder / str(number)
        state.mkdir()
        for name, content in disk_after(steps[:cut], chance).items():
            if not name.endswith((".lock", "-shm")):
                (state / name).write_bytes(content)
        found[outcome(state / "kinebox.db", said)] += 1
        shutil.rmtree(state)
    return found


def outcome(path: Path, said: str) -> str:
    first, *counts = said[: said.rindex("\n")].splitlines()
    session_id = first.split()[1]
    acknowledged = int(counts[-1]) if counts else 0
    try:
        with Store(path) as store:
            store.recover(None)
            (squats,) = store.session(session_id).sets
            integrity = store._db.execute("PRAGMA integrity_check").fetchone()
    except (StoreError, ValueError) as error:
        return f"unusable: {type(error).__name__}"
    whole = [repetition.t for repetition in squats.repetitions] == [float(n + 1) for n in range(squats.reps)]
    if integrity != ("ok",) or not whole or squats.reps % PER_GROUP:
        return "damaged"
    return "all there" if squats.reps >= acknowledged else "lost"


def test_nothing_acknowledged_is_lost(steps: list[Step], tmp_path: Path) -> None:
    kinds = Counter((step.kind, step.file) for step in steps)
    assert kinds["sync", "kinebox.db-wal"] >= GROUPS
    later = steps[len(steps) // 2 :]
    assert any(step.kind == "sync" and step.file == "kinebox.db" for step in later), (
        "no checkpoint was traced"
    )
    assert outcomes(steps, tmp_path, CUTS) == {"all there": CUTS}


def test_the_method_sees_a_loss(steps: list[Step], tmp_path: Path) -> None:
    unsynced = [step for step in steps if step.kind != "sync" or not step.file.endswith("-wal")]
    assert outcomes(unsynced, tmp_path, 20)["all there"] < 10
