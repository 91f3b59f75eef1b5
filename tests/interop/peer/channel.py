"""rpc/WIRE.md, "A channel" and "Credit": messages both ways, and how each way ends."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import Breach, ChannelReset, ChannelStopped, Status
from .frames import Frame, Kind

if TYPE_CHECKING:
    from .session import Session

FRAME_PAYLOAD_MAX = 60_000  # any that fits in a record will do


class Grants:
    """The credit that we give: totals, of what the application took and one window."""

    def __init__(self, items: int, byte_count: int) -> None:
        self._window_items, self._window_bytes = items, byte_count
        self.items, self.bytes = items, byte_count
        self._early_items = self._early_bytes = 0
        self._taken_items = self._taken_bytes = 0
        self._came_items = self._came_bytes = 0

    def accept(self, items: int, byte_count: int) -> None:
        """Replaces the early credit; what was sent within that one stays legal."""
        self._early_items, self._early_bytes = self.items, self.bytes
        self._window_items, self._window_bytes = items, byte_count
        self.items, self.bytes = items, byte_count

    def on_payload(self, byte_count: int, begins: bool) -> None:
        self._came_items += begins
        self._came_bytes += byte_count
        if self._came_items > max(self.items, self._early_items):
            raise Breach(f"{self._came_items} messages, and credit for {self.items}")
        if self._came_bytes > max(self.bytes, self._early_bytes):
            raise Breach(f"{self._came_bytes} bytes, and credit for {self.bytes}")

    def reserve(self, rest: int) -> bool:
        """`rest` bytes of a message are to come. Returns whether a total rose."""
        before, self.bytes = self.bytes, max(self.bytes, self._came_bytes + rest)
        return self.bytes > before

    def take(self, byte_count: int) -> None:
        """The application took a message."""
        self._taken_items += 1
        self._taken_bytes += byte_count
        self.items = self._taken_items + self._window_items
        self.bytes = max(self.bytes, self._taken_bytes + self._window_bytes)


class Channel:
    """One end. A wait reads the session's frames, of all channels, until its own came."""

    def __init__(self, session: "Session", opened: Frame, grants: Grants) -> None:
        self.number, self.opened = opened.number("channel"), opened
        self._session, self._grants = session, grants
        self.accepted = False
        self.credit_items = self.credit_bytes = 0
        self._sent_items = self._sent_bytes = 0
        self._received: deque[bytes] = deque()
        self._partial: bytearray | None = None
        self._partial_length = 0
        self.closed = self.stopped = False
        self.peer_closed = self.peer_stopped = False
        self._end: ChannelReset | None = None
        self._said_blocked = False

    # What we say.

    def accept(self, items: int, byte_count: int) -> None:
        """The acceptor's first frame, unless it is `reset`."""
        self.accepted = True
        self._grants.accept(items, byte_count)
        self._say(Kind.ACCEPT, items=items, bytes=byte_count)

    def send(self, message: bytes) -> None:
        """Waits for credit: one item, and bytes as they leave."""
        self._wait(lambda: self._sent_items < self.credit_items or self.peer_stopped)
        if self.accepted and len(message) > self._bytes_free() and not self._said_blocked:
            self._said_blocked = True
            self._say(Kind.BLOCKED)
        at = 0
        while at < len(message) or at == 0:
            self._wait(lambda: self._bytes_free() > 0 or not message or self.peer_stopped)
            if self.peer_stopped:
                raise ChannelStopped(f"channel {self.number}: the peer takes nothing more")
            piece = message[at : at + min(FRAME_PAYLOAD_MAX, self._bytes_free())]
            if len(piece) == len(message):
                self._say(Kind.DATA, payload=piece)
            elif at == 0:
                self._say(Kind.DATA_BEGIN, length=len(message), payload=piece)
            else:
                self._say(Kind.DATA_MORE, payload=piece)
            self._sent_items += at == 0
            self._sent_bytes += len(piece)
            at += len(piece) or 1

    def recv(self) -> bytes | None:
        """The next message; None behind the last one of a peer that closed."""
        self._wait(lambda: bool(self._received) or self.peer_closed)
        if not self._received:
            return None
        message = self._received.popleft()
        self._grants.take(len(message))
        self._grant()
        self._session.release(self)
        return message

    def close(self) -> None:
        """Every message came before it."""
        if not self.closed:
            self.closed = True
            self._say(Kind.CLOSE)
            self._session.release(self)

    def stop(self) -> None:
        """We drop what follows; the peer answers with `close`."""
        self.stopped = True
        self._received.clear()
        self._say(Kind.STOP)

    def reset(self, status: Status, text: str) -> None:
        """Ends both directions at once."""
        self.closed = self.stopped = self.peer_closed = True
        self._received.clear()
        self._say(Kind.RESET, status=int(status), text=text)
        self._session.release(self)

    @property
    def is_over(self) -> bool:
        """Both directions have ended, and the application has taken what came."""
        return bool(self._end or (self.closed and self.peer_closed)) and not self._received

    @property
    def waiting(self) -> int:
        """How many messages came and were not taken."""
        return len(self._received)

    def can_send(self, byte_count: int) -> bool:
        """Whether so large a message could be sent without a wait."""
        return self._sent_items < self.credit_items and byte_count <= self._bytes_free()

    def wait_accepted(self) -> None:
        self._wait(lambda: self.accepted)

    def wait_closed(self) -> None:
        self._wait(lambda: self.peer_closed)

    # What the peer says.

    def on_frame(self, frame: Frame) -> None:
        match frame.kind:
            case Kind.ACCEPT:
                if self.accepted:
                    raise Breach("a second accept")
                self.accepted = True
                self.credit_items, self.credit_bytes = frame.number("items"), frame.number("bytes")
            case Kind.CREDIT:
                self._on_credit(frame.number("items"), frame.number("bytes"))
            case Kind.DATA:
                self._begin(len(frame.payload), frame.payload)
            case Kind.DATA_BEGIN:
                self._begin(frame.number("length"), frame.payload)
            case Kind.DATA_MORE:
                self._more(frame.payload, begins=False)
            case Kind.CLOSE:
                if self.peer_closed or (self._partial is not None and not self.stopped):
                    raise Breach("a second close, or one inside of a message")
                self.peer_closed = True
            case Kind.STOP:
                if self.peer_stopped:
                    raise Breach("a second stop")
                self.peer_stopped = True
                self.close()
            case Kind.RESET:
                self._end = ChannelReset(frame.number("status"), frame.text("text"))
        self._session.release(self)

    def _on_credit(self, items: int, byte_count: int) -> None:
        if items < self.credit_items or byte_count < self.credit_bytes:
            raise Breach("a total of credit fell")
        if (items, byte_count) == (self.credit_items, self.credit_bytes):
            raise Breach("a credit frame that raises nothing")
        self.credit_items, self.credit_bytes = items, byte_count
        self._said_blocked = False

    def _begin(self, length: int, payload: bytes) -> None:
        if self._partial is not None:
            raise Breach("a message inside of another")
        if length > self._session.mine.message_bytes_max:
            raise Breach(f"a message of {length} bytes")
        self._partial, self._partial_length = bytearray(), length
        self._more(payload, begins=True)

    def _more(self, payload: bytes, begins: bool) -> None:
        if self.peer_closed or self._partial is None:
            raise Breach("data behind close, or of no message")
        self._partial += payload
        rest = self._partial_length - len(self._partial)
        if rest < 0:
            raise Breach("a message is longer than it said")
        self._grants.on_payload(len(payload), begins)
        if rest == 0:
            message, self._partial = bytes(self._partial), None
            if not self.stopped:
                self._received.append(message)
        elif self._grants.reserve(rest) and not self.stopped:
            self._grant()

    # Between the two.

    def _bytes_free(self) -> int:
        return max(0, self.credit_bytes - self._sent_bytes)

    def _grant(self) -> None:
        self._say(Kind.CREDIT, items=self._grants.items, bytes=self._grants.bytes)

    def _say(self, kind: Kind, **fields: int | str | bytes) -> None:
        self._session.send(Frame(kind, channel=self.number, **fields))

    def _wait(self, is_over: Callable[[], bool]) -> None:
        while not is_over():
            if self._end:
                raise self._end
            self._session.pump()
        if self._end and not self._received:
            raise self._end
