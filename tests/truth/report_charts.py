"""Charts of the accuracy report, the same bytes for the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_SETTINGS = {"svg.hashsalt": "kinebox", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10}
_WIDTH, _HEIGHT = 7.0, 3.2


def lines(
    path: Path,
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    *,
    across: str,
    up: str,
    limit: float | None = None,
) -> None:
    """Curves over `x`; `limit`: a dashed line."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        axes = figure.add_subplot()
        for (name, y), marker in zip(curves.items(), "os^vDx", strict=False):
            axes.plot(x, y, marker=marker, markersize=4, label=name)
        if limit is not None:
            axes.axhline(limit, linestyle="--", color="0.4", linewidth=1, label=f"{limit:g}")
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        axes.set_ylim(bottom=0)
        axes.grid(visible=True, alpha=0.3)
        axes.legend(frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})
