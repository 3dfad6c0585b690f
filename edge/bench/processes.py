"""What a running box costs: memory, processor time a frame, and the time from picture to browser."""

from __future__ import annotations

import contextlib
import functools
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
from websockets.sync.client import connect

from edge.errors import KineboxError
from edge.link import CameraState, Hello, MarkerSeen, PoseFrame
from edge.link_socket import Publisher, Subscriber
from edge.vision.source import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from websockets.sync.client import ClientConnection

_START_S = 30.0
_WARM_UP_FRAMES = 30
_TICKS = os.sysconf("SC_CLK_TCK")


class ProcessCost(msgspec.Struct, frozen=True):
    """One process while the box runs at the clip's own pace, recording and with one browser watching."""

    resident_mb: float
    cpu_ms: float
    """Processor time a frame, all threads."""


class BoxCost(msgspec.Struct, frozen=True):
    """Both processes, and how old a picture's joints are when the hub and a browser have them."""

    vision: ProcessCost
    hub: ProcessCost
    fps: float
    latency_p50_ms: float
    """From the picture to the browser."""
    latency_p95_ms: float
    to_hub_p50_ms: float
    """From the picture to the other end of the link."""
    to_hub_p95_ms: float


class Memory(msgspec.Struct, frozen=True):
    """Resident memory of both processes at a time."""

    minutes: float
    vision_mb: float
    hub_mb: float


_LEAST_LOOKS = 8


def growth(looks: Sequence[Memory]) -> tuple[float, float] | None:
    """MB an hour of vision and of the hub, between the medians of the third and the last quarter; None for few looks.

    What comes and goes within minutes hardly moves it, and what is loaded once lies before.
    """
    if len(looks) < _LEAST_LOOKS:
        return None
    half, last = len(looks) // 2, len(looks) * 3 // 4
    sizes = np.array([(look.minutes / 60, look.vision_mb, look.hub_mb) for look in looks])
    hours, vision, hub = np.median(sizes[last:], axis=0) - np.median(sizes[half:last], axis=0)
    return round(float(vision / hours), 1), round(float(hub / hours), 1)


class _Message(msgspec.Struct):
    """The part of the hub's messages that is needed here."""

    type: str
    capture_ms: float = 0.0


class _Tuning(msgspec.Struct):
    basis: str


class _Status(msgspec.Struct):
    """The part of `/api/v1/status` that is needed here."""

    tuning: _Tuning | None = None


def link_ms(records: Sequence[PoseFrame | CameraState | MarkerSeen], hello: Hello) -> list[float]:
    """Milliseconds from handing each frame to the link until the other end has it decoded: float[N]."""
    cost = []
    with tempfile.TemporaryDirectory(prefix="kinebox-bench-") as folder:
        publisher = Publisher(Path(folder) / "link", hello)
        subscriber = Subscriber(publisher.path)
        try:
            publisher.flush()
            while subscriber.read() is not None:
                pass
            for record in records:
                start = time.perf_counter()
                publisher.publish(record)
                subscriber.read()
                if isinstance(record, PoseFrame):
                    cost.append((time.perf_counter() - start) * 1e3)
        finally:
            subscriber.close()
            publisher.close()
    return cost


def run_box(clip: Path, seconds: float) -> BoxCost:
    """Run vision and hub on `clip`, over and over, for `seconds`, with one browser connected.

    Raises KineboxError when one of them does not start or stops.
    """
    with running_box(clip) as box:
        before = {process: _cpu_s(process.pid) for process in (box.vision, box.hub)}
        start = time.monotonic()
        ages: list[float] = []
        with _Listener(box.link) as listener:
            while (elapsed := time.monotonic() - start) < seconds:
                capture_ms = next_frame(box.browser)
                ages.append(time.time() * 1e3 - capture_ms)
        costs = [
            ProcessCost(
                resident_mb=round(_resident_mb(process.pid), 1),
                cpu_ms=round((_cpu_s(process.pid) - before[process]) * 1e3 / len(ages), 3),
            )
            for process in (box.vision, box.hub)
        ]
    return BoxCost(
        costs[0],
        costs[1],
        round(len(ages) / elapsed, 1),
        *(
            round(float(np.percentile(part, share)), 1)
            for part in (ages, listener.ages)
            for share in (50, 95)
        ),
    )


