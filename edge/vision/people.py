"""The pose pipeline: finds people, follows each of them, keeps who is who, and reports their joints."""

from __future__ import annotations

import math
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from edge.vision import crossing, landmarks
from edge.vision.appearance import look
from edge.vision.background import Background
from edge.vision.crossing import Crossings
from edge.vision.detector import Detector
from edge.vision.erasing import company, erase, everyone
from edge.vision.landmarks import HIPS, RIM, LandmarkModel
from edge.vision.recall import REMEMBER_S, recall
from edge.vision.roi import Roi
from edge.vision.room import Room
from edge.vision.search import Search
from edge.vision.track import Track
from edge.zones import inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    from edge.link import Subject
    from edge.vision.background import Box
    from edge.vision.inference import Precision
    from edge.vision.landmarks import Landmarks
    from edge.zones import Zone

    Picture = npt.NDArray[np.uint8]

MODEL = "blazepose"
_PRESENCE = 0.5
_LEAST = 0.1
"""Least size of a person, as a share of the picture's shorter side."""
_LINGER_S = 1.0
"""Seconds in which the place where someone was lost is read again even where the detector sees nobody."""
_LOOK_FOR_S = 2.0
"""Seconds in which the detector is sent to where someone was lost."""
_EXPLAINED = 0.22
"""A find nearer than this to a known person, in sides of the larger region, is that person."""
_SHOWN_S, _SHOWN_READINGS, _SURELY = 0.2, 5, 0.62
"""Someone is shown who was read for so long, so often, and so clearly on average,"""
_CLEARLY = {1: 0.74, 2: 0.7, 3: 0.68}
"""or whose first readings were as clear as this: the first repetition may begin with the first picture."""
_DOUBTFUL = {"tentative": ((1, 0.4), (3, 0.5)), "followed": ((8, 0.5),)}
"""Who is less clear than this on average after so many readings, at least, is nobody after all."""
_MIXED, _GLIMPSE = 0.62, 0.4
"""Beside others, what is less clear than this is half of one and half of another: where it wears the person's clothes
it is shown all the same, unless it is less clear than that, but moves nobody,"""
_COAST_S = 0.5
"""and who is not read for so long is lost."""
_UNDECIDED_S, _CROWDED_S = 1.0, 0.3
"""Who is not shown by then, by themselves or with somebody near, is not worth reading: they may be found again."""
_WATCH_S = 0.1
"""Seconds between two looks at what moves, while people are followed."""
_LEARN_S = 0.3
"""Seconds between two looks at the empty room."""
_UNCOVER_S = 0.12
"""Seconds after which who is hidden by somebody is looked for again, even where others then have to wait."""
_LOOK_S = 1.0
"""Seconds between two looks at somebody's clothes, after the first few."""
_FIRST_LOOKS = 4


