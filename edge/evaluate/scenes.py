"""Composite scenes: real people from clips, side by side, moving and crossing in a real room, with the truth known.

A scene is a row of `scenes.toml`: a room (what remains of a clip without its people), and for each person a clip,
when it starts, and where they stand at what time. The picture is 1280 x 720 as cameras give it. The same row and seed
give the same pictures.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple, cast

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from edge.evaluate.cutouts import ANKLES, HIP_JOINTS, Cuts, cuts, keep, kept, pictures
from edge.evaluate.people_score import Box, Truth
from edge.motion.skeletons import SKELETONS
from edge.vision.landmarks import JOINTS
from edge.vision.track import SKELETON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIDTH, HEIGHT = 1280, 720
_NOISE = 2.5
"""Of the sensor: standard deviation in levels."""
_NOISE_FIELDS = 8
_ROOM_PICTURES = 60
_AROUND = 15
"""Pixels around somebody's mask that are not the room either: shadows, blur."""
_SOLID = 128
_THING = 255

Pixels = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]


def _mirrored() -> npt.NDArray[np.intp]:
    """Which joint each is in a mirror."""
    order = np.arange(JOINTS)
    for left, right in SKELETONS[SKELETON].pairs:
        order[[left, right]] = right, left
    return order


_MIRRORED = _mirrored()


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody for a time; rows of the same `who` follow each other."""

    who: str
    clip: str
    """In the data's folder."""
    start: float = 0.0
    """Second of the clip when the path begins; at its end the last picture stays."""
    loop: tuple[float, float] | None = None
    """Seconds of the clip that are played over and over: whole strides."""
    flip: bool = False
    """Left is right."""
    walks: bool = False
    """The path alone moves them: their hips stay above it. Otherwise they move about their place as in the clip."""
    path: tuple[tuple[float, float, float, float], ...]
    """Seconds of the scene, feet's x and y as shares of the picture's width and height, height of the body upright
    as a share of the picture's."""
    light: float = 1.0
    """Brightness, to fit the room."""


class Thing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pillar or a board in the room; people whose feet are above its foot are behind it."""

    box: Box
    """Shares of the picture."""
    like: float
    """Where the room's picture gives it a surface: share of the width."""


