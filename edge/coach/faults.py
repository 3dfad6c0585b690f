"""Why a text is no exercise row: a code with its parameters, for translations, and in English for the operator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

Step = str | int
"""A key of a table, or a number in a list."""

REASONS = {
    # of the file
    "not_a_file": "is no file",
    "unreadable": "{error}",
    "file_name": "the file of {id} has to be called {id}.toml",
    "too_large": "larger than {kib} KiB",
    "exists": "is there already",
    "taken": "{id} is taken by {file}; choose another id",
    "crowded": "there are {most} own exercises already",
    # of TOML
    "not_utf8": "is not UTF-8",
    "too_deep": "too many brackets within each other",
    "number_too_long": "a number has too many digits",
    "toml": "{said}",
    "toml_value": "{said}",
    "toml_statement": "{said}",
    "toml_equals": "{said}",
    "toml_text": "{said}",
    "toml_bracket": "{said}",
    "toml_twice": "{said}",
    # of the types
    "field_unknown": "there is no such field",
    "field_missing": "{field} is missing",
    "type": "expected `{expected}`, got `{got}`",
    "length": "expected `array` of length {length}, got {got}",
    "least": "expected `{expected}` >= {bound}",
    "most": "expected `{expected}` <= {bound}",
    "name": "expected `{expected}` matching regex '{pattern}'",
    "choice": "invalid enum value '{value}'",
    "number_too_large": "number out of range",
    "other": "{said}",
    # of the row
    "id_reserved": "{id} is taken",
    "languages": "needs exactly the languages en and ko",
    "one_line": "needs one line of 1 to {most} letters",
    "seconds": "needs 0 < min_s < max_s <= {most}",
    "parts_wanted": "an exercise of repetitions has at least one, a hold has none",
    "hold_signal_wanted": "a hold needs at least one signal",
    "hold_without_ends": "a hold has no ends, only `always` and `travel`",
    "hold_without_tempo": "a hold has no ends and no tempo",
    "signal_unknown": "there is no signal {signal}",
    "signal_without_zero": "{signal} has no zero: say in `travel` how far it goes",
    "signal_sided": "{signal} has sides: write {signal}_left or _right, or change `sides`",
    "signal_unsided": "{signal} has no sides that could be apart",
    "number_unlikely": "must be a number from -{most} to {most}",
    "ends_alike": "rest and full are the same",
    "other_side": "`_other` needs a signal with sides, and repetitions of each",
    "bounds_order": "the first bound must be below the second",
    "bounds_endless": "bounds that everything is within say nothing",
    "time_signal": 'of = "time" goes with one of {signals}',
    "rule_twice": "two rules are called {id}",
    "met_unknown": "{met} is no code of conditioning exercise in the Compendium of 2011",
    "muscle_unknown": "there is no muscle {muscle}",
}
"""What each code means in English. The dashboard has its own words for them (`refusal` in its translations)."""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong, for programs and translations."""

    code: str
    """One of `REASONS`."""
    where: str = ""
    """The way to it from the top, from 1: `parts 2 full`. Empty where it is about all of the text."""
    params: dict[str, str] = {}
    """What belongs into the sentence."""

    def __str__(self) -> str:
        """The sentence in English."""
        reason = REASONS[self.code].format(**self.params)
        return f"{self.where}: {reason}" if self.where else reason


class MisfitError(ValueError):
    """What is wrong in a row, and the way to it from the top: ("parts", 0, "signal")."""

    def __init__(self, code: str, *path: Step, **params: object) -> None:
        """`code`: one of `REASONS`, with its `params`."""
        super().__init__(code)
        self.path = path
        self.fault = fault(code, *path, **params)


def fault(code: str, *path: Step, **params: object) -> Fault:
    """The fault at the end of `path`."""
    return Fault(code, _spell(path), {name: str(value) for name, value in params.items()})


def of_syntax(message: str, text: str) -> tuple[int, Fault]:
    """Line and fault of what tomllib says."""
    where = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    if where is None:
        return 0, fault("toml", said=message)
    said = message[: where.start()]
    line = int(where[1]) if where[1] else len(text.splitlines())
    code = next((code for start, code in _SYNTAX.items() if said.startswith(start)), "toml")
    return max(line, 1), fault(code, said=said)


def of_types(
    tree: dict[str, Any], error: msgspec.ValidationError, convert: Callable[[dict[str, Any]], object]
) -> tuple[tuple[Step, ...], Fault]:
    """The way to what is wrong, and the fault: of our own checks, or of msgspec's.

    `convert` is what has raised `error` for `tree`.
    """
    if isinstance(error.__cause__, MisfitError):
        return error.__cause__.path, error.__cause__.fault
    said, _, where = str(error).partition(" - at `$")
    path: list[Step] = []
    for key, number in re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", where):
        if number == "...":
            path.append(_culprit(tree, path, str(error), convert))
        else:
            path.append(int(number) if number else key)
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", said)
    if unknown:
        path.append(unknown[1])
        return tuple(path), fault("field_unknown", *path)
    for pattern, code in _TYPES.items():
        if found := re.fullmatch(pattern, said, re.DOTALL):
            return tuple(path), fault(code, *path, **found.groupdict())
    return tuple(path), fault("other", *path, said=said[0].lower() + said[1:])


_SYNTAX = {
    "Invalid value": "toml_value",
    "Invalid date": "toml_value",
    "Invalid statement": "toml_statement",
    "Expected newline": "toml_statement",
    "Expected '='": "toml_equals",
    "Invalid initial": "toml_equals",
    "Unterminated string": "toml_text",
    "Illegal character": "toml_text",
    "Unescaped": "toml_text",
    "Invalid hex": "toml_text",
    "Escaped character": "toml_text",
    "Unclosed": "toml_bracket",
    "Expected ']": "toml_bracket",
    "Cannot overwrite": "toml_twice",
    "Cannot declare": "toml_twice",
    "Cannot mutate": "toml_twice",
    "Cannot redefine": "toml_twice",
    "Duplicate": "toml_twice",
}
"""How messages of tomllib begin."""
_TYPES = {
    r"Object missing required field `(?P<field>.*)`": "field_missing",
    r"Expected `(?P<expected>\w+)`, got `(?P<got>\w+)`": "type",
    r"Expected `array` of length (?P<length>\d+), got (?P<got>\d+)": "length",
    r"Expected `(?P<expected>\w+)` >= (?P<bound>.*)": "least",
    r"Expected `(?P<expected>\w+)` <= (?P<bound>.*)": "most",
    r"Expected `(?P<expected>\w+)` matching regex '(?P<pattern>.*)'": "name",
    r"Invalid enum value '(?P<value>.*)'": "choice",
    r"Number out of range": "number_too_large",
}
"""What msgspec says."""


def _culprit(
    tree: dict[str, Any], path: list[Step], message: str, convert: Callable[[dict[str, Any]], object]
) -> str:
    """Which key of the table at `path` msgspec means, who does not say it: the one that alone is told the same."""
    table: Any = tree
    for step in path:
        table = table[step]
    entries = dict(table)
    for key, value in entries.items():
        table.clear()
        table[key] = value
        try:
            convert(tree)
        except msgspec.ValidationError as error:
            if str(error) == message:
                return str(key)
    raise AssertionError(message)


def _spell(path: tuple[Step, ...]) -> str:
    """As one would say it: parts 2 full."""
    return " ".join(str(step + 1) if isinstance(step, int) else step for step in path)
