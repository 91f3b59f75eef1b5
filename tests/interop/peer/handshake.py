"""crypto/HANDSHAKE.md: preambles, three Noise messages, credentials and refusals."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum

from dissononce.cipher.aesgcm import AESGCMCipher
from dissononce.cipher.chachapoly import ChaChaPolyCipher
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.exceptions.decrypt import DecryptFailedException
from dissononce.hash.sha256 import SHA256Hash
from dissononce.processing.handshakepatterns.interactive.XX import XXHandshakePattern
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState
from dissononce.processing.modifiers.psk import PSKPatternModifier

from .certificate import Certificate, Cursor, Identity, Usage, fingerprint, verify
from .errors import Breach, Busy, Distrust, PeerError, Refused, Status
from .records import Direction, Stream

MAGIC = b"Tubg"
CREDENTIALS, REFUSAL = 1, 2
RENEWAL_DOMAIN = b"tubing renewal"
STATIC_KEY_DOMAIN = b"tubing noise static key"
MESSAGE_BYTES_MAX = 4096
FIRST_MESSAGE_BYTES_MAX = 48
REFUSAL_TEXT_MAX = 256


class Suite(IntEnum):
    NONE = 0
    CHACHA = 1
    AES = 2


class Mode(IntEnum):
    XX = 1
    XXPSK3 = 2


class _ChaChaPoly(ChaChaPolyCipher):  # type: ignore[misc]
    def rekey(self, key: bytes) -> bytes:
        return bytes(super().rekey(key)[:32])  # dissononce leaves the tag on


class _AesGcm(AESGCMCipher):  # type: ignore[misc]
    def rekey(self, key: bytes) -> bytes:
        return bytes(super().rekey(key)[:32])


@dataclass(frozen=True)
class Preamble:
    version: int = 1
    suite: int = Suite.CHACHA
    mode: int = Mode.XX

    def encode(self) -> bytes:
        return MAGIC + self.version.to_bytes(2, "big") + bytes([self.suite, self.mode])

    @staticmethod
    def read(stream: Stream) -> "Preamble":
        cursor = Cursor(stream.read(8), "the preamble")
        if cursor.take(4) != MAGIC:
            raise Breach("the peer does not speak this protocol")
        return Preamble(cursor.integer(2), cursor.integer(1), cursor.integer(1))

    def require(self, answer: "Preamble") -> None:
        """As the dialler: there is no fallback."""
        if answer == BUSY:
            raise Busy("as many connections as its limits allow")
        for what in ("version", "mode", "suite"):
            ours, theirs = getattr(self, what), getattr(answer, what)
            if ours != theirs:
                raise Breach(f"{what} {ours} offered, {theirs} answered")


BUSY = Preamble(suite=Suite.NONE, mode=0)


@dataclass(frozen=True)
class Refusal:
    """What a dialler says in message 3 in place of its credentials."""

    status: Status
    text: str

    def encode(self) -> bytes:
        return bytes([REFUSAL, self.status]) + self.text.encode("ascii")[:REFUSAL_TEXT_MAX]

    @staticmethod
    def decode(payload: bytes) -> Refused:
        cursor = Cursor(payload, "the refusal")
        cursor.take(1)
        status, text = cursor.integer(1), cursor.rest()
        if status == 0 or len(text) > REFUSAL_TEXT_MAX:
            raise Breach("a refusal without a status, or with too long a text")
        return Refused(status, text.decode("ascii", errors="replace"))


class Party:
    """Who we are: an identity, what an authority says of it, and the X25519 key of this process."""

    def __init__(
        self, identity: Identity, certificate: bytes, not_after: int | None = None
    ) -> None:
        self.identity, self.certificate = identity, certificate
        self.static = X25519DH().generate_keypair()
        self.not_after = int(time.time()) + 3600 if not_after is None else not_after

    def credentials(self) -> bytes:
        until = self.not_after.to_bytes(8, "big")
        signature = self.identity.sign(STATIC_KEY_DOMAIN, self.static.public.data + until)
        return bytes([CREDENTIALS]) + until + signature + self.certificate

    def renewal(self, session_hash: bytes, newer: bytes) -> bytes:
        """What shows a newer certificate of the same key within a session."""
        return b"\x01" + self.identity.sign(RENEWAL_DOMAIN, session_hash + newer) + newer


@dataclass(frozen=True)
class Trust:
    """Whom we believe: what one of `authorities` says, and of these only `name` where it is set."""

    authorities: frozenset[bytes]
    name: str | None = None

    def prove(self, payload: bytes, static: bytes, usage: Usage) -> Certificate:
        """Checks credentials in the page's order."""
        cursor = Cursor(payload, "the credentials")
        if cursor.integer(1) != CREDENTIALS:
            raise Breach("no credentials")
        until, signature = cursor.take(8), cursor.take(64)
        peer = Certificate.decode(cursor.rest())
        if not verify(peer.subject, signature, STATIC_KEY_DOMAIN, static + until):
            raise Distrust(f"{peer.name} did not sign its X25519 key")
        if int.from_bytes(until, "big") < int(time.time()):
            raise Distrust(f"{peer.name}'s signature of its X25519 key has expired")
        self._check(peer, usage)
        return peer

    def prove_renewal(
        self, renewal: bytes, session_hash: bytes, peer: Certificate, usage: Usage
    ) -> Certificate:
        """Checks what a `certificate` frame carries."""
        cursor = Cursor(renewal, "the renewal")
        if cursor.integer(1) != 1:
            raise Breach("a renewal that is not of version 1")
        signature, encoded = cursor.take(64), cursor.rest()
        newer = Certificate.decode(encoded)
        if (newer.subject, newer.name) != (peer.subject, peer.name):
            raise Distrust("a renewal for another key or name")
        if newer.not_after <= peer.not_after:
            raise Distrust("a renewal that holds no longer")
        if not verify(peer.subject, signature, RENEWAL_DOMAIN, session_hash + encoded):
            raise Distrust(f"{peer.name} did not sign the renewal in this session")
        self._check(newer, usage)
        return newer

    def _check(self, peer: Certificate, usage: Usage) -> None:
        if peer.issuer not in self.authorities:
            raise Distrust(f"{peer.name} is certified by the unknown {fingerprint(peer.issuer)}")
        if not peer.is_signed or not peer.is_valid_at(int(time.time())):
            raise Distrust(f"{peer.name}'s certificate does not hold")
        if self.name not in (None, peer.name, fingerprint(peer.subject)):
            raise Distrust(f"dialled {self.name}, and {peer.name} answered")
        if usage not in peer.usage:
            raise Distrust(f"{peer.name}'s key may not be used as a {usage.name}")


