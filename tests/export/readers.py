"""Readers of what is exported, written from the formats' descriptions and not from our writers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Trc:
    header: dict[str, str]
    markers: list[str]
    frames: list[int]
    times: npt.NDArray[np.float64]
    points: npt.NDArray[np.float64]
    """float64[T, markers, 3]"""


def read_trc(path: Path) -> Trc:
    lines = path.read_text(encoding="utf-8").split("\n")
    assert lines[0] == f"PathFileType\t4\t(X/Y/Z)\t{path.name}"
    header = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    columns = lines[3].split("\t")
    assert columns[:2] == ["Frame#", "Time"]
    markers = columns[2::3]
    assert all(not name for name in columns[3::3] + columns[4::3])
    axes = lines[4].split("\t")
    assert axes == ["", "", *(f"{axis}{number + 1}" for number in range(len(markers)) for axis in "XYZ")]
    assert lines[5] == ""
    assert lines[-1] == ""
    rows = [line.split("\t") for line in lines[6:-1]]
    values = np.array([[float(cell) for cell in row[1:]] for row in rows])
    return Trc(
        header, markers, [int(row[0]) for row in rows], values[:, 0], values[:, 1:].reshape(len(rows), -1, 3)
    )


@dataclass(frozen=True)
class Mot:
    header: dict[str, str]
    columns: list[str]
    values: npt.NDArray[np.float64]

    def __getitem__(self, column: str) -> npt.NDArray[np.float64]:
        return self.values[:, self.columns.index(column)]


def read_mot(path: Path) -> Mot:
    lines = path.read_text(encoding="utf-8").split("\n")
    end = lines.index("endheader")
    header = dict(line.split("=", 1) for line in lines[1:end] if "=" in line)
    assert lines[-1] == ""
    rows = [[float(cell) for cell in line.split("\t")] for line in lines[end + 2 : -1]]
    columns = lines[end + 1].split("\t")
    return Mot(header, columns, np.array(rows).reshape(len(rows), len(columns)))
