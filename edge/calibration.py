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
from msgspec import Meta

from edge.clock import Clock
from edge.errors import ConfigError
from edge.link import MARKER_SIDE_M, Homography, MarkerSeen
from edge.motion.floor import Stand, stand
from edge.motion.lens import USUAL_FIELD, Lens

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


class CameraSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section [camera] of config.toml."""

    height_m: Annotated[float, Meta(ge=0.3, le=2.6)] | None = None
    """Body height of whoever is measured."""
    field: Annotated[float, Meta(ge=20, le=140)] = USUAL_FIELD
    """Degrees that the camera sees across the width of its picture."""


class _File(msgspec.Struct, frozen=True):
    camera: CameraSettings = CameraSettings()


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a camera stands."""

    camera: str
    width: int
    height: int
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

    def more(self, tilt: float | None, roll: float | None, above: float | None) -> _Shown:
        """With one walk more."""

        def longer(known: tuple[float, ...], one: float | None) -> tuple[float, ...]:
            return known if one is None else (*known, round(one, 3))[-_MEMORY:]

        return _Shown(
            tilts=longer(self.tilts, tilt), rolls=longer(self.rolls, roll), aboves=longer(self.aboves, above)
        )


class _Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    marker: Calibration | None = None
    tilts: tuple[float, ...] = ()
    rolls: tuple[float, ...] = ()
    aboves: tuple[float, ...] = ()
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
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
            self.current = kept.marker
            self._shown = _Shown(tilts=kept.tilts, rolls=kept.rolls, aboves=kept.aboves)
            self.dropped, self.dropped_utc = kept.dropped, kept.dropped_utc
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("%s cannot be read (%s): the camera counts as not calibrated", self._path, error)

    def status(self) -> CalibrationStatus:
        """What is known now, and what became of what was known before."""
        known, walked = self.current, self.walked_tilt is not None or self.walked_roll is not None
        return CalibrationStatus(
            source="marker" if known else "walks" if walked else "none",
            tilt=known.tilt if known else self.walked_tilt,
            roll=known.roll if known else self.walked_roll,
            above=known.above if known else self.walked_above,
            walks=max(len(self._shown.tilts), len(self._shown.rolls)),
            dropped=self.dropped,
            dropped_utc=self.dropped_utc,
        )

    @property
    def walked_tilt(self) -> float | None:
        """The tilt that walks of several people agree on: their median; None while they do not."""
        return _agreed(self._shown.tilts, _AGREE)

    @property
    def walked_roll(self) -> float | None:
        """The roll that they agree on."""
        return _agreed(self._shown.rolls, _AGREE)

    @property
    def walked_above(self) -> float | None:
        """Metres over the floor that they agree on. Too rough for lengths on it: these need the marker."""
        middle = _agreed(self._shown.aboves, math.inf)
        return None if middle is None else _agreed(self._shown.aboves, _AGREE_ABOVE * middle)

    def lens(self, camera: str, width: int, height: int) -> Lens:
        """The lens of `camera` for pictures of this size."""
        lens, known = Lens(width, height, self._field), self.current
        if known is None or known.camera != camera:
            return replace(lens, tilt=self.walked_tilt, roll=self.walked_roll or 0.0)
        if abs(known.width * height - known.height * width) > 0.01 * known.width * height:
            self._drop("picture_size")
            return lens
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
        self._field, known = field, self.current
        self.current, self._against, self._shown = None, 0, _Shown()
        if known is not None and not self.take(
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
        self._write()

    def walked(
        self, tilt: float | None = None, roll: float | None = None, above: float | None = None
    ) -> bool:
        """Somebody's walk shows this (degrees, degrees, metres); whether how the camera stands is known otherwise."""
        if (tilt, roll, above) == (None, None, None):
            return False
        if self.current is None:
            before = self.walked_tilt, self.walked_roll
            self._shown = self._shown.more(tilt, roll, above)
            self._write()
            return (self.walked_tilt, self.walked_roll) != before
        pairs = ((tilt, self.current.tilt), (roll, self.current.roll))
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
        self.current, self.dropped, self._against, self._shown = None, reason, 0, _Shown()
        self.dropped_utc = self._clock.now().utc
        self._write()

    def _write(self) -> None:
        """All of it or nothing; a full disk costs the memory of it, not the run."""
        kept = _Kept(
            marker=self.current,
            tilts=self._shown.tilts,
            rolls=self._shown.rolls,
            aboves=self._shown.aboves,
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
