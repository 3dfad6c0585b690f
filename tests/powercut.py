"""Power cuts: what was not synced may be lost in any part.

A real program that writes runs under strace. Its system calls are replayed up to a random moment: what was synced by
then is on the disk. Of what was written to a file since, each sector may have landed or not; of what was done to the
names in a folder since (made, renamed, removed), the first so many. kill -9 cannot show this, because the kernel then
still writes what it was given.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CUTS = int(os.environ.get("KINEBOX_POWER_CUTS", "60"))
"""How many are replayed."""
ROOT = Path(__file__).resolve().parents[1]
SECTOR = 512
NOT_KEPT = (".lock", "-shm")
"""Files that mean nothing after a start of the machine."""
CALLS = "openat,pwrite64,write,fsync,fdatasync,syncfs,ftruncate,unlink,unlinkat,rename,renameat2,mkdir,rmdir,symlink"
CALL = re.compile(r"(?:\[pid +\d+\] |\d+ +)?(\w+)\((.*)\) += (\d+)")
FOLDER = re.compile(r"(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})+)>, ")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
DESCRIPTOR = re.compile(r"(\d+)<((?:\\x[0-9a-f]{2})*)>")


@dataclass
class Step:
    """One thing the program did to a file or a name in the folder; for `say`, `data` is what it printed."""

    kind: str
    file: str = ""
    offset: int = 0
    data: bytes = b""
    other: str = ""
    """Where a rename or a link leads."""


@dataclass
class File:
    """A file, on the disk and as the program sees it."""

    content: bytearray = field(default_factory=bytearray)
    unsynced: list[Step] = field(default_factory=list)

    def sync(self) -> None:
        for step in self.unsynced:
            apply(self.content, step)
        self.unsynced.clear()

    def lose(self, chance: random.Random, share: float) -> bytearray:
        for step in self.unsynced:
            for start in range(0, max(len(step.data), 1), SECTOR):
                if chance.random() < share:
                    part = step.data[start : start + SECTOR]
                    apply(self.content, Step(step.kind, step.file, step.offset + start, part))
        return self.content


@dataclass
class Folder:
    """A folder: its names on the disk, as the program sees them, and the changes between the two."""

    kept: dict[str, Node] = field(default_factory=dict)
    names: dict[str, Node] = field(default_factory=dict)
    unsynced: list[dict[str, Node | None]] = field(default_factory=list)

    def change(self, **names: Node | None) -> None:
        change(self.names, names)
        self.unsynced.append(names)

    def sync(self) -> None:
        self.kept = dict(self.names)
        self.unsynced.clear()

    def sync_all(self) -> None:
        self.sync()
        for node in self.names.values():
            if isinstance(node, Folder):
                node.sync_all()
            elif isinstance(node, File):
                node.sync()

    def lose(self, chance: random.Random) -> dict[str, Node]:
        for names in self.unsynced[: chance.randint(0, len(self.unsynced))]:
            change(self.kept, names)
        return self.kept


Node = File | Folder | str
"""A symbolic link is where it leads."""


def trace(state: Path, program: str, *arguments: str) -> list[Step]:
    """What `python -m PROGRAM ARGUMENTS...` does in the folder `state`."""
    if shutil.which("strace") is None:
        missing("strace")
    log = state.with_name("trace")
    subprocess.run(
        ["strace", "-f", "-y", "-xx", "-s", "1000000", "-o", str(log), "-e", f"trace={CALLS}",
         sys.executable, "-m", program, *arguments],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return list(parse(log, str(state)))


def cuts(
    steps: Sequence[Step], folder: Path, number: int, before: Path | None = None
) -> Iterator[tuple[Path, list[str]]]:
    """The traced folder after each of so many random power cuts, and the lines that were printed by then.

    `before`: a copy of what was in it when the program began, which is on the disk.
    """
    chance = random.Random(7)  # noqa: S311
    first = next(n for n, step in enumerate(steps) if step.kind == "say" and b"\n" in step.data)
    state = folder / "cut"
    for _ in range(number):
        cut = chance.randrange(first + 1, len(steps) + 1)
        said = b"".join(step.data for step in steps[:cut] if step.kind == "say").decode()
        lay_out(disk_after(steps[:cut], before), state, chance, chance.random())
        yield state, said[: said.rindex("\n")].splitlines()
        shutil.rmtree(state)


def without_syncs_of_the_log(steps: Sequence[Step]) -> list[Step]:
    """The same program on a disk that promises what it does not do: to show that a loss would be seen."""
    return [step for step in steps if step.kind != "sync" or not step.file.endswith("-wal")]


def parse(log: Path, folder: str) -> Iterator[Step]:
    """The steps that were done below `folder`, with names relative to it."""
    offsets: dict[str, int] = {}
    for line in log.read_text().splitlines():
        match = CALL.match(line)
        if match is None:
            continue
        call, arguments, result = match[1], match[2], int(match[3])
        where = [text(found) for found in FOLDER.findall(arguments)]
        strings = [bytes.fromhex(found.replace("\\x", "")) for found in STRING.findall(arguments)]
        if call in ("write", "pwrite64", "fsync", "fdatasync", "syncfs", "ftruncate"):
            descriptor = DESCRIPTOR.match(arguments)
            assert descriptor is not None
            number, file = descriptor[1], inside(text(descriptor[2]), folder)
            if call == "write" and number == "1":
                yield Step("say", data=strings[0])
            elif file is None:
                continue
            elif call in ("fsync", "fdatasync"):
                yield Step("sync", file)
            elif call == "syncfs":
                yield Step("sync all")
            elif call == "ftruncate":
                yield Step("truncate", file, int(arguments.rsplit(", ", 1)[1]))
            else:
                assert len(strings[0]) == result
                at = offsets.get(number, 0) if call == "write" else int(arguments.rsplit(", ", 1)[1])
                offsets[number] = at + result
                yield Step("write", file, at, strings[0])
            continue
        paths = [str(Path(where[0] if where else "/", string.decode(errors="replace"))) for string in strings]
        names = [inside(path, folder) for path in paths]
        if call == "openat":
            offsets[str(result)] = 0
            if names[0] and "O_CREAT" in arguments:
                yield Step("create", names[0])
            if names[0] and "O_TRUNC" in arguments:
                yield Step("truncate", names[0])
        elif call == "symlink" and names[1]:
            yield Step("symlink", names[1], other=strings[0].decode())
        elif call.startswith("rename") and names[0] and names[1]:
            yield Step("rename", names[0], other=names[1])
        elif call in ("mkdir", "rmdir", "unlink", "unlinkat") and names[0]:
            yield Step("mkdir" if call == "mkdir" else "unlink", names[0])


def inside(path: str, folder: str) -> str | None:
    """`path` relative to `folder`, empty for the folder itself; None outside of it."""
    path = os.path.normpath(path)
    return path[len(folder) :].lstrip("/") if path == folder or path.startswith(f"{folder}/") else None


def text(hexadecimal: str) -> str:
    return bytes.fromhex(hexadecimal.replace("\\x", "")).decode(errors="replace")


def disk_after(steps: Sequence[Step], before: Path | None) -> Folder:
    """The folder as it is when the power goes after `steps`."""
    root = Folder() if before is None else taken_over(before)
    for step in steps:
        if step.kind == "say":
            continue
        if step.kind == "sync all":
            root.sync_all()
            continue
        if step.kind == "sync":
            node = root if not step.file else parent(root, step.file).names[Path(step.file).name]
            assert not isinstance(node, str)
            node.sync()
            continue
        folder, name = parent(root, step.file), Path(step.file).name
        if step.kind in ("write", "truncate"):
            file = folder.names[name]
            assert isinstance(file, File)
            file.unsynced.append(step)
        elif step.kind == "create":
            if name not in folder.names:
                folder.change(**{name: File()})
        elif step.kind == "mkdir":
            folder.change(**{name: Folder()})
        elif step.kind == "symlink":
            folder.change(**{name: step.other})
        elif step.kind == "unlink":
            folder.change(**{name: None})
        else:
            assert parent(root, step.other) is folder, "renamed to another folder"
            folder.change(**{Path(step.other).name: folder.names[name], name: None})
    return root


def parent(root: Folder, path: str) -> Folder:
    for part in Path(path).parent.parts:
        node = root.names[part]
        assert isinstance(node, Folder)
        root = node
    return root


def taken_over(path: Path) -> Folder:
    folder = Folder()
    for entry in path.iterdir():
        if entry.is_symlink():
            folder.change(**{entry.name: str(entry.readlink())})
        else:
            node = taken_over(entry) if entry.is_dir() else File(bytearray(entry.read_bytes()))
            folder.change(**{entry.name: node})
    folder.sync()
    return folder


def lay_out(folder: Folder, place: Path, chance: random.Random, share: float) -> None:
    """Write what is left of the folder after the cut; of what was not synced, about `share`."""
    place.mkdir()
    for name, node in folder.lose(chance).items():
        if isinstance(node, Folder):
            lay_out(node, place / name, chance, share)
        elif isinstance(node, str):
            (place / name).symlink_to(node)
        elif not name.endswith(NOT_KEPT):
            (place / name).write_bytes(node.lose(chance, share))


def change(names: dict[str, Node], changes: dict[str, Node | None]) -> None:
    for name, node in changes.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def apply(content: bytearray, step: Step) -> None:
    if len(content) < step.offset:
        content.extend(bytes(step.offset - len(content)))
    if step.kind == "truncate":
        del content[step.offset :]
    else:
        content[step.offset : step.offset + len(step.data)] = step.data
