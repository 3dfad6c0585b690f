"""`kinebox doctor`: what this machine has, what is missing, and what to do about it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from edge import __version__
from edge.errors import KineboxError
from edge.store import database_path
from models.load import model_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

Verdict = Literal["ok", "warning", "failed"]

_LEAST_FREE_MB = 200
_LEAST_MEMORY_MB = 900


class Finding(msgspec.Struct, frozen=True):
    """What one check found."""

    check: str
    verdict: Verdict
    found: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Run every check; none of them changes anything."""
    return [finding for check in _CHECKS for finding in check()]


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
    return findings


def _int8_instructions() -> list[Finding]:
    """INT8 only pays where the processor multiplies bytes in one step."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []
    useful = {"avx512_vnni", "avx_vnni", "asimddp", "i8mm"} & set(flags)
    if useful:
        return [Finding("processor", "ok", f"INT8 instructions: {', '.join(sorted(useful))}")]
    return [
        Finding(
            "processor",
            "warning",
            "no INT8 dot-product instructions",
            "Try `kinebox run --precision fp32`: it may be as fast here.",
        )
    ]


def _cameras() -> list[Finding]:
    devices = sorted(Path("/dev").glob("video*"))
    if not devices:
        return [
            Finding("cameras", "warning", "no /dev/video device", "Plug in a camera; files work without one.")
        ]
    usable = [device for device in devices if os.access(device, os.R_OK | os.W_OK)]
    if usable:
        return [Finding("cameras", "ok", ", ".join(map(str, usable)))]
    return [
        Finding(
            "cameras",
            "failed",
            f"{devices[0]} may not be opened by this user",
            "Add the user to the group `video`.",
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
    _int8_instructions,
    _cameras,
    _state,
    _memory,
    _dashboard,
)
