"""A power cut at any moment: what was acknowledged is there, and the file is whole."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from edge.errors import StoreError
from edge.store import Store
from tests.powercut import CUTS, Step, cuts, trace, without_syncs_of_the_log
from tests.store.writer import PER_GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GROUPS = 250
"""Enough for SQLite to move its log into the database on the way."""


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    state = tmp_path_factory.mktemp("traced") / "state"
    return trace(state, "tests.store.writer", str(state / "kinebox.db"), str(GROUPS))


def outcomes(steps: Sequence[Step], folder: Path, number: int) -> Counter[str]:
    """How random power cuts ended: everything there that was acknowledged, some of it lost, or a damaged file."""
    return Counter(outcome(state / "kinebox.db", *said) for state, said in cuts(steps, folder, number))


def outcome(path: Path, opening: str, *counts: str) -> str:
    acknowledged = int(counts[-1]) if counts else 0
    try:
        with Store(path) as store:
            store.recover(None)
            (squats,) = store.session(opening.split()[1]).sets
            integrity = store._db.execute("PRAGMA integrity_check").fetchone()
    except (StoreError, ValueError) as error:
        return f"unusable: {type(error).__name__}"
    whole = [repetition.t for repetition in squats.repetitions] == [float(n + 1) for n in range(squats.reps)]
    if integrity != ("ok",) or not whole or squats.reps % PER_GROUP:
        return "damaged"
    return "all there" if squats.reps >= acknowledged else "lost"


def test_nothing_acknowledged_is_lost(steps: list[Step], tmp_path: Path) -> None:
    kinds = Counter((step.kind, step.file) for step in steps)
    assert kinds["sync", "kinebox.db-wal"] >= GROUPS
    later = steps[len(steps) // 2 :]
    assert any(step.kind == "sync" and step.file == "kinebox.db" for step in later), (
        "no checkpoint was traced"
    )
    assert outcomes(steps, tmp_path, CUTS) == {"all there": CUTS}


def test_the_method_sees_a_loss(steps: list[Step], tmp_path: Path) -> None:
    assert outcomes(without_syncs_of_the_log(steps), tmp_path, 20)["all there"] < 10
