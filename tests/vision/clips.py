"""Small videos made from nothing, some of them damaged on purpose."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def write_clip(
    path: Path, *, frames: int = 30, size: tuple[int, int] = (64, 48), fps: float = 30.0, level: int = 120
) -> Path:
    """A clip of `frames` pictures with a bright bar that moves right; the top left quarter is brighter."""
    width, height = size
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
    assert writer.isOpened()
    for _number in range(frames):
        picture = np.full((height, width, 3), level, np.uint8)
        picture[: height // 2, : width // 2] = min(level + 80, 255) if level else 0
        writer.write(picture)
    writer.release()
    return path


def rotate(path: Path) -> None:
    """Mark the clip as taken with the phone turned by 90 degrees, as phones do: in the track's matrix."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    assert data[at] == 0  # version 0: the matrix follows 40 bytes of other fields
    data[at + 40 : at + 76] = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    path.write_bytes(data)


def set_durations(path: Path, durations: Sequence[int]) -> None:
    """Give every picture its own duration (in the track's time units): variable frame rate.

    The table `stts` grows, and with it the boxes around it; `moov` comes last, so that nothing else moves.
    """
    data = path.read_bytes().replace(b"edts", b"free")  # the edit list would cut the longer clip
    table = struct.pack(">II", 0, len(durations)) + b"".join(struct.pack(">II", 1, d) for d in durations)
    path.write_bytes(_replace(data, [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"], table))


def _replace(data: bytes, names: list[bytes], content: bytes) -> bytes:
    """`data` (a run of boxes) with the content of the box at the path `names` replaced."""
    at, out = 0, b""
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        box = data[at + 8 : at + size]
        if name == names[0]:
            box = content if len(names) == 1 else _replace(box, names[1:], content)
        out += struct.pack(">I4s", len(box) + 8, name) + box
        at += size
    return out
