"""One thing that is wrong, and how a wrong name is told."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Fault(NamedTuple):
    """What is wrong in a line (counted from 1), and what to do about it."""

    line: int
    what: str
    remedy: str


def unknown(line: int, kind: str, name: str, known: Iterable[str], otherwise: str) -> Fault:
    """`name` is none of the `known` ones: name the one that was meant, or say what to do `otherwise`."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return Fault(line, f"unknown {kind} {name}", f"Did you mean {near[0]}?" if near else otherwise)
