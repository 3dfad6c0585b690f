"""Models that the user brought: a small JSON file and one or two ONNX files each, in a folder of their own.

They are trusted as far as they were when they were imported: the sha256 of each file is compared at every start.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from models import catalogue, families
from models.errors import ImportRefused, ModelDamaged, ModelMissing
from models.files import write_atomic, write_failed
from models.load import model_dir
from models.status import Row, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.catalogue import BuiltFile, Precision
    from models.families import Family, Form

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
STAGE = "pose"
"""What the one network of such a model is called in lists."""


class Accuracy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was measured when the model was imported."""

    pck: dict[catalogue.Precision, float]
    """Percent of joints within 0.2 torso of where they are."""
    pictures: int


class Imported(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model that the user brought."""

    name: str
    family: str
    form: str
    order: tuple[int, ...]
    """Which output is which, as the decoder wants them."""
    width: int
    height: int
    element: str
    """Type of the input's elements."""
    files: dict[catalogue.Precision, catalogue.BuiltFile]
    accuracy: Accuracy | None = None

    @property
    def row(self) -> Family:
        """The family."""
        return families.family(self.family)

    @property
    def outputs(self) -> Form:
        """The form of its outputs."""
        return next(form for form in self.row.forms if form.name == self.form)

    def file_name(self, precision: Precision) -> str:
        """The name of a file, for example yolo-gym.int8.onnx."""
        return f"{self.name}.{precision}.onnx"

    def best(self, precision: Precision) -> Precision:
        """`precision` where there is such a file, else the one there is."""
        return precision if precision in self.files else next(iter(self.files))


def folder() -> Path:
    """Where they are: KINEBOX_IMPORTED, else beside the built models.

    A box names a folder, because its built models come as releases that are replaced whole.
    """
    chosen = os.environ.get("KINEBOX_IMPORTED")
    return Path(chosen) if chosen else model_dir() / "imported"


def check_name(name: str) -> None:
    """Raise ImportRefused for a name that cannot be one."""
    if not _NAME.fullmatch(name):
        raise ImportRefused(
            f"{name[:60]!a} cannot be the name of a model",
            "Take up to 40 small letters, digits and hyphens.",
        )
    if name in catalogue.names():
        raise ImportRefused(f"{name} is the name of a model of Kinebox's own", "Choose another --name.")


def check_model(name: str) -> None:
    """Raise ModelMissing or ModelDamaged where `name` is neither a model of ours nor one that was imported."""
    if name not in catalogue.names():
        load(name)


def names() -> list[str]:
    """The names of all of them, sorted."""
    found = (path.stem for path in folder().glob("*.json"))
    return sorted(name for name in found if _NAME.fullmatch(name))


def load(name: str) -> Imported:
    """One of them; raises ModelMissing where there is none, ModelDamaged where its description is not ours."""
    path = folder() / f"{name}.json"
    try:
        if not _NAME.fullmatch(name):
            raise FileNotFoundError
        found = msgspec.json.decode(path.read_bytes(), type=Imported)
    except OSError as error:
        known = ", ".join([*catalogue.names(), *names()])
        raise ModelMissing(
            f"there is no model named {name[:60]!a}",
            f"There are: {known}. Others come by kinebox models import.",
        ) from error
    except msgspec.DecodeError as error:
        raise _damaged(path) from error
    known_forms = {form.name: form for form in found.row.forms} if found.family in families.names() else {}
    form = known_forms.get(found.form)
    if (
        found.name != name
        or not found.files
        or form is None
        or sorted(found.order) != [*range(len(form.outputs))]
    ):
        raise _damaged(path)
    return found


def model_bytes(model: Imported, precision: Precision) -> bytes:
    """An ONNX file of it, its sha256 compared; raises ModelMissing or ModelDamaged."""
    path = folder() / model.file_name(precision)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelMissing(
            f"the model file {path} cannot be read: {error.strerror}", "Import the model again."
        ) from error
    if hashlib.sha256(data).hexdigest() != model.files[precision].sha256:
        raise _damaged(path)
    return data


def save(model: Imported, files: Mapping[Precision, bytes]) -> None:
    """Keep a model: its files first, its description last, so that none is there by half; raises WriteFailed."""
    for precision, data in files.items():
        write_atomic(folder() / model.file_name(precision), data)
    write_atomic(folder() / f"{model.name}.json", msgspec.json.format(msgspec.json.encode(model), indent=2))


def remove(name: str) -> None:
    """Forget a model; raises ModelMissing where there is none, WriteFailed."""
    description = folder() / f"{name}.json"
    if name not in names():
        load(name)
    try:
        description.unlink()
        for precision in ("fp32", "int8"):
            (folder() / f"{name}.{precision}.onnx").unlink(missing_ok=True)
    except OSError as error:
        raise write_failed(folder(), error) from error


def described(data: bytes) -> BuiltFile:
    """The size and sha256 of a file."""
    return catalogue.BuiltFile(sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def rows() -> list[Row]:
    """Every file of every imported model, hashed anew."""
    found = []
    for name in names():
        try:
            model = load(name)
        except ModelDamaged:
            path = folder() / f"{name}.json"
            found.append(Row(name, STAGE, "fp32", str(path), path.stat().st_size, "", "damaged"))
            continue
        found += [
            Row(
                name,
                STAGE,
                precision,
                str(folder() / model.file_name(precision)),
                file.size,
                file.sha256,
                _state(model, precision),
            )
            for precision, file in model.files.items()
        ]
    return found


def _state(model: Imported, precision: Precision) -> State:
    try:
        model_bytes(model, precision)
    except ModelMissing:
        return "missing"
    except ModelDamaged:
        return "damaged"
    return "ok"


def _damaged(path: Path) -> ModelDamaged:
    return ModelDamaged(
        f"{path} is damaged or belongs to another version of Kinebox", "Import the model again."
    )
