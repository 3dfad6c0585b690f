"""What activities cost: the codes of the Compendium of Physical Activities that exercise rows may name."""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec


class Activity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the Compendium."""

    met: float
    """Metabolic equivalents: multiples of what sitting still costs."""
    activity: str
    """In its words."""


@cache
def activities() -> dict[str, Activity]:
    """Every activity the box knows, by code."""
    file = resources.files("edge.coach").joinpath("compendium.toml")
    return msgspec.toml.decode(file.read_bytes(), type=dict[str, Activity])
