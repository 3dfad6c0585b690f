"""A model that the user brought works as this machine can, too: what is chosen for it, and that it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from edge.box_records import CameraView, Tuning
from edge.link import PoseFrame
from edge.vision import tuned_imported
from edge.vision.tuned_imported import ImportedTuner
from edge.vision.tuning import SIZES, Given
from models import imported
from tests.models.brought import kept, simcc, yolo_grid
from tests.vision.clips import write_clip
from tests.vision.serving import Vision
from tests.vision.test_tuned import until

if TYPE_CHECKING:
    from pathlib import Path

    from edge.vision.tuning import Way

CORES = 4


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEBOX_IMPORTED", str(tmp_path / "imported"))


def both(model: imported.Imported) -> str:
    """Also in INT8: the same file, which is another one by its name."""
    data = imported.model_bytes(model, "fp32")
    two = replace(model, files=model.files | {"int8": imported.described(data)})
    imported.save(two, {"fp32": data, "int8": data})
    return two.name


@pytest.mark.parametrize(
    ("milliseconds", "given", "chosen", "why"),
    [
        # With one thread it keeps up with 30 pictures a second, or more threads do not help, or they do.
        ({1: 20, 2: 11, 4: 6}, Given(), ("int8", 1), ("usual", "enough")),
        ({1: 100, 2: 90, 4: 85}, Given(), ("int8", 1), ("usual", "no_gain")),
        ({1: 100, 2: 60, 4: 40}, Given(), ("int8", 4), ("usual", "more_threads")),
        ({1: 20, 2: 11, 4: 6}, Given(fps=60), ("int8", 2), ("usual", "more_threads")),
        ({2: 60}, Given(precision="fp32", threads=2), ("fp32", 2), ("given", "given")),
    ],
)
def test_threads_are_chosen_by_what_they_cost(
    milliseconds: dict[int, float],
    given: Given,
    chosen: tuple[str, int],
    why: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def took(_model: imported.Imported, way: Way) -> float:
        return milliseconds[way.threads]

    monkeypatch.setattr(tuned_imported, "_milliseconds", took)
    told = ImportedTuner(both(kept("yolo-pose", yolo_grid())), given, CORES).record()
    assert (told.precision, told.threads) == chosen
    assert (told.reasons["precision"], told.reasons["threads"]) == why
    assert (told.fps, told.most, told.reasons["most"]) == (given.fps, 6, "imported")


def test_what_there_is_of_it_is_taken(tmp_path: Path) -> None:
    kept("rtmpose", simcc(), "pose")
    told = ImportedTuner("pose", Given(precision="int8", threads=1, sizes=SIZES), CORES).record()
    assert (told.precision, told.reasons["precision"], told.reasons["size"]) == (
        "fp32",
        "only_one",
        "imported",
    )
    assert (told.width, told.height, told.most) == (*SIZES[0], 4)


def test_vision_says_how_it_works_and_how_the_pictures_are(tmp_path: Path) -> None:
    kept("yolo-pose", yolo_grid(), "gym")
    clip = write_clip(tmp_path / "a.mp4", frames=60, size=(320, 240), fps=30)
    with Vision(tmp_path / "link", clip, "--loop", "--model", "gym", KINEBOX_FPS="20") as vision:
        records = until(vision.connect(), lambda record: isinstance(record, CameraView))
    (told,) = (record for record in records if isinstance(record, Tuning))
    assert (told.basis, told.precision, told.target) == ("measured", "fp32", 20)
    assert told.reasons == {
        "precision": "only_one",
        "threads": told.reasons["threads"],
        "size": "fixed",
        "fps": "wanted",
        "most": "imported",
    }
    frames = [record for record in records if isinstance(record, PoseFrame)]
    assert len(frames) > 3
    last = frames[-1].monotonic_ns - frames[0].monotonic_ns
    assert (len(frames) - 1) / last * 1e9 < 25  # no more than are wanted, though the clip has 30 a second
