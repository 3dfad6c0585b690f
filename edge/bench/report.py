"""Measuring, and telling it as a table or as JSON."""

from __future__ import annotations

import itertools
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import msgspec
import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from edge.bench.motion import MotionCost, Part, motion_cost
from edge.bench.peer import PeerUnavailable, peer_python
from edge.bench.processes import BoxCost, Memory, growth, link_ms, run_box, soak_box
from edge.bench.race import BLOCK, Lap, race
from edge.footage import demo_video
from edge.vision.file import FileCamera
from edge.vision.pictures import Picture
from edge.vision.source import open_source

if TYPE_CHECKING:
    import numpy.typing as npt

PEER = "mediapipe"
_LABEL = {"int8": "Kinebox INT8", "fp32": "Kinebox fp32", PEER: "MediaPipe 0.10.21"}
_LONG_SIDE = 640
_BOX_S = 10.0
_MOST_FRAMES = 600
"""Enough for any statistic, and 400 MB as pixels."""


class Cost(msgspec.Struct, frozen=True):
    """One pipeline's time from a picture to keypoints."""

    p50_ms: float
    p90_ms: float
    cpu_p50_ms: float
    """Processor time, all threads: what remains true when the machine is busy with something else."""
    found: float
    """Share of the frames with someone in them."""
    to_peer_p50: float | None = None
    """Divided by MediaPipe's."""
    to_peer_p90: float | None = None
    to_peer_cpu: float | None = None
    outside_model: float | None = None
    """Share of a tracked frame's time that is not the network's."""


class Report(msgspec.Struct, frozen=True):
    """Everything `kinebox bench` measures."""

    clip: str
    frames: int
    width: int
    height: int
    machine: str
    python: str
    pipelines: dict[str, Cost]
    link_p50_ms: float
    link_p90_ms: float
    motion: MotionCost
    """Of the hub's work on keypoints."""
    box: BoxCost
    peer_missing: str | None = None


def run_bench(peers: bool, json: bool, video: Path | None, seconds: float) -> None:
    """Measure and print. Progress goes to standard error, the result to standard output.

    `video` defaults to the demo footage; `seconds` is about how long the pipelines race. Raises KineboxError
    when there is no footage or no model.
    """
    progress = Console(stderr=True)
    clip = video or demo_video()
    frames, fps = load(clip)
    runners: dict[str, Path | None] = {"int8": None, "fp32": None}
    peer_missing = None
    if peers:
        try:
            with progress.status("Looking for MediaPipe (installed once, about 430 MB)"):
                runners[PEER] = peer_python()
        except PeerUnavailable as error:
            peer_missing = f"{error}. {error.remedy}".strip()
    with progress.status(f"Measuring {len(runners)} pipelines on one core"):
        laps = race(frames, fps, runners, seconds)
        source = open_source(str(clip))
        records = list(itertools.islice(source.stream(), _MOST_FRAMES))
        link = link_ms(records, source.hello)
        source.close()
    with progress.status("Measuring both processes of a running box"):
        box = run_box(clip, _BOX_S)
    report = Report(
        clip=clip.name,
        frames=len(frames),
        width=frames.shape[2],
        height=frames.shape[1],
        machine=processor(),
        python=sys.version.split()[0],
        pipelines=costs(laps),
        link_p50_ms=_percentile(link, 50),
        link_p90_ms=_percentile(link, 90),
        motion=motion_cost(records),
        box=box,
        peer_missing=peer_missing,
    )
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    else:
        _print(report)


