"""Several people before one camera, put together from recordings of one person each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from edge.link import PoseFrame
from edge.vision.trace import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge.link import Subject


def moved(subject: Subject, *, who: int, x: float = 0.0, y: float = 0.0, size: float = 1.0) -> Subject:
    """The same body as somebody else (`who`), `size` times as large and then moved by `x`, `y` pixels."""
    points = subject.points().copy()
    points[:, :2] = points[:, :2] * size + (x, y)
    return replace(subject, id=who, keypoints=points.astype("<f4").tobytes())


def recorded(trace: Path) -> list[PoseFrame]:
    """The frames of a recording."""
    return [record for record in read_trace(trace) if isinstance(record, PoseFrame)]


def side_by_side(recordings: Sequence[Sequence[PoseFrame]], *, size: float = 0.5) -> list[PoseFrame]:
    """One recording with the person of each, ids from 1, in columns from left to right and equally large.

    As long as the shortest; times are the first one's.
    """
    column = recordings[0][0].width / len(recordings)
    together = []
    for frames in zip(*recordings, strict=False):
        subjects = [
            moved(
                subject,
                who=who,
                x=column * (who - 0.5) - size * one.width / 2,
                y=one.height * (1 - size),
                size=size,
            )
            for who, one in enumerate(frames, 1)
            for subject in one.subjects
        ]
        together.append(replace(frames[0], subjects=tuple(subjects)))
    return together


def in_turns(frames: Iterable[PoseFrame], most: int) -> list[PoseFrame]:
    """As vision reads them where it has time for `most` people in one picture: each in its turn."""
    turn, read = 0, []
    for frame in frames:
        everyone = frame.subjects
        chosen = (
            {everyone[(turn + n) % len(everyone)].id for n in range(min(most, len(everyone)))}
            if everyone
            else set()
        )
        turn += most
        read.append(
            replace(
                frame,
                subjects=tuple(one for one in everyone if one.id in chosen),
                waiting=len(everyone) - len(chosen),
            )
        )
    return read


def middle(subject: Subject) -> float:
    """Where in the width of the picture somebody is, in pixels."""
    return float(np.mean(subject.points()[:, 0]))
