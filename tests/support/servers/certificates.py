"""Certificates of authorities that tests make up."""

import datetime as dt
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates that are valid for a day; bare ones, as databases' own authorities do.

    Args:
        folder: that the files are written to.
        name: of the authority, and of its file.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        is_authority = x509.BasicConstraints(ca=True, path_length=None)
        certificate = self._signed(self._name, self._key, is_authority)
        self.file = _write(folder / f"{name}.pem", certificate.public_bytes(Encoding.PEM))

    def certify(self, address: str) -> tuple[Path, Path]:
        """Return the files of a server's certificate and of its key.

        Args:
            address: IP address that the server is reached at.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        at = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        certificate = self._signed(subject, key, at)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return (
            _write(self._folder / "server.pem", certificate.public_bytes(Encoding.PEM)),
            _write(self._folder / "server.key", private),
        )

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        extension: x509.ExtensionType,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .sign(self._key, hashes.SHA256())
        )


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
