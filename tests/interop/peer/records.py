"""crypto/HANDSHAKE.md, "Records": one direction of a connection, sealed."""

import socket

from dissononce.exceptions.decrypt import DecryptFailedException
from dissononce.processing.impl.cipherstate import CipherState

from .errors import Breach, CutOff

PLAINTEXT_BYTES_MAX = 65_519
TAG_BYTES = 16
REKEY_RECORDS = 1 << 20
REKEY_BYTES = 1 << 30


class Stream:
    """A TCP connection; every wait is bounded by the socket's timeout."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._file = connection.makefile("rb", buffering=1 << 18)

    def write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise CutOff("the peer closed the connection") from error

    def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        try:
            data: bytes = self._file.read(count)
        except ConnectionResetError as error:
            raise CutOff("the connection was reset") from error
        if len(data) < count:
            raise CutOff(f"the connection ended {count - len(data)} bytes early")
        return data

    def end(self) -> None:
        """Lets the peer hear what was said: a close with bytes unread would take it back."""
        self._socket.shutdown(socket.SHUT_WR)
        while self._file.read(1 << 16):
            pass
        self.close()

    def close(self) -> None:
        self._file.close()
        self._socket.close()


class Direction:
    """A key, the nonce that counts its records, and the change of the key."""

    def __init__(self, cipher: CipherState) -> None:
        self._cipher = cipher
        self.key_changes = 0
        self._nonce = 0
        self._records = 0
        self._bytes = 0

    def seal(self, plaintext: bytes) -> bytes:
        """One record, with its length."""
        assert 1 <= len(plaintext) <= PLAINTEXT_BYTES_MAX
        sealed: bytes = self._cipher.encrypt_with_ad(b"", plaintext)
        self._count(len(plaintext))
        return len(sealed).to_bytes(2, "big") + sealed

    def open(self, stream: Stream) -> bytes:
        """The plaintext of the next record."""
        length = int.from_bytes(stream.read(2), "big")
        if length <= TAG_BYTES:
            raise Breach(f"a record of {length} bytes")
        sealed = stream.read(length)
        try:
            plaintext: bytes = self._cipher.decrypt_with_ad(b"", sealed)
        except DecryptFailedException as error:
            raise Breach("a record's tag does not match") from error
        self._count(len(plaintext))
        return plaintext

    def _count(self, plaintext_bytes: int) -> None:
        self._nonce += 1
        self._records += 1
        self._bytes += plaintext_bytes
        if self._records >= REKEY_RECORDS or self._bytes >= REKEY_BYTES:
            self._cipher.rekey()
            self._cipher.set_nonce(self._nonce)  # dissononce sets it to 0; the nonce goes on
            self._records = self._bytes = 0
            self.key_changes += 1
