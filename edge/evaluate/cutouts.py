"""People cut out of clips: whoever is alone in a clip, picture by picture, with a soft edge and with joints.

The silhouette is the pose model's own segmentation, which the box leaves out for its cost: it is converted here, in
float32, from the same published weights. What was read of a clip is kept in the cache; pixels are not.
"""

from __future__ import annotations

import hashlib
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import cv2
import numpy as np
import numpy.typing as npt
import platformdirs

from edge.errors import CameraError, ConfigError
from edge.vision import landmarks
from edge.vision.detector import Detector
from edge.vision.file import FileCamera
from edge.vision.landmarks import HIPS, JOINTS, RIM, LandmarkModel
from edge.vision.pictures import Picture
from edge.vision.roi import Roi
from models import catalogue
from models.convert import convert
from models.load import DEFAULT_MODEL
from models.onnx_graph import serialise
from models.originals import originals
from models.runtime import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import onnxruntime

Pixels = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]

_VERSION = 1
"""Of what is kept: another one is read anew."""
_MASK = "Identity_2"
_OUTPUTS = ("landmarks", "presence", "heatmap", "world", "mask")
_PRESENCE = 0.5
_EDGE = (0.5, 0.95)
"""Between these values of the segmentation a picture fades out: inside of its edge, where no background shines."""
NOSE, SHOULDERS, HIP_JOINTS, KNEES, ANKLES = 0, (11, 12), (23, 24), (25, 26), (27, 28)
_OF_STATURE = 0.88
"""From ankle to knee, hip, shoulder and nose, as a share of the body's height."""


class Cut(NamedTuple):
    """Whoever is in one picture of a clip."""

    t: float
    """Seconds of the clip."""
    mask: Pixels
    """uint8[H, W] of the clip's size: 255 is the person."""
    points: Points
    """float32[33, 3]: x and y in the clip's pixels, visibility."""


class Cuts:
    """Everything that was read of one clip."""

    def __init__(self, times: npt.NDArray[np.float64], masks: list[Pixels], points: Points) -> None:
        self.times = times
        """float64[N]: seconds of the clip."""
        self._masks = masks
        self.points = points
        """float32[N, 33, 3]."""
        self.found: npt.NDArray[np.bool_] = np.all(np.isfinite(points), axis=(1, 2))
        """bool[N]: whether someone was seen."""
        self.seen: list[bool] = self.found.tolist()

    def mask(self, index: int) -> Pixels:
        """uint8[H, W] of a picture."""
        return cast("Pixels", cv2.imdecode(self._masks[index], cv2.IMREAD_GRAYSCALE))

    @property
    def stature(self) -> float:
        """The body's height in pixels, from the lengths of its limbs: lying people are as tall as upright ones.

        Of what a camera sees the 90th percentile: foreshortened limbs are too short, hardly ever too long.
        """
        xy = self.points[self.found, :, :2].astype(np.float64)

        def between(a: int | tuple[int, int], b: int | tuple[int, int]) -> npt.NDArray[np.float64]:
            ends = [xy[:, one].mean(axis=1) if isinstance(one, tuple) else xy[:, one] for one in (a, b)]
            return cast("npt.NDArray[np.float64]", np.linalg.norm(ends[0] - ends[1], axis=1))

        legs = [
            between(ankle, knee) + between(knee, hip)
            for ankle, knee, hip in zip(ANKLES, KNEES, HIP_JOINTS, strict=True)
        ]
        whole = np.maximum(*legs) + between(HIP_JOINTS, SHOULDERS) + between(SHOULDERS, NOSE)
        return float(np.percentile(whole, 90)) / _OF_STATURE


