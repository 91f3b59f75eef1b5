"""rpc/WIRE.md: the frames within a record, and the forms of their fields."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from enum import IntEnum

from .errors import Breach

VERSION = 1


class Kind(IntEnum):
    SETTINGS = 1
    REFUSED = 2
    OPEN = 3
    ACCEPT = 4
    DATA = 5
    DATA_BEGIN = 6
    DATA_MORE = 7
    CREDIT = 8
    CLOSE = 9
    STOP = 10
    RESET = 11
    PING = 16
    PONG = 17
    GOAWAY = 18
    GOODBYE = 19
    CERTIFICATE = 20
    PASS = 21
    BLOCKED = 22
    PLACES = 23
    PADDING = 24


NUMBER, TEXT, PAYLOAD = "number", "text", "payload"

# The page's table, but for `settings` and `padding`, which have forms of their own.
LAYOUT: dict[Kind, dict[str, str]] = {
    Kind.REFUSED: {"status": NUMBER, "text": TEXT},
    Kind.OPEN: {
        "channel": NUMBER,
        "class": NUMBER,
        "delivery": NUMBER,
        "items": NUMBER,
        "bytes": NUMBER,
        "service": TEXT,
        "opener_type": TEXT,
        "acceptor_type": TEXT,
    },
    Kind.ACCEPT: {"channel": NUMBER, "items": NUMBER, "bytes": NUMBER},
    Kind.DATA: {"channel": NUMBER, "payload": PAYLOAD},
    Kind.DATA_BEGIN: {"channel": NUMBER, "length": NUMBER, "payload": PAYLOAD},
    Kind.DATA_MORE: {"channel": NUMBER, "payload": PAYLOAD},
    Kind.CREDIT: {"channel": NUMBER, "items": NUMBER, "bytes": NUMBER},
    Kind.CLOSE: {"channel": NUMBER},
    Kind.STOP: {"channel": NUMBER},
    Kind.RESET: {"channel": NUMBER, "status": NUMBER, "text": TEXT},
    Kind.PING: {"number": NUMBER},
    Kind.PONG: {"number": NUMBER},
    Kind.GOAWAY: {},
    Kind.GOODBYE: {},
    Kind.CERTIFICATE: {"payload": PAYLOAD},
    Kind.PASS: {
        "channel": NUMBER,
        "class": NUMBER,
        "delivery": NUMBER,
        "items": NUMBER,
        "bytes": NUMBER,
        "carrier": NUMBER,
        "opener_type": TEXT,
        "acceptor_type": TEXT,
    },
    Kind.BLOCKED: {"channel": NUMBER},
    Kind.PLACES: {"total": NUMBER},
}


class Frame:
    """A kind and its fields by name: `Frame(Kind.CLOSE, channel=1)["channel"]`."""

    def __init__(self, kind: Kind, **fields: int | str | bytes) -> None:
        assert list(fields) == list(LAYOUT[kind]), f"{kind.name} has {list(LAYOUT[kind])}"
        self.kind, self.fields = kind, fields

    def number(self, name: str) -> int:
        value = self.fields[name]
        assert isinstance(value, int)
        return value

    def text(self, name: str) -> str:
        value = self.fields[name]
        assert isinstance(value, str)
        return value

    @property
    def payload(self) -> bytes:
        value = self.fields["payload"]
        assert isinstance(value, bytes)
        return value

    def encode(self) -> bytes:
        return bytes([self.kind]) + b"".join(map(_encode_field, self.fields.values()))

    def __repr__(self) -> str:
        return f"{self.kind.name.lower()}({self.fields})"


def number(value: int) -> bytes:
    """LEB128 in its shortest form."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _encode_field(value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return number(value)
    data = value.encode() if isinstance(value, str) else value
    return number(len(data)) + data


class FrameReader:
    """Walks through the frames of one record."""

    def __init__(self, plaintext: bytes) -> None:
        self._data, self._at = plaintext, 0

    def __iter__(self) -> Iterator["Frame | Settings"]:
        while self._at < len(self._data):
            kind = self._bytes(1)[0]
            if kind == Kind.SETTINGS:
                yield Settings.decode(self._bytes(self.number()))
            elif kind == Kind.PADDING:
                if self._at == 1 or any(self._bytes(self.left)):
                    raise Breach("padding alone in a record, or not of zeros")
            elif kind in LAYOUT:
                layout = LAYOUT[Kind(kind)]
                yield Frame(Kind(kind), **{name: self._field(form) for name, form in layout.items()})
            else:
                raise Breach(f"a frame of the unknown kind {kind}")

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self._bytes(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if value >> 64 or (byte == 0 and shift > 7):
            raise Breach("a number over 64 bits, or not in its shortest form")
        return value

    def _bytes(self, count: int) -> bytes:
        if self.left < count:
            raise Breach("a frame is cut short")
        self._at += count
        return self._data[self._at - count : self._at]

    def _field(self, form: str) -> int | str | bytes:
        value = self.number()
        if form == NUMBER:
            return value
        data = self._bytes(value)
        return data.decode(errors="replace") if form == TEXT else data


@dataclass(frozen=True)
class Settings:
    """A side's first frame. Keys that we do not know are skipped."""

    early_items: int = 16
    early_bytes: int = 16_384
    message_bytes_max: int = 1 << 20
    channels_max: int = 16
    ping_after_ms: int = 0
    dead_after_ms: int = 0
    version: int = VERSION

    def encode(self) -> bytes:
        values = astuple(self)[:-1]
        pairs = b"".join(number(key) + number(value) for key, value in enumerate(values, start=1))
        body = number(self.version) + pairs
        return bytes([Kind.SETTINGS]) + number(len(body)) + body

    @staticmethod
    def decode(body: bytes) -> "Settings":
        reader = FrameReader(body)
        version = reader.number()
        if version != VERSION:
            raise Breach(f"the peer speaks version {version} of the wire, we speak {VERSION}")
        pairs: dict[int, int] = {}
        while reader.left:
            key = reader.number()
            if pairs and key <= max(pairs):
                raise Breach("the keys of settings do not rise")
            pairs[key] = reader.number()
        if pairs.get(1, 0) < 16 or pairs.get(2, 0) < 16_384 or pairs.get(3, 0) < pairs[2]:
            raise Breach(f"settings below what the page demands: {pairs}")
        return Settings(*(pairs.get(key, 0) for key in range(1, 7)))
