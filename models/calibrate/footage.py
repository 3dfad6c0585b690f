"""Pictures of people for calibration: the files of folders and evenly spaced frames of clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from models.regions import Picture

_STILLS = {".jpg", ".jpeg", ".png"}
CLIPS = {".avi", ".mkv", ".mov", ".mp4"}


def pictures(paths: Iterable[Path], frames_per_clip: int) -> Iterator[Picture]:
    """Yield RGB pictures [H, W, 3] of files and folders, sorted by name; other files are passed by."""
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.suffix.lower() in _STILLS:
                yield _rgb(cv2.imread(str(file), cv2.IMREAD_COLOR))
            elif file.suffix.lower() in CLIPS:
                yield from _frames(file, frames_per_clip)


def _frames(file: Path, count: int) -> Iterator[Picture]:
    clip = cv2.VideoCapture(str(file))
    total = int(clip.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted = {int((i + 0.5) * total / count) for i in range(count)}
    try:
        for number in range(total):
            if not clip.grab():
                return
            if number in wanted:
                yield _rgb(clip.retrieve()[1])
    finally:
        clip.release()


def _rgb(picture: object) -> Picture:
    return np.asarray(cv2.cvtColor(np.asarray(picture), cv2.COLOR_BGR2RGB), np.uint8)
