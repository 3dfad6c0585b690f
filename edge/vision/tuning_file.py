"""What was measured at an earlier start, kept as long as it holds: for this processor, these models, this runtime."""

from __future__ import annotations

import logging
import os
import platform
from pathlib import Path
from typing import Literal

import msgspec
import onnxruntime
import platformdirs

from edge.vision.tuning import Costs, Given, name, size_name, ways_to_try
from models import catalogue
from models.load import DEFAULT_MODEL

log = logging.getLogger("edge.vision")

FILE = "tuning.json"
_LARGEST = 64 * 1024


class Basis(msgspec.Struct, frozen=True):
    """What the figures were measured on: with anything else they say nothing."""

    processor: str
    cores: int
    models: tuple[str, ...]
    runtime: str


class _Kept(msgspec.Struct, frozen=True):
    schema: Literal[1]
    basis: Basis
    costs: Costs


def folder() -> Path:
    """Vision's own state folder: systemd's, KINEBOX_STATE, else the user's."""
    given = os.environ.get("STATE_DIRECTORY") or os.environ.get("KINEBOX_STATE")
    return Path(given) if given else platformdirs.user_state_path("kinebox")


def basis() -> Basis:
    """This machine, these models and this runtime."""
    model = catalogue.model(DEFAULT_MODEL)
    files = [built.sha256 for stage in model.stages.values() for built in stage.files.values()]
    return Basis(_processor(), cores(), tuple(sorted(files)), onnxruntime.__version__)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _processor() -> str:
    """What the processor calls itself; on ARM by its parts, since it has no name there."""
    wanted = {"model name", "CPU implementer", "CPU part", "CPU revision", "Revision"}
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    pairs = [line.partition(":") for line in lines]
    parts = {f"{key.strip()} {value.strip()}" for key, _, value in pairs if key.strip() in wanted}
    return " ".join([platform.machine(), *sorted(parts)])[:256]


def read(where: Path, given: Given) -> Costs | None:
    """What was measured on this very basis; None where it was not all that may be chosen, or the file is damaged."""
    path = where / FILE
    try:
        data = path.read_bytes()
        kept = msgspec.json.decode(data, type=_Kept) if len(data) <= _LARGEST else None
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        log.warning("%s cannot be read (%s): measured anew", path, error)
        return None
    if (
        kept is None
        or kept.basis != basis()
        or kept.costs.cores != kept.basis.cores
        or not _whole(kept.costs, given)
    ):
        log.info("%s was measured on something else: measured anew", path)
        return None
    return kept.costs


def _whole(costs: Costs, given: Given) -> bool:
    """Whether all was measured between which there is a choice."""
    ways = ways_to_try(costs.cores, given)
    return (
        {name(way) for way in ways} <= costs.person.keys()
        and {way.precision for way in ways} <= costs.detect.keys()
        and set(map(size_name, given.sizes)) <= costs.decode.keys()
    )


def write(where: Path, costs: Costs) -> None:
    """Keep `costs`; where that is not possible they are measured at the next start again."""
    part = where / f"{FILE}.part"
    try:
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_bytes(msgspec.json.format(msgspec.json.encode(_Kept(1, basis(), costs)), indent=1))
        part.replace(where / FILE)
    except OSError as error:
        log.warning("%s cannot be written: %s", where / FILE, error.strerror)
