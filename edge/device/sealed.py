"""One encrypted file, written and read as a stream. Everything in it is age's (age-encryption.org).

It is a zip archive, stored as it is, of two age files: a key of its own that the passphrase opens, and what is kept,
which that key opens. age does the same with a key file that has a passphrase, so its own command reads it, too.
"""

from __future__ import annotations

import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

import pyrage
from pyrage import passphrase as by_passphrase
from pyrage import x25519

from edge.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "key.age"
CONTENT = "backup.tar.gz.age"
_MAX_KEY = 4096


@contextmanager
def sealing(file: IO[bytes], passphrase: str) -> Iterator[IO[bytes]]:
    """What is written inside the block goes encrypted into `file`. Raises OSError where that cannot be written."""
    key = x25519.Identity.generate()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(KEY, by_passphrase.encrypt(str(key).encode(), passphrase))
        with archive.open(CONTENT, "w", force_zip64=True) as member, ThreadPoolExecutor(1) as worker:
            read, write = os.pipe()

            def encrypt() -> None:
                with os.fdopen(
                    read, "rb"
                ) as plain:  # closed where it fails, so that the writer does not wait
                    pyrage.encrypt_io(plain, member, [key.to_public()])

            encrypted = worker.submit(encrypt)
            try:
                with os.fdopen(write, "wb") as plain:
                    yield plain
            except BrokenPipeError:
                encrypted.result()
                raise
            encrypted.result()


@contextmanager
def unsealing(path: Path, passphrase: str) -> Iterator[IO[bytes]]:
    """The content of an encrypted file; only at the end of the block is it known to be whole.

    Raises BackupError for a wrong passphrase, and for a file that was changed, is not whole or is something else.
    """
    with _damage(path), zipfile.ZipFile(path) as archive:
        if archive.getinfo(KEY).file_size > _MAX_KEY:
            raise zipfile.BadZipFile("its key is too large")
        try:
            key = x25519.Identity.from_str(by_passphrase.decrypt(archive.read(KEY), passphrase).decode())
        except pyrage.DecryptError as error:
            raise BackupError(
                "the passphrase does not open this backup", "Type it again, or use another"
            ) from error
        with archive.open(CONTENT) as member, ThreadPoolExecutor(1) as worker:
            read, write = os.pipe()

            def decrypt() -> None:
                with suppress(BrokenPipeError), os.fdopen(write, "wb") as plain:
                    pyrage.decrypt_io(member, plain, [key])

            decrypted = worker.submit(decrypt)
            with os.fdopen(read, "rb") as plain:
                yield plain
                while plain.read(2**16):  # the end is what age vouches for
                    pass
            decrypted.result()


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BackupError(f"there is no {path}", "Name the file that kinebox backup wrote") from error
    except (zipfile.BadZipFile, KeyError, EOFError, OSError, ValueError, pyrage.DecryptError) as error:
        raise BackupError(
            f"{path} is damaged, not whole, or no backup of Kinebox ({error})", "Use another copy of it"
        ) from error
