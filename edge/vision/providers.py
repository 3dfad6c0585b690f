"""On what a network runs: the one of ONNX Runtime's execution providers that is measured to be right and fastest.

A provider is tried only where this build of ONNX Runtime has it. Its outputs are compared with the processor's own
kernels on the same input, since a fast wrong answer is none. The choice is remembered with its reasons. A provider
whose trial ended the process twice is not tried again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import statistics
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from edge.vision import tuning_file
from models.errors import WriteFailed
from models.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

_CPU = "CPUExecutionProvider"
_RUNS = 15
_CLEARLY = 0.9
"""Another provider is chosen where it takes less than this share of the processor's own time."""
_TOLERANCE = 0.02
"""Largest difference from the processor's outputs, as a share of their range: INT8 in another order of rounding."""
_ENDED, _ENOUGH = "ended_process", 2
"""A trial that ended the process so often is not begun again; once may have been the power."""

_ELEMENTS = {"tensor(int32)": np.int32, "tensor(uint8)": np.uint8}

Reason = Literal["only_one", "fastest", "no_faster", "wrong", "failed"]


class Candidate(NamedTuple):
    """A way of running a network."""

    name: str
    provider: str
    provider_options: Mapping[str, str] = {}
    session_options: Mapping[str, str] = {}


CPU = Candidate("cpu", _CPU)
CANDIDATES = (
    CPU,
    Candidate("xnnpack", "XnnpackExecutionProvider"),
    Candidate("acl", "ACLExecutionProvider"),
    Candidate("cuda", "CUDAExecutionProvider"),
    Candidate("tensorrt", "TensorrtExecutionProvider"),
)
"""What may be tried. Others (Azure's sends pictures away) never are."""


class Trial(msgspec.Struct, frozen=True):
    """What was measured of one candidate."""

    milliseconds: float | None = None
    """Median of a run; None where it did not run."""
    difference: float | None = None
    """Largest difference from the processor's outputs, as a share of their range."""
    problem: str = ""
    """Why it cannot be used: `ended_process`, `wrong_result`, or the runtime's own words."""


class Choice(msgspec.Struct, frozen=True):
    """The candidate to run a network on, and why."""

    candidate: str
    reason: Reason
    trials: dict[str, Trial]
    runtime: str = ort.__version__


def available() -> list[Candidate]:
    """Those of `CANDIDATES` that this build of ONNX Runtime has, the processor first."""
    here = set(ort.get_available_providers())
    return [candidate for candidate in CANDIDATES if candidate.provider in here]


def state_folder() -> Path:
    """Where choices are remembered."""
    return tuning_file.folder() / "providers"


def choose_provider(
    model: bytes,
    image: npt.NDArray[np.generic],
    threads: int = 1,
    *,
    candidates: Sequence[Candidate] | None = None,
    folder: Path | None = None,
    tolerance: float = _TOLERANCE,
) -> Choice:
    """Measure what this network runs best on, or remember it.

    image: an input of the network. candidates: the first is the one that others are compared with; None: those of
    `CANDIDATES` that are there. folder: where choices are remembered; None: `state_folder()`. A choice is made anew
    when the model, the runtime, the candidates or the number of threads change. tolerance: how far from the first
    candidate's outputs may be, as a share of their range.
    """
    tried = available() if candidates is None else list(candidates)
    if len(tried) == 1:
        return Choice(tried[0].name, "only_one", {})
    memory = _Memory(folder or state_folder(), model, tried, threads)
    if memory.choice is not None:
        return memory.choice
    choice = _measure(model, image, tried, threads, memory, tolerance)
    memory.keep(choice)
    log.info("networks run on %s (%s)", choice.candidate, choice.reason)
    return choice