@dataclass(frozen=True)
class Secured:
    """A handshake's result."""

    peer: Certificate
    sealer: Direction
    opener: Direction
    session_hash: bytes


class Handshake:
    """One handshake of either side; `dial` and `listen` follow the page's picture."""

    def __init__(self, stream: Stream, me: Party, trust: Trust, psk: bytes | None = None) -> None:
        self._stream, self._me, self._trust, self._psk = stream, me, trust, psk
        self._noise: HandshakeState | None = None
        self._ciphers: tuple[CipherState, CipherState] | None = None

    def dial(self, offer: Preamble) -> Secured:
        offer = replace(offer, mode=offer.mode if self._psk is None else Mode.XXPSK3)
        self._start(offer, initiator=True)
        self._stream.write(offer.encode() + self._message(b""))
        offer.require(Preamble.read(self._stream))
        payload = self._read_message(MESSAGE_BYTES_MAX)
        try:
            peer = self._prove(payload, Usage.SERVER)
        except Distrust as error:
            refusal = Refusal(Status.UNAUTHENTICATED, str(error))
            self._stream.write(self._message(refusal.encode()))
            raise
        self._stream.write(self._message(self._me.credentials()))
        return self._finish(peer, initiator=True)

    def listen(
        self, wanted: Preamble, refuse: Callable[[Direction, PeerError], None]
    ) -> Secured:
        """`refuse` tells a dialler that we distrust why: that takes a record, and is a frame."""
        wanted = replace(wanted, mode=wanted.mode if self._psk is None else Mode.XXPSK3)
        offer = Preamble.read(self._stream)
        if offer != wanted:
            self._stream.write(replace(wanted, suite=Suite.NONE).encode())
            raise Breach(f"wanted {wanted}, offered {offer}")
        self._start(wanted, initiator=False)
        if self._read_message(FIRST_MESSAGE_BYTES_MAX):
            raise Breach("message 1 has a payload")
        self._stream.write(wanted.encode() + self._message(self._me.credentials()))
        payload = self._read_message(MESSAGE_BYTES_MAX)
        if payload[:1] == bytes([REFUSAL]):
            raise Refusal.decode(payload)
        try:
            peer = self._prove(payload, Usage.CLIENT)
        except Distrust as error:
            assert self._ciphers is not None
            refuse(Direction(self._ciphers[1]), error)
            raise
        return self._finish(peer, initiator=False)

    def _start(self, preamble: Preamble, initiator: bool) -> None:
        cipher = {Suite.AES: _AesGcm}.get(Suite(preamble.suite), _ChaChaPoly)()
        pattern = XXHandshakePattern()
        if preamble.mode == Mode.XXPSK3:
            pattern = PSKPatternModifier(3).modify(pattern)
        symmetric = SymmetricState(CipherState(cipher), SHA256Hash())
        self._noise = HandshakeState(symmetric, X25519DH())
        self._noise.initialize(
            pattern, initiator, preamble.encode() * 2, s=self._me.static, psks=[self._psk]
        )  # the only answer that goes on is known beforehand, so both preambles are

    def _message(self, payload: bytes) -> bytes:
        assert self._noise is not None
        message = bytearray()
        self._ciphers = self._noise.write_message(payload, message)
        return len(message).to_bytes(2, "big") + bytes(message)

    def _read_message(self, bytes_max: int) -> bytes:
        assert self._noise is not None
        length = int.from_bytes(self._stream.read(2), "big")
        if not 1 <= length <= bytes_max:
            raise Breach(f"a handshake message of {length} bytes")
        payload = bytearray()
        try:
            self._ciphers = self._noise.read_message(self._stream.read(length), payload)
        except (DecryptFailedException, ValueError) as error:  # ValueError: a result of zeros
            raise Breach("a handshake message does not open") from error
        return bytes(payload)

    def _prove(self, payload: bytes, usage: Usage) -> Certificate:
        assert self._noise is not None
        static = self._noise.rs.data
        if static == self._me.static.public.data:
            raise Distrust("the peer is this very process")
        return self._trust.prove(payload, static, usage)

    def _finish(self, peer: Certificate, initiator: bool) -> Secured:
        assert self._noise is not None and self._ciphers is not None
        there, back = (Direction(cipher) for cipher in self._ciphers)
        session_hash = self._noise.symmetricstate.get_handshake_hash()
        if initiator:
            return Secured(peer, there, back, session_hash)
        return Secured(peer, back, there, session_hash)
