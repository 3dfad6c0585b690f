"""The pose pipeline: finds people, follows each of them, keeps who is who, and reports their joints."""

from __future__ import annotations

import math
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from edge.vision import crossing, landmarks
from edge.vision.appearance import is_inside, look
from edge.vision.crossing import Crossings
from edge.vision.detector import Detector
from edge.vision.erasing import company, erase
from edge.vision.finding import LEAST_SCORE, Finder, is_known
from edge.vision.landmarks import HIPS, RIM, LandmarkModel
from edge.vision.recall import REMEMBER_S, may_be, recall
from edge.vision.roi import Roi
from edge.vision.room import Room
from edge.vision.track import Track
from edge.zones import inside

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from edge.link import Subject
    from edge.vision.inference import Precision
    from edge.vision.landmarks import Landmarks
    from edge.zones import Zone

    Picture = npt.NDArray[np.uint8]

MODEL = "blazepose"
_PRESENCE = 0.5
_LEAST = 0.1
"""Least size of a person, as a share of the picture's shorter side."""
_OUTSIDE = 0.1
"""Whose middle of the hips is farther beside the picture, in sides of the region, is not found yet: half of a body is
read as a small whole one."""
_SHOWN_S, _SHOWN_READINGS, _SURELY = 0.2, 5, 0.62
"""Someone is shown who was read for so long, so often, and so clearly on average,"""
_CLEARLY = {1: 0.74, 2: 0.7, 3: 0.68}
"""or whose first readings were as clear as this: the first repetition may begin with the first picture."""
_DOUBTFUL = {"tentative": ((1, 0.4), (3, 0.5)), "followed": ((8, 0.5),)}
"""Who is less clear than this on average after so many readings, at least, is nobody after all."""
_MIXED, _GLIMPSE = 0.62, 0.4
"""Beside others, what is less clear than this is half of one and half of another: where it wears the person's clothes
it is shown all the same, unless it is less clear than that, but moves nobody,"""
_CARRIED_S = 0.3
"""where nothing is theirs they are shown where they should be by now, for so long,"""
_COAST_S = 0.5
"""and who is not read for so long is lost."""
_UNDECIDED_S, _CROWDED_S = 1.0, 0.3
"""Who is not shown by then, by themselves or with somebody near, is not worth reading: they may be found again."""
_LEAVES_S = 0.3
"""Who is lost where their course leads out of the picture within so many seconds has left it."""
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
        self.detector = Detector(precision, threads, LEAST_SCORE)
        self.landmarks = LandmarkModel(precision, threads)
        self.timings: dict[str, float] = {}
        """Milliseconds of the last picture: `detect` (all of finding), `model` (landmark network), `total`."""
        self.waits: frozenset[int] = frozenset()
        """Ids of those whose turn it was not in the last picture, and who were seen at their last."""
        self._room, self._crossings = Room(), Crossings()
        self._finder = Finder(self.detector, self._room)
        self._tracks: list[Track] = []
        self._zones: tuple[Zone, ...] = ()
        self._shape = (0, 0)
        self._time = self._learnt_at = -math.inf
        self._newest = 0
        self._readings = 0
        self._glimpsed: list[Track] = []
        """Who is shown though they were not surely read in this picture."""
        self._returned: list[Track] = []
        """Who was hidden and read in this picture where another was to be read."""

    @property
    def waiting(self) -> int:
        """How many known people were not read in the last picture, because it was not their turn."""
        return len(self.waits)

    def reset(self) -> None:
        """Forget who was followed: the next picture belongs to another scene."""
        self._tracks = []
        self._learnt_at = -math.inf
        self.waits = frozenset()
        self._room.reset()
        self._finder.reset()
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
        self._glimpsed, self._returned = [], []
        read = [track for track in self._turns(t) if self._read(track, bgr, t)]
        read += self._returned
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
        known = followed + tentative[:room]
        return sorted(known, key=lambda track: track.urgency(t), reverse=True)[:left]

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
        after = _region(seen)
        beside = not -_OUTSIDE * after.side <= after.x < width + _OUTSIDE * after.side
        if not after.usable(width, height) or self._is_ignored(after):
            return None
        return None if track.state == "tentative" and beside else seen

    def _read(self, track: Track, bgr: Picture, t: float, *, found: bool = False) -> bool:
        """Read the joints of one person, perhaps `found` just now; False when nobody is there (any more)."""
        roi = track.to_read(t)
        height, width = self._shape
        seen = self._see(track, roi, bgr, t)
        # The detector says only roughly where somebody is; their own joints say it better.
        again = found and self._readings < self.most
        if seen is not None and again and seen.clearness(width, height) < _CLEARLY[1]:
            roi = _region(seen)
            seen = self._see(track, roi, bgr, t)
        track.read_at = t
        if seen is None and (track.state == "tentative" or crossing.is_alone(track, self._tracks, t)):
            self._lose(track)
            return False
        clearness = seen.clearness(width, height) if seen is not None else 0.0
        theirs = "surely" if track.state == "tentative" else self._theirs(track, seen, clearness, roi, bgr, t)
        if seen is None or theirs != "surely":
            if t - track.seen_at > _COAST_S:
                self._lose(track)
            track.coast(t)
            self._show_unsure(track, seen if theirs == "perhaps" else None, t)
            return False
        track.update(seen, roi, t, clearness)
        if any(
            track.readings >= readings and track.belief < least for readings, least in _DOUBTFUL[track.state]
        ):
            self._tracks.remove(track)
            return False
        return True

    def _theirs(
        self, track: Track, seen: Landmarks | None, clearness: float, roi: Roi, bgr: Picture, t: float
    ) -> Literal["surely", "perhaps", "no"]:
        """Whether what was read is of the one who was to be read: beside others it may be theirs, or a mixture.

        Who was hidden and is clearly read in their place is back.
        """
        if seen is None:
            return "no"
        if crossing.is_alone(track, self._tracks, t):
            return "surely"
        if clearness < _GLIMPSE:
            return "no"
        worn = look(bgr, seen)
        whose = crossing.whose(track, seen, worn, self._tracks, t)
        if whose is track:
            if clearness < _MIXED:
                return "perhaps" if crossing.is_dressed_as(track, worn) else "no"
            if crossing.leaps(track, seen, self._tracks, t):
                return "no"
            track.worn = worn
            return "surely"
        if whose is not None and whose.state == "hidden" and clearness >= _MIXED:
            whose.resume(_found(seen, roi, t, clearness))
            self._returned.append(whose)
        return "no"

    def _show_unsure(self, track: Track, glimpse: Landmarks | None, t: float) -> None:
        """What there is to show of who was not surely read: a glimpse, or for a moment where they should be."""
        if glimpse is not None:
            track.glimpse(glimpse)
        elif (
            t - track.seen_at < _CARRIED_S and self._is_inside(track.roi) and not self._is_ignored(track.roi)
        ):
            track.carry(t)
        else:
            return
        self._glimpsed.append(track)

    def _lose(self, track: Track) -> None:
        """Nobody was there: who was shown may come back, who never was is forgotten."""
        if track.state == "tentative":
            self._tracks.remove(track)
        elif track.state == "followed":
            track.state = "hidden"
            track.has_left = not self._is_inside(track.predicted(self._time + _LEAVES_S))
            track.lost_to = track.lost_to or crossing.neighbour(track, self._tracks)

    def _find(self, bgr: Picture, t: float) -> list[Track]:
        """Look for people nobody follows yet, or who were lost; tracks of those who were read at once."""
        finds = self._finder.look(bgr, t, self._tracks)
        new = []
        for roi in finds.sure:
            if self._is_new(roi):
                new.append(Track(roi, t))
                self._tracks.append(new[-1])
        read = [
            track for track in new if self._readings < self.most and self._read(track, bgr, t, found=True)
        ]
        for roi in finds.perhaps:
            if self._readings < self.most and self._is_new(roi):
                track = Track(roi, t)
                self._tracks.append(track)
                if not self._read(track, bgr, t):
                    continue
                if track.belief >= _CLEARLY[1]:
                    read.append(track)
                else:
                    self._tracks.remove(track)
        return read

    def _uncover(self, bgr: Picture, t: float, read: list[Track]) -> None:
        """Read where those should be by now who went behind somebody; whoever is to be seen again joins `read`."""
        behind = [track for track in self._tracks if crossing.is_behind(track, self._tracks, t)]
        for lost in sorted(behind, key=lambda track: track.read_at):
            come = [one for one in read if one.state == "tentative" and one.belief >= _SURELY]
            found = next((one for one in come if crossing.emerges(bgr, lost, one, read, t)), None)
            if found is not None:
                self._tracks.remove(found)
                read.remove(found)
            elif self._readings < self.most:
                found = self._seen_behind(lost, bgr, t)
                if found is None or not crossing.emerges(bgr, lost, found, read, t):
                    continue
            else:
                continue
            other = lost.lost_to
            lost.resume(found)
            if other is not None:
                crossing.sort_out(bgr, lost, other, t)
            read.append(lost)

    def _seen_behind(self, lost: Track, bgr: Picture, t: float) -> Track | None:
        """Who is clearly read where somebody should be by now who went behind another."""
        roi = lost.predicted(t)
        lost.read_at = t
        seen = self._see(lost, roi, bgr, t)
        clearness = seen.clearness(self._shape[1], self._shape[0]) if seen else 0.0
        return _found(seen, roi, t, clearness) if seen is not None and clearness >= _SURELY else None

    def _is_new(self, roi: Roi) -> bool:
        """Whether a find can be read, and is nobody who is followed."""
        height, width = self._shape
        if not roi.usable(width, height) or roi.side < _LEAST * min(height, width) or self._is_ignored(roi):
            return False
        return not is_known(roi, self._tracks, self._time)

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
            assert track.last is not None
            due = track.appearance.looks < _FIRST_LOOKS or t - track.looked_at >= _LOOK_S
            if due and is_inside(track.last, self._shape[1]):
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
        hidden = [other for other in self._tracks if other.state == "hidden" or other.strays]
        known = recall(track, hidden, t) if track.belief >= _SURELY else None
        if known is not None:
            other = known.lost_to
            known.resume(track)
            self._tracks.remove(track)
            if other is not None and other in self._tracks and other.state == "followed":
                crossing.sort_out(bgr, known, other, t)
            return known
        # One look at somebody's clothes is not enough to know them again.
        if any(may_be(track, other, t) for other in hidden):
            soon = track.appearance.looks > 1 and track.readings > 2 and track.belief >= _CLEARLY[3]
        else:
            soon = track.clearness >= _CLEARLY[1] or track.belief >= _CLEARLY[min(track.readings, 3)]
        if soon or (
            t - track.born >= _SHOWN_S and track.readings >= _SHOWN_READINGS and track.belief >= _SURELY
        ):
            self._newest += 1
            track.id, track.state = self._newest, "followed"
        return track


def _region(seen: Landmarks) -> Roi:
    """Where a reading says that somebody is."""
    return Roi.from_alignment(seen.points[HIPS], seen.points[RIM])


def _found(seen: Landmarks, roi: Roi, t: float, clearness: float) -> Track:
    """A track of somebody who was read in `roi`."""
    track = Track(roi, t)
    track.read_at = t
    track.update(seen, roi, t, clearness)
    return track
