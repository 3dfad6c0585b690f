"""Pose pipelines over labelled pictures: ours in both precisions, parts of it, and MediaPipe's own."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge.bench.peer import PeerUnavailable, peer_python
from edge.evaluate.imported import readers
from edge.evaluate.lsp import JOINTS, from_skeleton, read_labels
from edge.evaluate.pck import Accuracy, accuracy, distances
from edge.vision.landmarks import JOINTS as LANDMARKS
from edge.vision.roi import Roi
from edge.vision.still import ALL_ROUND, UPRIGHT, StillReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from edge.evaluate.lsp import Array, Labelled, Reader
    from edge.vision.inference import Precision
    from edge.vision.landmarks import Landmarks
    from models.imported import Imported

PEER = "MediaPipe"
_SKELETON = "blazepose33"
_WORKER = Path(__file__).with_name("stills_peer.py")
_BODY = 1.1
"""Radius of the circle around a labelled person, by the distance of the joint furthest from the hips."""


def evaluate_stills(
    folder: Path,
    *,
    precisions: Sequence[Precision] = ("fp32", "int8"),
    parts: bool = True,
    peer: bool = True,
    threads: int = 2,
    models: Sequence[Imported] = (),
    start: Callable[[str, int], Callable[[], object]] = lambda _name, _pictures: lambda: None,
) -> tuple[list[Accuracy], str | None]:
    """Every pipeline on the pictures labelled in `folder`, and why MediaPipe is not among them.

    `peer`: MediaPipe, too. `parts`: also with less of the pipeline, and with the region from the labels, which shows
    where joints are lost. `models`: those that the user brought, too.
    `start` is called with a pipeline's name and the number of pictures, and what it returns after each of these.
    Raises ConfigError or ModelError.
    """
    labels = read_labels(folder)

    def run(name: str, joints: Iterator[Array | None]) -> None:
        step = start(name, len(labels))
        off[name] = []
        for label, said in zip(labels, joints, strict=True):
            off[name].append(distances(said, label.joints))
            step()

    off: dict[str, list[Array]] = {}
    missing = None
    try:
        if peer:
            run(PEER, _mediapipe([label.path for label in labels]))
    except PeerUnavailable as error:
        missing = str(error)
        off.pop(PEER, None)
    brought = (readers(model, threads, parts=parts) for model in models)
    for name, reader in chain(_readers(precisions, threads, parts=parts), *brought):
        run(name, map(reader, labels))
    return [accuracy(name, table, _compared(name, off)) for name, table in off.items()], missing


def score(read: Reader, labels: Sequence[Labelled]) -> Accuracy:
    """How one reader does, for whoever has a model of their own."""
    return accuracy("", [distances(read(label), label.joints) for label in labels])


def _compared(name: str, off: Mapping[str, list[Array]]) -> dict[str, list[Array]]:
    """Whom a pipeline is compared with: MediaPipe, and INT8 with its fp32."""
    others = [PEER, name.replace("INT8", "fp32")]
    return {other: off[other] for other in others if other in off and other != name}


def _readers(precisions: Sequence[Precision], threads: int, *, parts: bool) -> Iterator[tuple[str, Reader]]:
    if parts:
        for name, turns, readings in (
            ("fp32: upright, read once", UPRIGHT, 1),
            ("fp32: upright, read again", UPRIGHT, 3),
        ):
            yield name, partial(_still, StillReader("fp32", threads, turns=turns, readings=readings))
        yield "fp32: told where", partial(_told, StillReader("fp32", threads))
    for precision in precisions:
        name = {"int8": "Kinebox INT8", "fp32": "Kinebox fp32"}[precision]
        yield name, partial(_still, StillReader(precision, threads, turns=ALL_ROUND))


def _still(reader: StillReader, label: Labelled) -> Array | None:
    return _joints(reader.read(label.picture()))


def _told(reader: StillReader, label: Labelled) -> Array | None:
    """What is read in the region that the labels say: no detector could be better."""
    at = {name: label.joints[index] for index, name in enumerate(JOINTS)}
    hips, shoulders = ((at[f"{part}_left"] + at[f"{part}_right"]) / 2 for part in ("hip", "shoulder"))
    up = shoulders - hips
    radius = _BODY * float(np.nanmax(np.linalg.norm(label.joints - hips, axis=1)))
    if not np.linalg.norm(up) * radius > 0:  # NaN, too
        return None
    region = Roi.from_alignment(hips, hips + up / np.linalg.norm(up) * radius)
    return _joints(reader.read_in(label.picture(), region))


def _joints(seen: Landmarks | None) -> Array | None:
    return None if seen is None else from_skeleton(_SKELETON, seen.points[:LANDMARKS])


def _mediapipe(paths: Sequence[Path]) -> Iterator[Array | None]:
    """What MediaPipe's own solution says of pictures; PeerUnavailable where it cannot be had or stops."""
    with subprocess.Popen(
        [peer_python(), _WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            for path in paths:
                process.stdin.write(f"{path}\n")
                process.stdin.flush()
                line = process.stdout.readline()
                if not line:
                    raise PeerUnavailable(f"MediaPipe stopped at {path}")
                points = json.loads(line)
                yield None if points is None else from_skeleton(_SKELETON, np.array(points))
        except BrokenPipeError as error:
            raise PeerUnavailable("MediaPipe stopped") from error
        finally:
            process.stdin.close()
