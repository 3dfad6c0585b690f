"""Power cuts: what was not synced may be lost in any part.

A real program that writes runs under strace. Its system calls are replayed up to a random moment: what was synced by
then is on the disk; of everything written since, each sector may have landed or not. kill -9 cannot show this,
because the kernel then still writes what it was given.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CUTS = int(os.environ.get("KINEBOX_POWER_CUTS", "60"))
"""How many are replayed."""
ROOT = Path(__file__).resolve().parents[2]
SECTOR = 512
CALL = re.compile(r"(?:\[pid +\d+\] |\d+ +)?(\w+)\((.*)\) += (\d+)")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
NOT_KEPT = (".lock", "-shm")
"""Files that mean nothing after a start of the machine."""


@dataclass
class Step:
    """One thing the program did to a file; for `say`, `data` is what it printed."""

    kind: str
    file: str = ""
    offset: int = 0
    data: bytes = b""


def trace(folder: Path, program: str, file: str, groups: int) -> list[Step]:
    """What `python -m PROGRAM FILE GROUPS` does."""
    if shutil.which("strace") is None:
        missing("strace")
    log = folder / "trace"
    subprocess.run(
        ["strace", "-f", "-xx", "-s", "1000000", "-o", str(log),
         "-e", "trace=openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink",
         sys.executable, "-m", program, str(folder / "state" / file), str(groups)],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return list(parse(log, str(folder / "state")))


def cuts(steps: Sequence[Step], folder: Path, number: int) -> Iterator[tuple[Path, list[str]]]:
    """The state folder after each of so many random power cuts, and the lines that were printed by then."""
    chance = random.Random(7)  # noqa: S311
    first = next(n for n, step in enumerate(steps) if step.kind == "say" and b"\n" in step.data)
    state = folder / "cut"
    for _ in range(number):
        cut = chance.randrange(first + 1, len(steps) + 1)
        said = b"".join(step.data for step in steps[:cut] if step.kind == "say").decode()
        state.mkdir()
        for name, content in disk_after(steps[:cut], chance).items():
            if not name.endswith(NOT_KEPT):
                (state / name).write_bytes(content)
        yield state, said[: said.rindex("\n")].splitlines()
        shutil.rmtree(state)


def without_syncs_of_the_log(steps: Sequence[Step]) -> list[Step]:
    """The same program on a disk that promises what it does not do: to show that a loss would be seen."""
    return [step for step in steps if step.kind != "sync" or not step.file.endswith("-wal")]


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
