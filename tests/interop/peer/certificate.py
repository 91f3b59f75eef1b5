"""crypto/CERTIFICATE.md: identities, signatures with a domain, certificates, key files."""

import base64
import hashlib
import os
import time
from dataclasses import dataclass, field
from enum import IntFlag
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .errors import Breach

CERTIFICATE_DOMAIN = b"tubing certificate"
KEY_FILE_MAGIC = b"TUBEKEY\n"
TIME_MAX = 9_223_372_036


class Usage(IntFlag):
    CLIENT = 1
    SERVER = 2
    BOTH = 3


def in_domain(domain: bytes, message: bytes) -> bytes:
    """What is signed: a signature made for one domain is void for every other."""
    return bytes([len(domain)]) + domain + message


class Identity:
    """An Ed25519 key pair."""

    def __init__(self, seed: bytes | None = None) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed or os.urandom(32))
        self.public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, domain: bytes, message: bytes) -> bytes:
        return self._private.sign(in_domain(domain, message))


def verify(key: bytes, signature: bytes, domain: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, in_domain(domain, message))
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(key: bytes) -> str:
    return "ed25519:" + base64.b32encode(key).decode().rstrip("=").lower()


def key_of_fingerprint(text: str) -> bytes:
    return base64.b32decode(text.removeprefix("ed25519:").upper() + "====")


class Cursor:
    """Reads fields from the front of bytes; what is cut short or left over is a breach."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data, self._what, self._at = data, what, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if self.left < count:
            raise Breach(f"{self._what} is cut short")
        self._at += count
        return self._data[self._at - count : self._at]

    def integer(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def text(self) -> str:
        return self.take(self.integer(1)).decode("ascii", errors="replace")

    def rest(self) -> bytes:
        return self.take(self.left)

    def finish(self) -> None:
        if self.left:
            raise Breach(f"{self._what} has {self.left} trailing bytes")


def _text(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("ascii")


def _valid_from() -> int:
    return int(time.time()) - 300


def _valid_until() -> int:
    return int(time.time()) + 86_400


@dataclass(frozen=True)
class Certificate:
    """What an authority says of a key. `issue` signs one; `decode` checks the form alone."""

    name: str
    usage: Usage = Usage.BOTH
    email: str = ""
    roles: tuple[str, ...] = ()
    not_before: int = field(default_factory=_valid_from)
    not_after: int = field(default_factory=_valid_until)
    serial: int = field(default_factory=lambda: int.from_bytes(os.urandom(8), "big"))
    subject: bytes = bytes(32)
    issuer: bytes = bytes(32)
    signature: bytes = bytes(64)

    def _signed_fields(self, issuer: bytes) -> bytes:
        roles = b"".join(_text(role) for role in sorted(self.roles))
        return (
            b"\x01"
            + self.serial.to_bytes(8, "big")
            + self.subject
            + _text(self.name)
            + _text(self.email)
            + bytes([len(self.roles)])
            + roles
            + bytes([self.usage])
            + self.not_before.to_bytes(8, "big")
            + self.not_after.to_bytes(8, "big")
            + issuer
        )

    def issue(self, authority: Identity) -> bytes:
        fields = self._signed_fields(authority.public)
        return fields + authority.sign(CERTIFICATE_DOMAIN, fields)

    @staticmethod
    def decode(data: bytes) -> "Certificate":
        cursor = Cursor(data, "the certificate")
        version = cursor.integer(1)
        if version != 1:
            raise Breach(f"a certificate of version {version}, not 1")
        serial, subject = cursor.integer(8), cursor.take(32)
        name, email = cursor.text(), cursor.text()
        roles = tuple(cursor.text() for _ in range(cursor.integer(1)))
        usage, not_before, not_after = cursor.integer(1), cursor.integer(8), cursor.integer(8)
        issuer, signature = cursor.take(32), cursor.take(64)
        cursor.finish()
        if list(roles) != sorted(set(roles)) or len(roles) > 16:
            raise Breach("the certificate's roles are not strictly ascending")
        if usage not in (1, 2, 3) or not not_before <= not_after <= TIME_MAX:
            raise Breach("the certificate's usage or validity is out of range")
        return Certificate(
            name, Usage(usage), email, roles, not_before, not_after,
            serial, subject, issuer, signature,
        )  # fmt: skip

    @property
    def is_signed(self) -> bool:
        """Whether the signature is that of `issuer`; whom to believe is another question."""
        fields = self._signed_fields(self.issuer)
        return verify(self.issuer, self.signature, CERTIFICATE_DOMAIN, fields)

    def is_valid_at(self, now: int) -> bool:
        return self.not_before <= now <= self.not_after


def read_key_file(path: Path) -> Identity:
    """Reads NAME.key in the clear (a sealed one is refused)."""
    data = path.read_bytes()
    cursor = Cursor(data[:-32], str(path))
    if hashlib.blake2b(data[:-32], digest_size=32).digest() != data[-32:]:
        raise Breach(f"{path} is damaged")
    if cursor.take(8) != KEY_FILE_MAGIC or cursor.integer(1) != 1:
        raise Breach(f"{path} is no key file of version 1")
    if cursor.integer(1) != 0:
        raise Breach(f"{path} is sealed with a passphrase")
    public, identity = cursor.take(32), Identity(cursor.take(32))
    cursor.finish()
    if identity.public != public:
        raise Breach(f"{path}: the public key does not belong to the seed")
    return identity


def read_psk_file(path: Path) -> bytes:
    """Reads shared.psk: a heading with the version, the key and its checksum in hexadecimal."""
    heading, key, checksum = path.read_text().splitlines()
    if heading != "tubing pre-shared key 1":
        raise Breach(f"{path} is no pre-shared key of version 1")
    psk = bytes.fromhex(key)
    digest = hashlib.blake2b(b"tubing psk checksum" + psk, digest_size=16).digest()
    if len(psk) != 32 or digest[:8].hex() != checksum:
        raise Breach(f"{path} is damaged")
    return psk


def read_authorities(path: Path) -> frozenset[bytes]:
    """Reads ca.pub: a fingerprint a line; empty lines and what follows a # are skipped."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return frozenset(key_of_fingerprint(line) for line in lines if line)
