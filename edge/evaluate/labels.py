"""What is in labelled clips: `labels.json` beside them, a list with one object for each clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from edge.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "labels.json"
_REMEDY = (
    'A label is {"file": "a.mp4", "exercise_id": "squat", "reps": 8, "event_times_s": [1.0], "repo": "..."}.'
)


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """One clip; fields that are not named here are passed over."""

    file: str
    exercise_id: str
    reps: int | None
    """Repetitions seen by eye; 0 for a position that is held all the time, None where nothing is to be counted."""
    event_times_s: tuple[float, ...] = ()
    """When each repetition is at its far end, in seconds of the clip."""
    repo: str = ""
    """Where the clip comes from: clips of one source share people, room and camera."""

    def __post_init__(self) -> None:
        """Refuse what the types alone let through."""
        if self.reps is not None and self.reps < 0:
            raise ValueError("reps: less than 0")
        if not self.file:
            raise ValueError("file: empty")

    @property
    def kind(self) -> Literal["reps", "hold", "nothing"]:
        """What is to be counted: repetitions, seconds, or nothing at all."""
        if self.reps is None:
            return "nothing"
        return "reps" if self.reps else "hold"


def read_labels(folder: Path) -> list[Label]:
    """The labels of the clips in `folder`, in their order; ConfigError where they are missing or wrong."""
    path = folder / FILE
    try:
        labels = msgspec.json.decode(path.read_bytes(), type=list[Label])
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}", f"Give a folder of clips with {FILE} beside them."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", _REMEDY) from error
    if not labels:
        raise ConfigError(f"{path} has no labels", _REMEDY)
    return labels
