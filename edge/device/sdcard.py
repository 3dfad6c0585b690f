"""What a box writes to its card in an hour: `python -m edge.device.sdcard TRACE`, as root.

Both processes of a box really run, on a recording instead of a camera, and everything that they keep lies on an ext4
file system of its own, mounted as on a box (noatime, commit=60). What counts is what the kernel hands to that disk:
the file system's journal and metadata are in it, which a process's own counter does not see. Flash has its own
overhead below (a page or more for each sync), which nobody outside a card can count.

Each way of running is measured for some minutes, all of them at once, and told for an hour. Not in it: the system's
own logs, of which only the lines of Kinebox are counted.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from msgspec.structs import replace
from rich.console import Console
from rich.table import Column, Table

from edge.errors import ConfigError, KineboxError
from edge.link import CameraState, Hello, PoseFrame
from edge.vision.trace import TraceWriter, read_trace

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECTOR: Final = 512
"""Unit of the kernel's counters, whatever the disk's is."""
_DISK_MB: Final = 512
_CLONE_NEWNS: Final = 0x00020000
_WARM_S: Final = 20.0
"""Before the count begins: the files are made, the first session has begun."""
_FRAME_NS: Final = 33_000_000
_STOP_S: Final = 20.0
_BROKER: Final = """\
[uplink]
url = "mqtt://127.0.0.1:9"
tenant = "card"
site = "card"
unknown_subjects = "anonymous"
"""
"""Nobody listens there."""


class Case(NamedTuple):
    """One way in which a box spends an hour."""

    name: str
    somebody: bool
    limit: float
    """MB an hour that it may write; more is a fault to look for."""
    config: str = ""


CASES: Final = (
    Case("nobody there", somebody=False, limit=1),
    Case("nobody there, broker away", somebody=False, limit=2, config=_BROKER),
    Case("exercise without a pause", somebody=True, limit=200),
    Case("exercise without a pause, broker away", somebody=True, limit=250, config=_BROKER),
)


class Written(NamedTuple):
    """What was written, from a moment to another or in an hour."""

    megabytes: float
    syncs: float
    log_lines: float

    def per_hour(self, seconds: float) -> Written:
        """What it would be in an hour."""
        return Written(*(value * 3600 / seconds for value in self))


class Disk:
    """An ext4 file system of its own, in a file; gone when this process is. Needs root."""

    def __init__(self, folder: Path) -> None:
        """Make and mount it in `folder`. ConfigError where that is not possible."""
        self.path = folder / "card"
        self.path.mkdir()
        image = folder / "card.img"
        with image.open("wb") as file:
            file.truncate(_DISK_MB * 2**20)
        # Nothing is left for the kernel to initialise later: that would be counted.
        _do("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
        _do("mount", "-o", "loop,noatime,commit=60", str(image), str(self.path))
        mounts = (line.split() for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines())
        device = next(Path(source).name for source, where, *_ in mounts if where == str(self.path))
        self._counters = Path("/sys/block", device, "stat")

    def written(self) -> tuple[int, int]:
        """Bytes written and syncs since it was made, what waited included."""
        _do("sync", "--file-system", str(self.path))
        counters = self._counters.read_text(encoding="ascii").split()
        return int(counters[6]) * _SECTOR, int(counters[15])

    def close(self) -> None:
        """Unmount it."""
        _do("umount", str(self.path))


class Box:
    """Vision and hub of one box, with a disk of its own."""

    def __init__(self, case: Case, recording: Path, folder: Path) -> None:
        """Start it; `recording` is what its camera sees."""
        folder.mkdir()
        self.disk = Disk(folder)
        self._logs = folder / "log"
        config = folder / "config.toml"
        config.write_text(case.config, encoding="utf-8")
        environment = os.environ | {
            "KINEBOX_STATE": str(self.disk.path),
            "KINEBOX_CONFIG": str(config),
            "KINEBOX_ASSUME_CLOCK": "1",
        }
        link = folder / "link"
        log = self._logs.open("ab")
        vision = [
            "edge.vision.service",
            "--socket",
            str(link),
            "--camera",
            str(recording),
            "--precision",
            "fp32",
        ]
        hub = ["edge.hub", "--socket", str(link), "--port", "0"]
        with log:
            self._processes = [
                subprocess.Popen(
                    [sys.executable, "-m", "edge.tied", str(os.getpid()), sys.executable, "-m", *command],
                    env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                )
                for command in (vision, hub)
            ]  # fmt: skip

    def __enter__(self) -> Self:
        """The box."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.disk.close()

    def wait(self) -> None:
        """Wait until it works. ConfigError when one of its processes has ended."""
        while b"Dashboard: " not in self._logs.read_bytes():
            self._check()
            time.sleep(0.1)

    def written(self) -> Written:
        """What it has written since its start. ConfigError when one of its processes has ended."""
        self._check()
        size, syncs = self.disk.written()
        return Written(size / 1e6, syncs, len(self._logs.read_bytes().splitlines()))

    def _check(self) -> None:
        if any(process.poll() is not None for process in self._processes):
            raise ConfigError("a process of the box has ended", self._logs.read_text(encoding="utf-8")[-500:])


