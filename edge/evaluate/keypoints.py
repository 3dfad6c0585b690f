"""Clips as traces, kept in the cache: pixels are looked at once, however often the coach is tried."""

from __future__ import annotations

import hashlib
import tempfile
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from edge.errors import CameraError, ConfigError
from edge.link import MarkerSeen
from edge.vision.source import open_source
from edge.vision.trace import SUFFIX, TraceWriter
from models import catalogue
from models.load import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.vision.inference import Precision


def keypoints(
    clip: Path, *, precision: Precision, threads: int, progress: Callable[[], object] = lambda: None
) -> Path:
    """The trace of `clip`, from the cache or else by the live pipeline; `progress` is called after each frame then.

    Raises CameraError for a clip that cannot be read, ModelError, and ConfigError where the cache cannot be written.
    """
    if clip.suffix == SUFFIX:
        return clip
    path = platformdirs.user_cache_path("kinebox") / "keypoints" / f"{_key(clip, precision)}{SUFFIX}"
    if path.exists():
        return path
    source = open_source(str(clip), precision=precision, threads=threads)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            part = Path(folder) / path.name
            writer = TraceWriter(part, source.hello)
            try:
                for record in source.stream():
                    if not isinstance(record, MarkerSeen):
                        writer.write(record)
                        progress()
            finally:
                writer.close()
            part.replace(path)
    except OSError as error:
        raise ConfigError(
            f"cannot keep keypoints in {path.parent}: {error.strerror or error}",
            "Make room, or set XDG_CACHE_HOME to a folder that can be written.",
        ) from error
    finally:
        source.close()
    return path


def _key(clip: Path, precision: Precision) -> str:
    """Of everything that the keypoints depend on: the clip, the models, and the code that runs them."""
    digest = hashlib.sha256(f"{precision} {_pipeline(precision)} ".encode())
    try:
        with clip.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise CameraError(f"cannot open {clip}: {error.strerror}", "Check the path.") from error
    return digest.hexdigest()


@cache
def _pipeline(precision: Precision) -> str:
    digest = hashlib.sha256()
    stages = catalogue.model(DEFAULT_MODEL).stages
    for name in sorted(stages):
        digest.update(stages[name].files[precision].sha256.encode())
    sources = [file for file in resources.files("edge.vision").iterdir() if file.name.endswith(".py")]
    for file in sorted(sources, key=lambda file: file.name):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
