from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from models import catalogue
from models.errors import RecipeMismatch
from models.quantise.recipe import RECIPES, Activation, Stream, dump, load, pack, unpack
from tests.models.tiny_graph import recipe, residual

if TYPE_CHECKING:
    from pathlib import Path

    from models.catalogue import Model

THIRD = np.float32(1) / np.float32(3)


def test_every_bit_survives_the_text(tmp_path: Path) -> None:
    made = recipe(residual(), ["t2"], {"t1": Activation(float(THIRD), 7)})
    made = msgspec.structs.replace(
        made, streams=[Stream(["t1"], pack([THIRD, 1e-30]))], biases={"t2": pack([-THIRD])}
    )
    path = tmp_path / "recipe.json"
    path.write_bytes(dump(made))
    read = load(path)
    assert read == made
    assert np.float32(read.activations["t1"].scale) == THIRD
    assert unpack(read.streams[0].factors).tolist() == [THIRD, np.float32(1e-30)]
    assert dump(read) == dump(made)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "cannot be read"),
        ("{}", "cannot be read"),
        ('{"format": 1, "surprise": 2}', "cannot be read"),
        (dump(recipe(residual(), [], {})).decode()[:-20], "cannot be read"),
        (dump(msgspec.structs.replace(recipe(residual(), [], {}), format=2)).decode(), "format 2"),
    ],
    ids=["empty", "nothing", "unknown field", "cut off", "newer"],
)
def test_an_unreadable_recipe_is_refused(text: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(RecipeMismatch, match=what) as caught:
        load(path)
    assert caught.value.remedy


def test_a_missing_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeMismatch, match=r"no\.json"):
        load(tmp_path / "no.json")


@pytest.mark.parametrize("name", catalogue.names())
def test_the_committed_recipes_fit_the_catalogue(name: str) -> None:
    model: Model = catalogue.model(name)
    for stage, description in model.stages.items():
        path = RECIPES / f"{name}-{stage}.json"
        made = load(path)
        assert made.source_sha256 == description.files["fp32"].sha256
        assert dump(made) == path.read_bytes()
        assert path.stat().st_size < 500_000
        assert len(made.biases) > 40
        assert all(np.isfinite(unpack(bias)).all() for bias in made.biases.values())
        assert all((unpack(stream.factors) > 0).all() for stream in made.streams)
