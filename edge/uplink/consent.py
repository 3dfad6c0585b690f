"""Consent decides what may leave: a table, and nothing leaves that is not in it."""

from __future__ import annotations

from typing import Literal, get_args

Consent = Literal["nothing", "anonymous"]
"""`anonymous`: measurements under a name without meaning that is another one at each stay."""

About = Literal["window", "session", "confidence"]
"""What tells of a subject: two kinds of message, and the health message's keypoint confidence."""

MAY_LEAVE: dict[Consent, frozenset[About]] = {
    "nothing": frozenset(),
    "anonymous": frozenset({"window", "session", "confidence"}),
}
"""By what was agreed to."""

assert MAY_LEAVE.keys() == set(get_args(Consent))


def may_leave(what: About, consent: Consent) -> bool:
    """Whether `what`, of a subject who agreed to `consent`, may be kept for sending and sent."""
    return what in MAY_LEAVE[consent]
