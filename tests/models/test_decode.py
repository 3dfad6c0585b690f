"""Outputs of every form as people in the picture: pure functions, answers known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from models import families
from models.decode import Box, cut, decode, letterbox, tensor
from models.families import matching
from models.runtime import session
from tests.models.brought import BODY, GRAPHS, file, picture

if TYPE_CHECKING:
    from models.decode import Poses
    from models.families import Form

SIZES = {"yolo-pose": (64, 64), "rtmpose": (192, 256), "movenet": (64, 64)}


def found(kind: str, bgr: np.ndarray, box: Box | None = None) -> Poses:
    """The people whom a tiny network sees in a picture."""
    family, make = GRAPHS[kind]
    row, size = families.family(family), SIZES[family]
    fitted, affine = letterbox(bgr, *size, row.input.fill) if box is None else cut(bgr, box, *size, 0)
    network = session(file(make()))
    (image,) = network.get_inputs()
    element = {"tensor(int32)": "int32", "tensor(float)": "float32"}[image.type]
    outputs = network.run(None, {image.name: tensor(fitted, row.input, element)})
    return decode(form(kind, outputs).decoder, row, outputs, size).moved(affine)


def form(kind: str, outputs: list[np.ndarray]) -> Form:
    family = GRAPHS[kind][0]
    (match,) = matching(families.family(family), [each.shape for each in outputs], *SIZES[family])
    assert match.form.name == kind.split()[1]
    return match.form


@pytest.mark.parametrize("kind", [kind for kind in GRAPHS if "rtmpose" not in kind])
@pytest.mark.parametrize(("width", "height"), [(128, 128), (256, 128), (96, 192)])
def test_one_person_where_the_spot_is_in_the_pictures_own_pixels(kind: str, width: int, height: int) -> None:
    people = found(kind, picture(width, height, width * 0.7, height * 0.6))
    assert people.points.shape == (1, 17, 2)
    scale = max(width, height) / 64
    expected = BODY * scale + (width * 0.7, height * 0.6)
    assert np.abs(people.points[0] - expected).max() < 2 * scale
    assert people.scores[0] == pytest.approx({"yolo-pose": 0.8, "movenet": 0.6}[GRAPHS[kind][0]])


@pytest.mark.parametrize("turn", [0.0, 0.5, -1.5])
def test_a_crop_is_turned_back(turn: float) -> None:
    people = found("rtmpose simcc", picture(640, 480, 400, 200), Box(390, 210, 60, 200, turn))
    c, s = np.cos(turn), np.sin(turn)
    expected = (400, 200) + BODY * 3 * 250 / 256 @ np.array([[c, s], [-s, c]])
    assert np.abs(people.points[0] - expected).max() < 4
    assert people.found[0] > 0.8


def test_of_boxes_that_overlap_the_surest_stays_and_another_person_too() -> None:
    table = np.zeros((1, 56, 84), np.float32)
    for cell, (x, score) in enumerate(((20, 0.6), (21, 0.9), (22, 0.8), (45, 0.5), (20, 0.3))):
        table[0, :5, cell] = x, 30, 12, 30, score
        table[0, 5::3, cell] = x
    people = decode("yolo_grid", families.family("yolo-pose"), [table], (64, 64))
    assert people.points[:, 0, 0].tolist() == [21, 45]
    assert people.found == pytest.approx([0.9, 0.5])


def test_simcc_is_as_sure_as_its_less_sure_axis_and_cells_are_half_pixels() -> None:
    x, y = np.zeros((1, 17, 384), np.float32), np.zeros((1, 17, 512), np.float32)
    x[0, :, 101], y[0, :, 40] = 0.9, 0.4
    people = decode("simcc", families.family("rtmpose"), [x, y], (192, 256))
    assert people.points[0, 3].tolist() == [50.5, 20]
    assert people.scores[0] == pytest.approx(np.full(17, 0.4))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize(
    ("decoder", "family", "shapes"),
    [
        ("yolo_grid", "yolo-pose", [(1, 56, 84)]),
        ("yolo_end_to_end", "yolo-pose", [(1, 300, 57)]),
        ("simcc", "rtmpose", [(1, 17, 384), (1, 17, 512)]),
        ("movenet_single", "movenet", [(1, 1, 17, 3)]),
        ("movenet_multi", "movenet", [(1, 6, 56)]),
    ],
)
def test_nobody_is_there_where_nothing_is_sure_or_a_number(
    decoder: str, family: str, shapes: list[tuple[int, ...]], bad: float
) -> None:
    for value in (0.0, bad):
        outputs = [np.full(shape, value, np.float32) for shape in shapes]
        people = decode(decoder, families.family(family), outputs, (192, 256))  # type: ignore[arg-type]
        assert people.points.shape == (0, 17, 2)


def test_visibility_is_half_where_the_model_calls_a_joint_seen() -> None:
    table = np.zeros((1, 1, 17, 3), np.float32)
    table[..., 2] = np.linspace(0.2, 1, 17)
    row = families.family("movenet")
    people = decode("movenet_single", row, [table], (192, 192))
    visibility = people.visibility(row.seen)[0]
    assert (visibility >= 0.5).tolist() == (table[0, 0, :, 2] >= row.seen).tolist()
    assert visibility[-1] == 1


def test_what_the_networks_read() -> None:
    bgr = np.zeros((32, 32, 3), np.uint8)
    bgr[:] = (10, 20, 250)
    yolo = tensor(bgr, families.family("yolo-pose").input, "float32")
    assert yolo.shape == (1, 3, 32, 32)
    assert yolo[0, :, 0, 0] == pytest.approx([250 / 255, 20 / 255, 10 / 255])
    rtm = tensor(bgr, families.family("rtmpose").input, "float32")
    assert rtm[0, :, 5, 5] == pytest.approx(
        [(250 - 123.675) / 58.395, (20 - 116.28) / 57.12, (10 - 103.53) / 57.375]
    )
    movenet = tensor(bgr, families.family("movenet").input, "int32")
    assert (movenet.shape, movenet.dtype) == ((1, 32, 32, 3), np.int32)
    assert movenet[0, 0, 0].tolist() == [250, 20, 10]
    bars, _ = letterbox(bgr, 64, 32, families.family("yolo-pose").input.fill)
    assert bars[0, 0].tolist() == [114, 114, 114]
    assert bars[0, 32].tolist() == [10, 20, 250]
