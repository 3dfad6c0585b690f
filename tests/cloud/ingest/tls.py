"""A certificate authority of a test, and a Mosquitto that takes nobody without a certificate of it."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.cloud.fleet import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.testbed.servers import Servers

_CONFIGURATION = """\
per_listener_settings true
listener {tls_port} 127.0.0.1
cafile {folder}/ca.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.pem
require_certificate true
use_identity_as_username true
allow_anonymous false
listener {port} 127.0.0.1
allow_anonymous true
"""


class Authority:
    """Issues certificates."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        self._own = self._sign(self._name, self._key.public_key(), constraints)

    def write(self, path: Path) -> Path:
        """The authority's own certificate, as a file."""
        path.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))
        return path

    def issue(self, path: Path, name: str) -> Path:
        """A certificate of 127.0.0.1 and its key, in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        pem = self._sign(subject, key.public_key(), place).public_bytes(serialization.Encoding.PEM)
        pem += key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(pem)
        return path

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, more: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        builder = builder.add_extension(more, critical=True).add_extension(identifier, critical=False)
        own = x509.SubjectKeyIdentifier.from_public_key(key)
        return builder.add_extension(own, critical=False).sign(self._key, hashes.SHA256())


class TlsBroker:
    """A Mosquitto beside that of the test bed: a TLS listener for ingest, a plain one for the boxes."""

    def __init__(self, testbed: Servers, authority: Authority) -> None:
        self._folder = testbed.data / "tls"
        self._folder.mkdir(exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
            self.tls_port, self.mqtt_port = one.getsockname()[1], other.getsockname()[1]
        inside = f"{testbed.inside}/tls"
        authority.write(self._folder / "ca.pem")
        authority.issue(self._folder / "broker.pem", "broker").chmod(0o644)
        configuration = _CONFIGURATION.format(tls_port=self.tls_port, port=self.mqtt_port, folder=inside)
        (self._folder / "mosquitto.conf").write_text(configuration)
        command = ["mosquitto", "-c", f"{inside}/mosquitto.conf"]
        self._process = subprocess.Popen(
            ["chroot", "--userspec=mosquitto", str(testbed.root), "/usr/bin/env", "PATH=/usr/sbin", *command]
        )
        wait_for(self._listens, what="the broker")

    def stop(self) -> None:
        """Stop."""
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self._folder)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.mqtt_port), timeout=1).close()
        except OSError:
            assert self._process.poll() is None
            return False
        return True