def measure(
    trace: Path, seconds: float, cases: Sequence[Case] = CASES, warm_s: float = _WARM_S
) -> list[tuple[Case, Written]]:
    """What each case writes in an hour, from so many `seconds`. ConfigError, CameraError where it cannot be told.

    This process keeps mounts of its own from then on.
    """
    if os.geteuid() != 0:
        raise ConfigError("a disk of one's own needs root", "Run it with sudo")
    for tool in ("mkfs.ext4", "mount", "sync"):
        if shutil.which(tool) is None:
            raise ConfigError(f"{tool} is not installed", "Install e2fsprogs and mount")
    leave_mounts()
    with tempfile.TemporaryDirectory(prefix="kinebox-card-") as name, contextlib.ExitStack() as running:
        folder = Path(name)
        recordings = {
            somebody: _prolonged(trace, folder / f"{somebody}.trace", seconds + 3 * warm_s, somebody=somebody)
            for somebody in {case.somebody for case in CASES}
        }
        boxes = [
            running.enter_context(Box(case, recordings[case.somebody], folder / str(number)))
            for number, case in enumerate(cases)
        ]
        for box in boxes:
            box.wait()
        time.sleep(warm_s)
        began = time.monotonic()
        before = [box.written() for box in boxes]
        time.sleep(seconds)
        after = [box.written() for box in boxes]
        took = time.monotonic() - began
    return [
        (case, Written(*(b - a for a, b in zip(old, new, strict=True))).per_hour(took))
        for case, old, new in zip(cases, before, after, strict=True)
    ]


def _prolonged(trace: Path, longer: Path, seconds: float, *, somebody: bool) -> Path:
    """The recording again and again as one that lasts `seconds`; with nobody in it if so wished."""
    hello, *records = read_trace(trace)
    frames = [record for record in records if isinstance(record, PoseFrame)]
    if not isinstance(hello, Hello) or not frames:
        raise ConfigError(f"{trace} shows nobody", "Record one: kinebox analyze VIDEO --out FOLDER")
    lasts = frames[-1].monotonic_ns - frames[0].monotonic_ns + _FRAME_NS
    writer = TraceWriter(longer, hello)
    writer.write(CameraState(camera=hello.camera, state="live", monotonic_ns=frames[0].monotonic_ns))
    for turn in range(int(seconds * 1e9 / lasts) + 1):
        for number, frame in enumerate(frames):
            subjects = frame.subjects if somebody else ()
            later = frame.monotonic_ns + turn * lasts
            writer.write(
                replace(frame, number=turn * len(frames) + number + 1, monotonic_ns=later, subjects=subjects)
            )
    writer.close()
    return longer


def leave_mounts() -> None:
    """What is mounted from here on is seen by this process and its children alone, and goes with them."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS):
        raise ConfigError(f"no mounts of one's own: {os.strerror(ctypes.get_errno())}", "Run it as root")
    _do("mount", "--make-rprivate", "/")


def _do(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigError(
            f"{command[0]}: {done.stderr.strip()}", "Run it as root, on a machine with loop devices"
        )


def main(arguments: list[str] | None = None) -> int:
    """Command line; the exit code is 1 where a limit is exceeded, else the error's."""
    parser = argparse.ArgumentParser(prog="python -m edge.device.sdcard", description=__doc__)
    parser.add_argument("trace", type=Path, help="a recording of somebody who exercises")
    parser.add_argument("--minutes", type=float, default=10, help="how long to measure (default: 10)")
    options = parser.parse_args(arguments)
    columns = (
        Column(name, justify="right") for name in ("MB/h", "limit", "syncs/h", "GB/year", "log lines/h")
    )
    table = Table(Column("In an hour", no_wrap=True), *columns)
    try:
        found = measure(options.trace, options.minutes * 60)
    except KineboxError as error:
        print(f"sdcard: {error}. {error.remedy}", file=sys.stderr)
        return error.exit_code
    for case, hourly in found:
        yearly = hourly.megabytes * 24 * 365 / 1000
        figures = (f"{hourly.megabytes:.2f}", f"{case.limit:g}", f"{hourly.syncs:.0f}", f"{yearly:.1f}")
        table.add_row(case.name, *figures, f"{hourly.log_lines:.0f}")
    Console().print(table)
    return 1 if any(hourly.megabytes > case.limit for case, hourly in found) else 0


if __name__ == "__main__":
    sys.exit(main())
