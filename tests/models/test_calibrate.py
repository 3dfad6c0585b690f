"""The parts of a calibration on tiny graphs; the whole of it is measured in test_drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np
import pytest

from models.calibrate.bias import corrected
from models.calibrate.equalise import equalise
from models.calibrate.footage import pictures
from models.calibrate.ranges import activation, activations
from models.calibrate.statistics import channels
from models.quantise.qdq import write_qdq
from models.quantise.recipe import Activation, Recipe, unpack
from tests.models.tiny_graph import pixels, recipe, residual, run, two_convolutions

if TYPE_CHECKING:
    from pathlib import Path

INPUTS = [pixels(1, 1), pixels(-2, 0.5), pixels(3, -1)]


def test_channels_are_measured_over_all_inputs() -> None:
    seen = channels(two_convolutions(), ["t1_pre", "t1"], INPUTS)
    assert seen["t1_pre"].low.tolist() == [-2, -1]
    assert seen["t1_pre"].high.tolist() == [3, 3]
    assert seen["t1_pre"].mean == pytest.approx([2 / 3, 4 / 3])
    assert seen["t1"].low.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("low", "high", "scale", "zero_point"),
    [
        (0, 255, 1, 0),
        (-255, 0, 1, 255),
        (-51, 204, 1, 51),
        (10, 255, 1, 0),  # zero is always representable
        (-255, -10, 1, 255),
        (0, 0, 1e-9, 0),
    ],
)
def test_the_range_covers_what_was_seen_and_zero(
    low: float, high: float, scale: float, zero_point: int
) -> None:
    found = activation(low, high)
    assert found.scale == pytest.approx(scale)
    assert found.zero_point == zero_point


def test_a_stream_is_made_even_and_computes_the_same() -> None:
    model = residual()
    seen = channels(model, ["t1", "t2", "t3"], INPUTS)
    (stream,) = equalise(model, seen, ["t2"])
    assert stream.tensors == ["t1", "t2", "t3"]
    factors = unpack(stream.factors)
    spread = [np.maximum(-seen["t3"].low, seen["t3"].high) / f for f in (np.ones(2), factors)]
    assert spread[0][1] / spread[0][0] > 20
    assert spread[1][1] / spread[1][0] < 5
    changed = msgspec.structs.replace(recipe(model, [], {}), streams=[stream])
    for image in INPUTS:
        assert run(write_qdq(model, changed), image) == pytest.approx(run(model, image), rel=1e-5, abs=1e-5)


def test_streams_of_float_nodes_are_left_alone() -> None:
    model = residual()
    assert equalise(model, channels(model, ["t1", "t2", "t3"], INPUTS), []) == []


def test_a_channel_behind_a_limit_is_raised_to_it() -> None:
    model = two_convolutions()
    seen = channels(model, ["t1_pre", "t1", "t2"], [pixels(0.6, 5)])
    (stream,) = equalise(model, seen, ["t1_pre", "t1", "t2"])
    assert stream.tensors == ["t1_pre", "t1"]
    assert unpack(stream.factors) == pytest.approx([0.1, 1], rel=1e-4)


def plain(nodes: list[str]) -> Recipe:
    """A recipe for `two_convolutions` as calibration makes it, without biases."""
    model = two_convolutions()
    seen = channels(model, ["t1_pre", "t1", "t2"], INPUTS)
    streams = equalise(model, seen, nodes)
    found = activations(model, seen, nodes, streams)
    return msgspec.structs.replace(recipe(model, nodes, found), streams=streams)


def test_only_tensors_that_are_rounded_get_a_range() -> None:
    assert plain(["t2"]).activations.keys() == {"t1", "t2"}
    # The convolution's own output is rounded behind the Clip only.
    assert "t1_pre" not in plain(["t1_pre", "t1", "t2"]).activations


def test_a_shifted_mean_is_moved_back() -> None:
    model, nodes = two_convolutions(), ["t1_pre", "t1", "t2"]
    # Steps of half a unit: rounding shifts the means visibly.
    coarse = recipe(
        model,
        nodes,
        {"image": Activation(0.75, 100), "t1": Activation(0.0234375, 0), "t2": Activation(0.05, 128)},
    )
    seen = channels(model, ["t1_pre", "t2"], INPUTS)
    done: list[str] = []
    fixed = corrected(model, coarse, seen, INPUTS, done.append)
    assert done == ["t1_pre", "t2"]

    def shift(made: Recipe, tensor: str) -> float:
        means = channels(write_qdq(model, made), [tensor], INPUTS)[tensor].mean
        return float(np.abs(means - seen[tensor].mean).max())

    for tensor in ("t1_pre", "t2"):
        assert shift(fixed, tensor) < 0.02 < shift(coarse, tensor)


def test_pictures_come_from_folders_files_and_clips(tmp_path: Path) -> None:
    for name, value in (("b.png", 200), ("a.png", 100)):
        cv2.imwrite(str(tmp_path / name), np.full((8, 8, 3), value, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 32))
    for value in range(0, 250, 25):
        writer.write(np.full((32, 32, 3), value, np.uint8))
    writer.release()
    values = [round(float(picture.mean())) for picture in pictures([tmp_path], 2)]
    assert values[:2] == [100, 200]
    # Frames 2 and 7 of ten.
    assert values[2:] == pytest.approx([50, 175], abs=4)
    assert len(list(pictures([tmp_path / "a.png", clip], 5))) == 6