def session(model: bytes, threads: int, candidate: Candidate = CPU) -> Any:
    """A session of ONNX Runtime on `candidate`, with the processor behind it; raises what the runtime raises."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning workers would burn a core between frames: the camera, not the model, sets the pace.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    for key, value in candidate.session_options.items():
        options.add_session_config_entry(key, value)
    options.log_severity_level = 3
    providers: list[Any] = [(candidate.provider, dict(candidate.provider_options))]
    if candidate.provider != _CPU:
        providers.append(_CPU)
    # Without fallback: else a provider that fails would be told on the standard output, and the processor taken.
    return ort.InferenceSession(model, options, providers=providers, enable_fallback=0)


def open_session(model: bytes, threads: int) -> Any:
    """A session on what `choose_provider` chooses; measured with noise, in which every kernel has something to do."""
    if len(available()) == 1:
        return session(model, threads)
    (wanted,) = session(model, threads).get_inputs()
    noise = np.random.default_rng(0).random(wanted.shape, np.float32)
    image = noise if wanted.type == "tensor(float)" else (255 * noise).astype(_ELEMENTS[wanted.type])
    choice = choose_provider(model, image, threads)
    return session(model, threads, next(each for each in CANDIDATES if each.name == choice.candidate))


def _measure(
    model: bytes,
    image: npt.NDArray[np.generic],
    tried: Sequence[Candidate],
    threads: int,
    memory: _Memory,
    tolerance: float,
) -> Choice:
    first = tried[0]
    trials: dict[str, Trial] = dict(memory.crashed)
    sessions: dict[str, Any] = {}
    expected: list[npt.NDArray[Any]] = []
    for candidate in tried:
        if candidate.name in trials:
            continue
        if candidate is not first:
            memory.trying(candidate.name)  # should it take the process with it
        try:
            opened = session(model, threads, candidate)
            outputs = [np.asarray(each) for each in opened.run(None, {opened.get_inputs()[0].name: image})]
        except Exception as error:
            if candidate is first:
                raise
            trials[candidate.name] = Trial(problem=str(error).strip().splitlines()[0][:400])
            continue
        expected = expected or outputs
        difference = max(_difference(mine, true) for mine, true in zip(outputs, expected, strict=True))
        if not difference <= tolerance:
            trials[candidate.name] = Trial(difference=difference, problem="wrong_result")
            continue
        trials[candidate.name] = Trial(difference=difference)
        sessions[candidate.name] = opened
    spent = _race(sessions, image)
    for name, milliseconds in spent.items():
        trials[name] = msgspec.structs.replace(trials[name], milliseconds=milliseconds)
    best = min(spent, key=lambda name: spent[name])
    if best != first.name and spent[best] < _CLEARLY * spent[first.name]:
        return Choice(best, "fastest", trials)
    if len(spent) > 1:
        return Choice(first.name, "no_faster", trials)
    wrong = any(trial.problem == "wrong_result" for trial in trials.values())
    return Choice(first.name, "wrong" if wrong else "failed", trials)


def _race(sessions: Mapping[str, Any], image: npt.NDArray[np.generic]) -> dict[str, float]:
    """Median milliseconds of a run each, in turns: all see the same background load."""
    spent: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(_RUNS):
        for name, opened in sessions.items():
            feed = {opened.get_inputs()[0].name: image}
            start = perf_counter()
            opened.run(None, feed)
            spent[name].append((perf_counter() - start) * 1e3)
    return {name: statistics.median(times) for name, times in spent.items()}


def _difference(mine: npt.NDArray[Any], true: npt.NDArray[Any]) -> float:
    """Largest difference as a share of the range of `true`; infinite for another shape or what is no number."""
    if mine.shape != true.shape or not np.isfinite(mine).all():
        return float("inf")
    if not true.size:
        return 0.0
    span = float(np.ptp(true)) or float(np.abs(true).max()) or 1.0
    return float(np.abs(mine.astype(np.float64) - true).max()) / span


class _Memory:
    """A small file for each network: what was chosen for it, and what was being tried when the process ended."""

    def __init__(self, folder: Path, model: bytes, tried: Sequence[Candidate], threads: int) -> None:
        digest = hashlib.sha256(model).hexdigest()
        self._key = {
            "model": digest,
            "runtime": ort.__version__,
            "threads": threads,
            "candidates": [[each.name, each.provider, dict(each.provider_options)] for each in tried],
        }
        self._path = folder / f"{digest[:32]}-{threads}.json"
        self.choice: Choice | None = None
        self.crashed: dict[str, Trial] = {}
        """Candidates whose trial ended the process more than once."""
        self._ends: dict[str, int] = {}
        """How often each did."""
        self._read({each.name for each in tried})

    def _read(self, names: set[str]) -> None:
        try:
            found = json.loads(self._path.read_bytes())
            if found["key"] != self._key:
                return
            if found["choice"] is not None:
                choice = msgspec.convert(found["choice"], Choice)
                self.choice = choice if choice.candidate in names else None
            else:
                self._ends = msgspec.convert(found["begun"], dict[str, int])
                self.crashed = {
                    name: Trial(problem=_ENDED)
                    for name, times in self._ends.items()
                    if times >= _ENOUGH and name in names
                }
        except (OSError, ValueError, KeyError, TypeError):
            return  # not there, or damaged: measured anew

    def trying(self, name: str) -> None:
        """This candidate is going to be tried."""
        self._write({"choice": None, "begun": self._ends | {name: self._ends.get(name, 0) + 1}})

    def keep(self, choice: Choice) -> None:
        """Remember what was chosen."""
        self._write({"choice": msgspec.to_builtins(choice)})

    def _write(self, rest: dict[str, Any]) -> None:
        try:
            write_atomic(self._path, json.dumps({"key": self._key, **rest}, indent=2).encode())
        except WriteFailed as error:
            log.warning("what a network runs on cannot be remembered: %s", error)
