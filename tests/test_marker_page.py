"""The page with the marker, read back at its exact size."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.errors import ConfigError
from edge.link import MARKER_SIDE_M
from edge.marker_page import boxes, marker, pdf, svg
from edge.vision.marker import Finder

if TYPE_CHECKING:
    from pathlib import Path

_PX_A_MM = 3


def drawn() -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    paper = np.full((297 * _PX_A_MM, 210 * _PX_A_MM, 3), 255, np.uint8)
    for box in boxes():
        x, y, w, h = (round(side * _PX_A_MM) for side in box)
        paper[y : y + h, x : x + w] = 0
    return paper


def test_the_finder_knows_it_and_its_side_is_exact() -> None:
    corners = Finder().corners(drawn())
    assert corners is not None
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1) / _PX_A_MM / 1000
    assert sides == pytest.approx(np.full(4, MARKER_SIDE_M), rel=0.005)


def test_svg_has_the_boxes_in_millimetres() -> None:
    root = ET.fromstring(svg())  # noqa: S314 - our own
    assert (root.get("width"), root.get("height")) == ("210mm", "297mm")
    rows = root.findall("{http://www.w3.org/2000/svg}rect")[1:]
    found = [tuple(float(row.get(key, "")) for key in ("x", "y", "width", "height")) for row in rows]
    assert found == pytest.approx(np.array(boxes()), abs=1e-3)


def test_pdf_has_the_boxes_in_points_and_a_table_that_is_right() -> None:
    data = pdf()
    found = [list(map(float, row.split())) for row in re.findall(rb"^([\d. ]+) re f$", data, re.M)]
    wide = max(row[2] for row in found) / 72 * 25.4 / 1000
    assert wide == pytest.approx(MARKER_SIDE_M, abs=1e-5)
    assert len(found) == len(boxes())
    start = int(re.findall(rb"startxref\n(\d+)", data)[0])
    assert data[start:].startswith(b"xref")
    for number, place in enumerate(re.findall(rb"^(\d{10}) 00000 n $", data, re.M), 1):
        assert data[int(place) :].startswith(b"%d 0 obj" % number)


def test_command(tmp_path: Path) -> None:
    marker(tmp_path / "m.svg")
    marker(tmp_path / "m.PDF")
    assert (tmp_path / "m.svg").read_bytes() == svg()
    assert (tmp_path / "m.PDF").read_bytes() == pdf()
    for wrong in (tmp_path / "m.png", tmp_path / "none" / "m.pdf"):
        with pytest.raises(ConfigError):
            marker(wrong)
