"""The manifest of a release: what it is, for which machines, and every file in it with its hash."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from edge.errors import UpdateError

FILE = "manifest.json"
SIGNATURE = "manifest.sig"
MAX_BYTES = 16 * 2**20
MAX_SIGNATURE = 4096
SOFTWARE: Final = "kinebox"
MODELS: Final = "kinebox-models"
ANY = "any"
"""In place of a platform or a Python: it does not matter."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", max_length=64)]
Label = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$(?!\n)", max_length=31)]
_PART = re.compile(r"[^/\\\x00-\x1f\x7f]{1,255}")


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file."""

    sha256: Sha256
    size: Annotated[int, Meta(ge=0, le=2**32)]
    mode: Literal["0644", "0755"]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One release."""

    schema: Literal[1] = 1
    name: Literal["kinebox", "kinebox-models"]
    version: Label
    serial: Annotated[int, Meta(ge=1, le=2**53)]
    """Rises with each release: a box goes back only to what it already ran."""
    python: Annotated[str, Meta(pattern=r"^(3\.[0-9]{1,2}|any)$(?!\n)")]
    platform: Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}$(?!\n)")]
    """As in the names of wheels, such as manylinux_2_28_aarch64."""
    files: dict[str, Entry]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files.values())

    @property
    def machine(self) -> str:
        """The processor as `platform.machine()` names it."""
        return re.sub(r"^[a-z]+[0-9]*(_[0-9]+_[0-9]+)?_", "", self.platform)


class _Head(msgspec.Struct):
    schema: int = 0


def encode(manifest: Manifest) -> bytes:
    """The JSON that is signed: always the same bytes for the same manifest."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1) + b"\n"


def decode(data: bytes) -> Manifest:
    """The manifest in the bytes of `manifest.json`, whose signature is known to be good. Raises UpdateError."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if _schema(data) > 1:
            raise UpdateError(
                "the release is of a newer kind than this Kinebox understands", "Install one in between first"
            ) from error
        raise UpdateError(f"{FILE} is none: {error}", "Fetch the release again") from error
    if (bad := _bad_path(manifest.files)) is not None:
        raise UpdateError(
            f"{FILE} names a path that no release may have: {bad!r}", "Report this to its maker"
        )
    return manifest


def _schema(data: bytes) -> int:
    try:
        return msgspec.json.decode(data, type=_Head).schema
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0


def _bad_path(files: dict[str, Entry]) -> str | None:
    """A path that leaves the release, is no plain one, is a folder of another, or is the manifest's own."""
    folders: set[str] = set()
    for path in files:
        parts = path.split("/")
        if path in (FILE, SIGNATURE) or any(
            part in (".", "..") or not _PART.fullmatch(part) for part in parts
        ):
            return path
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    return next((path for path in files if path in folders), None)
