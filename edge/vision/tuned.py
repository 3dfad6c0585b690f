"""A source that knows what it costs: chosen for this machine at first, and anew when the machine has changed.

The first picture is analysed in a safe way; then what else could be done is measured between the pictures.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edge.box_records import CameraView, Tuning
from edge.errors import ModelError
from edge.link import CameraState, PoseFrame
from edge.thermal import Thermometer
from edge.vision import tuning_file
from edge.vision.address import is_address
from edge.vision.memory import give_back
from edge.vision.people import People
from edge.vision.picamera import is_csi
from edge.vision.pictures import Picture, log
from edge.vision.tuning import SIZES, Way, choose, name, safe
from edge.vision.tuning import ladder as rungs
from edge.vision.tuning_trial import Trial
from edge.vision.tuning_watch import Watch
from edge.vision.view import look, small

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from edge.box_records import Basis
    from edge.link import MarkerSeen
    from edge.link import Watch as Wish
    from edge.vision.pictures import Camera
    from edge.vision.source import PixelSource
    from edge.vision.tuned_imported import ImportedTuner
    from edge.vision.tuning import Costs, Given, Plan

_HEAT_EVERY_S = 5.0
_VIEW_EVERY_NS = 1_000_000_000
_EARLY = 0.3
"""So much of an interval sooner than due a picture is taken all the same: cameras are not clocks."""


def sizes_of(camera: str) -> tuple[tuple[int, int], ...]:
    """What may be asked of this camera, best first; nothing where its pictures are as they are."""
    device = is_csi(camera) or camera.isdigit() or camera.startswith("/dev/")
    return SIZES if device and not is_address(camera) else ()


class Cadence:
    """A camera of which so many pictures a second are passed on, and that says how they are."""

    def __init__(self, camera: Camera, fps: float) -> None:
        self.id, self.source = camera.id, camera.source
        self.fps = fps
        self.view: CameraView | None = None
        """How the pictures are; whoever takes it puts None there."""
        self._camera = camera
        self._next = 0.0
        self._passed = self._came = 0
        self._before: npt.NDArray[np.uint8] | None = None
        self._viewed = (0, 0)
        """When the last view was, and how many pictures had come by then."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """The camera's."""
        return self._camera.remarks

    def stream(self) -> Iterator[Picture | CameraState]:
        """The camera's, less the pictures that come too soon."""
        for item in self._camera.stream():
            if not isinstance(item, Picture):
                self._before, self._viewed = None, (0, 0)
                yield item
                continue
            self._came += 1
            self._look(item)
            if self._due(item.monotonic_ns / 1e9):
                yield item

    def close(self) -> None:
        """Stop the camera."""
        self._camera.close()

    def _due(self, t: float) -> bool:
        interval = 1 / self.fps
        if abs(t - self._next) > 2 * interval:  # the first one, or the clock has jumped
            self._next = t
        if t < self._next - _EARLY * interval:
            return False
        self._next = max(self._next, t - _EARLY * interval) + interval
        return True

    def _look(self, picture: Picture) -> None:
        """A view of it once a second, from two pictures that follow each other."""
        at, came = picture.monotonic_ns, self._came + picture.skipped
        since, then = self._viewed
        if since and at - since < _VIEW_EVERY_NS:
            return
        if self._before is None:
            self._before = small(picture.bgr)
            return
        seen = look(self._before, small(picture.bgr))
        fps = (came - then) / (at - since) * 1e9 if since else 0.0
        self._before, self._viewed = None, (at, came)
        if since:
            self.view = CameraView(
                camera=self.id,
                monotonic_ns=at,
                brightness=round(seen.brightness, 1),
                contrast=round(seen.contrast, 1),
                sharpness=round(seen.sharpness, 4),
                noise=round(seen.noise, 2),
                fps=round(fps, 1),
                mode=getattr(self._camera, "mode", ""),
            )


class Tuner:
    """What was chosen, and what is known for it."""

    def __init__(self, given: Given, folder: Path) -> None:
        """Take up what was measured at an earlier start, kept in `folder`."""
        self.given = given
        self.costs: Costs | None = tuning_file.read(folder, given)
        self.basis: Basis = "safe" if self.costs is None else "kept"
        self.plan: Plan = safe(given) if self.costs is None else choose(self.costs, given)
        self._folder = folder

    def measured(self, costs: Costs) -> int:
        """These are the costs now; whether the plan got better (1), worse (-1) or stays (0)."""
        tuning_file.write(self._folder, costs)
        before = self.plan if self.basis != "safe" else None
        self.costs, self.basis = costs, "measured"
        self.plan = choose(costs, self.given, before)
        order = list(rungs(self.given))
        old, new = (order.index(plan.rung) for plan in (before or self.plan, self.plan))
        return (old > new) - (old < new)

    def ratio(self, milliseconds: float) -> float | None:
        """What a person costs now, in shares of what was measured."""
        known = self.costs and self.costs.person.get(name(Way(self.plan.precision, self.plan.threads)))
        return milliseconds / known if known else None

    def record(self) -> Tuning:
        """For the hub."""
        plan, costs = self.plan, self.costs
        person = costs.person[name(Way(plan.precision, plan.threads))] if costs else 0.0
        return plan.record(self.basis, self.given.fps, person, costs.detect[plan.precision] if costs else 0.0)


