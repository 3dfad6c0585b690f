"""Pose pipelines of the models that the user brought (`kinebox models import`)."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.link import Subject
from edge.vision.detector import Detector
from edge.vision.namer import Known, Namer
from edge.vision.providers import open_session
from edge.vision.roi import EXPAND, Roi
from edge.zones import inside
from models import imported
from models.decode import Box, Poses, cut, decode, letterbox, tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.vision.inference import Precision
    from edge.zones import Zone
    from models.decode import Affine
    from models.imported import Imported

Picture = npt.NDArray[np.uint8]

_HIPS = [11, 12]
"""Of COCO's keypoints."""
_SEARCH_S = 0.5
"""Seconds between two looks for people nobody follows yet, while somebody is followed."""
_LOST_S = 0.3
"""Seconds for which the place of somebody who was lost is read again."""
_LEAST_SEEN = 5
"""Joints of which a box can be made."""
_SLIM = 0.5
"""Width of a person's box by its height; what is cut out is as wide as the network wants it."""
_NONE = Poses(np.empty((0, 17, 2)), np.empty((0, 17)), np.empty(0))


class BroughtNetwork:
    """An imported network: pictures in, people in the pictures' pixels out."""

    def __init__(self, model: Imported, precision: Precision, threads: int) -> None:
        """Load it; ModelError when its file is missing or damaged."""
        self.model, self.row, self.form = model, model.row, model.outputs
        data = imported.model_bytes(model, precision)
        self._size = (model.width, model.height)
        self._session = open_session(data, threads)
        (self._input,) = [each.name for each in self._session.get_inputs()]
        self.spent_ms = 0.0
        """Of the network alone, since it was set to zero."""

    def whole(self, bgr: Picture) -> Poses:
        """Everyone in `bgr`."""
        return self._run(*letterbox(bgr, *self._size, self.row.input.fill))

    def one(self, bgr: Picture, box: Box) -> Poses:
        """The person in `box`, or nobody."""
        return self._run(*cut(bgr, box, *self._size, self.row.input.fill))

    def _run(self, fitted: Picture, affine: Affine) -> Poses:
        image = tensor(fitted, self.row.input, self.model.element)
        start = perf_counter()
        outputs = self._session.run(None, {self._input: image})
        self.spent_ms += (perf_counter() - start) * 1e3
        ordered = [outputs[index] for index in self.model.order]
        return decode(self.form.decoder, self.row, ordered, self._size).moved(affine)


class WholePicture:
    """A model that finds everyone in a picture by itself."""

    MOST = 6
    """People reported of a picture."""

    def __init__(self, model: Imported, precision: Precision, threads: int) -> None:
        """Load the model; ModelError when its file is missing or damaged."""
        self.model = model.name
        self.precision = model.best(precision)
        self.most = self.MOST
        self.waiting = 0
        """Always nobody: all are read at once."""
        self.timings: dict[str, float] = {}
        """Milliseconds of the last picture: `detect` (finding whom to read), `model` (the network), `total`."""
        self._network = BroughtNetwork(model, self.precision, threads)
        self._namer = Namer()
        self._zones: tuple[Zone, ...] = ()
        self._shape = (0, 0)

    def reset(self) -> None:
        """Forget who was followed: the next picture belongs to another scene."""
        self._namer.reset()

    def ignore(self, zones: tuple[Zone, ...]) -> None:
        """From now on nobody is followed whose hips' middle lies in one of these parts of the picture."""
        self._zones = zones

    def process(self, bgr: Picture, t: float) -> list[Subject]:
        """The subjects in `bgr` uint8[H, W, 3] taken at `t` seconds."""
        start = perf_counter()
        if bgr.shape[:2] != self._shape:
            self.reset()
            self._shape = (bgr.shape[0], bgr.shape[1])
        self.timings = {"detect": 0.0, "model": 0.0}
        self._network.spent_ms = 0.0
        poses = self._find(bgr, t)
        poses = poses.keep([index for index, points in enumerate(poses.points) if not self._ignored(points)])
        poses = poses.keep(range(min(len(poses.found), self.most)))
        visibility = poses.visibility(self._network.row.seen)
        people = self._namer.update(poses.points, t)
        subjects = [
            self._subject(one, float(found), seen)
            for one, found, seen in zip(people, poses.found, visibility, strict=True)
            if one.id
        ]
        self.timings["model"] = self._network.spent_ms
        self.timings["total"] = (perf_counter() - start) * 1e3
        return sorted(subjects, key=lambda subject: subject.id)

    def _find(self, bgr: Picture, _t: float) -> Poses:
        return self._network.whole(bgr)

    def _ignored(self, points: npt.NDArray[np.float64]) -> bool:
        height, width = self._shape
        x, y = points[_HIPS].mean(axis=0)
        return any(inside(zone, float(x) / width, float(y) / height) for zone in self._zones)

    def _subject(self, one: Known, found: float, seen: npt.NDArray[np.float64]) -> Subject:
        height, width = self._shape
        within = ((one.points >= 0) & (one.points < (width, height))).all(axis=1)
        keypoints = np.column_stack([one.points, np.where(within, seen, 0.0)])
        return Subject(
            id=one.id,
            species="human",
            skeleton=self._network.row.skeleton,
            score=found,
            keypoints=keypoints.astype("<f4").tobytes(),
        )


