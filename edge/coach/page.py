"""Writes docs/exercises.md, the reference of all exercises, from their rows: `python -m edge.coach.page`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from edge.coach.compendium import activities
from edge.coach.library import exercises
from edge.motion.signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.coach.exercise import Bounds, Exercise, Part, Rule
    from edge.motion.signals import Signal

PAGE = Path(__file__).parents[2] / "docs/exercises.md"

_WORDS = {
    "shoulder_elevation": "angle between upper arm and trunk",
    "wrist_rise": "wrist above the shoulder",
    "knee_ahead": "knee ahead of the toes",
    "hand_rise": "wrist above the lower ankle",
    "wrist_place": "height of the wrist in the picture",
    "foot_place": "height of the ankle in the picture",
    "trunk_lean": "lean of the trunk (from the vertical)",
    "spine_side_lean": "sideways lean of the trunk",
    "belly_up": "belly facing up (90: on the back, -90: face down)",
    "hip_split": "angle between the thighs (seen from the side)",
    "wrist_gap": "distance between the wrists",
    "stance_width": "width of the stance",
    "knee_gap": "sideways distance between the knees",
    "hip_rise": "hips above the lower ankle",
    "hip_line": "hips above the body's line (from shoulders to ankles; negative: below)",
    "hip_place": "height of the hips in the picture",
}
_OF = {
    "start": "at the start",
    "far": "at the far end",
    "least": "least",
    "most": "most",
    "travel": "from least to most",
    "apart": "left against right",
    "time": "time",
}
_TEMPO = {
    "eccentric_s": "seconds of giving way",
    "concentric_s": "seconds of effort",
    "duration_s": "seconds in all",
}
_WHEN = {
    "start": "Between repetitions",
    "far": "At the far end",
    "always": "All the time",
    "travel": "From least to most",
}
_CAMERAS = {
    "side": "from the side",
    "front": "from the front",
    "side_low": "from the side, on the height of the floor",
    "front_low": "from the front, on the height of the floor",
}
_SIDES = {"together": "both limbs together", "each": "each limb by itself", "whole": ""}
_KINDS = {"reps": "repetitions", "hold": "seconds", "rhythm": "whatever repeats", "other": "not counted"}

EXAMPLE = """\
# The file is called like its id: wall_push_up.toml
id = "wall_push_up"
name = { en = "Wall push-up", ko = "벽 푸시업" }
# "reps", "hold" (counted in seconds, without parts), or "other" (known, so that nothing else counts it).
kind = "reps"
# Where the camera serves it: "side", "front", "side_low" or "front_low".
camera = "side"
# "together": both limbs make one repetition; "each": a limb counts by itself; "whole": its signals have no sides.
sides = "together"
# Whether muscles lengthen ("eccentric") or shorten ("concentric") on the way to the far end.
out = "eccentric"
# What is counted: each signal at rest and at the far end of a textbook repetition. A bit more than half of that way
# is a full repetition, less is a partial one.
parts = [{ signal = "elbow_flexion", rest = 15, full = 85 }]
# What else may move. Knees, hips, elbows, shoulders, trunk and stance that are not named stay about still.
free = ["shoulder_elevation"]
# Shortest and longest repetition in seconds.
min_s = 0.5
max_s = 15
# Energy: a code of the Compendium of Physical Activities 2011 (edge/coach/compendium.toml).
met = "02024"
muscles = { prime = ["pectoralis_major", "triceps_brachii"], stabilisers = ["abdominals"] }

# What tells it from other movements: bounds at rest [start], at the far end [far], throughout [always]; `_other`
# behind a name means the other side's. inf and -inf: no bound.
[far]
wrist_rise = [-0.5, 0.3]

[always]
trunk_lean = [5, 40]
hip_rise = [1.3, inf]

# How far signals move during a repetition. Places in the picture are known only so.
[travel]
wrist_place = [0, 0.2]
foot_place = [0, 0.1]

# Good form, each rule with what to say when it is broken. of: "start", "far" (the rule without it), "least", "most",
# "travel", "apart" (left against right), or "time" with eccentric_s, concentric_s, duration_s.
# weight 3: may hurt, 2: costs the exercise its purpose, 1: could be better.
[[form]]
id = "depth"
signal = "elbow_flexion"
good = [75, inf]
weight = 2
cue = { en = "Bring your chest closer to the wall.", ko = "가슴을 벽에 더 가까이 가져가 주세요." }
praise = { en = "Good depth.", ko = "깊이가 좋았어요." }
"""

_INTRO = """\
# Exercises

