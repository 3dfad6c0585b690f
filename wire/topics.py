"""MQTT topics: `kinebox/v1/<tenant>/<site>/<device>/<kind>`."""

from __future__ import annotations

import re
from typing import Literal, get_args

import msgspec

PREFIX = "kinebox/v1"
Kind = Literal["window", "session", "health", "birth", "available", "ack", "desired"]
FROM_CLOUD: frozenset[Kind] = frozenset({"ack", "desired"})
"""What boxes receive; they send the rest."""
Availability = Literal["online", "stopped", "offline"]
"""Retained on `available`: `stopped` by the box on purpose, `offline` by the broker as its Will."""
SEGMENT = "[a-z0-9-]{1,63}"

_KINDS = get_args(Kind)
_TOPIC = re.compile(rf"{PREFIX}/({SEGMENT})/({SEGMENT})/({SEGMENT})/({'|'.join(_KINDS)})")
_SEGMENT = re.compile(SEGMENT)


class Address(msgspec.Struct, frozen=True):
    """Where a box stands: the three segments that its topics share."""

    tenant: str
    site: str
    device: str

    def __post_init__(self) -> None:
        """Raise ValueError for a segment that would make another topic, or a wildcard."""
        for segment in (self.tenant, self.site, self.device):
            if not _SEGMENT.fullmatch(segment):
                raise ValueError(f"{segment[:70]!r} is no segment of a topic: {SEGMENT}")

    def topic(self, kind: Kind) -> str:
        """The topic of one kind of message."""
        return f"{PREFIX}/{self.tenant}/{self.site}/{self.device}/{kind}"


def parse(topic: str) -> tuple[Address, Kind] | None:
    """Address and kind of a topic; None where it is none of ours."""
    match = _TOPIC.fullmatch(topic)
    if match is None:
        return None
    tenant, site, device, kind = match.groups()
    known: Kind = _KINDS[_KINDS.index(kind)]
    return Address(tenant, site, device), known


def everyone(kind: Kind) -> str:
    """A subscription to one kind of message of all boxes."""
    return f"{PREFIX}/+/+/+/{kind}"
