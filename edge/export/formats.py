"""The formats by name, and the files of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import ConfigError
from edge.export.c3d import check_c3d, write_c3d
from edge.export.mot import mot
from edge.export.tables import keypoint_table, motion_document
from edge.export.trc import trc_metres, trc_pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge.export.motion import Motion


def _trc(motions: Sequence[Motion], stem: Path) -> None:
    for motion in motions:
        for suffix, text in (("", trc_metres), ("_px", trc_pixels)):
            path = _of(stem, motion, f"{suffix}.trc")
            path.write_text(text(motion, path.name), encoding="utf-8")


def _mot(motions: Sequence[Motion], stem: Path) -> None:
    for motion in motions:
        path = _of(stem, motion, ".mot")
        angles = {key: values.tolist() for key, values in motion.angles.items()}
        path.write_text(mot(path.stem, motion.times.tolist(), angles), encoding="utf-8")


def _c3d(motions: Sequence[Motion], stem: Path) -> None:
    for motion in motions:
        write_c3d(motion, _of(stem, motion, ".c3d"))


def _csv(motions: Sequence[Motion], stem: Path) -> None:
    path = stem.with_name(f"{stem.name}.keypoints.csv")
    path.write_text(keypoint_table(motions), encoding="utf-8", newline="")


def _json(motions: Sequence[Motion], stem: Path) -> None:
    stem.with_name(f"{stem.name}.motion.json").write_bytes(motion_document(motions, stem.name))


def _of(stem: Path, motion: Motion, ending: str) -> Path:
    return stem.with_name(f"{stem.name}.subject{motion.subject}{ending}")


FORMATS: dict[str, Callable[[Sequence[Motion], Path], None]] = {
    "trc": _trc,
    "mot": _mot,
    "c3d": _c3d,
    "csv": _csv,
    "json": _json,
}


def parse_formats(text: str) -> tuple[str, ...]:
    """The formats in a list separated by commas; ConfigError for one that is none."""
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in FORMATS:
            raise ConfigError(f"{name!r} is no export format", f"Choose from {', '.join(FORMATS)}.")
    return names


def check_formats(names: Sequence[str]) -> None:
    """ConfigError where one of the formats cannot be written on this machine."""
    if "c3d" in names:
        check_c3d()


def export_motion(motions: Sequence[Motion], stem: Path, names: Sequence[str]) -> None:
    """Write the formats `names` beside `stem`, whose name leads that of every file; OSError where that fails."""
    for name in names:
        FORMATS[name](motions, stem)