<!-- Written by `python -m edge.coach.page` from edge/coach/exercises/*.toml: change those. -->

What the coach knows. A movement counts when it goes there and back in the signals named under *counted by*, at least
a bit more than half of a textbook repetition's way (less is a partial repetition), and looks like the exercise
meanwhile. Angles are in degrees, distances in lengths of the trunk (shoulders to hips). Cues are spoken in English
and Korean.

This is coaching, not medical advice; muscles and energy are those of textbooks, not measured.
"""
_OWN = """\
## Your own exercises

An exercise is one TOML file. The box reads those in `/etc/kinebox/exercises`, in `exercises` beside your own settings
(`~/.config/kinebox/exercises` on Linux), and those added in the dashboard or with `kinebox exercises add FILE`.
`kinebox exercises check FILE` says whether a file is good, and otherwise in which line it is not. A bad file is left
out and told in `kinebox exercises list`; the others work. An id that is taken cannot be used again.

"""


def page() -> str:
    """The whole page."""
    rows = list(exercises().values())
    groups = {
        "Exercises for people": [row for row in rows if row.species == "human" and row.kind != "other"],
        "Exercises for dogs": [row for row in rows if row.species == "dog" and row.kind != "other"],
        "Known and not counted": [row for row in rows if row.kind == "other"],
    }
    table = _table(
        ("Exercise", "Counted", "Camera", "Prime movers", "MET"),
        ((f"[{row.name['en']}](#{_anchor(row)})", _counted(row), _CAMERAS[row.camera],
          _muscles(row.muscles.prime), _met(row)) for rows in groups.values() for row in rows),
    )  # fmt: skip
    parts = [_INTRO, table]
    for heading, members in groups.items():
        parts.append(f"## {heading}\n")
        parts += [section(row) for row in members]
    parts += [_OWN + "```toml\n" + EXAMPLE + "```\n", "### Signals\n", _signals()]
    return "\n".join(parts)


def section(row: Exercise) -> str:
    """All that `row` says, in words."""
    lines = [f"### {row.name['en']}\n", f"`{row.id}` · {row.name['ko']} · {_counted(row)}\n"]
    if row.parts:
        lines.append(f"- Counted by: {'; '.join(map(_part, row.parts))}. {row.min_s:g} to {row.max_s:g} s.")
    for when, words in _WHEN.items():
        bounds = getattr(row, when)
        if bounds:
            lines.append(f"- {words}: {'; '.join(_bounds(name, one) for name, one in bounds.items())}.")
    if row.free:
        lines.append(f"- May do anything: {'; '.join(map(_words, row.free))}.")
    if not row.auto:
        lines.append("- Recognised only where it is chosen: everyday movement looks the same.")
    lines.append(f"- Camera: {_CAMERAS[row.camera]}.")
    if row.muscles.prime:
        told = f"- Muscles: {_muscles(row.muscles.prime)}"
        lines.append(f"{told}; steadied by {_muscles(row.muscles.stabilisers)}.")
    if row.met:
        lines.append(f"- Energy: {_met(row)} MET ({row.met}: {activities()[row.met].activity}).")
    if row.form:
        lines += ["", _table(("Good form", "is", "weight", "cue"), map(_rule, row.form)).rstrip()]
    return "\n".join(lines) + "\n"


def _counted(row: Exercise) -> str:
    sides = _SIDES[row.sides] if row.kind == "reps" else ""
    return f"{_KINDS[row.kind]}, {sides}" if sides else _KINDS[row.kind]


def _part(part: Part) -> str:
    return f"{_words(part.signal)} {part.rest:g} to {part.full:g}{_unit(part.signal)}"


def _bounds(name: str, bounds: Bounds) -> str:
    return f"{_words(name)} {_range(bounds, _unit(name))}"


def _rule(rule: Rule) -> tuple[str, ...]:
    if rule.of == "time":
        what, unit = _TEMPO[rule.signal], " s"
    else:
        what, unit = f"{_words(rule.signal)}, {_OF[rule.of]}", _unit(rule.signal)
    return what, _range(rule.good, unit), f"{rule.weight:g}", f"{rule.cue['en']} / {rule.cue['ko']}"


def _range(bounds: Bounds, unit: str) -> str:
    low, high = bounds
    if math.isinf(low) or (low == 0 and not math.isinf(high)):
        return f"at most {high:g}{unit}"
    return f"at least {low:g}{unit}" if math.isinf(high) else f"{low:g} to {high:g}{unit}"


def _words(name: str) -> str:
    bare = name.removesuffix("_other")
    words = _WORDS.get(bare, bare.replace("_", " ")).partition(" (")[0]
    return f"{words} (other side)" if bare != name else words


def _unit(name: str) -> str:
    return "°" if _signal(name).unit == "deg" else ""


def _signal(name: str) -> Signal:
    return next(signal for signal in SIGNALS if name.startswith(signal.name))


def _muscles(codes: Iterable[str]) -> str:
    return ", ".join(code.replace("_", " ") for code in codes)


def _met(row: Exercise) -> str:
    return f"{activities()[row.met].met:g}" if row.met else ""


def _anchor(row: Exercise) -> str:
    """As GitHub makes it of the heading."""
    kept = "".join(letter for letter in row.name["en"].lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def _signals() -> str:
    units = {"deg": "degrees", "trunk": "trunk lengths", "place": "trunk lengths, `travel` alone"}
    return _table(
        ("Signal", "is", "in", "bodies do", "sides"),
        (
            (
                f"`{signal.name}`",
                _WORDS.get(signal.name, signal.name.replace("_", " ")),
                units[signal.unit],
                f"{signal.least:g} to {signal.most:g}",
                "each" if signal.sided else "",
            )
            for signal in SIGNALS
        ),
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
