"""deploy/make-secrets: what it makes holds together, nobody else can read it, and it never overwrites."""

from __future__ import annotations

import os
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.deploy.conftest import BOX
from tests.deploy.machine import make_secrets
from tests.deploy.places import DEPLOY

if TYPE_CHECKING:
    from pathlib import Path


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def common_name(path: Path) -> str:
    return str(certificate(path).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def test_the_folder_lets_nobody_in(secrets: Path) -> None:
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert (secrets / "ca.key").stat().st_mode & 0o777 == 0o400


@pytest.mark.parametrize(
    "name", ["broker.pem", "ingest-0.pem", f"boxes/{BOX}.pem"], ids=["broker", "ingest", "box"]
)
def test_certificates_are_signed_by_the_ca(secrets: Path, name: str) -> None:
    ca = certificate(secrets / "ca.pem")
    certificate(secrets / name).verify_directly_issued_by(ca)
    purpose = certificate(secrets / name).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    wanted = x509.ExtendedKeyUsageOID
    assert list(purpose) == [wanted.SERVER_AUTH if name == "broker.pem" else wanted.CLIENT_AUTH]


def test_names(secrets: Path) -> None:
    assert common_name(secrets / f"boxes/{BOX}.pem") == BOX
    assert common_name(secrets / "ingest-0.pem") == "kinebox-ingest-0"
    names = certificate(secrets / "broker.pem").extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["cloud.example.org", "mosquitto", "localhost"]
    assert [str(a) for a in names.value.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]


def test_keys_fit_their_certificates(secrets: Path) -> None:
    for chain, key in (("broker.pem", "broker.key"), ("ingest-0.pem", "ingest-0.pem")):
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(secrets / chain, secrets / key)


def test_the_signing_key_is_ed25519_in_pkcs8(secrets: Path) -> None:
    key = load_pem_private_key((secrets / "signing-key.pem").read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)


def test_every_password_is_another_one(secrets: Path) -> None:
    logins = [(secrets / f"database-{name}.conf").read_text() for name in ("schema", "ingest", "api")]
    passwords = [login.split("password=")[1].strip() for login in logins]
    passwords += [(secrets / name).read_text().strip() for name in ("database-superuser.txt", "api-secret")]
    assert len(set(passwords)) == 5
    assert min(map(len, passwords)) >= 64


def test_nothing_is_overwritten(secrets: Path) -> None:
    before = files(secrets)
    for arguments in (("cloud", "cloud.example.org"), ("box", BOX), ("ingest", "0"), ("broker", "x.org")):
        refused = make_secrets(secrets, *arguments)
        assert refused.returncode == 1
        assert "overwritten" in refused.stderr
    assert files(secrets) == before


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((), 2),
        (("cloud",), 2),
        (("cloud", "no name"), 1),
        (("cloud", "a,DNS:evil.org"), 1),
        (("box", "BOX"), 1),
        (("box", f"{BOX}/CN=kinebox-ingest-0"), 1),
        (("box", BOX), 1),  # no CA
        (("revoke", BOX), 1),
        (("ingest", "one"), 2),
        (("everything", "x"), 2),
    ],
)
def test_what_it_refuses(tmp_path: Path, arguments: tuple[str, ...], status: int) -> None:
    refused = make_secrets(tmp_path / "secrets", *arguments)
    assert refused.returncode == status
    assert refused.stderr


def test_another_replica_and_another_broker(tmp_path: Path) -> None:
    assert make_secrets(tmp_path, "cloud", "old.example.org").returncode == 0
    assert make_secrets(tmp_path, "ingest", "1").returncode == 0
    assert common_name(tmp_path / "ingest-1.pem") == "kinebox-ingest-1"
    for name in ("broker.pem", "broker.key"):
        (tmp_path / name).unlink()
    assert make_secrets(tmp_path, "broker", "new.example.org").returncode == 0
    assert common_name(tmp_path / "broker.pem") == "new.example.org"


def test_a_revoked_certificate_is_on_the_list(tmp_path: Path) -> None:
    assert make_secrets(tmp_path, "cloud", "cloud.example.org").returncode == 0
    assert make_secrets(tmp_path, "box", BOX).returncode == 0
    inode = (tmp_path / "crl.pem").stat().st_ino
    assert make_secrets(tmp_path, "revoke", BOX).returncode == 0
    crl = x509.load_pem_x509_crl((tmp_path / "crl.pem").read_bytes())
    serial = certificate(tmp_path / f"boxes/{BOX}.pem").serial_number
    assert crl.get_revoked_certificate_by_serial_number(serial) is not None
    # A file given to a container stays the file that it was given.
    assert (tmp_path / "crl.pem").stat().st_ino == inode
    assert make_secrets(tmp_path, "revoke", BOX).returncode == 1


def request(folder: Path, name: str) -> bytes:
    """A certificate request, as a box makes it."""
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
    done = subprocess.run(
        [*command, "-keyout", str(folder / "own.key"), "-subj", f"/CN={name}"],
        capture_output=True,
        check=True,
    )
    return done.stdout


def sign(folder: Path, *arguments: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(DEPLOY / "make-secrets"), "sign", *arguments], env={**os.environ, "KINEBOX_SECRETS": str(folder)},
        input=given, capture_output=True, check=False,
    )  # fmt: skip


def test_a_box_keeps_its_key_and_all_its_certificates_can_be_revoked(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert make_secrets(folder, "cloud", "cloud.example.org").returncode == 0
    serials = set()
    for _ in range(2):
        done = sign(folder, BOX, "90", given=request(tmp_path, BOX))
        assert done.returncode == 0, done.stderr
        one = x509.load_pem_x509_certificate(done.stdout)
        one.verify_directly_issued_by(certificate(folder / "ca.pem"))
        assert (one.not_valid_after_utc - one.not_valid_before_utc).days == 90
        key = load_pem_private_key((tmp_path / "own.key").read_bytes(), None)
        assert key.public_key() == one.public_key()
        serials.add(one.serial_number)
        assert certificate(folder / f"boxes/{BOX}.pem").serial_number == one.serial_number
    assert not list(folder.rglob(f"{BOX}*.key"))
    assert make_secrets(folder, "revoke", BOX).returncode == 0
    revoked = x509.load_pem_x509_crl((folder / "crl.pem").read_bytes())
    assert {entry.serial_number for entry in revoked} == serials


def test_nobody_gets_the_name_of_another_box(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert make_secrets(folder, "cloud", "cloud.example.org").returncode == 0
    before = files(folder)
    for given in (request(tmp_path, BOX[:-1] + "0"), request(tmp_path, f"{BOX}/OU=more"), b"no request", b""):
        done = sign(folder, BOX, "90", given=given)
        assert done.returncode == 1
        assert done.stdout == b""
    assert files(folder) == before


def test_the_script_is_sound() -> None:
    for script in ("make-secrets", "install", "postgres/roles.sh"):
        from tests.deploy.places import DEPLOY

        subprocess.run(["bash", "-n", str(DEPLOY / script)], check=True)
