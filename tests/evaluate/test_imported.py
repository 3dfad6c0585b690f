"""A model that the user brought beside Kinebox's own, on labelled pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.evaluate.stills import evaluate_stills
from tests.models.brought import PICTURES, kept, labelled, simcc, yolo_grid

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_it_has_a_row_of_its_own(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEBOX_IMPORTED", str(tmp_path / "imported"))
    brought = [kept("yolo-pose", yolo_grid(), "gym"), kept("rtmpose", simcc(), "pose")]
    rows, missing = evaluate_stills(labelled(tmp_path / "labelled"), peer=False, parts=True, models=brought)
    assert missing is None
    assert [row.name for row in rows[-5:-3]] == ["Kinebox fp32", "Kinebox INT8"]
    gym, told, pose = rows[-3:]
    assert (gym.name, gym.found, gym.mean.value) == ("gym fp32", PICTURES, 100.0)
    # It draws its person smaller than the crop shows the labelled one; our detector takes a white square for nobody.
    assert (told.name, told.found) == ("pose fp32: told where", PICTURES)
    assert 0 < told.mean.value < 100
    assert (pose.name, pose.found, pose.mean.value) == ("pose fp32", 0, 0.0)