def soak_box(
    clip: Path, minutes: float, told: Callable[[Memory], object], every_s: float = 30.0
) -> list[Memory]:
    """Run the box on `clip` for `minutes` and look at its memory now and then; `told` of each look.

    Raises KineboxError when one of the processes does not start or stops.
    """
    looks: list[Memory] = []
    with running_box(clip) as box:
        start = time.monotonic()
        while (passed := time.monotonic() - start) < minutes * 60 or not looks:
            next_frame(box.browser)
            if passed >= len(looks) * every_s:
                memory = [round(_resident_mb(process.pid), 1) for process in (box.vision, box.hub)]
                looks.append(Memory(round(passed / 60, 2), *memory))
                told(looks[-1])
    return looks


class RunningBox(NamedTuple):
    """A running box with a browser."""

    vision: subprocess.Popen[bytes]
    hub: subprocess.Popen[bytes]
    browser: ClientConnection
    link: Path
    port: int
    """Of the dashboard."""


@contextlib.contextmanager
def running_box(clip: Path) -> Iterator[RunningBox]:
    """Vision and hub on `clip`, over and over, warm, and tuned to this machine.

    They have a state and a configuration of their own: nothing is sent anywhere, nothing of the household changes.
    """
    open_source(str(clip)).close()  # what is missing is told here rather than in a process's log
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kinebox-bench-")))
        log = stack.enter_context(tempfile.TemporaryFile("w+"))
        settings = folder / "config.toml"
        settings.touch()
        own = os.environ | {"KINEBOX_STATE": str(folder), "KINEBOX_CONFIG": str(settings)}
        own.pop("STATE_DIRECTORY", None)
        start = functools.partial(_process, own, log)
        door = ["--socket", str(folder / "link")]
        port = _free_port()
        vision = stack.enter_context(start("edge.vision.service", *door, "--camera", str(clip), "--loop"))
        hub = stack.enter_context(start("edge.hub", *door, "--port", str(port)))
        browser = stack.enter_context(_connect(port, (vision, hub), log))
        for _ in range(_WARM_UP_FRAMES):
            next_frame(browser)
        end = time.monotonic() + _START_S
        while _is_tuning(port) and time.monotonic() < end:
            next_frame(browser)
        yield RunningBox(vision, hub, browser, folder / "link", port)


class _Listener:
    """Another hub at the link: how old frames are when they come out of it."""

    def __init__(self, link: Path) -> None:
        self.ages: list[float] = []
        self._subscriber = Subscriber(link)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> _Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._subscriber.close()

    def _listen(self) -> None:
        while not self._stop.is_set():
            select.select([self._subscriber], [], [], 0.1)
            with contextlib.suppress(EOFError):
                while (record := self._subscriber.read()) is not None:
                    if isinstance(record, PoseFrame) and record.utc_ns is not None:
                        self.ages.append((time.time_ns() - record.utc_ns) / 1e6)


@contextlib.contextmanager
def _process(
    environment: Mapping[str, str], log: IO[str], module: str, *arguments: str
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=environment,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def _connect(
    port: int, processes: Sequence[subprocess.Popen[bytes]], log: IO[str]
) -> Iterator[ClientConnection]:
    """The browser's end of the live WebSocket, once the hub serves it."""
    end = time.monotonic() + _START_S
    while True:
        try:
            with connect(f"ws://127.0.0.1:{port}/api/v1/live") as browser:
                yield browser
                return
        except ConnectionRefusedError as error:
            if time.monotonic() > end or any(process.poll() is not None for process in processes):
                log.seek(0)
                last = (log.read().strip().splitlines() or ["no reason given"])[-1]
                raise KineboxError(f"the box did not start: {last}") from error
        time.sleep(0.1)


def _is_tuning(port: int) -> bool:
    """Whether vision still measures between the pictures what this machine can do."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/status", timeout=_START_S) as answer:
        tuning = msgspec.json.decode(answer.read(), type=_Status).tuning
    return tuning is not None and tuning.basis == "safe"


def next_frame(browser: ClientConnection) -> float:
    """When the next frame to arrive was taken, in ms since 1970."""
    while True:
        try:
            message = msgspec.json.decode(browser.recv(timeout=_START_S), type=_Message)
        except TimeoutError as error:
            raise KineboxError("the box runs but no frames come") from error
        if message.type == "frame":
            return message.capture_ms


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _cpu_s(pid: int) -> float:
    """Processor time of a process since its start, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
