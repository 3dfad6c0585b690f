"""Where exercise rows come from: those of the box, and the user's own, which lie in folders as one file each.

A file that is no good row is refused with line and reason; everything else goes on without it.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from edge.coach.exercise import Exercise
from edge.coach.faults import Fault, fault, of_syntax, of_types
from edge.coach.lines import line_of
from edge.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable

LARGEST = 64 * 1024
"""Bytes of a file that is still read: rows have a few thousand."""
MOST = 200
"""Own exercises that are read: each is watched for all the time."""


class Refused(msgspec.Struct, frozen=True):
    """A file that is no exercise row, and why."""

    file: str
    line: int
    """From 1; 0 where it is not about a line."""
    reason: str
    """In English."""
    fault: Fault
    """The same for programs and translations."""

    def __str__(self) -> str:
        """As compilers write it: file, line, reason."""
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


class BadRowError(ConfigError):
    """A row that was asked for is none; `refused` says where and why."""

    def __init__(self, file: str, line: int, why: Fault) -> None:
        self.refused = Refused(file, line, str(why), why)
        super().__init__(f"exercise {self.refused}", "docs/exercises.md says what a row consists of.")


_own: dict[str, Exercise] = {}
_gone: dict[str, Exercise] = {}
"""Own rows that were taken away while this process runs: what was counted by them is still told of."""


class Library(msgspec.Struct, frozen=True):
    """The rows of the box and of the user."""

    rows: dict[str, Exercise]
    """By id: those of the box in alphabetical order, then the user's."""
    refused: tuple[Refused, ...]
    files: dict[str, Path]
    """Where the user's rows lie, by id."""


@cache
def box_exercises() -> dict[str, Exercise]:
    """Every exercise that comes with the box, by id, in alphabetical order."""
    return {row.id: row for row in map(read_exercise, _toml_files(_box_folder()))}


@cache
def exercises() -> dict[str, Exercise]:
    """Every exercise that this process counts, by id: the box's, then those that were adopted."""
    return {**box_exercises(), **_own}


def adopt(found: Library) -> None:
    """Count these exercises from now on; each process has one library."""
    _gone.update(_own)
    _own.clear()
    _own.update((name, found.rows[name]) for name in found.files)
    exercises.cache_clear()


def exercise(exercise_id: str) -> Exercise:
    """The exercise called `exercise_id`; ConfigError when there is none."""
    try:
        return exercises().get(exercise_id) or _gone[exercise_id]
    except KeyError:
        raise ConfigError(
            f"there is no exercise {exercise_id}", f"Choose one of: {', '.join(exercises())}, or auto."
        ) from None


def library(folders: Iterable[Path]) -> Library:
    """The box's rows, and the user's in `folders`; a folder that is not there holds none.

    A row may not be called like one of the box, or of a folder before: it is refused.
    """
    rows, refused, files = dict(box_exercises()), list[Refused](), dict[str, Path]()
    for folder in folders:
        try:
            found = _toml_files(folder) if folder.is_dir() else []
        except OSError as error:
            why = fault("unreadable", error=error.strerror or error)
            refused.append(Refused(str(folder), 0, str(why), why))
            continue
        for file in found:
            try:
                row = read_exercise(file)
                _check_free(row, file, files)
            except BadRowError as error:
                refused.append(error.refused)
            else:
                rows[row.id], files[row.id] = row, Path(str(file))
    return Library(rows, tuple(refused), files)


def read_exercise(file: Traversable) -> Exercise:
    """The row in `file`, which is called like it; BadRowError with line and reason."""
    if not file.is_file():
        raise BadRowError(str(file), 0, fault("not_a_file"))
    try:
        with file.open("rb") as opened:
            found = opened.read(LARGEST + 1)
    except OSError as error:
        raise BadRowError(str(file), 0, fault("unreadable", error=error.strerror or error)) from error
    row = parse(found, str(file))
    if f"{row.id}.toml" != file.name:
        at = line_of(found.decode(), ("id",))
        raise BadRowError(str(file), at, fault("file_name", id=row.id))
    return row


def parse(source: bytes, name: str) -> Exercise:
    """The row that `source` spells in TOML; BadRowError with line and reason. `name`: of the file, to speak of it."""

    if len(source) > LARGEST:
        raise BadRowError(name, 0, fault("too_large", kib=LARGEST // 1024))
    try:
        text = source.decode()
        tree = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise BadRowError(name, source[: error.start].count(b"\n") + 1, fault("not_utf8")) from error
    except tomllib.TOMLDecodeError as error:
        raise BadRowError(name, *of_syntax(str(error), text)) from error
    except RecursionError as error:
        raise BadRowError(name, 0, fault("too_deep")) from error
    except ValueError as error:  # Python reads no integer of thousands of digits
        raise BadRowError(name, 0, fault("number_too_long")) from error
    try:
        return _row(tree)
    except msgspec.ValidationError as error:
        path, why = of_types(tree, error, _row)
        raise BadRowError(name, line_of(text, path), why) from error


def check(file: Path, others: Library) -> Exercise:
    """The row in `file`, which may be one of `others` itself.

    Raises BadRowError for what is no row or is called like another.
    """
    row = read_exercise(file)
    here = file.resolve()
    if here != Path(str(_box_folder())).resolve() / file.name:
        _check_free(row, file, {name: own for name, own in others.files.items() if own.resolve() != here})
    return row


def save(text: str, folder: Path, others: Library, *, replace: bool = False) -> Exercise:
    """Check the row that `text` spells, and write it into `folder`: all of it or nothing, even if power fails.

    `others` are the rows there are; with `replace`, the user's own row in `folder` is written anew. Raises
    BadRowError for what is no row or is called like another, ConfigError where it cannot be written.
    """
    row = parse(text.encode(), "the new row")
    target = folder / f"{row.id}.toml"
    own = {name: file for name, file in others.files.items() if not (replace and file == target)}
    _check_free(row, target, own)
    if target.exists() and not replace:
        raise BadRowError(str(target), 0, fault("exists"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(target, text.encode())
    except OSError as error:
        raise ConfigError(
            f"{target} cannot be written: {error.strerror}", "Check who owns the folder."
        ) from error
    return row


def box_file(exercise_id: str) -> Traversable:
    """The file of an exercise that comes with the box."""
    return _box_folder().joinpath(f"{exercise_id}.toml")


def _row(tree: dict[str, Any]) -> Exercise:
    return msgspec.convert(tree, Exercise)


def _box_folder() -> Traversable:
    return resources.files("edge.coach").joinpath("exercises")


def _toml_files(folder: Traversable) -> list[Traversable]:
    found = [
        file for file in folder.iterdir() if file.name.endswith(".toml") and not file.name.startswith(".")
    ]
    return sorted(found, key=lambda file: file.name)


def _check_free(row: Exercise, file: Traversable, files: dict[str, Path]) -> None:
    """Raise BadRowError where the row's name is taken, or where there are too many of the user's (`files`)."""
    taken = str(files.get(row.id) or box_file(row.id))
    if row.id in files or row.id in box_exercises():
        raise BadRowError(str(file), 0, fault("taken", id=row.id, file=taken))
    if len(files) >= MOST:
        raise BadRowError(str(file), 0, fault("crowded", most=MOST))


def _write(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
