"""Values that a key may have, as rows of the tables say it."""

from __future__ import annotations

import re
from typing import Literal

import msgspec


class Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key and its values: numbers from `low` to `high`, one of `choices`, or what `pattern` matches wholly."""

    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    boards: tuple[str, ...] = ()
    """The boards that know it; empty: all of them."""
    many: bool = False
    """It may stand there more than once."""
    bare: Literal["no", "may", "must"] = "no"
    """Whether it stands without a value."""
    without: str = ""
    """Why a box that is sold does not have it; empty: it may."""

    def wrong(self, value: str) -> str | None:
        """Which values are right, where this one is not."""
        if self.choices:
            return None if value in self.choices else f"one of {', '.join(self.choices)}"
        if self.low is not None and self.high is not None:
            right = re.fullmatch(r"-?\d+", value) is not None and self.low <= int(value) <= self.high
            return None if right else f"a whole number from {self.low} to {self.high}"
        if self.pattern:
            return None if re.fullmatch(self.pattern, value) else f"something like {self.pattern}"
        return None if value else "not empty"