class TunedSource:
    """A camera and its pipeline, that work as this machine can."""

    def __init__(
        self, source: PixelSource, tuner: Tuner | ImportedTuner, thermometer: Thermometer | None = None
    ) -> None:
        """`source` was made with the precision and the threads of the tuner's plan, and for its model."""
        self.source, self.tuner = source, tuner
        self.hello, self.recorded = source.hello, source.recorded
        self._device = source.camera
        self._cadence = Cadence(source.camera, tuner.plan.fps)
        source.camera = self._cadence
        self._wanted: int | None = None
        self._thermometer = thermometer or Thermometer()
        self._watch = Watch()
        self._trial = Trial(tuner.given, tuning_file.cores()) if tuner.basis == "safe" else None
        self._heat_at = 0.0
        self._way = (tuner.plan.precision, tuner.plan.threads)
        self._apply()

    @property
    def remarks(self) -> tuple[str, ...]:
        """The source's."""
        return self.source.remarks

    def stream(self) -> Iterator[PoseFrame | CameraState | MarkerSeen | CameraView | Tuning]:
        """What the source yields, how the pictures are, and how they are dealt with as often as that changes."""
        yield self.tuner.record()
        analysed = False
        for record in self.source.stream():
            yield record
            if isinstance(record, PoseFrame):
                analysed = True
                self._saw(record)
            view, self._cadence.view = self._cadence.view, None
            if view is not None:
                yield view
            idle = isinstance(record, CameraState) and record.state == "lost"
            if (analysed or idle) and self._tune():
                yield self.tuner.record()

    def watch(self, wish: Wish) -> None:
        """What the hub wants to be looked at; how many people, only where it says so."""
        self.source.watch(wish)
        self._wanted = wish.most
        self._budget()

    def close(self) -> None:
        """Stop the stream."""
        self.source.close()

    def _saw(self, frame: PoseFrame) -> None:
        if not isinstance(self.tuner, Tuner):
            return
        model = frame.timings.get("model", 0.0)
        # What is done for a person besides the network is little, and grows with it.
        ratio = self.tuner.ratio(model / len(frame.subjects)) if frame.subjects and model else None
        self._watch.saw(time.monotonic(), ratio)

    def _tune(self) -> bool:
        """Measure a little where that is due; whether there is a new plan."""
        if not isinstance(self.tuner, Tuner):
            return False
        now = time.monotonic()
        if self._trial is None:
            if now >= self._heat_at:
                self._heat_at = now + _HEAT_EVERY_S
                self._watch.heat(now, bool(self._thermometer.read().causes))
            if self._watch.due(now):
                log.info("this machine has become slower or faster: what is possible is measured anew")
                self._trial = Trial(self.tuner.given, tuning_file.cores())
            return False
        try:
            if not self._trial.step():
                return False
        except ModelError as error:  # of a way that is not in use: what works goes on
            log.warning("what is possible cannot be measured: %s. %s", error, error.remedy)
            self._trial = None
            give_back()
            self._watch.measured(now, 0)
            return False
        costs, self._trial = self._trial.costs(), None
        self._watch.measured(now, self.tuner.measured(costs))
        self._apply()
        give_back()
        plan = self.tuner.plan
        log.info(
            "%s, %d thread(s), %g pictures a second, at most %d people in one%s; %s",
            plan.precision,
            plan.threads,
            plan.fps,
            plan.most,
            f", of {plan.size[0]}x{plan.size[1]}" if plan.size else "",
            ", ".join(f"{what}: {why}" for what, why in plan.reasons),
        )
        return True

    def _apply(self) -> None:
        """Work by the plan from the next picture on."""
        plan = self.tuner.plan
        self._cadence.fps = plan.fps
        if plan.size is not None:
            self._device.size = plan.size  # type: ignore[attr-defined]
        if self._way != (plan.precision, plan.threads):
            assert isinstance(self.source.pipeline, People)
            for part in (self.source.pipeline.detector, self.source.pipeline.landmarks):
                part.network.load(plan.precision, plan.threads)
            self.source.pipeline.precision = plan.precision
            self._way = (plan.precision, plan.threads)
        self._budget()

    def _budget(self) -> None:
        self.source.pipeline.most = self._wanted or self.tuner.plan.most
