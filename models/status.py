"""Which files of a model are built, and whether they are the right ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from models.errors import ModelDamaged, ModelMissing
from models.load import checked_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from models.catalogue import Model, Precision

State = Literal["ok", "missing", "damaged"]


class Row(NamedTuple):
    """One file of a model and what is known of it."""

    model: str
    stage: str
    precision: Precision
    path: str
    size: int
    sha256: str
    state: State


def rows(model: Model, folder: Path) -> list[Row]:
    """Return every file of `model` in `folder`, hashed anew."""
    return [
        Row(
            model=model.name,
            stage=name,
            precision=precision,
            path=str(folder / model.file_name(name, precision)),
            size=file.size,
            sha256=file.sha256,
            state=_state(model, folder, name, precision),
        )
        for name, stage in model.stages.items()
        for precision, file in stage.files.items()
    ]


def _state(model: Model, folder: Path, stage: str, precision: Precision) -> State:
    try:
        checked_bytes(folder, model, stage, precision)
    except ModelMissing:
        return "missing"
    except ModelDamaged:
        return "damaged"
    return "ok"
