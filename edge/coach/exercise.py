"""Exercises are rows: one TOML file each, checked in full when it is read.

A row says three things of a movement: in which signals it shows and how far a textbook repetition goes (`parts`:
these count), what the body looks like meanwhile (`start`, `far`, `always`, `travel`: these tell it from other
movements), and what good form is (`form`). What a row does not name is expected to stay about still, unless it is
`free`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from edge.coach.compendium import activities
from edge.coach.faults import MisfitError
from edge.motion import signals

if TYPE_CHECKING:
    from edge.coach.faults import Step

Species = Literal["human", "dog"]
Bounds = tuple[float, float]
"""Least and most; infinite where there is no bound."""
Text = dict[str, str]
"""By language: en and ko."""
Camera = Literal["side", "front", "side_low", "front_low"]
"""Where the camera serves the exercise; `low`: on the height of somebody who lies."""
RESERVED = {"auto"}
"""What the box calls other things than an exercise."""
_LANGUAGES = {"en", "ko"}
_LONGEST_TEXT = 90
_NAME = r"^[a-z][a-z0-9_]{1,39}\Z"


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal in which the movement shows, and its values at both ends of a textbook repetition."""

    signal: str
    rest: float
    full: float


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Good form: a number of each repetition (of a hold: of each second) within bounds, and what to say otherwise."""

    id: Annotated[str, Meta(pattern=_NAME)]
    signal: str
    """Name of a signal; of the tempo: `eccentric_s`, `concentric_s`, `duration_s`."""
    of: Literal["start", "far", "least", "most", "travel", "apart", "time"] = "far"
    """`start`, `far`: at these ends; `least`, `most`, `travel`: over the repetition; `apart`: left less right at the
    far end, without its sign; `time`: of the tempo."""
    good: Bounds
    cue: Text
    """What to say when it is outside. Short: it is spoken."""
    praise: Text | None = None
    """What to say of a set in which it was inside."""
    weight: Annotated[float, Meta(ge=1, le=3)] = 1.0
    """3: may hurt, 2: costs the exercise its purpose, 1: could be better."""


MUSCLES = (
    *("trapezius", "rhomboids", "latissimus_dorsi", "erector_spinae", "quadratus_lumborum", "neck_flexors"),
    *("deltoids", "anterior_deltoid", "lateral_deltoid", "posterior_deltoid"),
    *("rotator_cuff", "serratus_anterior"),
    *("pectoralis_major", "biceps_brachii", "brachialis", "triceps_brachii", "forearms"),
    *("abdominals", "obliques", "hip_flexors", "gluteus_maximus", "gluteus_medius", "adductors"),
    *("quadriceps", "hamstrings", "calves", "tibialis_anterior"),
)
"""Their codes, from the neck to the feet. What they are called is in the dashboard's texts."""


