"""Ed25519 keys of releases: made and kept by whoever signs, trusted by the boxes that were given the public part."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from edge.errors import UpdateError

if TYPE_CHECKING:
    from collections.abc import Sequence

TRUSTED = Path("/etc/kinebox/update-keys")
"""Every `*.pub` in this folder may sign what the box installs."""
MAX_SIGNATURES = 8


def new_key(path: Path) -> Path:
    """Make a private key at `path`, readable by its owner only, and its public part beside it (`.pub`).

    Returns the public part's path. Raises UpdateError where one of them is there already or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    beside = path.with_suffix(".pub")
    try:
        for place, data, mode in ((path, secret, 0o600), (beside, public, 0o644)):
            with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(data)
    except FileExistsError as error:
        raise UpdateError(
            f"{error.filename} is there already", "Name another file: no key is replaced"
        ) from error
    except OSError as error:
        raise UpdateError(f"{path} cannot be written: {error.strerror}", "Name another file") from error
    return beside


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a PEM file. Raises UpdateError for what is none."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UpdateError(f"the key {path} cannot be used: {error}", _HOW_TO_MAKE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UpdateError(f"the key {path} is of another kind than Ed25519", _HOW_TO_MAKE)
    return key


def trusted_keys(folder: Path = TRUSTED) -> dict[str, Ed25519PublicKey]:
    """The public keys in `folder` by file name. Raises UpdateError where there is none or one is damaged."""
    keys = {}
    for path in sorted(folder.glob("*.pub")):
        try:
            key = load_pem_public_key(path.read_bytes())
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            raise UpdateError(f"the key {path} cannot be used: {error}", "Remove or replace it") from error
        if not isinstance(key, Ed25519PublicKey):
            raise UpdateError(f"the key {path} is of another kind than Ed25519", "Remove or replace it")
        keys[path.stem] = key
    if not keys:
        raise UpdateError(
            f"no key in {folder}: nobody may sign updates of this box", "Put a *.pub file there"
        )
    return keys


def sign(data: bytes, keys: Sequence[Ed25519PrivateKey]) -> bytes:
    """One line a key: the signature as base64. While a key is replaced, the old and the new one both sign."""
    return b"".join(base64.b64encode(key.sign(data)) + b"\n" for key in keys)


def signer(data: bytes, signatures: bytes, trusted: dict[str, Ed25519PublicKey]) -> str:
    """The name of a trusted key that signed `data`. Raises UpdateError where none did."""
    lines = signatures.split()
    if 0 < len(lines) <= MAX_SIGNATURES:
        for line in lines:
            for name, key in trusted.items():
                if _is_signed(key, line, data):
                    return name
    raise UpdateError(
        "the release is not signed by a key that this box trusts",
        f"Install only what its maker signed. Trusted here: {', '.join(trusted)}",
    )


def fingerprint(key: Ed25519PublicKey) -> str:
    """By which people compare keys."""
    data = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"SHA256:{base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')}"


def _is_signed(key: Ed25519PublicKey, line: bytes, data: bytes) -> bool:
    try:
        key.verify(base64.b64decode(line, validate=True), data)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


_HOW_TO_MAKE = "Make one: kinebox update new-key FILE"
