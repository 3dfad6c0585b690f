"""Dogs marked by hand, as a pose model with these points would tell them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from edge.motion.body import Body
from edge.motion.gait import FEET
from edge.motion.lens import Lens
from edge.motion.skeletons import SKELETONS

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Marked:
    """One clip's marks."""

    data: dict[str, Any]

    @classmethod
    def of(cls, name: str) -> Marked:
        return cls(tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")))

    @property
    def lens(self) -> Lens:
        return Lens(*self.data["size"])

    def bodies(self) -> tuple[list[float], list[Body]]:
        """Times of every picture and the body in each, between the marks by straight lines."""
        rows = np.array(self.data["x"], float)
        pictures = np.arange(rows[0, 0], rows[-1, 0] + 1)
        names = SKELETONS["dog24"].names
        points = np.zeros((len(pictures), len(names), 3), np.float32)
        for column, name in enumerate(self.data["columns"][1:], 1):
            limb, _, side = name.partition("_")
            paw = name in {foot.name for foot in FEET["dog"]}
            at = names.index(f"{side}_{limb}_paw" if paw else name)
            known = np.isfinite(rows[:, column])
            points[:, at, 0] = np.interp(
                pictures, rows[known, 0], rows[known, column], left=np.nan, right=np.nan
            )
            points[:, at, 1] = self.data["y"]["paw" if paw else name]
            points[:, at, 2] = 1.0
        times = (pictures / self.data["fps"]).tolist()
        return times, [Body.of("dog24", one, None, self.lens) for one in points]

    def contacts(self, kind: str, foot: str) -> list[float]:
        """Seconds at which we saw a paw land (`strikes`) or leave (`lifts`)."""
        return [picture / self.data["fps"] for picture in self.data[kind][foot]]

    def stance(self, foot: str) -> float:
        """Mean percent of the stride, from the marks."""
        strikes, lifts = self.contacts("strikes", foot), self.contacts("lifts", foot)
        shares = [
            100 * (lift - start) / (end - start)
            for start, end in pairwise(strikes)
            for lift in lifts
            if start < lift < end
        ]
        return float(np.mean(shares))

    def stride_time(self) -> float:
        """Mean seconds of a stride, of all paws."""
        return float(
            np.mean([t for foot in FEET["dog"] for t in np.diff(self.contacts("strikes", foot.name))])
        )
