"""Consent decides what may leave: a table, and nothing leaves that is not in it."""

from __future__ import annotations

from typing import Literal, get_args

Consent = Literal["nothing", "anonymous"]
"""`anonymous`: measurements under a name without meaning that is another one at each stay."""

MAY_LEAVE: dict[Consent, frozenset[str]] = {
    "nothing": frozenset(),
    "anonymous": frozenset({"window", "session"}),
}
"""Kinds of message about a subject, by what was agreed to."""

assert MAY_LEAVE.keys() == set(get_args(Consent))


def may_leave(kind: str, consent: Consent) -> bool:
    """Whether a message of `kind` about a subject who agreed to `consent` may be recorded for sending."""
    return kind in MAY_LEAVE[consent]
