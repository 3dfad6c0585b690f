"""What a network runs on: measured, compared, remembered. Ways to run it on the processor stand for devices."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from edge.vision import providers
from edge.vision.providers import CANDIDATES, CPU, Candidate, available, choose_provider, open_session
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SLOW = Candidate("slow", CPU.provider, {}, {"session.disable_quant_qdq": "1"})
"""Every rounding is computed as it is written."""
ROUGH = Candidate("rough", CPU.provider, {}, {"optimization.enable_gelu_approximation": "1"})
"""A little else than the exact way."""
BROKEN = Candidate("broken", CPU.provider, {}, {"session.intra_op_thread_affinities": "nonsense"})
"""Does not start, with two threads."""


def rounded(count: int = 16) -> bytes:
    """A chain of additions in whole numbers."""
    nodes = [helper.make_node("QuantizeLinear", ["image", "scale", "zero"], ["q0"])]
    for number in range(count):
        nodes += [
            helper.make_node("DequantizeLinear", [f"q{number}", "scale", "zero"], [f"d{number}"]),
            helper.make_node("Add", [f"d{number}", f"d{number}"], [f"a{number}"]),
            helper.make_node("QuantizeLinear", [f"a{number}", "scale", "zero"], [f"q{number + 1}"]),
        ]
    nodes.append(helper.make_node("DequantizeLinear", [f"q{count}", "scale", "zero"], ["result"]))
    constants = [
        helper.make_tensor("scale", TensorProto.FLOAT, [], [1 / 64]),
        helper.make_tensor("zero", TensorProto.UINT8, [], [128]),
    ]
    return model(nodes, constants)


def curved() -> bytes:
    """Gelu, written out."""
    nodes = [
        helper.make_node("Div", ["image", "root"], ["a"]),
        helper.make_node("Erf", ["a"], ["b"]),
        helper.make_node("Add", ["b", "one"], ["c"]),
        helper.make_node("Mul", ["image", "c"], ["d"]),
        helper.make_node("Mul", ["d", "half"], ["result"]),
    ]
    constants = [
        helper.make_tensor(name, TensorProto.FLOAT, [], [value])
        for name, value in (("root", 2**0.5), ("one", 1.0), ("half", 0.5))
    ]
    return model(nodes, constants)


SHAPE = (1, 16, 128, 128)
IMAGE = np.random.default_rng(1).uniform(-2, 2, SHAPE).astype(np.float32)


def model(nodes: list[object], constants: list[TensorProto]) -> bytes:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in ("image", "result")]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], constants)  # type: ignore[arg-type]
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = made.SerializeToString()
    return data


def test_the_faster_one_is_chosen_and_the_first_where_none_is_clearly_faster(tmp_path: Path) -> None:
    faster = choose_provider(rounded(), IMAGE, candidates=[SLOW, CPU], folder=tmp_path / "a")
    assert (faster.candidate, faster.reason) == ("cpu", "fastest")
    assert faster.trials["cpu"].milliseconds < faster.trials["slow"].milliseconds  # type: ignore[operator]
    assert faster.trials["cpu"].difference == pytest.approx(0, abs=0.01)
    stays = choose_provider(rounded(), IMAGE, candidates=[CPU, SLOW], folder=tmp_path / "b")
    assert (stays.candidate, stays.reason) == ("cpu", "no_faster")


def test_one_that_computes_something_else_is_not_taken_however_fast(tmp_path: Path) -> None:
    choice = choose_provider(curved(), IMAGE, candidates=[CPU, ROUGH], folder=tmp_path, tolerance=1e-6)
    assert (choice.candidate, choice.reason) == ("cpu", "wrong")
    assert choice.trials["rough"].problem == "wrong_result"
    assert choice.trials["rough"].milliseconds is None
    near = choose_provider(curved(), IMAGE, candidates=[CPU, ROUGH], folder=tmp_path / "near")
    assert near.trials["rough"].problem == ""


def test_one_that_does_not_start_is_told_with_its_own_words(tmp_path: Path) -> None:
    choice = choose_provider(curved(), IMAGE, 2, candidates=[CPU, BROKEN], folder=tmp_path)
    assert (choice.candidate, choice.reason) == ("cpu", "failed")
    assert "nonsense" in choice.trials["broken"].problem


def test_a_choice_is_remembered_until_something_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = choose_provider(rounded(), IMAGE, candidates=[SLOW, CPU], folder=tmp_path)
    assert (
        choose_provider(rounded(), IMAGE, candidates=[SLOW, CPU], folder=tmp_path) == first
    )  # to the microsecond
    others = [
        choose_provider(rounded(), IMAGE, 2, candidates=[SLOW, CPU], folder=tmp_path),
        choose_provider(rounded(15), IMAGE, candidates=[SLOW, CPU], folder=tmp_path),
        choose_provider(rounded(), IMAGE, candidates=[CPU, SLOW], folder=tmp_path),
    ]
    monkeypatch.setattr(onnxruntime, "__version__", "1.99")
    others.append(choose_provider(rounded(), IMAGE, candidates=[CPU, SLOW], folder=tmp_path))
    assert all(other.trials != first.trials for other in others)
    assert others[-1].trials != others[-2].trials


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": 1}', b"\xff\xfe"])
def test_a_damaged_memory_is_measured_anew(content: bytes, tmp_path: Path) -> None:
    choose_provider(curved(), IMAGE, candidates=[CPU, ROUGH], folder=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    assert choose_provider(curved(), IMAGE, candidates=[CPU, ROUGH], folder=tmp_path).candidate in {
        "cpu",
        "rough",
    }
    assert path.read_bytes() != content


def test_where_nothing_can_be_remembered_it_works_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    choice = choose_provider(curved(), IMAGE, 2, candidates=[CPU, BROKEN], folder=tmp_path / "file")
    assert choice.candidate == "cpu"


def test_one_whose_driver_ends_the_process_is_begun_twice_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(curved())
    code = (
        "import os, sys; from pathlib import Path; import numpy as np\n"
        "from edge.vision import providers\n"
        "from edge.vision.providers import CPU, Candidate, choose_provider\n"
        "real = providers.session\n"
        "def session(model, threads, candidate):\n"
        "    if candidate.name == 'deadly': os.abort()\n"
        "    return real(model, threads, candidate)\n"
        "providers.session = session\n"
        f"image = np.zeros({SHAPE}, np.float32)\n"
        "here, deadly = Path(sys.argv[1]), Candidate('deadly', CPU.provider)\n"
        "model = (here / 'model').read_bytes()\n"
        "choice = choose_provider(model, image, folder=here / 'memory', candidates=[CPU, deadly])\n"
        "print(choice.candidate, choice.reason, choice.trials['deadly'].problem)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    ends = [
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ)
        for _ in range(3)
    ]
    assert [end.returncode for end in ends] == [-6, -6, 0], ends[-1].stderr
    assert ends[-1].stdout.split() == ["cpu", "failed", "ended_process"]


def test_only_what_is_there_is_tried_and_nothing_that_has_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert available()[0] == CPU
    assert {each.provider for each in available()} <= set(onnxruntime.get_available_providers())
    assert "Azure" not in str(CANDIDATES)
    if len(available()) == 1:
        assert choose_provider(b"not looked at", IMAGE).reason == "only_one"
    monkeypatch.setenv("KINEBOX_STATE", str(tmp_path))
    opened = open_session(curved(), 1)
    assert opened.run(None, {"image": IMAGE})[0].shape == SHAPE
    assert providers.state_folder() == tmp_path / "providers"


def test_where_there_is_a_choice_it_is_made_with_noise_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINEBOX_STATE", str(tmp_path))
    monkeypatch.setattr(providers, "CANDIDATES", (CPU, SLOW))
    opened = open_session(rounded(), 1)
    (kept,) = (tmp_path / "providers").iterdir()
    assert opened.run(None, {"image": IMAGE})[0].shape == SHAPE
    assert '"no_faster"' in kept.read_text()