class Scene(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scene."""

    name: str
    room: str
    """A clip in the data's folder."""
    seconds: float
    people: tuple[Person, ...] = ()
    things: tuple[Thing, ...] = ()
    light: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    """Seconds and brightness."""
    seed: int = 0
    fps: float = 25.0


class Clip(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A clip as it is, in which one person or nobody is: a further one would be false."""

    clip: str
    people: int = 0


class Rows(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of `scenes.toml`."""

    scene: tuple[Scene, ...]
    clip: tuple[Clip, ...]


class Shot(NamedTuple):
    """One picture of a scene."""

    t: float
    bgr: Pixels
    truths: list[Truth]


@cache
def rows() -> Rows:
    """All scenes and clips, in the order of the file."""
    text = resources.files(__package__).joinpath("scenes.toml").read_text(encoding="utf-8")
    return msgspec.toml.decode(text, type=Rows)


def original(clip: Path, people: int) -> Iterator[Shot]:
    """Every picture of a clip with one person, or with nobody, as it is. CameraError."""
    read = cuts(clip) if people else None
    for index, (t, bgr) in enumerate(pictures(clip)):
        there: list[Truth] = []
        if read is not None and read.seen[index]:
            xy = read.points[index, :, :2].astype(np.float64)
            inside = ((xy >= 0) & (xy < bgr.shape[1::-1])).all(axis=1).mean()
            there.append(Truth("person", xy, read.stature / bgr.shape[0], float(inside)))
        yield Shot(t, bgr, there)


def render(scene: Scene, data: Path) -> Iterator[Shot]:
    """Every picture of `scene`, of the clips in `data`. CameraError for a clip that is missing."""
    random = np.random.default_rng(scene.seed)
    still = room(data / scene.room)
    things = [(thing, _surface(thing, still)) for thing in scene.things]
    actors = [_Actor(person, data) for person in scene.people]
    lights: Array = np.array(scene.light, np.float64)
    noise = [_noise(random) for _ in range(_NOISE_FIELDS)]
    for number in range(round(scene.seconds * scene.fps)):
        t = number / scene.fps
        bgr, truths = _compose(still, [one for actor in actors if (one := actor.at(t))], things)
        light = float(np.interp(t, lights[:, 0], lights[:, 1]))
        grain = noise[random.integers(_NOISE_FIELDS)]
        grain = np.roll(grain, int(random.integers(HEIGHT)), axis=0)
        yield Shot(
            t, cast("Pixels", cv2.addWeighted(bgr, light, grain, _NOISE / 40, -128 * _NOISE / 40)), truths
        )


@cache
def room(clip: Path) -> Pixels:
    """The room of a clip without its person, uint8[720, 1280, 3]: the median of what nobody covers.

    What somebody covers all the time is filled with its other half's mirror image.
    """
    path = kept(clip, ".png")
    if path.exists():
        return cast("Pixels", cv2.imread(str(path)))
    read, shown, covered = cuts(clip), [], []
    chosen = set(np.linspace(0, len(read.times) - 1, _ROOM_PICTURES).astype(int).tolist())
    around = np.ones((2 * _AROUND + 1, 2 * _AROUND + 1), np.uint8)
    for index, (_, bgr) in enumerate(pictures(clip)):
        if index in chosen:
            covered.append(cv2.dilate(read.mask(index), around) > 0)
            shown.append(np.where(covered[-1][..., None], 255, bgr).astype(np.uint8))
    free = len(shown) - np.sum(covered, axis=0)
    middle = np.maximum(free - 1, 0)[None, ..., None] // 2
    still = np.take_along_axis(np.sort(shown, axis=0), middle, axis=0)[0]
    if not free.all():
        still = _fill(still, free == 0)
    height, width = still.shape[:2]
    scale = max(WIDTH / width, HEIGHT / height)
    large = cv2.resize(still, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    top, left = (large.shape[0] - HEIGHT) // 2, (large.shape[1] - WIDTH) // 2
    cut = np.ascontiguousarray(large[top : top + HEIGHT, left : left + WIDTH])
    keep(path, lambda part: part.write_bytes(cv2.imencode(".png", cut)[1].tobytes()))
    return cast("Pixels", cut)


def _fill(still: Pixels, never: npt.NDArray[np.bool_]) -> Pixels:
    mirror, there = still[:, ::-1], ~never[:, ::-1]
    filled = np.where((never & there)[..., None], mirror, still).astype(np.uint8)
    hole = (never & ~there).astype(np.uint8)
    return cast("Pixels", cv2.inpaint(filled, hole, 5, cv2.INPAINT_TELEA))


def _noise(random: np.random.Generator) -> Pixels:
    field = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    field[:] = np.clip(random.standard_normal((HEIGHT, WIDTH, 3), np.float32) * 40 + 128, 0, 255)
    return field


def _surface(thing: Thing, still: Pixels) -> Pixels:
    """Of the thing: a strip of the room, darker, with edges."""
    left, top, right, bottom = _pixels(thing.box)
    at = min(round(thing.like * WIDTH), WIDTH - (right - left))
    strip = cv2.convertScaleAbs(still[top:bottom, at : at + right - left], alpha=0.8)
    return cast("Pixels", cv2.rectangle(strip, (0, 0), (right - left - 1, bottom - top - 1), (40, 40, 40), 3))


def _pixels(box: Box) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    return round(left * WIDTH), round(top * HEIGHT), round(right * WIDTH), round(bottom * HEIGHT)


class _Pose(NamedTuple):
    """Somebody at one moment, in the scene's pixels."""

    who: str
    height: float
    foot: float
    """Of the picture's height: who is lower is nearer."""
    bgr: Pixels
    mask: Pixels
    left: int
    top: int
    joints: Array


class _Actor:
    """A row's person: their clip is decoded as the scene goes on."""

    def __init__(self, person: Person, data: Path) -> None:
        self._row = person
        self._clip = data / person.clip
        self._cuts: Cuts = cuts(self._clip)

        self._path: Array = np.array(person.path, np.float64)
        self._reader: Iterator[tuple[float, Pixels]] = iter(())
        self._index = -1
        self._bgr: Pixels | None = None
        found = self._cuts.points[self._cuts.found].astype(np.float64)
        ankles = np.maximum(found[:, ANKLES[0], 1], found[:, ANKLES[1], 1])
        self._place: Array = np.array([np.median(found[:, HIP_JOINTS, 0]), np.percentile(ankles, 75)])
        """Hips' x and feet's y in the clip's pixels, where they mostly are."""

    def at(self, t: float) -> _Pose | None:
        """None where they are not in the scene, or not seen in the clip."""
        row, path = self._row, self._path
        if not path[0, 0] <= t <= path[-1, 0]:
            return None
        index = self._moment(t - path[0, 0])
        if not self._cuts.seen[index]:
            return None
        x, foot, height = (float(np.interp(t, path[:, 0], path[:, column])) for column in (1, 2, 3))
        scale = height * HEIGHT / self._cuts.stature
        points = self._cuts.points[index].astype(np.float64)
        place = self._place.copy()
        if row.walks:
            near = self._cuts.points[max(index - 2, 0) : index + 3]
            place[0] = np.nanmedian(near[:, HIP_JOINTS, 0])
        turn = -1.0 if row.flip else 1.0
        # From the clip's pixels to the scene's.
        matrix = np.array(
            [
                [turn * scale, 0, x * WIDTH - turn * scale * place[0]],
                [0, scale, foot * HEIGHT - scale * place[1]],
            ]
        )
        bgr, mask = self._picture(index), self._cuts.mask(index)
        left, top, wide, high = cv2.boundingRect(mask)
        if not wide:
            return None
        corners = np.array([[left, top, 1], [left + wide, top + high, 1]]) @ matrix.T
        low, end = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
        matrix[:, 2] -= low
        size = (int(end[0] - low[0]), int(end[1] - low[1]))
        kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        patch = cv2.warpAffine(bgr, matrix, size, flags=kind, borderMode=cv2.BORDER_REPLICATE)
        soft = cv2.warpAffine(mask, matrix, size, flags=kind)
        if row.light != 1:
            patch = cv2.convertScaleAbs(patch, alpha=row.light)
        joints = points[:, :2] @ matrix[:, :2].T + matrix[:, 2] + low
        return _Pose(
            who=row.who,
            height=height,
            foot=foot,
            bgr=cast("Pixels", patch),
            mask=cast("Pixels", soft),
            left=int(low[0]),
            top=int(low[1]),
            joints=joints[_MIRRORED] if row.flip else joints,
        )

    def _moment(self, since: float) -> int:
        at = self._row.start + since
        if self._row.loop is not None:
            first, last = self._row.loop
            at = first + (at - first) % (last - first)
        return int(np.abs(self._cuts.times - at).argmin())

    def _picture(self, index: int) -> Pixels:
        if index < self._index or self._bgr is None:
            self._reader, self._index = pictures(self._clip), -1
        while self._index < index:
            _, self._bgr = next(self._reader)
            self._index += 1
        assert self._bgr is not None
        return self._bgr


def _compose(
    still: Pixels, poses: list[_Pose], things: list[tuple[Thing, Pixels]]
) -> tuple[Pixels, list[Truth]]:
    """Paint from the back to the front, and find out how much of each remains to be seen."""
    bgr = still.copy()
    owner = np.zeros((HEIGHT, WIDTH), np.uint8)
    layers = [(pose.foot, number) for number, pose in enumerate(poses, 1)]
    layers += [(thing.box[3], -number) for number, (thing, _) in enumerate(things, 1)]
    for _, number in sorted(layers):
        if number < 0:
            thing, surface = things[-number - 1]
            left, top, right, bottom = _pixels(thing.box)
            bgr[top:bottom, left:right] = surface
            owner[top:bottom, left:right] = _THING
            continue
        pose = poses[number - 1]
        there, here = _inside(pose)
        alpha = pose.mask[here][..., None].astype(np.float32) / 255
        bgr[there] = (bgr[there] + alpha * (pose.bgr[here].astype(np.float32) - bgr[there])).astype(np.uint8)
        owner[there][pose.mask[here] >= _SOLID] = number
    return bgr, [_truth(poses, number, owner) for number in range(1, len(poses) + 1)]


def _inside(pose: _Pose) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where the pose is in the picture, and which part of it that is."""
    high, wide = pose.mask.shape
    top, bottom = (min(max(y, 0), HEIGHT) for y in (pose.top, pose.top + high))
    left, right = (min(max(x, 0), WIDTH) for x in (pose.left, pose.left + wide))
    there = (slice(top, bottom), slice(left, right))
    here = (slice(top - pose.top, bottom - pose.top), slice(left - pose.left, right - pose.left))
    return there, here


def _truth(poses: list[_Pose], number: int, owner: Pixels) -> Truth:
    pose = poses[number - 1]
    there, here = _inside(pose)
    owners = owner[there][pose.mask[here] >= _SOLID]
    count = np.bincount(owners, minlength=_THING + 1)
    whole = max(int((pose.mask >= _SOLID).sum()), 1)
    visible, behind = int(count[number]), int(count[_THING])
    count[[0, number, _THING]] = 0
    most = int(count.argmax())
    return Truth(
        who=pose.who,
        joints=pose.joints,
        height=pose.height,
        visible=visible / whole,
        covered=float(count.sum()) / whole,
        behind=behind / whole,
        by=poses[most - 1].who if count[most] else None,
    )
