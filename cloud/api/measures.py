"""What can be asked of a session: peaks and ranges of the catalogue, both sides together, and counts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from psycopg import sql
from pydantic import Field, WithJsonSchema

from cloud.api.problems import ApiError
from wire.metrics import Species, metrics

if TYPE_CHECKING:
    from wire.metrics import Statistic

Better = Literal["more", "neither"]
"""Whether more of something is progress, or says nothing by itself."""

_BETTER: dict[Statistic, Better] = {"range": "more", "peak": "neither"}
_COUNTS: tuple[tuple[str, str, Better], ...] = (
    ("reps", "count", "more"), ("partial_reps", "count", "neither"), ("hold_s", "s", "more"),
    ("duration_s", "s", "neither"),
)  # fmt: skip
_EVERYONE: tuple[Species, ...] = ("human", "dog")


class Measure(msgspec.Struct, frozen=True):
    """A number that each session has, or lacks where it could not be measured."""

    name: str
    unit: str
    species: tuple[Species, ...]
    better: Better
    columns: tuple[str, ...]

    @property
    def value(self) -> sql.Composed:
        """Its SQL over a row `e` of exercise_sessions. Of two sides the mean; of one that was seen, that one."""
        columns = [sql.SQL("e.{}").format(sql.Identifier(column)) for column in self.columns]
        if len(columns) == 1:
            return sql.Composed(columns)
        return sql.SQL("coalesce(({l} + {r}) / 2, {l}, {r})").format(l=columns[0], r=columns[1])


@cache
def measures() -> dict[str, Measure]:
    """Every measure by name."""
    found = {name: Measure(name, unit, _EVERYONE, better, (name,)) for name, unit, better in _COUNTS}
    for key, metric in metrics().items():
        if metric.statistic not in _BETTER:
            continue
        better, other = _BETTER[metric.statistic], key.replace("_left", "_right")
        found[key] = Measure(key, metric.unit, metric.species, better, (key,))
        if other != key and other in metrics():
            both = key.replace("_left", "")
            found[both] = Measure(both, metric.unit, metric.species, better, (key, other))
    return found


MeasureName = Annotated[
    str,
    Field(
        description="a peak or range of the metric catalogue, of one side or both together, or a count of a session"
    ),
    WithJsonSchema({"type": "string", "enum": sorted(measures())}),
]
"""A name to be looked up by `measure_of`."""


def measure_of(name: str) -> Measure:
    """The measure of this name. Raises ApiError 422."""
    found = measures().get(name)
    if found is None:
        raise ApiError(
            422, "unknown_metric", f"sessions have no {name!r}, but {', '.join(sorted(measures()))}"
        )
    return found
