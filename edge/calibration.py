"""How the camera stands, kept in the state folder: told by the marker or by walks, forgotten when it was moved.

Who is measured is calibrated by `[camera] height_m` of config.toml.
"""

from __future__ import annotations

import logging
import math
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta, structs

from edge.clock import Clock
from edge.errors import ConfigError
from edge.link import MARKER_SIDE_M, Homography, MarkerSeen
from edge.motion.floor import Stand, stand
from edge.motion.lens import USUAL_FIELD, Lens
from edge.zones import Zone, Zones

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("edge.calibration")

FILE = "calibration.json"
_FITS_PX = 0.02
"""Of the marker's width: an error beyond it means another lens than was said, or a page that was printed smaller."""
_MOVED = Stand(tilt=1.5, roll=1.5, above=0.06, error_px=0.0)
"""Beyond these differences (degrees, share of the height) the camera stands otherwise."""
_OTHER = 5.0
"""Degrees of tilt or roll by which somebody's walk must contradict the marker, twice."""

_WALKS, _MEMORY = 3, 20
"""Walks from which, and up to which, their median counts."""
_AGREE, _AGREE_ABOVE = 1.5, 0.06
"""Degrees, and share of the height, that their median deviation may be."""

Reason = Literal["camera_moved", "picture_size", "other_camera", "other_lens"]
Source = Literal["none", "marker", "walks"]


class CameraSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """The section [camera] of config.toml."""

    height_m: Annotated[float, Meta(ge=0.3, le=2.6)] | None = None
    """Body height of whoever is measured."""
    field: Annotated[float, Meta(ge=20, le=140)] = USUAL_FIELD
    """Degrees that the camera sees across the width of its picture."""
    zones: Zones = ()
    """Parts of the picture in which nobody is followed: a mirror, the street."""
    station: Zone | None = None
    """Floor of the one place that is counted; None: everybody is."""


class _File(msgspec.Struct, frozen=True):
    camera: CameraSettings = CameraSettings()


class Taken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which camera saw something, in pictures of which size, through which lens."""

    camera: str
    width: int
    height: int
    field: float | None = None
    """Degrees across the width; None in files of versions that did not keep it."""

    def shaped_like(self, width: int, height: int) -> bool:
        """Pictures of this size show the same, be it smaller or larger."""
        return abs(self.width * height - self.height * width) <= 0.01 * self.width * height


class Calibration(Taken, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a camera stands."""

    tilt: float
    roll: float
    above: float
    error_px: float
    homography: Homography


class CalibrationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of how the camera stands, for whoever wants to show it."""

    source: Source
    tilt: float | None
    """Degrees by which it looks down; None, as of the next two: unknown."""
    roll: float | None
    """Degrees by which the picture's content is turned anticlockwise."""
    above: float | None
    """Metres over the floor."""
    walks: int
    """Walks that told something since the camera stands as it does, while there is no marker."""
    dropped: Reason | None
    """Why the calibration before this one does not hold any more; None: there was none."""
    dropped_utc: float | None
    """When that was, in seconds since 1970; None where the clock was not set then."""


class _Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What walks showed while there was no marker, the newest last; not every walk shows everything."""

    tilts: tuple[float, ...] = ()
    rolls: tuple[float, ...] = ()
    aboves: tuple[float, ...] = ()
    through: Taken | None = None
    """What saw them; None before the first, and in files of versions that did not keep it."""

    def __bool__(self) -> bool:
        """There is one."""
        return bool(self.tilts or self.rolls or self.aboves)

    def more(self, tilt: float | None, roll: float | None, above: float | None) -> _Shown:
        """With one walk more."""

        def longer(known: tuple[float, ...], one: float | None) -> tuple[float, ...]:
            return known if one is None else (*known, round(one, 3))[-_MEMORY:]

        return _Shown(
            tilts=longer(self.tilts, tilt),
            rolls=longer(self.rolls, roll),
            aboves=longer(self.aboves, above),
            through=self.through,
        )


class _Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    marker: Calibration | None = None
    tilts: tuple[float, ...] = ()
    rolls: tuple[float, ...] = ()
    aboves: tuple[float, ...] = ()
    through: Taken | None = None
    """What saw the walks."""
    dropped: Reason | None = None
    dropped_utc: float | None = None


def camera_settings(path: Path) -> CameraSettings:
    """What `path` says of the camera; without a file: nothing. Raises ConfigError for what it cannot mean."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=_File).camera
    except FileNotFoundError:
        return CameraSettings()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "See docs/calibration.md for what may stand there") from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", "Give this user the right to"
        ) from error


