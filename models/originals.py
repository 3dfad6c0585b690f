"""The published .tflite files: from the cache, from a wheel at hand, or fetched."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from models.download import fetch_wheel
from models.files import write_atomic, write_failed
from models.wheel import read_originals

if TYPE_CHECKING:
    from models.catalogue import Model, Stage


def cache_dir() -> Path:
    """Return the folder where the originals are kept between builds."""
    return platformdirs.user_cache_path("kinebox") / "models"


def originals(model: Model, wheel: Path | None = None) -> dict[str, bytes]:
    """Return the .tflite file of each stage, equal to the catalogue's sha256.

    They come from the cache, else from `wheel`, else from the package index, and are kept in the cache.
    Raises DownloadFailed, WheelRejected or WriteFailed.
    """
    folder = cache_dir()
    cached = {name: _cached(folder, stage) for name, stage in model.stages.items()}
    if wheel is None:
        known = {name: data for name, data in cached.items() if data is not None}
        if len(known) == len(model.stages):
            return known
    found = read_originals(wheel, model) if wheel is not None else _fetched(model, folder)
    for name, data in found.items():
        if cached[name] != data:
            write_atomic(_cache_path(folder, model.stages[name]), data)
    return found


def _fetched(model: Model, folder: Path) -> dict[str, bytes]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as temporary:
            return read_originals(fetch_wheel(model.source, Path(temporary)), model)
    except OSError as error:
        raise write_failed(folder, error) from error


def _cached(folder: Path, stage: Stage) -> bytes | None:
    with suppress(OSError):
        data = _cache_path(folder, stage).read_bytes()
        if hashlib.sha256(data).hexdigest() == stage.member_sha256:
            return data
    return None


def _cache_path(folder: Path, stage: Stage) -> Path:
    return folder / f"{stage.member_sha256[:16]}-{Path(stage.member).name}"