class People:
    """Follows several people through the pictures of one camera.

    A picture costs at most one run of the detector and `most` of the landmark network.
    """

    def __init__(self, precision: Precision = "int8", threads: int = 1, *, most: int = 4) -> None:
        """Load both networks; ModelError when a file is missing or damaged.

        `most`: people read in one picture; where there are more, they take turns.
        """
        self.precision = precision
        self.most = most
        self.detector = Detector(precision, threads)
        self.landmarks = LandmarkModel(precision, threads)
        self.timings: dict[str, float] = {}
        """Milliseconds of the last picture: `detect` (all of finding), `model` (landmark network), `total`."""
        self.waits: frozenset[int] = frozenset()
        """Ids of those whose turn it was not in the last picture, and who were seen at their last."""
        self._background, self._search, self._crossings = Background(), Search(), Crossings()
        self._room = Room()
        self._tracks: list[Track] = []
        self._zones: tuple[Zone, ...] = ()
        self._shape = (0, 0)
        self._time = self._watched_at = self._learnt_at = -math.inf
        self._newest = 0
        self._readings = 0
        self._glimpsed: list[Track] = []

    @property
    def waiting(self) -> int:
        """How many known people were not read in the last picture, because it was not their turn."""
        return len(self.waits)

    def reset(self) -> None:
        """Forget who was followed: the next picture belongs to another scene."""
        self._tracks = []
        self._watched_at = self._learnt_at = -math.inf
        self.waits = frozenset()
        self._room.reset()
        self._background.reset()
        self._search.reset()
        self._crossings.reset()

    def ignore(self, zones: tuple[Zone, ...]) -> None:
        """From now on nobody is followed whose middle of the hips lies in one of `zones` (a mirror, the street)."""
        self._zones = zones

    def process(self, bgr: Picture, t: float) -> list[Subject]:
        """Everyone who was read in `bgr` uint8[H, W, 3] taken at `t` seconds."""
        start = perf_counter()
        if bgr.shape[:2] != self._shape or t < self._time:
            self.reset()
            self._shape = (bgr.shape[0], bgr.shape[1])
        self._time = t
        self.timings = {"detect": 0.0, "model": 0.0}
        self._tracks = [track for track in self._tracks if t - track.seen_at < REMEMBER_S]
        self._readings = 0
        self._glimpsed = []
        read = [track for track in self._turns(t) if self._read(track, bgr, t)]
        begun = perf_counter()
        spent = self.timings["model"]
        read += self._find(bgr, t)
        self._uncover(bgr, t, read)
        self.timings["detect"] = (perf_counter() - begun) * 1e3 - (self.timings["model"] - spent)
        for loser in self._crossings.settle(bgr, read):
            self._lose(loser)
        read = [track for track in read if track in self._tracks and track.state != "hidden"]
        self._remember(bgr, read, t)
        shown = [
            track for track in (self._confirmed(track, bgr, t) for track in read) if track.state == "followed"
        ]
        shown += [track for track in self._glimpsed if track.state == "followed" and track not in shown]
        self._learn(bgr, t)
        self.waits = frozenset(
            track.id
            for track in self._tracks
            if track.state == "followed" and track.seen_at == track.read_at < t
        )
        self.timings["total"] = (perf_counter() - start) * 1e3
        return [track.subject() for track in sorted(shown, key=lambda track: track.id)]

    def _turns(self, t: float) -> list[Track]:
        """Who is read in this picture: those who have waited longest, newcomers as far as known people leave room.

        One reading is left for those who are hidden by somebody, if they have waited.
        """
        followed = [track for track in self._tracks if track.state == "followed"]
        tentative = [track for track in self._tracks if track.state == "tentative"]
        room = max(self.most - len(followed), 1)
        behind = [track for track in self._tracks if crossing.is_behind(track, self._tracks, t)]
        left = max(self.most - any(t - track.read_at > _UNCOVER_S for track in behind), 1)
        return sorted(followed + tentative[:room], key=lambda track: track.read_at)[:left]

    def _see(self, track: Track, roi: Roi, bgr: Picture, t: float) -> Landmarks | None:
        """The joints of `track`'s person in a region; None when nobody is there, or there is no saying where."""
        height, width = self._shape
        if not roi.usable(width, height):
            return None
        picture = landmarks.cut(bgr, roi)
        others = company(track, roi, self._tracks, t)
        empty = None if others is None else self._room.under(roi)
        if others is not None and empty is not None:
            picture = erase(picture, roi, others, empty)
        image = landmarks.blob(picture)
        start = perf_counter()
        outputs = self.landmarks.network.run(image)
        self.timings["model"] += (perf_counter() - start) * 1e3
        self._readings += 1
        seen = landmarks.decode(outputs, roi)
        if not (seen.presence >= _PRESENCE and seen.finite()):
            return None
        after = Roi.from_alignment(seen.points[HIPS], seen.points[RIM])
        return seen if after.usable(width, height) and not self._is_ignored(after) else None

    def _read(self, track: Track, bgr: Picture, t: float, *, found: bool = False) -> bool:
        """Read the joints of one person, perhaps `found` just now; False when nobody is there (any more)."""
        roi = track.to_read(t)
        height, width = self._shape
        seen = self._see(track, roi, bgr, t)
        # The detector says only roughly where somebody is; their own joints say it better.
        again = found and self._readings < self.most
        if seen is not None and again and seen.clearness(width, height) < _CLEARLY[1]:
            roi = Roi.from_alignment(seen.points[HIPS], seen.points[RIM])
            seen = self._see(track, roi, bgr, t)
        track.read_at = t
        if seen is None:
            self._lose(track)
            return False
        clearness = seen.clearness(width, height)
        theirs = self._theirs(track, seen, clearness, bgr, t) if track.state == "followed" else "surely"
        if theirs != "surely":
            if t - track.seen_at > _COAST_S:
                self._lose(track)
            elif theirs == "perhaps":
                track.glimpse(seen)
                self._glimpsed.append(track)
            track.coast(t)
            return False
        track.update(seen, roi, t, clearness)
        if any(
            track.readings >= readings and track.belief < least for readings, least in _DOUBTFUL[track.state]
        ):
            self._tracks.remove(track)
            return False
        return True

    def _theirs(
        self, track: Track, seen: Landmarks, clearness: float, bgr: Picture, t: float
    ) -> Literal["surely", "perhaps", "no"]:
        """Whether what was read is of the one who was to be read: beside others it may be theirs, or a mixture."""
        if crossing.is_alone(track, self._tracks, t):
            return "surely"
        if clearness < _GLIMPSE or crossing.is_anothers(bgr, track, seen, self._tracks, t):
            return "no"
        return "surely" if clearness >= _MIXED else "perhaps"

    def _lose(self, track: Track) -> None:
        """Nobody was there: who was shown may come back, who never was is forgotten."""
        if track.state == "tentative":
            self._tracks.remove(track)
        elif track.state == "followed":
            track.state = "hidden"
            track.lost_to = track.lost_to or crossing.neighbour(track, self._tracks)

    def _find(self, bgr: Picture, t: float) -> list[Track]:
        """Look for people nobody follows yet, or who were lost; tracks of those who were read at once."""
        here = [track for track in self._tracks if track.state != "hidden"]
        lost = [track for track in self._tracks if track.state == "hidden"]
        lost.sort(key=lambda track: -track.seen_at)
        blobs: list[Box] = []
        if not here or t - self._watched_at >= _WATCH_S:
            self._watched_at = t
            blobs = self._background.blobs(bgr, t, [one.outline() for one in here if one.last is not None])
        sought = [(one, one.predicted(t)) for one in lost if t - one.seen_at < _LOOK_FOR_S]
        sought = [(one, roi) for one, roi in sought if self._is_inside(roi)]
        window = self._search.window(self._shape, t, [roi for _, roi in sought], blobs, len(here))
        if window is None:
            return []
        finds = sorted(self._detect(bgr, window, t), key=lambda roi: -roi.side)
        finds += [roi for one, roi in sought if t - one.seen_at < _LINGER_S]
        new = []
        for roi in finds:
            if self._is_new(roi, self._tracks):
                new.append(Track(roi, t))
                self._tracks.append(new[-1])
        return [
            track for track in new if self._readings < self.most and self._read(track, bgr, t, found=True)
        ]

    def _detect(self, bgr: Picture, window: Box, t: float) -> list[Roi]:
        """Whom the detector sees in a part of the picture without those who are followed."""
        x, y = (window.left + window.right) / 2, (window.top + window.bottom) / 2
        region = Roi(x, y, max(window.width, window.height), 0.0)
        others = everyone(self._tracks, region, t)
        empty = None if others is None else self._room.under(region)
        if others is None or empty is None:
            return [find.roi for find in self.detector.detect(bgr, window)]
        picture = erase(landmarks.cut(bgr, region), region, others, empty)
        scale = region.side / landmarks.SIZE
        left, top = x - region.side / 2, y - region.side / 2
        return [
            Roi(left + roi.x * scale, top + roi.y * scale, roi.side * scale, roi.turn)
            for roi, _ in self.detector.detect(picture)
        ]

    def _uncover(self, bgr: Picture, t: float, read: list[Track]) -> None:
        """Read where those should be by now who went behind somebody; whoever is to be seen again joins `read`."""
        behind = [track for track in self._tracks if crossing.is_behind(track, self._tracks, t)]
        for lost in sorted(behind, key=lambda track: track.read_at):
            roi = lost.predicted(t)
            if self._readings >= self.most:
                return
            lost.read_at = t
            seen = self._see(lost, roi, bgr, t)
            clearness = seen.clearness(self._shape[1], self._shape[0]) if seen else 0.0
            if seen is None or clearness < _SURELY:
                continue
            found = Track(roi, t)
            found.read_at = t
            found.update(seen, roi, t, clearness)
            if not crossing.emerges(bgr, lost, found, read, t):
                continue
            other = lost.lost_to
            lost.resume(found)
            if other is not None:
                crossing.sort_out(bgr, lost, other, t)
            read.append(lost)

    def _is_new(self, roi: Roi, known: Iterable[Track]) -> bool:
        """Whether a find can be read, and is nobody who is followed."""
        height, width = self._shape
        if not roi.usable(width, height) or roi.side < _LEAST * min(height, width) or self._is_ignored(roi):
            return False
        return not any(
            math.hypot(roi.x - track.roi.x, roi.y - track.roi.y) < _EXPLAINED * max(roi.side, track.roi.side)
            for track in known
            if track.state != "hidden"
        )

    def _is_inside(self, roi: Roi) -> bool:
        """Whether the middle of the hips lies in the picture."""
        return 0 <= roi.x < self._shape[1] and 0 <= roi.y < self._shape[0]

    def _is_ignored(self, roi: Roi) -> bool:
        """Whether the middle of the hips lies in a zone that is ignored."""
        height, width = self._shape
        return any(inside(zone, roi.x / width, roi.y / height) for zone in self._zones)

    def _learn(self, bgr: Picture, t: float) -> None:
        """Learn what the room looks like without people."""
        if t - self._learnt_at >= _LEARN_S:
            self._learnt_at = t
            self._room.learn(bgr, t, [track.outline() for track in self._tracks if track.last is not None])

    def _remember(self, bgr: Picture, read: Sequence[Track], t: float) -> None:
        """Learn courses and colours of those who are by themselves."""
        for track in read:
            if not crossing.is_alone(track, self._tracks, t):
                continue
            track.alone()
            if track.appearance.looks < _FIRST_LOOKS or t - track.looked_at >= _LOOK_S:
                assert track.last is not None
                track.appearance.learn(look(bgr, track.last))
                track.looked_at = t

    def _confirmed(self, track: Track, bgr: Picture, t: float) -> Track:
        """The track of somebody who was read: under the name they had if they were lost, shown once they are sure."""
        if track.state != "tentative":
            return track
        alone = crossing.is_alone(track, self._tracks, t)
        if t - track.born > (_UNDECIDED_S if alone else _CROWDED_S):
            self._tracks.remove(track)
        if not alone or track not in self._tracks:
            return track  # half of each, perhaps: it is told when they are apart
        hidden = [other for other in self._tracks if other.state == "hidden"]
        known = recall(track, hidden, t) if track.belief >= _SURELY else None
        if known is not None:
            other = known.lost_to
            known.resume(track)
            self._tracks.remove(track)
            if other is not None and other in self._tracks and other.state == "followed":
                crossing.sort_out(bgr, known, other, t)
            return known
        # One look at somebody's clothes is not enough to know them again.
        soon = track.belief >= _CLEARLY[min(track.readings, 3)] and (track.readings >= 3 or not hidden)
        if soon or (
            t - track.born >= _SHOWN_S and track.readings >= _SHOWN_READINGS and track.belief >= _SURELY
        ):
            self._newest += 1
            track.id, track.state = self._newest, "followed"
        return track
