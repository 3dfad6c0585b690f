"""Which boxes try a release first: exactly so many, the same ones each time, of every site its share."""

from __future__ import annotations

import math
from collections import Counter
from uuid import NAMESPACE_DNS, uuid5

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.fleet.assign import candidates

fleets = st.lists(st.integers(1, 40), min_size=1, max_size=8)


def fleet(sizes: list[int]) -> dict[object, int]:
    return {uuid5(NAMESPACE_DNS, f"{site} {n}"): site for site, size in enumerate(sizes) for n in range(size)}


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 2**31 - 1), fleets, st.sampled_from([0.01, 0.1, 0.25, 1 / 3, 0.5]))
def test_the_share_of_the_fleet_and_of_each_site(rollout: int, sizes: list[int], share: float) -> None:
    boxes = fleet(sizes)
    chosen = candidates(rollout, boxes, share)  # type: ignore[arg-type]
    assert len(chosen) == math.ceil(round(share * len(boxes), 9))
    assert chosen == candidates(rollout, dict(reversed(boxes.items())), share)  # type: ignore[arg-type]
    taken = Counter(boxes[box] for box in chosen)
    for site, size in enumerate(sizes):
        assert math.floor(share * size) - 1 <= taken[site] <= math.ceil(share * size) + 1


def test_exact_shares() -> None:
    assert len(candidates(1, fleet([30]), 0.1)) == 3  # type: ignore[arg-type]
    assert len(candidates(1, fleet([31]), 0.1)) == 4  # type: ignore[arg-type]


def test_another_rollout_tries_other_boxes() -> None:
    boxes = fleet([50, 50])
    times = Counter(box for rollout in range(400) for box in candidates(rollout, boxes, 0.1))  # type: ignore[arg-type]
    assert len(times) == 100
    assert max(times.values()) < 80  # 40 on average