class Keeper:
    """Knows how the camera stands, as long as it stands so."""

    def __init__(self, folder: Path, field: float = USUAL_FIELD) -> None:
        """Take up what was kept in `folder`; a damaged file counts as none."""
        self.current: Calibration | None = None
        self.dropped: Reason | None = None
        """Why the last calibration does not hold any more."""
        self.dropped_utc: float | None = None
        """When it was dropped, in seconds since 1970; None where the clock was not set then."""
        self._clock = Clock()
        self._path = folder / FILE
        self._field = field
        self._against = 0
        self._shown = _Shown()
        self._in_use: Taken | None = None
        """The camera whose pictures are measured; None before the first of them."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
            self.current = kept.marker
            self._shown = _Shown(tilts=kept.tilts, rolls=kept.rolls, aboves=kept.aboves, through=kept.through)
            self.dropped, self.dropped_utc = kept.dropped, kept.dropped_utc
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("%s cannot be read (%s): the camera counts as not calibrated", self._path, error)
        else:
            self._read_anew()  # the configuration may name another field than when it was written

    def status(self) -> CalibrationStatus:
        """What is known now, and what became of what was known before."""
        known, walked = self._marker, self.walked_tilt is not None or self.walked_roll is not None
        ignored = known is None and (self.current is not None or self._walks != self._shown)
        return CalibrationStatus(
            source="marker" if known else "walks" if walked else "none",
            tilt=known.tilt if known else self.walked_tilt,
            roll=known.roll if known else self.walked_roll,
            above=known.above if known else self.walked_above,
            walks=max(len(self._walks.tilts), len(self._walks.rolls)),
            dropped="other_camera" if ignored else self.dropped,
            dropped_utc=None if ignored else self.dropped_utc,
        )

    @property
    def _marker(self) -> Calibration | None:
        """What the marker showed; None where that was another camera's."""
        return self.current if self._of_this_camera(self.current) else None

    @property
    def _walks(self) -> _Shown:
        """What walks showed; nothing where they were before another camera."""
        return self._shown if self._of_this_camera(self._shown.through) else _Shown()

    def _of_this_camera(self, seen: Taken | None) -> bool:
        return seen is None or self._in_use is None or seen.camera == self._in_use.camera

    @property
    def walked_tilt(self) -> float | None:
        """The tilt that walks of several people agree on: their median; None while they do not."""
        return _agreed(self._walks.tilts, _AGREE)

    @property
    def walked_roll(self) -> float | None:
        """The roll that they agree on."""
        return _agreed(self._walks.rolls, _AGREE)

    @property
    def walked_above(self) -> float | None:
        """Metres over the floor that they agree on. Too rough for lengths on it: these need the marker."""
        middle = _agreed(self._walks.aboves, math.inf)
        return None if middle is None else _agreed(self._walks.aboves, _AGREE_ABOVE * middle)

    def lens(self, camera: str, width: int, height: int) -> Lens:
        """The lens of `camera`, which is in use from now on, for pictures of this size.

        What is known of another camera is kept for it, and not used.
        """
        before, self._in_use = (
            self._in_use,
            Taken(camera=camera, width=width, height=height, field=self._field),
        )
        if (before is None or before.camera != camera) and self.status().dropped == "other_camera":
            log.warning("what is known of another camera is not used for %s", camera)
        seen = self._marker or self._walks.through
        if seen is not None and not seen.shaped_like(width, height):
            self._drop("picture_size")
        lens, known = Lens(width, height, self._field), self._marker
        if known is None:
            return replace(lens, tilt=self.walked_tilt, roll=self.walked_roll or 0.0)
        return replace(lens, tilt=known.tilt, roll=known.roll, above=known.above)

    def take(self, seen: MarkerSeen) -> bool:
        """Vision saw the marker; whether how the camera stands is known anew."""
        found = stand(seen.homography, MARKER_SIDE_M, Lens(seen.width, seen.height, self._field))
        width = MARKER_SIDE_M * float(np.hypot(seen.homography[0], seen.homography[3]))
        if found is None or found.error_px > max(_FITS_PX * width, 1.0):
            log.warning(
                "the marker does not fit a camera that sees %g degrees: see [camera] field", self._field
            )
            return False
        known = self.current
        if known is not None and known.camera == seen.camera and not _differs(known, found):
            self._against = 0
            return False
        if known is not None:
            self._drop("camera_moved" if known.camera == seen.camera else "other_camera")
        self.current = Calibration(
            camera=seen.camera,
            width=seen.width,
            height=seen.height,
            field=self._field,
            tilt=round(found.tilt, 3),
            roll=round(found.roll, 3),
            above=round(found.above, 4),
            error_px=round(found.error_px, 3),
            homography=seen.homography,
        )
        self._against, self._shown = 0, _Shown()
        self._write()
        log.info("the camera looks down by %.1f degrees from %.2f m", found.tilt, found.above)
        return True

    def use_field(self, field: float) -> None:
        """The camera sees `field` degrees: what was known through another lens is read anew, or forgotten."""
        if field == self._field:
            return
        self._field = field
        self._read_anew()
        if self._shown:
            self._drop("other_lens")

    def _read_anew(self) -> None:
        """Read the marker with this lens, and forget what walks showed through another."""
        known, through = self.current, self._shown.through
        if through is not None and through.field != self._field:
            self._drop("other_lens")
        if known is None or known.field == self._field:
            return
        self.current, self._against, self._shown = None, 0, _Shown()
        if not self.take(
            MarkerSeen(
                camera=known.camera,
                monotonic_ns=0,
                width=known.width,
                height=known.height,
                homography=known.homography,
                spread_px=0.0,
            )
        ):
            self._drop("other_lens")

    def walked(
        self, tilt: float | None = None, roll: float | None = None, above: float | None = None
    ) -> bool:
        """Somebody's walk shows this (degrees, degrees, metres); whether how the camera stands is known otherwise."""
        if (tilt, roll, above) == (None, None, None):
            return False
        known = self._marker
        if known is None:
            before = self.walked_tilt, self.walked_roll
            self._shown = structs.replace(self._walks, through=self._in_use).more(tilt, roll, above)
            self._write()
            return (self.walked_tilt, self.walked_roll) != before
        pairs = ((tilt, known.tilt), (roll, known.roll))
        off = [abs(shown - known) for shown, known in pairs if shown is not None]
        if not off:
            return False
        if max(off) < _OTHER:
            self._against = 0
            return False
        self._against += 1
        if self._against < 2:
            return False
        self._drop("camera_moved")
        return True

    def _drop(self, reason: Reason) -> None:
        log.warning("the camera is not calibrated any more: %s", reason)
        self.current = None if self._of_this_camera(self.current) else self.current
        self.dropped, self._against, self._shown = reason, 0, _Shown()
        self.dropped_utc = self._clock.now().utc
        self._write()

    def _write(self) -> None:
        """All of it or nothing; a full disk costs the memory of it, not the run."""
        kept = _Kept(
            marker=self.current,
            tilts=self._shown.tilts,
            rolls=self._shown.rolls,
            aboves=self._shown.aboves,
            through=self._shown.through,
            dropped=self.dropped,
            dropped_utc=self.dropped_utc,
        )
        text = msgspec.json.format(msgspec.json.encode(kept), indent=2)
        part = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with part.open("wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            log.error("%s cannot be written: %s", self._path, error.strerror or error)


def _differs(known: Calibration, found: Stand) -> bool:
    return (
        abs(known.tilt - found.tilt) > _MOVED.tilt
        or abs(known.roll - found.roll) > _MOVED.roll
        or abs(known.above - found.above) > _MOVED.above * known.above
    )


def _agreed(values: tuple[float, ...], within: float) -> float | None:
    """The median of what several walks showed; None of few, and where their median deviation is larger."""
    if len(values) < _WALKS:
        return None
    middle = float(np.median(values))
    return middle if float(np.median(np.abs(np.array(values) - middle))) <= within else None
