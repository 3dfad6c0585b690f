"""`kinebox doctor`: what this machine has, what is missing, and what to do about it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge import __version__
from edge.clock import has_battery, synchronised
from edge.device.doctor_box import ask
from edge.device.doctor_camera import examine_camera
from edge.device.doctor_finding import Finding
from edge.errors import KineboxError
from edge.store import database_path
from edge.thermal import Thermometer
from edge.trouble import BY_CODE, Sign, words
from models import imported
from models.load import model_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST_FREE_MB = 200
_LEAST_MEMORY_MB = 900


def examine() -> list[Finding]:
    """Run every check; none of them changes anything."""
    box = ask()
    findings = [finding for check in _CHECKS for finding in check()]
    return [*findings[:1], *box.findings, *examine_camera(box.running), *findings[1:]]


def _software() -> list[Finding]:
    python = platform.python_version()
    return [Finding("software", "ok", f"Kinebox {__version__}, Python {python}, {platform.machine()}")]


def _models() -> list[Finding]:
    findings = []
    for precision in ("int8", "fp32"):
        try:
            for stage in ("detector", "landmark"):
                model_bytes(stage, precision)
        except KineboxError as error:
            findings.append(Finding(f"models {precision}", "failed", str(error), error.remedy))
        else:
            findings.append(Finding(f"models {precision}", "ok", "present and undamaged"))
    return findings + [_imported(name) for name in imported.names()]


def _imported(name: str) -> Finding:
    """A model that the user brought."""
    try:
        model = imported.load(name)
        for precision in model.files:
            imported.model_bytes(model, precision)
    except KineboxError as error:
        return Finding(f"model {name}", "failed", str(error), error.remedy)
    return Finding(f"model {name}", "ok", f"imported ({', '.join(sorted(model.files))}) and undamaged")


def _processor() -> list[Finding]:
    """INT8 only pays where the processor multiplies bytes in one step; which is faster is measured, not guessed."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []
    useful = {"avx512_vnni", "avx_vnni", "asimddp", "i8mm"} & set(flags)
    said = f"INT8 instructions: {', '.join(sorted(useful))}" if useful else "no INT8 dot-product instructions"
    return [Finding("processor", "ok", f"{said}, {len(os.sched_getaffinity(0))} cores")]


def _heat() -> list[Finding]:
    heat = Thermometer().read()
    parts = []
    if heat.celsius is not None:
        parts.append(f"{heat.celsius:.0f} °C")
    if heat.mhz is not None and heat.most_mhz is not None:
        parts.append(f"{heat.mhz:.0f} of {heat.most_mhz:.0f} MHz")
    if heat.causes:
        kind = BY_CODE["throttled"]
        said = words(kind, Sign(1.0, ", ".join(heat.causes)))
        return [Finding("heat and power", "warning", ", ".join([said, *parts]), kind.remedy)]
    return [Finding("heat and power", "ok", ", ".join(["not throttled", *parts]))] if parts else []


def _clock() -> list[Finding]:
    if synchronised():
        return [Finding("clock", "ok", "kept by a time service")]
    if has_battery():
        return [Finding("clock", "ok", "no time service keeps it; this machine's clock has a battery")]
    return [
        Finding(
            "clock",
            "warning",
            "no time service has set it yet, and this board has no battery",
            "Let it reach a time server (chrony); what is recorded meanwhile gets its time later.",
        )
    ]


def _state() -> list[Finding]:
    path = database_path()
    folder = next(parent for parent in path.parents if parent.exists())
    if not os.access(folder, os.W_OK):
        return [Finding("state folder", "failed", f"{folder} cannot be written", "Set KINEBOX_STATE.")]
    free = shutil.disk_usage(folder).free // 2**20
    if free < _LEAST_FREE_MB:
        return [
            Finding("disk", "failed", f"{free} MB free in {folder}", "Free some space: sessions need room.")
        ]
    return [Finding("disk", "ok", f"{free} MB free in {folder}")]


def _memory() -> list[Finding]:
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return []
    total = int(text.split("MemTotal:")[1].split()[0]) // 1024
    if total < _LEAST_MEMORY_MB:
        return [
            Finding("memory", "warning", f"{total} MB", "Close other programs: Kinebox needs about 400 MB.")
        ]
    return [Finding("memory", "ok", f"{total} MB")]


def _dashboard() -> list[Finding]:
    spec = importlib.util.find_spec("edge.web")
    folder = Path(spec.origin).parent / "static" if spec and spec.origin else None
    if folder and (folder / "index.html").is_file():
        return [Finding("dashboard", "ok", "built")]
    return [
        Finding("dashboard", "failed", "not built", f"Install again with {Path(sys.executable).name} -m pip.")
    ]


_CHECKS: tuple[Callable[[], list[Finding]], ...] = (
    _software,
    _models,
    _processor,
    _heat,
    _clock,
    _state,
    _memory,
    _dashboard,
)
