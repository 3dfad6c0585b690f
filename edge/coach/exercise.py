"""Exercises are rows: one TOML file each, checked in full when it is read."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

import msgspec

from edge.errors import ConfigError
from edge.motion import signals

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal in which the movement shows, and its values at both ends of a textbook repetition."""

    signal: str
    rest: float
    full: float


class Gate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition for a movement to be this exercise: a signal within bounds."""

    signal: str
    at_least: float = float("-inf")
    at_most: float = float("inf")
    when: Literal["always", "far_end"] = "always"
    """`far_end`: only in the half of the movement away from the start position."""


class Exercise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One exercise. A `hold` has gates alone and is counted in seconds."""

    id: str
    name: dict[str, str]
    kind: Literal["reps", "hold"] = "reps"
    view: Literal["front", "side", "any"] = "any"
    sides: Literal["together", "each", "whole"] = "together"
    """`together`: both limbs make one repetition; `each`: a limb counts by itself; `whole`: there are no sides."""
    out: Literal["eccentric", "concentric"] = "eccentric"
    """Whether muscles lengthen or shorten on the way to the far end."""
    parts: tuple[Part, ...] = ()
    gates: tuple[Gate, ...] = ()
    still: tuple[str, ...] = ()
    """Joint signals that hardly move in this exercise: what tells it from others when nobody has named it."""
    min_s: float = 0.35
    max_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what the types alone let through."""
        if set(self.name) != {"en", "ko"}:
            raise ValueError("name: needs exactly the languages en and ko")
        if (self.kind == "reps") != bool(self.parts):
            raise ValueError("parts: an exercise of repetitions needs at least one, a hold has none")
        if self.kind == "hold" and not self.gates:
            raise ValueError("gates: a hold needs at least one")
        if not 0 < self.min_s < self.max_s:
            raise ValueError("min_s and max_s: need 0 < min_s < max_s")
        for part in self.parts:
            if not (math.isfinite(part.rest) and math.isfinite(part.full)):
                raise ValueError(f"parts: rest and full of {part.signal} must be finite")
            if part.rest == part.full:
                raise ValueError(f"parts: rest and full of {part.signal} are the same")
            if not signal_names(part.signal, self.sides) <= signals.NAMES:
                raise ValueError(f"parts: no signal {part.signal} for sides = {self.sides}")
        for signal in self.still:
            if signal not in signals.SIDED:
                raise ValueError(f"still: {signal} is no signal of a joint")
        for gate in self.gates:
            if not signal_names(gate.signal, "together") <= signals.NAMES:
                raise ValueError(f"gates: no signal {gate.signal}")


def signal_names(signal: str, sides: str) -> set[str]:
    """The signals behind a part or gate: one of each side where the signal has sides and they are asked for."""
    if signal in signals.SIDED and sides != "whole":
        return {f"{signal}_left", f"{signal}_right"}
    return {signal}


@cache
def exercises() -> dict[str, Exercise]:
    """Every exercise that comes with the box, by id, in alphabetical order."""
    folder = resources.files("edge.coach").joinpath("exercises")
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name
    )
    return {row.id: row for row in map(read_exercise, files)}


def read_exercise(file: Traversable) -> Exercise:
    """The row in `file`; ConfigError with the file and the field that is wrong."""
    try:
        row = msgspec.toml.decode(file.read_bytes(), type=Exercise)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"exercise {file.name}: {error}", "Compare it with the other exercise files."
        ) from error
    if f"{row.id}.toml" != file.name:
        raise ConfigError(f"exercise {file.name}: its id is {row.id}", "Name the file like the id.")
    return row


def exercise(exercise_id: str) -> Exercise:
    """The exercise called `exercise_id`; ConfigError when there is none."""
    try:
        return exercises()[exercise_id]
    except KeyError:
        raise ConfigError(
            f"there is no exercise {exercise_id}", f"Choose one of: {', '.join(exercises())}, or auto."
        ) from None