class Muscles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which muscles an exercise asks for; see `MUSCLES`."""

    prime: tuple[str, ...] = ()
    stabilisers: tuple[str, ...] = ()


class Exercise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One exercise. A `hold` has no parts and is counted in seconds; `other` movements are known, not counted.

    The `rhythm` has no parts either: it is whatever repeats, and no other row describes.
    """

    id: Annotated[str, Meta(pattern=_NAME)]
    name: Text
    kind: Literal["reps", "hold", "rhythm", "other"] = "reps"
    species: Species = "human"
    view: Literal["front", "side", "any"] = "any"
    camera: Camera = "side"
    sides: Literal["together", "each", "whole"] = "together"
    """`together`: both limbs make one repetition; `each`: a limb counts by itself; `whole`: there are no sides."""
    out: Literal["eccentric", "concentric"] = "eccentric"
    """Whether muscles lengthen or shorten on the way to the far end."""
    parts: tuple[Part, ...] = ()
    start: dict[str, Bounds] = {}
    """Signals between the repetitions. Of a side: of the side that moves, of both where they move together; with
    `_other` behind the name, of the other side."""
    far: dict[str, Bounds] = {}
    """Signals at the far end."""
    always: dict[str, Bounds] = {}
    """Signals at every moment."""
    travel: dict[str, Bounds] = {}
    """How far signals move over a repetition, of a hold over a second; degrees or trunk lengths."""
    free: tuple[str, ...] = ()
    """Signals that may do anything meanwhile."""
    auto: bool = True
    """False: everyday life looks the same, so it is recognised only where somebody has chosen it."""
    prior: Annotated[float, Meta(ge=-3, le=0)] = 0.0
    """Nats by which the exercise is rarer than the one that looks most like it."""
    min_s: float = 0.35
    max_s: float = 30.0
    """Seconds that a repetition may take."""
    met: str = ""
    """Code in the Compendium of Physical Activities 2011 (`compendium.toml`); empty for what it does not have."""
    muscles: Muscles = Muscles()
    form: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what the types alone let through, with a `MisfitError`."""
        if self.id in RESERVED:
            raise MisfitError("id_reserved", "id", id=self.id)
        _check_text(self.name, "name")
        if not 0 < self.min_s < self.max_s <= LONGEST_S:
            raise MisfitError("seconds", "min_s", most=f"{LONGEST_S:g}")
        self._check_parts()
        for table in ("start", "far", "always", "travel"):
            for name, bounds in getattr(self, table).items():
                self._check_bounds(table, name, bounds)
        for n, name in enumerate(self.free):
            _signal(name, "free", n)
        for n, rule in enumerate(self.form):
            self._check_rule(rule, "form", n)
            if rule.id in {other.id for other in self.form[:n]}:
                raise MisfitError("rule_twice", "form", n, "id", id=rule.id)
        if self.met and self.met not in activities():
            raise MisfitError("met_unknown", "met", met=self.met)
        for kind in ("prime", "stabilisers"):
            for muscle in getattr(self.muscles, kind):
                if muscle not in MUSCLES:
                    raise MisfitError("muscle_unknown", "muscles", kind, muscle=muscle)

    def _check_parts(self) -> None:
        if (self.kind in ("hold", "rhythm")) == bool(self.parts):
            raise MisfitError("parts_wanted", "parts")
        if self.kind == "hold" and not self.always:
            raise MisfitError("hold_signal_wanted", "always")
        if self.kind == "hold" and (self.start or self.far):
            raise MisfitError("hold_without_ends", "start" if self.start else "far")
        for n, part in enumerate(self.parts):
            signal = _signal(part.signal, "parts", n, "signal")
            if signal.unit == "place":
                raise MisfitError("signal_without_zero", "parts", n, "signal", signal=part.signal)
            if part.signal in signals.SIDED and self.sides == "whole":
                raise MisfitError("signal_sided", "parts", n, "signal", signal=part.signal)
            for end in ("rest", "full"):
                if not abs(getattr(part, end)) <= LARGEST_END:  # nor if it is no number
                    raise MisfitError("number_unlikely", "parts", n, end, most=f"{LARGEST_END:g}")
            if part.rest == part.full:
                raise MisfitError("ends_alike", "parts", n, "full")

    def _check_bounds(self, table: str, name: str, bounds: Bounds) -> None:
        bare = name.removesuffix("_other")
        signal = _signal(bare, table, name)
        if bare != name and not (bare in signals.SIDED and self.sides == "each" and self.kind != "hold"):
            raise MisfitError("other_side", table, name)
        if signal.unit == "place" and table != "travel":
            raise MisfitError("signal_without_zero", table, name, signal=bare)
        _check_order(bounds, table, name)

    def _check_rule(self, rule: Rule, *at: Step) -> None:
        if (rule.of == "time") != (rule.signal in TEMPO):
            raise MisfitError("time_signal", *at, "signal", signals=", ".join(TEMPO))
        if self.kind == "hold" and rule.of in ("start", "time"):
            raise MisfitError("hold_without_tempo", *at, "of")
        if rule.of != "time":
            signal = _signal(rule.signal, *at, "signal")
            if signal.unit == "place" and rule.of != "travel":
                raise MisfitError("signal_without_zero", *at, "of", signal=rule.signal)
        if rule.of == "apart" and rule.signal not in signals.SIDED:
            raise MisfitError("signal_unsided", *at, "of", signal=rule.signal)
        _check_order(rule.good, *at, "good")
        _check_text(rule.cue, *at, "cue")
        if rule.praise is not None:
            _check_text(rule.praise, *at, "praise")


TEMPO = ("eccentric_s", "concentric_s", "duration_s")
"""What a rule on tempo may speak of."""
LONGEST_S = 60.0
"""Seconds that a repetition may take at most."""
LARGEST_END = 1000.0
"""Degrees or trunk lengths: no signal goes as far."""


def _check_text(text: Text, *at: Step) -> None:
    if set(text) != _LANGUAGES:
        raise MisfitError("languages", *at)
    for language, line in text.items():
        if not line.strip() or not line.isprintable() or len(line) > _LONGEST_TEXT:
            raise MisfitError("one_line", *at, language, most=_LONGEST_TEXT)


def _signal(name: str, *at: Step) -> signals.Signal:
    """The row of the signal, or of one side of it."""
    for signal in signals.SIGNALS:
        if name == signal.name or (signal.sided and name in (f"{signal.name}_left", f"{signal.name}_right")):
            return signal
    raise MisfitError("signal_unknown", *at, signal=name)


def _check_order(bounds: Bounds, *at: Step) -> None:
    if not bounds[0] < bounds[1]:  # nor if one of them is no number
        raise MisfitError("bounds_order", *at)
    if math.isinf(bounds[0]) and math.isinf(bounds[1]):
        raise MisfitError("bounds_endless", *at)
