"""rpc/WIRE.md, "The session" and "Places": settings, channels by number, pings, the end."""

import socket
from collections import deque

from .certificate import Usage
from .channel import Channel, Grants
from .errors import Breach, Refused, Status
from .frames import Frame, FrameReader, Kind, Settings
from .handshake import Handshake, Party, Preamble, Secured, Trust
from .records import PLAINTEXT_BYTES_MAX, Direction, Stream

WAIT_SECONDS = 20.0


class Session:
    """What both sides speak after the handshake. What is said leaves with the next wait."""

    def __init__(
        self, stream: Stream, secured: Secured, trust: Trust, is_dialler: bool, mine: Settings
    ) -> None:
        self._trust, self._is_dialler = trust, is_dialler
        self.peer, self.session_hash = secured.peer, secured.session_hash
        self.mine, self.theirs = mine, Settings(message_bytes_max=16_384, channels_max=0)
        self.is_up = self.goes_away = self.has_ended = self._said_goodbye = False
        self.stream, self.sealer, self.opener = stream, secured.sealer, secured.opener
        self._outgoing = bytearray()
        self.channels: dict[int, Channel] = {}
        self._incoming: deque[Channel] = deque()
        self._next_number = 1 if is_dialler else 2
        self._next_of_peer = 2 if is_dialler else 1
        self._pings = self._pongs = 0
        self._opened = self._forgotten = self._told = 0
        self._places = 0  # how many channels we may open; the peer's settings begin it
        self.send(mine)

    # What we say.

    def send(self, frame: Frame | Settings) -> None:
        self.send_bytes(frame.encode())

    def send_bytes(self, frame: bytes) -> None:
        """Frames are never divided between records, and none follows `goodbye`."""
        if self._said_goodbye:
            return
        if len(self._outgoing) + len(frame) > PLAINTEXT_BYTES_MAX:
            self.flush()
        self._outgoing += frame

    def discard(self) -> None:
        """Forgets what was not sent, for those who want to say something else."""
        self._outgoing.clear()

    def flush(self) -> None:
        if self._outgoing:
            record = self.sealer.seal(bytes(self._outgoing))
            self._outgoing.clear()
            self.stream.write(record)

    def open(
        self, service: str, types: tuple[str, str], items: int = 64, byte_count: int = 65_536
    ) -> Channel:
        """`types` are the opener's and the acceptor's."""
        return self._open(Kind.OPEN, {"service": service}, types, (items, byte_count))

    def pass_on(
        self, carrier: Channel, types: tuple[str, str], items: int = 64, byte_count: int = 65_536
    ) -> Channel:
        """A new channel for the peer: the next message on `carrier` says its number."""
        return self._open(Kind.PASS, {"carrier": carrier.number}, types, (items, byte_count))

    def _open(
        self, kind: Kind, where: dict[str, str | int], types: tuple[str, str], grant: tuple[int, int]
    ) -> Channel:
        while self.is_up and self._opened == self._places:
            self.pump()
        fields = {"channel": self._next_number, "class": 1, "delivery": 0}
        fields |= {"items": grant[0], "bytes": grant[1]}
        frame = Frame(kind, **fields, **where, opener_type=types[0], acceptor_type=types[1])
        self._opened += 1
        self._next_number += 2
        channel = Channel(self, frame, Grants(*grant))
        channel.credit_items, channel.credit_bytes = self.theirs.early_items, self.theirs.early_bytes
        self.channels[channel.number] = channel
        self.send(frame)
        return channel

    def accept(self) -> Channel:
        """The next channel that the peer opened: say `accept` or `reset` on it."""
        while not self._incoming:
            self.pump()
        return self._incoming.popleft()

    def show(self, renewal: bytes) -> None:
        """Shows a newer certificate; `Party.renewal` makes what is shown."""
        self.send(Frame(Kind.CERTIFICATE, payload=renewal))

    def ping(self) -> None:
        """Waits for the answer."""
        self._pings += 1
        self.send(Frame(Kind.PING, number=self._pings))
        while self._pongs < self._pings:
            self.pump()

    def wait_idle(self) -> None:
        """Waits until the peer has said all that it can without hearing more from us."""
        for _ in range(20):
            self.ping()

    def wait_up(self) -> None:
        """A dialler knows that it was accepted once the listener's first record opened."""
        while not self.is_up:
            self.pump()

    def close(self) -> None:
        """Ends in order: `goodbye` both ways."""
        self.send(Frame(Kind.GOODBYE))
        self._said_goodbye = True
        self.flush()
        while not self.has_ended:
            self.pump()
        self.hang_up()

    def hang_up(self) -> None:
        self.stream.close()

    # What the peer says.

    def pump(self) -> None:
        """Lets out what waits, then reads one record."""
        self.flush()
        for frame in FrameReader(self.opener.open(self.stream)):
            if self.has_ended:
                raise Breach("a frame behind the last one")
            if isinstance(frame, Settings):
                self._on_settings(frame)
            elif frame.kind == Kind.REFUSED:
                raise Refused(frame.number("status"), frame.text("text"))
            elif not self.is_up:
                raise Breach(f"{frame} ahead of settings")
            elif "channel" in frame.fields:
                self._on_channel_frame(frame)
            else:
                self._on_session_frame(frame)

    def _on_settings(self, settings: Settings) -> None:
        if self.is_up:
            raise Breach("settings came twice")
        self.theirs, self.is_up = settings, True
        self._places = 2 * settings.channels_max

    def _on_session_frame(self, frame: Frame) -> None:
        match frame.kind:
            case Kind.PING:
                self.send(Frame(Kind.PONG, number=frame.number("number")))
            case Kind.PONG:
                self._pongs = frame.number("number")
                if self._pongs > self._pings:
                    raise Breach("a pong to no ping")
            case Kind.PLACES:
                total = frame.number("total")
                if not self._places < total <= 2 * self.theirs.channels_max + self._opened:
                    raise Breach(f"places rose from {self._places} to {total}")
                self._places = total
            case Kind.CERTIFICATE:
                self._on_renewal(frame.payload)
            case Kind.GOAWAY:
                self.goes_away = True
            case Kind.GOODBYE:
                self.has_ended = True

    def _on_renewal(self, renewal: bytes) -> None:
        usage = Usage.SERVER if self._is_dialler else Usage.CLIENT
        self.peer = self._trust.prove_renewal(renewal, self.session_hash, self.peer, usage)

    def _on_channel_frame(self, frame: Frame) -> None:
        number = frame.number("channel")
        if frame.kind in (Kind.OPEN, Kind.PASS):
            self._on_open(number, frame)
        elif number in self.channels:
            self.channels[number].on_frame(frame)
        elif number >= (self._next_of_peer if self._is_peers(number) else self._next_number):
            raise Breach(f"{frame} on a channel that was never opened")
        # On one that has ended it crossed our end, and is dropped.

    def _on_open(self, number: int, frame: Frame) -> None:
        if number != self._next_of_peer:
            raise Breach(f"channel {number} was opened, {self._next_of_peer} is next")
        self._next_of_peer += 2
        if (number + 1) // 2 > 2 * self.mine.channels_max + self._told:
            raise Breach("more channels than places")
        channel = Channel(self, frame, Grants(self.mine.early_items, self.mine.early_bytes))
        channel.credit_items, channel.credit_bytes = frame.number("items"), frame.number("bytes")
        self.channels[number] = channel
        if sum(map(self._is_peers, self.channels)) > self.mine.channels_max:
            channel.reset(Status.RESOURCE_EXHAUSTED, "too many channels are open")
        elif frame.kind == Kind.OPEN:
            self._incoming.append(channel)

    # Places.

    def release(self, channel: Channel) -> None:
        """Forgets a channel that has ended, and tells the peer of its place when that is due."""
        if not channel.is_over or self.channels.pop(channel.number, None) is None:
            return
        self._forgotten += self._is_peers(channel.number)
        if 2 * (self._forgotten - self._told) >= self.mine.channels_max:
            self._told = self._forgotten
            self.send(Frame(Kind.PLACES, total=2 * self.mine.channels_max + self._told))

    def _is_peers(self, number: int) -> bool:
        return number % 2 != self._next_number % 2


