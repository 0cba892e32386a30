"""What all drop boxes of the installation present of themselves: made once, kept encrypted in the database."""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
from pathlib import Path
from typing import NamedTuple

import asyncssh
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from dropbox.models import ServerKey

HOST_KEYS = {"ssh-ed25519": {}, "ecdsa-sha2-nistp256": {}, "ssh-rsa": {"key_size": 3072}}
"""Old clients know none but the last."""
CERTIFICATE = "certificate"
YEARS = 10


class Fingerprint(NamedTuple):
    """`kind` is an algorithm, or "certificate"; `value` what people compare."""

    kind: str
    value: str


def load_host_keys() -> list[asyncssh.SSHKey]:
    """The private keys of SFTP, made where there are none yet."""
    return [asyncssh.import_private_key(_load(kind).private) for kind in HOST_KEYS]


def load_certificate() -> bytes:
    """Key and certificates of FTPS in PEM: the operator's own where DROPBOX_CERTIFICATE names a file of them.

    Raises ImproperlyConfigured where that cannot be read.
    """
    if not settings.DROPBOX_CERTIFICATE:
        row = _load(CERTIFICATE)
        return f"{row.private}{row.public}".encode()
    try:
        return Path(settings.DROPBOX_CERTIFICATE).read_bytes()
    except OSError as error:
        raise ImproperlyConfigured(
            f"DROPBOX_CERTIFICATE: {settings.DROPBOX_CERTIFICATE} cannot be read: {error.strerror}."
        ) from None


def read_fingerprints() -> list[Fingerprint]:
    """Of every key and of the certificate, for people to compare; what is missing is made."""
    keys = [asyncssh.import_public_key(_load(kind).public) for kind in HOST_KEYS]
    found = [Fingerprint(key.get_algorithm(), key.get_fingerprint()) for key in keys]
    return [*found, Fingerprint(CERTIFICATE, _read_certificate().fingerprint(hashes.SHA256()).hex(":").upper())]


def read_pin() -> str:
    """What curl's --pinnedpubkey takes: the SHA-256 of the certificate's public key, in base64."""
    key = _read_certificate().public_key()
    encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode()


def _read_certificate() -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(load_certificate())[0]
    except ValueError:
        raise ImproperlyConfigured("DROPBOX_CERTIFICATE names a file without a certificate in PEM format.") from None


def _load(kind: str) -> ServerKey:
    """Whichever process comes first makes it for all."""
    found = ServerKey.objects.filter(kind=kind).first()
    if found is None:
        private, public = _make_certificate() if kind == CERTIFICATE else _make_host_key(kind)
        found, _ = ServerKey.objects.get_or_create(kind=kind, defaults={"private": private, "public": public})
    return found


def _make_host_key(kind: str) -> tuple[str, str]:
    key = asyncssh.generate_private_key(kind, comment="", **HOST_KEYS[kind])
    return key.export_private_key().decode(), key.export_public_key().decode()


def _make_certificate() -> tuple[str, str]:
    """Signed by itself, of DROPBOX_HOST; senders pin its fingerprint."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    host = settings.DROPBOX_HOST
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        alternative = x509.DNSName(host)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()
