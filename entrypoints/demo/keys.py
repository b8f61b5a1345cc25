"""The keys that the simulated providers sign with, made once and kept in the data dir."""

import os
import secrets
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

TOPIC_ARN: Final = "arn:aws:sns:eu-west-1:000000000000:mailpulse-demo"
"""Of an account that does not exist."""
CERTIFICATE_HOST: Final = "sns.eu-west-1.amazonaws.com"
CERTIFICATE_NAME: Final = "SimpleNotificationService-MailpulseDemo.pem"
CERTIFICATE_URL: Final = f"https://{CERTIFICATE_HOST}/{CERTIFICATE_NAME}"
_VALID_FOR: Final = timedelta(days=3650)


class ProviderKeys(msgspec.Struct, frozen=True, kw_only=True):
    """Private keys of the simulated SendGrid, SNS and other system.

    Attributes:
        sendgrid: ECDSA P-256 key, PEM.
        sns: RSA key, PEM.
        sns_certificate: Of that key, PEM.
        email: ``whsec_…``.
    """

    sendgrid: str
    sns: str
    sns_certificate: str
    email: str

    @property
    def verification_keys(self) -> dict[str, str]:
        """By provider: what it would show for the receiving side to verify with."""
        public_key = self.sendgrid_key().public_key()
        spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {"sendgrid": b64encode(spki).decode(), "ses": TOPIC_ARN, "email": self.email}

    def sendgrid_key(self) -> ec.EllipticCurvePrivateKey:
        """Give the key that signs SendGrid's posts."""
        key = load_pem_private_key(self.sendgrid.encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the simulated SendGrid's key is no elliptic curve key")
        return key

    def sns_key(self) -> rsa.RSAPrivateKey:
        """Give the key that signs SNS messages."""
        key = load_pem_private_key(self.sns.encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("the simulated SNS's key is no RSA key")
        return key


def make_keys() -> ProviderKeys:
    """Make new keys."""
    sns = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ProviderKeys(
        sendgrid=_pem(ec.generate_private_key(ec.SECP256R1())),
        sns=_pem(sns),
        sns_certificate=_certificate(sns),
        email="whsec_" + b64encode(secrets.token_bytes(32)).decode(),
    )


def kept_keys(path: Path) -> ProviderKeys:
    """Give the keys in a file, made on first use; only its owner may read it.

    Raises:
        OSError: It can be neither read nor written.
        msgspec.DecodeError: It holds something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=ProviderKeys)
    except FileNotFoundError:
        keys = make_keys()
        write_private(path, msgspec.json.encode(keys))
        return keys


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; whoever reads it meanwhile sees the old one or the new one.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123  with a mode
        file.write(content)
    new.replace(path)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _certificate(key: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mailpulse demo, not Amazon")])
    today = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + _VALID_FOR)
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
        .decode()
    )
