"""The gate for INT8: how much of a model's accuracy rounding may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from models.errors import ImportRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.catalogue import Precision
    from models.imported import Imported

MOST_LOSS = 1.0
"""Points of PCK that an INT8 model may lose to its own float parent."""


class Score(Protocol):
    """How good a file of a model is: percent of joints found (PCK@0.2)."""

    def __call__(self, model: Imported, data: bytes) -> float:
        """Higher is better."""
        ...


def check(scores: Mapping[Precision, float]) -> None:
    """Raise ImportRefused where INT8 loses too much to its own float parent."""
    if {"fp32", "int8"} <= scores.keys() and not scores["int8"] >= scores["fp32"] - MOST_LOSS:
        raise ImportRefused(
            f"in INT8 the model finds {scores['int8']:.1f} % of the joints, in fp32 {scores['fp32']:.1f} %: "
            f"more than {MOST_LOSS:.0f} point is lost",
            "Calibrate on more pictures like those the box sees, or leave --quantise out.",
        )
