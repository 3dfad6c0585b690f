"""How the coach is to be: what the owner chose in the dashboard, and the exercises there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from edge import settings_file
from edge.coach.form import Strictness
from edge.coach.library import adopt, box_exercises, box_file, library, save
from edge.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from edge.coach.exercise import Exercise
    from edge.coach.library import Library

FILE = "coach.json"
Origin = Literal["box", "added", "file"]
"""`box`: comes with it; `added`: in the dashboard or on the command line; `file`: from another folder."""


class CoachSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the coach judges."""

    strictness: Strictness = "normal"


class CoachSetup:
    """The coach's settings, and the exercises: the box's and the owner's."""

    def __init__(self, folder: Path, others: Iterable[Path] = ()) -> None:
        """Take up what was set and added before in `folder`, and the exercises that lie in `others`."""
        self._path = folder / FILE
        self._added = folder / "exercises"
        self._folders = (*others, self._added)
        self.settings = settings_file.read(self._path, CoachSettings())
        self.on_change: Callable[[], None] = lambda: None
        """Called when there are other settings."""
        self.on_exercises: Callable[[str], None] = lambda _: None
        """Called with the id of the exercise that was added, changed or taken away."""
        self.library = library(self._folders)
        adopt(self.library)

    def choose(self, settings: CoachSettings) -> None:
        """These hold from now on. Raises StoreError, and changes nothing, where they cannot be kept."""
        settings_file.write(self._path, settings)
        self.settings = settings
        self.on_change()

    def origin(self, exercise_id: str) -> Origin:
        """Where the exercise of this id comes from."""
        file = self.library.files.get(exercise_id)
        if file is None:
            return "box"
        return "added" if file.parent == self._added else "file"

    def source(self, exercise_id: str) -> str:
        """What the exercise is written as, in TOML; KeyError when there is none."""
        if exercise_id in self.library.files:
            return self.library.files[exercise_id].read_text(encoding="utf-8")
        return box_file(box_exercises()[exercise_id].id).read_text(encoding="utf-8")

    def save(self, text: str, *, replace: bool) -> tuple[Exercise, Library]:
        """Write the row that `text` spells, and read all of them again; for a worker thread, then `take`.

        Raises BadRowError for what is no row, ConfigError where it cannot be written.
        """
        row = save(text, self._added, self.library, replace=replace)
        return row, library(self._folders)

    def remove(self, exercise_id: str) -> Library:
        """Take an added exercise away; for a worker thread, then `take`. ConfigError where that fails."""
        try:
            self.library.files[exercise_id].unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError(
                f"{exercise_id} cannot be deleted: {error.strerror}", "Check who owns the folder."
            ) from error
        return library(self._folders)

    def take(self, found: Library, exercise_id: str) -> None:
        """Count these from now on; `exercise_id` is what has changed. In the thread of the coaches."""
        self.library = found
        adopt(found)
        self.on_exercises(exercise_id)
