"""A release from outside, a folder or one file, brought to its place: nothing is written that is not signed for."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import tarfile
import zlib
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, NamedTuple

from edge.device.durable import sync, sync_all
from edge.device.keys import signer
from edge.device.manifest import FILE, MAX_BYTES, MAX_SIGNATURE, SIGNATURE, Manifest, decode
from edge.errors import UpdateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from edge.device.tree import Tree

_CHUNK = 2**20
_HEADERS = 2**20
"""Bytes of archive around the manifest and its signature."""
_HEADER = 16 * 512
"""Bytes of archive around each further file."""


class Release(NamedTuple):
    """A release whose signature is good; its files are read and checked as they are taken."""

    manifest: Manifest
    raw: bytes
    """The manifest's bytes, and with them its identity."""
    signatures: bytes
    signed_by: str
    files: Iterator[tuple[str, IO[bytes]]]

    @property
    def digest(self) -> str:
        """sha256 of the manifest."""
        return hashlib.sha256(self.raw).hexdigest()


@contextmanager
def opened(path: Path, trusted: dict[str, Ed25519PublicKey]) -> Iterator[Release]:
    """The release in a folder or an archive. Raises UpdateError where it is not one, or nobody trusted signed it."""
    with ExitStack() as stack:
        try:
            if path.is_dir():
                raw, signatures = (_small(path / name, limit) for name, limit in _HEAD)
                manifest, name = _checked(raw, signatures, trusted)
                yield Release(manifest, raw, signatures, name, _of_folder(path, manifest))
                return
            limited = _Limited(stack.enter_context(_plain(path)), MAX_BYTES + _HEADERS)
            tar = stack.enter_context(tarfile.open(fileobj=limited, mode="r|"))
            raw, signatures = (_member(tar, name, limit) for name, limit in _HEAD)
            manifest, name = _checked(raw, signatures, trusted)
            limited.left += manifest.size + len(manifest.files) * _HEADER
            yield Release(manifest, raw, signatures, name, _of_archive(tar, manifest))
        except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
            raise UpdateError(f"the release {path} cannot be read: {error}", "Fetch it again") from error


def unpack(release: Release, tree: Tree) -> None:
    """Bring a release to its place under its version, whole and on the disk, or not at all. Raises UpdateError."""
    version = release.manifest.version
    partial = tree.releases / f".{version}.partial"
    tree.releases.mkdir(parents=True, exist_ok=True)
    if partial.exists():
        shutil.rmtree(partial)
    try:
        _fill(partial, release)
        sync_all(partial)
        partial.rename(tree.release(version))
        sync(tree.releases)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def is_whole(folder: Path, manifest: Manifest) -> bool:
    """Whether every file of an installed release is what its manifest says."""
    for name, entry in manifest.files.items():
        try:
            with (folder / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != entry.sha256:
                    return False
        except OSError:
            return False
    return True


_HEAD = ((FILE, MAX_BYTES), (SIGNATURE, MAX_SIGNATURE))


def _checked(raw: bytes, signatures: bytes, trusted: dict[str, Ed25519PublicKey]) -> tuple[Manifest, str]:
    name = signer(raw, signatures, trusted)  # nothing of it is decoded before
    return decode(raw), name


def _fill(folder: Path, release: Release) -> None:
    folder.mkdir(mode=0o755)
    missing = dict(release.manifest.files)
    for name, content in release.files:
        entry = missing.pop(name, None)
        if entry is None:
            raise UpdateError(f"the release holds {name!r} twice", "Report this to its maker")
        _write(folder / name, content, int(entry.mode, 8), entry.size, entry.sha256)
    if missing:
        raise UpdateError(f"the release lacks {min(missing)!r} and maybe more", "Fetch it again")
    for name, data in ((FILE, release.raw), (SIGNATURE, release.signatures)):
        _write(folder / name, io.BytesIO(data), 0o644, len(data), hashlib.sha256(data).hexdigest())


def _write(path: Path, content: IO[bytes], mode: int, size: int, sha256: str) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), size
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, mode), "wb", buffering=0) as file:
        os.fchmod(file.fileno(), mode)
        while left >= 0 and (chunk := content.read(_CHUNK)):
            left -= len(chunk)
            digest.update(chunk)
            file.write(chunk)
    if left or digest.hexdigest() != sha256:
        raise UpdateError(f"{path.name} of the release is not what was signed", "Fetch the release again")


def _small(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise UpdateError(f"{path} is too large", "Fetch the release again")
    return data


def _of_folder(folder: Path, manifest: Manifest) -> Iterator[tuple[str, IO[bytes]]]:
    base = folder.resolve()
    for name in sorted(manifest.files):
        path = base / name
        if path.resolve() != path or not path.is_file():
            raise UpdateError(f"{path} is missing or no plain file", "Fetch the release again")
        with path.open("rb") as file:
            yield name, file


def _of_archive(tar: tarfile.TarFile, manifest: Manifest) -> Iterator[tuple[str, IO[bytes]]]:
    while (member := tar.next()) is not None:
        entry = manifest.files.get(member.name)
        if entry is None or not _is_plain(member) or member.size != entry.size:
            raise UpdateError(
                f"the release holds {member.name!r}, which its manifest does not name or names otherwise",
                "Fetch it again, or report this to its maker",
            )
        yield member.name, _content(tar, member)


def _member(tar: tarfile.TarFile, name: str, limit: int) -> bytes:
    member = tar.next()
    if member is None or member.name != name or not _is_plain(member) or member.size > limit:
        raise UpdateError(
            f"the archive does not begin with {FILE} and {SIGNATURE}", "Take one that build-release made"
        )
    return _content(tar, member).read()


def _is_plain(member: tarfile.TarInfo) -> bool:
    return member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse()


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(member)
    assert file is not None  # it is plain
    return file


@contextmanager
def _plain(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            yield file
            return
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield unpacked  # type: ignore[misc]  # it reads, and more is not asked for


class _Limited(io.RawIOBase):
    """Reads no more than it may: what is not signed yet shall not fill the memory."""

    def __init__(self, file: IO[bytes], left: int) -> None:
        self._file = file
        self.left = left

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, _CHUNK) if size >= 0 else _CHUNK)
        self.left -= len(data)
        if self.left < 0:
            raise UpdateError("the archive holds more than it should", "Fetch the release again")
        return data
