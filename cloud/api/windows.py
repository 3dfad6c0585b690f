"""Windows in bulk, as a client sends them: decoded and checked by the thousand, before the database sees any."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from psycopg.types.json import Jsonb

from cloud.api.problems import ApiError
from wire.messages import Count, Grades, Key, Seconds, Seq, Utc, Values
from wire.metrics import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST = 5000
"""Windows of one request."""
FUTURE_S = 600.0
PAST_S = 400 * 86400.0
"""How far from now a time may lie: as ingest has it."""
_AMOUNT = 1e12
"""The bound of `wire.messages.Amount`, for metrics that are not in the catalogue."""
_KEY = re.compile("[a-z][a-z0-9_]{0,47}")
Letter = Literal["A", "B", "C"]


class NewWindow(msgspec.Struct, frozen=True, gc=False):
    """One subject over some seconds: what `wire.messages.Window` holds beyond what the session says."""

    seq: Seq
    at: Utc
    """When it began, in seconds since 1970."""
    duration_s: Seconds
    exercise: Key | None = None
    reps: Count = 0
    partial_reps: Count = 0
    # Names and bounds are checked below: quicker than a pattern for each, and it can say which one it was.
    metrics: Annotated[dict[str, float], Meta(max_length=128)] = {}
    grades: Annotated[dict[str, Letter], Meta(max_length=128)] = {}


class _NewWindows(msgspec.Struct, frozen=True):
    windows: Annotated[list[NewWindow], Meta(min_length=1, max_length=MOST)]


_decoder = msgspec.json.Decoder(_NewWindows)


def schema() -> dict[str, Any]:
    """The JSON schema of a request."""
    window = msgspec.json.schema_components((NewWindow,))[1]["NewWindow"]
    for name, kind in (("metrics", Values), ("grades", Grades)):
        window["properties"][name] = msgspec.json.schema(kind) | {"default": {}}
    windows = {"type": "array", "items": window, "minItems": 1, "maxItems": MOST}
    return {"type": "object", "required": ["windows"], "properties": {"windows": windows}}


def decode(body: bytes) -> list[NewWindow]:
    """The windows of a request. Raises ApiError 422 that says where something is wrong."""
    try:
        return _decoder.decode(body).windows
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(_not_finite(body) or str(error)) from error


def rows(windows: Sequence[NewWindow], keys: Sequence[str], now: float) -> list[tuple[Any, ...]]:
    """Each number's first window as (seq, at, duration_s, exercise, reps, partial_reps, grades, other, *values).

    `keys` are the metrics that the database has columns for. Raises ApiError 422 that names window and field.
    """
    for index, window in enumerate(windows):
        check_time(window.at, now, f"windows[{index}].at")
    check_values([window.metrics for window in windows], keys, "windows[{}].metrics")
    known = frozenset(keys)
    once = {window.seq: window for window in reversed(windows)}
    return [
        (
            w.seq,
            w.at,
            w.duration_s,
            w.exercise,
            w.reps,
            w.partial_reps,
            *split(w.metrics, w.grades, keys, known),
        )
        for w in reversed(once.values())
    ]


def split(
    values: Mapping[str, float], grades: Mapping[str, Letter], keys: Sequence[str], known: frozenset[str]
) -> tuple[Any, ...]:
    """Letters of the grades, value and grade of what has no column, then a value for each key."""
    more = values.keys() - known
    other = Jsonb({key: [values[key], grades.get(key)] for key in more}) if more else None
    return "".join([grades.get(key, "-") for key in keys]), other, *map(values.get, keys)


def check_time(at: float, now: float, place: str) -> None:
    """Raises ApiError 422 for a time that no measurement of today can have."""
    if at > now + FUTURE_S:
        raise _refusal(f"{place}: {at - now:.0f} s in the future")
    if at < now - PAST_S:
        raise _refusal(f"{place}: {(now - at) / 86400:.0f} days back")


def check_values(found: Sequence[Mapping[str, float]], keys: Sequence[str], place: str) -> None:
    """Raises ApiError 422 for the first value outside its metric's range; `place` has braces for the index."""
    table = np.array([[*map(values.get, keys)] for values in found], float)
    bounds = np.array(
        [(m.minimum, m.maximum) if (m := metrics().get(key)) else (-_AMOUNT, _AMOUNT) for key in keys]
    )
    wrong = np.argwhere((table < bounds[:, 0]) | (table > bounds[:, 1]))
    if wrong.size:
        row, column = wrong[0]
        low, high = bounds[column]
        value = f"{table[row, column]:g} is not from {low:g} to {high:g}"
        raise _refusal(f"{place.format(row)}.{keys[column]}: {value}")
    known = frozenset(keys)
    for index, values in enumerate(found):
        for key in values.keys() - known:
            if not _KEY.fullmatch(key):
                raise _refusal(f"{place.format(index)}: {key[:48]!r} is no name of a metric")
            if not abs(values[key]) <= _AMOUNT:
                raise _refusal(f"{place.format(index)}.{key}: not from {-_AMOUNT:g} to {_AMOUNT:g}")


def _refusal(text: str) -> ApiError:
    return ApiError(422, "request_invalid", text)


def _not_finite(body: bytes) -> str | None:
    """Where NaN or Infinity stands, which JSON does not have but Python's encoder writes."""
    try:
        windows = json.loads(body)["windows"]
        return next(
            f"windows[{index}].metrics.{key}: not a finite number"
            for index, window in enumerate(windows)
            for key, value in window["metrics"].items()
            if not abs(value) < float("inf")
        )
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration, RecursionError):
        return None
