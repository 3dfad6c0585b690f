"""The small parts of the pipeline, each with a known answer."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from edge.vision.detector import ANCHORS, decode, merge
from edge.vision.landmarks import SIZE, Landmarks, blob, cut, refine
from edge.vision.roi import Roi
from edge.vision.smoothing import OneEuro


def test_anchors_cover_three_grids() -> None:
    assert ANCHORS.shape == (2254, 2)
    assert ANCHORS[0].tolist() == [4, 4]
    assert ANCHORS[2 * 28 * 28].tolist() == [8, 8]
    assert ANCHORS[-1].tolist() == [208, 208]


def test_decode_adds_the_anchor_and_keeps_what_is_sure() -> None:
    boxes = np.zeros((2254, 12), np.float32)
    logits = np.full(2254, -10, np.float32)
    boxes[5] = [1, 2, 10, 20, 0, 0, 5, 5, 0, 0, 0, 0]
    logits[5] = 2.0
    (row,) = decode(boxes, logits, 0.5)
    x, y = ANCHORS[5]
    assert row[:4].tolist() == [x + 1 - 5, y + 2 - 10, x + 1 + 5, y + 2 + 10]
    assert row[6:8].tolist() == [x + 5, y + 5]
    assert row[12] == pytest.approx(1 / (1 + math.exp(-2)))
    assert decode(boxes, np.full(2254, np.nan, np.float32), 0.5).shape == (0, 13)


def box(x: float, y: float, size: float, score: float) -> list[float]:
    return [x, y, x + size, y + size, *([x] * 8), score]


def test_overlapping_boxes_become_their_weighted_mean() -> None:
    rows = np.array([box(0, 0, 10, 0.9), box(1, 0, 10, 0.6), box(50, 50, 10, 0.7)])
    merged = merge(rows)
    assert merged.shape == (2, 13)
    assert merged[0, 0] == pytest.approx(0.6 / 1.5)
    assert merged[0, 12] == 0.9
    assert merged[1, 0] == 50
    assert merge(np.zeros((0, 13))).shape == (0, 13)


def test_a_box_that_is_not_sure_moves_none_that_is() -> None:
    merged = merge(
        np.array([box(0, 0, 10, 0.9), box(1, 0, 10, 0.3), box(50, 50, 10, 0.4), box(51, 50, 10, 0.2)])
    )
    assert merged[:, 12].tolist() == [0.9, 0.4]
    assert merged[0, 0] == 0
    assert merged[1, 0] == pytest.approx(50 + 0.2 / 0.6)


def test_region_turns_with_the_person() -> None:
    upright = Roi.from_alignment(np.array([100.0, 100.0]), np.array([100.0, 60.0]))
    assert upright == pytest.approx((100, 100, 100, 0))
    lying = Roi.from_alignment(np.array([100.0, 100.0]), np.array([140.0, 100.0]))
    assert lying.turn == pytest.approx(math.pi / 2)


def test_region_matrix_maps_corners() -> None:
    roi = Roi(50, 80, 40, 0)
    corners = np.array([[0, 0, 1], [256, 256, 1]]) @ roi.matrix(256).T
    assert corners.tolist() == [[30, 60], [70, 100]]


@pytest.mark.parametrize(
    "roi",
    [
        Roi(50, 50, math.nan, 0),
        Roi(50, 50, math.inf, 0),
        Roi(50, 50, 3, 0),
        Roi(900, 50, 40, 0),
        Roi(50, 50, 1e5, 0),
    ],
)
def test_unusable_regions(roi: Roi) -> None:
    assert not roi.usable(100, 100)


def test_a_region_is_cut_as_opencv_would_warp_the_whole_picture() -> None:
    noise = np.random.default_rng(0)
    picture = noise.integers(0, 256, (720, 1280, 3), np.uint8)
    for _ in range(100):
        x, y, turn = noise.uniform((-400, -250, -4), (1700, 1000, 4))
        roi = Roi(x, y, float(np.exp(noise.uniform(3, 8))), turn)
        warped = cv2.warpAffine(
            picture,
            roi.matrix(SIZE),
            (SIZE, SIZE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        seen = cut(picture, roi)
        assert (seen == warped).all()
        assert (blob(seen) == cv2.dnn.blobFromImage(seen, 1 / 255, swapRB=True)).all()


def test_refine_moves_to_the_peak_nearby() -> None:
    heatmap = np.full((3, 64, 64), -10, np.float32)
    heatmap[0, 20, 12] = 10  # x 12, y 20: crop pixels 48, 80
    points = np.array([[52.0, 84.0], [100.0, 100.0], [-5.0, 300.0]])
    moved, peaks = refine(points, heatmap)
    assert peaks == pytest.approx([1, 0, 0], abs=1e-3)
    assert moved[0] == pytest.approx([48, 80], abs=0.1)
    assert moved[1:].tolist() == points[1:].tolist()  # no peak, and outside the map: they stay


def test_refine_at_the_edge_and_with_nan() -> None:
    heatmap = np.full((2, 64, 64), -10, np.float32)
    heatmap[0, 0, 0] = 10
    moved, peaks = refine(np.array([[2.0, 2.0], [np.nan, 1.0]]), heatmap)
    assert peaks == pytest.approx([1, 0], abs=1e-3)
    assert moved[0] == pytest.approx([0, 0], abs=0.1)
    assert np.isnan(moved[1, 0])


def test_one_euro_calms_rest_and_follows_speed() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(300) / 30
    still = 5 + rng.normal(0, 0.01, 300)
    calm = OneEuro(0.05, 80.0)
    out = np.array([calm(np.array([v]), t, scale=1.0)[0] for v, t in zip(still, times, strict=True)])
    assert out[30:].std() < 0.8 * still[30:].std()
    fast = OneEuro(0.05, 80.0)
    ramp = np.array([fast(np.array([3 * t]), t, scale=1.0)[0] for t in times])
    assert abs(ramp[-1] - 3 * times[-1]) < 0.02


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_one_euro_recovers_from_what_is_no_number(broken: float) -> None:
    smooth = OneEuro(1.0, 0.0)
    for t, value in enumerate([1.0, broken, 2.0]):
        last = smooth(np.array([value, 5.0]), t / 30)
    assert last.tolist() == [2.0, 5.0]
    assert smooth(np.array([2.0, 5.0]), 0.2).tolist() == [2.0, 5.0]


def test_what_is_outside_of_the_picture_is_not_called_unclear() -> None:
    peaks = np.where(np.arange(39) < 20, 0.8, 0.1)
    points = np.where(np.arange(39)[:, None] < 20, 50.0, 150.0)
    seen = Landmarks(points, np.zeros(39), np.zeros((33, 3)), 0.9, peaks)
    assert seen.clearness(200, 200) == pytest.approx((20 * 0.8 + 13 * 0.1) / 33)
    assert seen.clearness(100, 100) == pytest.approx(0.8)
    little = seen._replace(points=np.where(np.arange(39)[:, None] < 3, 50.0, 150.0))
    assert little.clearness(100, 100) == pytest.approx(3 * 0.8 / 12)  # three joints are nobody yet
    assert seen._replace(points=np.full((39, 2), np.nan)).clearness(100, 100) == 0


@pytest.mark.parametrize("part", ["points", "visibility", "world"])
def test_landmarks_that_are_no_numbers_are_seen(part: str) -> None:
    seen = Landmarks(np.zeros((39, 2)), np.zeros(39), np.zeros((33, 3)), 0.9)
    assert seen.finite()
    broken = getattr(seen, part).copy()
    broken[3] = np.nan
    assert not seen._replace(**{part: broken}).finite()


def test_one_euro_restarts_when_time_goes_back() -> None:
    smooth = OneEuro(1.0, 0.0)
    smooth(np.array([0.0]), 1.0)
    smooth(np.array([10.0]), 1.1)
    assert smooth(np.array([10.0]), 0.5).tolist() == [10.0]
    assert smooth(np.array([3.0]), 0.5).tolist() == [3.0]
