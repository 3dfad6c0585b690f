"""Which boxes try a release first."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID


def candidates(rollout: int, sites: Mapping[UUID, int], share: float) -> set[UUID]:
    """ceil(share) of the boxes whose sites are given: the same ones whenever it is asked, spread over the sites.

    By chance, so that candidates and the others differ in nothing but the release: a hash of rollout and box orders
    the boxes of a site, and each site's order is stretched over 0 to 1 from a start of its own. The lowest are taken,
    which is the same share of each site, rounded up or down.
    """
    by_site: defaultdict[int, list[UUID]] = defaultdict(list)
    for device, site in sites.items():
        by_site[site].append(device)
    places = []
    for site, devices in by_site.items():
        start = _chance(f"{rollout} site {site}")
        devices.sort(key=lambda device: _chance(f"{rollout} {device}"))
        places += [((rank + start) / len(devices), device) for rank, device in enumerate(devices)]
    places.sort()
    # What a float makes of 0.1 * 30 is a little more than 3.
    return {device for _, device in places[: math.ceil(round(share * len(sites), 9))]}


def _chance(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