class OneByOne(WholePicture):
    """A model that reads a crop of one person: our detector finds them, then their joints say where they are."""

    MOST = 4

    def __init__(self, model: Imported, precision: Precision, threads: int) -> None:
        """Load the model and the detector; ModelError when a file is missing or damaged."""
        super().__init__(model, precision, threads)
        self._detector = Detector("int8", threads)
        self._places: list[tuple[Box, float]] = []
        """Where somebody is, and when they were last seen there."""
        self._searched = -np.inf

    def reset(self) -> None:
        """Forget who was followed: the next picture belongs to another scene."""
        super().reset()
        self._places = []
        self._searched = -np.inf

    def _find(self, bgr: Picture, t: float) -> Poses:
        here: list[Poses] = []
        lost: list[tuple[Box, float]] = []
        for box, seen_at in self._places[: self.most]:
            if not self._read(bgr, box, here) and 0 <= t - seen_at < _LOST_S:
                lost.append((box, seen_at))
        if len(here) < self.most and (not here or not 0 <= t - self._searched < _SEARCH_S):
            start = perf_counter()
            finds = self._detector.detect(bgr)
            self.timings["detect"] = (perf_counter() - start) * 1e3
            self._searched = t
            for roi in (find.roi for find in finds):
                known = any(_is_within(roi.x, roi.y, pose) for pose in here)
                if len(here) < self.most and not known and roi.usable(bgr.shape[1], bgr.shape[0]):
                    self._read(bgr, box_of(roi), here)
        self._places = [(self._box(pose), t) for pose in here] + lost
        return _together(here)

    def _read(self, bgr: Picture, box: Box, here: list[Poses]) -> bool:
        """Add whoever is in `box` to those `here`; False where nobody is, or nobody else."""
        pose = self._network.one(bgr, box)
        if not len(pose.found) or any(_is_same(pose, other) for other in here):
            return False
        here.append(pose)
        return True

    def _box(self, pose: Poses) -> Box:
        """Around the joints that are seen; what is guessed may be anywhere."""
        seen = pose.scores[0] >= self._network.row.seen
        return Box.around(pose.points[0][seen] if seen.sum() >= _LEAST_SEEN else pose.points[0])


def box_of(roi: Roi) -> Box:
    """The box around a person whom our detector found: the region is a square around the circle of the whole body."""
    side = roi.side / EXPAND
    return Box(roi.x, roi.y, side * _SLIM, side, roi.turn)


def _is_within(x: float, y: float, pose: Poses) -> bool:
    box = Box.around(pose.points[0])
    return abs(x - box.x) < box.width / 2 and abs(y - box.y) < box.height / 2


def _is_same(pose: Poses, other: Poses) -> bool:
    size = float(np.ptp(other.points[0], axis=0).max())
    return float(np.linalg.norm(pose.points[0] - other.points[0], axis=1).mean()) < 0.2 * size


def _together(poses: Sequence[Poses]) -> Poses:
    if not poses:
        return _NONE
    return Poses(*(np.concatenate(part) for part in zip(*poses, strict=True)))


def open_imported(name: str, precision: Precision, threads: int) -> WholePicture:
    """The pipeline of the imported model `name`; ModelError when it is missing or damaged.

    It computes in `precision` where the model has such a file, else in what it has.
    """
    model = imported.load(name)
    return kind(model)(model, precision, threads)


def kind(model: Imported) -> type[WholePicture]:
    """By whether its family needs somebody else to find people."""
    return OneByOne if model.row.top_down else WholePicture
