"""How vision works with a model that the user brought: precision and threads are chosen, nothing else.

They are measured at every start, before the first picture, and not again: so it is never made to look at fewer people
or pictures because the machine was busy for a moment. Such a model reads what it gets round to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.vision.imported import BroughtNetwork, kind
from edge.vision.pictures import log
from edge.vision.tuning import Costs, Plan, choose, name, ways_to_try
from models import imported

if TYPE_CHECKING:
    from edge.box_records import Basis, Tuning
    from edge.vision.tuning import Given, Way
    from models.imported import Imported

_RUNS = 3
"""Of which the quickest counts: what else the machine does makes none of them quicker. One more goes before."""
_NO_SEARCH = 1e-3


class ImportedTuner:
    """What was chosen for such a model."""

    basis: Basis = "measured"

    def __init__(self, called: str, given: Given, cores: int) -> None:
        """Run the network of this name in each way that there is and that is not `given`. Raises ModelError."""
        self.given = given
        model = imported.load(called)
        only = len(model.files) == 1 or given.precision not in (None, *model.files)
        precision = model.best(given.precision or "int8") if only else given.precision
        wanted = given._replace(precision=precision, most=1, sizes=())
        person = {name(way): _milliseconds(model, way) for way in ways_to_try(cores, wanted)}
        log.info("%s takes %s", model.name, ", ".join(f"{ms:.1f} ms as {way}" for way, ms in person.items()))
        search: dict[str, float] = dict.fromkeys(map(str, model.files), _NO_SEARCH)
        found = choose(Costs(person=person, detect=search, decode={}, cores=cores), wanted)
        reasons = dict(found.reasons) | {
            "size": "imported" if given.sizes else "fixed",
            "fps": "wanted",
            "most": "imported",
        }
        if only and given.precision != precision:
            reasons["precision"] = "only_one"
        size = given.sizes[0] if given.sizes else None
        most = kind(model).MOST
        self.plan = Plan(found.precision, found.threads, size, given.fps, most, tuple(reasons.items()))

    def record(self) -> Tuning:
        """For the hub."""
        return self.plan.record(self.basis, self.given.fps)


def _milliseconds(model: Imported, way: Way) -> float:
    """What the network takes for a picture."""
    network = BroughtNetwork(model, way.precision, way.threads)
    nothing = np.zeros((model.height, model.width, 3), np.uint8)
    took = []
    for _ in range(_RUNS + 1):
        network.spent_ms = 0.0
        network.whole(nothing)
        took.append(network.spent_ms)
    return max(min(took[1:]), _NO_SEARCH)