def dial(
    address: tuple[str, int],
    me: Party,
    trust: Trust,
    offer: Preamble = Preamble(),
    psk: bytes | None = None,
    mine: Settings = Settings(),
) -> Session:
    stream = Stream(socket.create_connection(address, WAIT_SECONDS))
    return Session(stream, Handshake(stream, me, trust, psk).dial(offer), trust, True, mine)


class Listener:
    """A port that the system chose, on loopback."""

    def __init__(self, me: Party, trust: Trust, psk: bytes | None = None) -> None:
        self._me, self._trust, self._psk = me, trust, psk
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(WAIT_SECONDS)
        self.address: tuple[str, int] = self._socket.getsockname()

    def accept(self, wanted: Preamble = Preamble(), mine: Settings = Settings()) -> Session:
        connection, _ = self._socket.accept()
        connection.settimeout(WAIT_SECONDS)
        stream = Stream(connection)

        def refuse(sealer: Direction, error: Exception) -> None:
            frame = Frame(Kind.REFUSED, status=int(Status.UNAUTHENTICATED), text=str(error))
            stream.write(sealer.seal(frame.encode()))
            stream.end()

        try:
            secured = Handshake(stream, self._me, self._trust, self._psk).listen(wanted, refuse)
        except Exception:
            stream.close()
            raise
        return Session(stream, secured, self._trust, False, mine)

    def close(self) -> None:
        self._socket.close()