def cuts(clip: Path, progress: Callable[[], object] = lambda: None) -> Cuts:
    """The person of `clip`, from the cache or else from its pictures; `progress` is called after each of these.

    CameraError for a clip that cannot be read or shows nobody; ModelError; ConfigError where the cache cannot be
    written.
    """
    path = kept(clip, ".npz")
    if path.exists():
        with np.load(path) as data:
            ends = np.cumsum(data["lengths"])
            return Cuts(data["times"], np.split(data["masks"], ends[:-1]), data["points"])
    times, masks, points = [], [], []
    for cut in _read(clip):
        times.append(cut.t)
        masks.append(cast("Pixels", cv2.imencode(".png", cut.mask)[1]).ravel())
        points.append(cut.points)
        progress()
    read = Cuts(np.array(times), masks, np.array(points))
    if not read.found.any():
        raise CameraError(f"nobody is seen in {clip}", "Scenes are made of clips with one person.")
    lengths = [len(mask) for mask in masks]
    keep(
        path,
        lambda part: np.savez(
            part, times=read.times, masks=np.concatenate(masks), lengths=lengths, points=read.points
        ),
    )
    return read


def kept(clip: Path, ending: str) -> Path:
    """Where something that was read of a clip is kept."""
    return platformdirs.user_cache_path("kinebox") / "cutouts" / f"{_key(clip)}{ending}"


def keep(path: Path, write: Callable[[Path], object]) -> None:
    """Keep what `write` writes, once it is whole. ConfigError where the cache cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            part = Path(folder) / path.name
            write(part)
            part.replace(path)
    except OSError as error:
        raise ConfigError(
            f"cannot keep cut-outs in {path.parent}: {error.strerror or error}",
            "Make room, or set XDG_CACHE_HOME to a folder that can be written.",
        ) from error


def pictures(clip: Path) -> Iterator[tuple[float, Pixels]]:
    """(seconds from the first one, BGR uint8[H, W, 3]) of every picture of `clip`. CameraError."""
    camera, first = FileCamera(clip), None
    try:
        for item in camera.stream():
            if isinstance(item, Picture):
                first = item.monotonic_ns if first is None else first
                yield (item.monotonic_ns - first) / 1e9, item.bgr
    finally:
        camera.close()


def _read(clip: Path) -> Iterator[Cut]:
    """Follow the largest person; pictures without anybody have no mask and no points."""
    detector, network, crop = Detector("fp32", 2), _network(), LandmarkModel.crop
    roi: Roi | None = None
    for t, bgr in pictures(clip):
        height, width = bgr.shape[:2]
        if roi is None:
            found = [one.roi for one in detector.detect(bgr)]
            roi = max(
                (one for one in found if one.usable(width, height)), key=lambda one: one.side, default=None
            )
        cut = Cut(t, np.zeros((height, width), np.uint8), np.full((JOINTS, 3), np.nan, np.float32))
        if roi is not None:
            *heads, mask = network.run(list(_OUTPUTS), {"image": crop(cast("LandmarkModel", None), bgr, roi)})
            seen = landmarks.decode(heads, roi)
            if seen.presence >= _PRESENCE and seen.finite():
                points = np.column_stack([seen.points[:JOINTS], seen.visibility[:JOINTS]])
                cut = Cut(t, _silhouette(mask, roi, width, height), points.astype(np.float32))
                roi = Roi.from_alignment(seen.points[HIPS], seen.points[RIM])
                roi = roi if roi.usable(width, height) else None
            else:
                roi = None
        yield cut


def _silhouette(logits: npt.NDArray[np.float32], roi: Roi, width: int, height: int) -> Pixels:
    share = 1 / (1 + np.exp(-np.clip(logits.reshape(landmarks.SIZE, landmarks.SIZE), -60, 60)))
    whole = cv2.warpAffine(share, roi.matrix(landmarks.SIZE), (width, height), flags=cv2.INTER_LINEAR)
    low, high = _EDGE
    return np.asarray(np.clip((whole - low) / (high - low), 0, 1) * 255, np.uint8)


@cache
def _network() -> onnxruntime.InferenceSession:
    """The landmark model with its segmentation."""
    model = catalogue.model(DEFAULT_MODEL)
    names = {**model.stages["landmark"].outputs, _MASK: "mask"}
    return session(serialise(convert(originals(model)["landmark"], input_name="image", outputs=names)))


def _key(clip: Path) -> str:
    weights = catalogue.model(DEFAULT_MODEL).stages["landmark"].member_sha256
    digest = hashlib.sha256(f"{_VERSION} {weights} ".encode())
    try:
        with clip.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise CameraError(f"cannot open {clip}: {error.strerror}", "Check the path.") from error
    return digest.hexdigest()
