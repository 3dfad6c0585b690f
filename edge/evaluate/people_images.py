"""People found in annotated pictures of several people: the same picture is shown for a second, as a camera would.

A person is found where the keypoints agree with the annotation by more than half: object keypoint similarity, as COCO
defines it, over the twelve joints of arms and legs that all these data sets have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from edge.errors import ConfigError
from edge.evaluate.people_score import Found, assignment, height_class
from edge.motion.skeletons import SKELETONS
from edge.vision.people import People
from edge.vision.track import SKELETON

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.vision.inference import Precision

FOLDER = "human_images"
_SETS = ("coco", "crowdpose", "aic", "ochuman", "mpii")
_JOINTS = {"shoulder": 0.079, "elbow": 0.072, "wrist": 0.062, "hip": 0.107, "knee": 0.087, "ankle": 0.089}
"""Name and how exactly people place it (COCO's constants, sizes of the person)."""
_MPII = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax", "neck",
    "head", "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
)  # fmt: skip
_NAMES = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in _JOINTS)
_SIGMA = np.array([_JOINTS[name.partition("_")[2]] for name in _NAMES])
_AREA = 0.53
"""Of the box: the body's share, where the data set has no outline (as mmpose reckons it)."""
_SIMILAR = 0.5
_LEAST_JOINTS = 4
"""Labelled joints from which somebody can be compared."""
_SHOWN, _FPS = 30, 25.0

Array = npt.NDArray[np.float64]


class Annotated(NamedTuple):
    """One person of a picture."""

    points: Array
    """float64[12, 2] in pixels; NaN where not labelled."""
    area: float
    height: float
    """Of the box, as a share of the picture's."""


class ImageResult(msgspec.Struct, frozen=True, kw_only=True):
    """One data set."""

    name: str
    pictures: int
    by_height: dict[str, Found]
    others: int
    """Further people that were found: annotated with too few joints, not at all, or not there."""


def evaluate_images(
    folder: Path, *, precision: Precision, threads: int, progress: Callable[[], object] = lambda: None
) -> list[ImageResult]:
    """Every data set in `folder`; `progress` is called after each picture. ConfigError, ModelError."""
    pipeline = People(precision, threads, most=8)
    return [_evaluate(folder / name, name, pipeline, progress) for name in _SETS]


def _evaluate(folder: Path, name: str, pipeline: People, progress: Callable[[], object]) -> ImageResult:
    by_height: dict[str, Found] = {}
    images = annotated(folder, name)
    others = 0
    for file, people in images.items():
        bgr = cv2.imread(str(folder / file))
        if bgr is None:
            raise ConfigError(f"cannot read {folder / file}", "Copy the picture again.")
        pipeline.reset()
        seen = _seen(pipeline, cast("npt.NDArray[np.uint8]", bgr))
        table = np.array([[similarity(one, points) for points in seen] for one in people])
        pairs = assignment(np.where(table > _SIMILAR, table, 0.0)) if table.size else []
        found = {person for person, _ in pairs}
        others += len(seen) - len(pairs)
        for index, person in enumerate(people):
            size = height_class(person.height)
            by_height[size] = by_height.get(size, Found()) + Found(frames=1, found=index in found)
        progress()
    return ImageResult(
        name=name, pictures=len(images), by_height=dict(sorted(by_height.items())), others=others
    )


def _seen(pipeline: People, bgr: npt.NDArray[np.uint8]) -> list[Array]:
    """The joints float64[12, 2] of everyone at the end of a second of this picture."""
    names = SKELETONS[SKELETON].names
    columns = [names.index(name) for name in _NAMES]
    last: dict[int, Array] = {}
    for number in range(_SHOWN):
        subjects = pipeline.process(bgr, number / _FPS)
        if number >= _SHOWN - 4:  # everybody has had a turn
            last |= {one.id: one.points()[columns, :2].astype(np.float64) for one in subjects}
    return list(last.values())


def similarity(person: Annotated, points: Array) -> float:
    """Object keypoint similarity, 0-1, of `points` float64[12, 2] to an annotation."""
    labelled = np.isfinite(person.points).all(axis=1)
    squared = ((points - person.points)[labelled] ** 2).sum(axis=1)
    return float(np.exp(-squared / (2 * person.area * (2 * _SIGMA[labelled]) ** 2)).mean())


def annotated(folder: Path, name: str) -> dict[str, list[Annotated]]:
    """People by picture, with enough labelled joints to be compared. ConfigError for another file."""
    path = folder / f"test_{name}.json"
    try:
        data = msgspec.json.decode(path.read_bytes())
        return _mpii(data, folder) if name == "mpii" else _coco(data)
    except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}",
            "It is to be as mmpose's test data has it.",
        ) from error


def _coco(data: dict[str, Any]) -> dict[str, list[Annotated]]:
    names = [str(name).lower().replace(" ", "_") for name in data["categories"][0]["keypoints"]]
    images = {image["id"]: image for image in data["images"]}
    people: dict[str, list[Annotated]] = {image["file_name"]: [] for image in images.values()}
    for one in data["annotations"]:
        image = images[one["image_id"]]
        table = np.array(one["keypoints"], np.float64).reshape(-1, 3)
        _, _, width, height = one["bbox"]
        area = float(one.get("area") or width * height * _AREA)
        person = Annotated(_points(names, table), area, height / image["height"])
        if not one.get("iscrowd") and _comparable(person):
            people[image["file_name"]].append(person)
    return people


def _mpii(data: list[dict[str, Any]], folder: Path) -> dict[str, list[Annotated]]:
    people: dict[str, list[Annotated]] = {}
    for one in data:
        table = np.column_stack([np.array(one["joints"], np.float64), one["joints_vis"]])
        bgr = cv2.imread(str(folder / one["image"]))
        if bgr is None:
            raise ValueError(one["image"])
        wide, high = np.ptp(table[table[:, 2] > 0, :2], axis=0)
        person = Annotated(_points(list(_MPII), table), float(wide * high * _AREA), high / bgr.shape[0])
        people.setdefault(one["image"], []).append(person)
    return people


def _points(names: list[str], table: Array) -> Array:
    rows = table[[names.index(name) for name in _NAMES]]
    return np.where(rows[:, 2:] > 0, rows[:, :2], np.nan)


def _comparable(person: Annotated) -> bool:
    return int(np.isfinite(person.points).all(axis=1).sum()) >= _LEAST_JOINTS
