"""A power cut at any moment: no message that was safe is lost, and the outbox is whole."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from edge.errors import StoreError
from edge.uplink.outbox import START, Outbox
from tests.powercut import CUTS, Step, cuts, trace, without_syncs_of_the_log
from tests.uplink.samples import LIMITS
from tests.uplink.writer import PER_GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GROUPS = 200


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    state = tmp_path_factory.mktemp("traced") / "state"
    return trace(state, "tests.uplink.writer", str(state / "outbox.db"), str(GROUPS))


def outcomes(steps: Sequence[Step], folder: Path, number: int) -> Counter[str]:
    """How random power cuts ended."""
    return Counter(outcome(state / "outbox.db", *said) for state, said in cuts(steps, folder, number))


def outcome(path: Path, opening: str, *flushes: str) -> str:
    boot = opening.split()[1]
    needed, safe = (int(number) for number in flushes[-1].split()) if flushes else (1, 0)
    try:
        with Outbox(path, **LIMITS) as outbox:
            if outbox.damaged is not None:
                return "damaged"
            waiting = [message for _, message in outbox.after(START, 10_000)]
            level = outbox.level()
            integrity = outbox._db.execute("PRAGMA integrity_check").fetchone()
    except StoreError as error:
        return f"unusable: {error}"
    if integrity != ("ok",) or None in waiting or level.rows != len(waiting):
        return "damaged"
    seqs = [message.seq for message in waiting if message is not None and message.boot == boot]
    if any(message.reps != message.seq for message in waiting if message is not None):
        return "damaged"
    if seqs != list(range(seqs[0], seqs[-1] + 1)) if seqs else safe:
        return "gap"
    # A group that was written but not yet reported may be there, whole.
    if seqs and (seqs[-1] % PER_GROUP or seqs[-1] < safe or seqs[0] > needed + PER_GROUP):
        return "lost"
    return "all there"


def test_nothing_that_was_safe_is_lost(steps: list[Step], tmp_path: Path) -> None:
    kinds = Counter((step.kind, step.file) for step in steps)
    assert kinds["sync", "outbox.db-wal"] >= GROUPS
    assert outcomes(steps, tmp_path, CUTS) == {"all there": CUTS}


def test_the_method_sees_a_loss(steps: list[Step], tmp_path: Path) -> None:
    assert outcomes(without_syncs_of_the_log(steps), tmp_path, 20)["all there"] < 10
