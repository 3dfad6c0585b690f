"""Conditions, goals and the consent asked for: rows of `profile.toml`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from wire.metrics import Species

Purpose = Literal["record", "coach", "research"]


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A condition or a goal, and the species it is for."""

    key: str
    species: tuple[Species, ...]


class ConsentPurpose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one may agree to."""

    key: Purpose
    required: bool


class ConsentTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What consent is asked for at present."""

    version: str
    purpose: tuple[ConsentPurpose, ...]


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    consent: ConsentTerms
    condition: tuple[Key, ...]
    goal: tuple[Key, ...]

    def conditions(self, species: Species) -> tuple[str, ...]:
        """Keys of the conditions that a profile of this species may name."""
        return tuple(row.key for row in self.condition if species in row.species)

    def goals(self, species: Species) -> tuple[str, ...]:
        """Keys of the goals that a profile of this species may have."""
        return tuple(row.key for row in self.goal if species in row.species)


@cache
def catalogue() -> Catalogue:
    """The rows of the file."""
    text = resources.files("cloud.api").joinpath("profile.toml").read_bytes()
    return msgspec.toml.decode(text, type=Catalogue)