def run_soak(minutes: float, json: bool, video: Path | None) -> None:
    """Run the box for `minutes` and print its memory as time goes by. Raises KineboxError."""
    progress = Console(stderr=True)
    clip = video or demo_video()
    looks = soak_box(clip, minutes, lambda look: progress.print(_memory(look), highlight=False))
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(looks)).decode() + "\n")
        return
    for name, look in (("start", looks[0]), ("middle", looks[len(looks) // 2]), ("end", looks[-1])):
        Console().print(f"{name}: {_memory(look)}", highlight=False)
    vision, hub = max(look.vision_mb for look in looks), max(look.hub_mb for look in looks)
    Console().print(f"most: vision {vision:.1f} MB, hub {hub:.1f} MB", highlight=False)
    grows = growth(looks)
    if grows is None:
        Console().print("too few looks to say whether it grows", highlight=False)
    else:
        Console().print(
            f"in the second half: vision {grows[0]:+.1f} MB an hour, hub {grows[1]:+.1f}", highlight=False
        )


def _memory(look: Memory) -> str:
    return f"{look.minutes:.1f} min: vision {look.vision_mb:.1f} MB, hub {look.hub_mb:.1f} MB"


def load(clip: Path) -> tuple[npt.NDArray[np.uint8], float]:
    """The clip's first pictures, BGR uint8[N, H, W, 3] with the long side at most 640, and its frame rate."""
    camera = FileCamera(clip)
    pictures = (item.bgr for item in camera.stream() if isinstance(item, Picture))
    small = [_shrink(bgr) for bgr in itertools.islice(pictures, _MOST_FRAMES)]
    camera.close()
    return np.stack(small), camera.fps


def _shrink(bgr: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = bgr.shape[:2]
    scale = min(1.0, _LONG_SIDE / max(height, width))
    size = (round(width * scale), round(height * scale))
    return cast("npt.NDArray[np.uint8]", cv2.resize(bgr, size, interpolation=cv2.INTER_AREA))


def costs(laps: dict[str, Lap]) -> dict[str, Cost]:
    """Medians of each lap, compared with MediaPipe's where that ran."""
    peer = laps.get(PEER)
    result = {}
    for name, lap in laps.items():
        ratio = {}
        if peer:
            ratio = {
                "to_peer_p50": _percentile(lap.wall_ms, 50) / _percentile(peer.wall_ms, 50),
                "to_peer_p90": _percentile(lap.wall_ms, 90) / _percentile(peer.wall_ms, 90),
                "to_peer_cpu": _percentile(lap.cpu_ms, 50) / _percentile(peer.cpu_ms, 50),
            }
        tracked = [s for s in lap.stages if s.get("model") and not s.get("detect")]
        outside = [1 - stage["model"] / stage["total"] for stage in tracked]
        result[name] = Cost(
            p50_ms=_percentile(lap.wall_ms, 50),
            p90_ms=_percentile(lap.wall_ms, 90),
            cpu_p50_ms=_percentile(lap.cpu_ms, 50),
            found=lap.found / lap.frames,
            outside_model=_percentile(outside, 50) if outside else None,
            **ratio,
        )
    return result


def _percentile(values: list[float], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 4)


def processor() -> str:
    """The processor's name as Linux gives it; ARM's cpuinfo has none, so the architecture must do."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _print(report: Report) -> None:
    console = Console()
    table = Table(
        box=SIMPLE,
        title=f"One frame of {report.clip} at {report.width} x {report.height}, on one core",
        caption="Milliseconds from picture to joints. x: to MediaPipe. outside: not in the network.",
    )
    table.add_column("pipeline", no_wrap=True)
    for column in ("p50", "p90", "CPU", "x p50", "x p90", "found", "outside"):
        table.add_column(column, justify="right")
    for name, cost in report.pipelines.items():
        table.add_row(
            _LABEL[name],
            *(f"{ms:.1f}" for ms in (cost.p50_ms, cost.p90_ms, cost.cpu_p50_ms)),
            *(_ratio(ratio) for ratio in (cost.to_peer_p50, cost.to_peer_p90)),
            f"{cost.found:.0%}",
            f"{cost.outside_model:.0%}" if cost.outside_model is not None else "",
        )
    console.print(table)
    box = report.box
    console.print(
        f"Link (encode, socket, decode): {report.link_p50_ms:.3f} ms a frame, p90 {report.link_p90_ms:.3f}\n"
        f"{_part('Motion', report.motion.motion)}; {_part('coach', report.motion.coach)}:"
        " processor time a subject and frame (p50, mean)\n"
        f"Hub (coach, store, one browser): {box.hub.cpu_ms:.2f} ms of processor time a frame\n"
        f"Memory: vision {box.vision.resident_mb:.0f} MB, hub {box.hub.resident_mb:.0f} MB\n"
        f"Picture to link's end: {box.to_hub_p50_ms:.0f} ms, p95 {box.to_hub_p95_ms:.0f};"
        f" to browser: {box.latency_p50_ms:.0f} ms, p95 {box.latency_p95_ms:.0f}; {box.fps:.0f} frames/s\n"
        f"{report.machine}, Python {report.python}, {report.frames} frames in turns of {BLOCK}",
        highlight=False,
    )
    if report.peer_missing:
        console.print(f"MediaPipe was not measured: {report.peer_missing}")


def _part(name: str, cost: Part) -> str:
    return f"{name}: {cost.p50_ms:.3f} ms, mean {cost.mean_ms:.3f}"


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"
