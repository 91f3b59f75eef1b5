"""rpc/WIRE.md, "The session": settings, channels by number, pings, and the end in order."""

import socket
from collections import deque

from .channel import Channel, Grants
from .errors import Breach, Refused, Status
from .frames import Frame, FrameReader, Kind, Settings
from .handshake import Handshake, Party, Preamble, Secured, Trust
from .records import PLAINTEXT_BYTES_MAX, Direction, Stream

WAIT_SECONDS = 20.0
OWN_CHANNEL, PEERS_CHANNEL = True, False


class Session:
    """What both sides speak after the handshake. What is said leaves with the next wait."""

    def __init__(self, stream: Stream, secured: Secured, is_dialler: bool, mine: Settings) -> None:
        self.peer, self.session_hash = secured.peer, secured.session_hash
        self.mine, self.theirs = mine, Settings(message_bytes_max=16_384, channels_max=0)
        self.is_up = self.goes_away = self.has_ended = False
        self.stream, self.sealer, self.opener = stream, secured.sealer, secured.opener
        self._outgoing = bytearray()
        self._channels: dict[int, Channel] = {}
        self._incoming: deque[Channel] = deque()
        self._next_number = 1 if is_dialler else 2
        self._next_of_peer = 2 if is_dialler else 1
        self._pings = self._pongs = 0
        self.send(mine)

    # What we say.

    def send(self, frame: Frame | Settings) -> None:
        self.send_bytes(frame.encode())

    def send_bytes(self, frame: bytes) -> None:
        """Frames are never divided between records."""
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
        frame = Frame(
            Kind.OPEN,
            **{"channel": self._next_number, "class": 1, "delivery": 0},
            items=items,
            bytes=byte_count,
            service=service,
            opener_type=types[0],
            acceptor_type=types[1],
        )
        self._next_number += 2
        channel = Channel(self, frame, Grants(items, byte_count))
        channel.credit_items, channel.credit_bytes = self.theirs.early_items, self.theirs.early_bytes
        self._channels[channel.number] = channel
        self.send(frame)
        return channel

    def accept(self) -> Channel:
        """The next channel that the peer opened: say `accept` or `reset` on it."""
        while not self._incoming:
            self.pump()
        return self._incoming.popleft()

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

    def _on_session_frame(self, frame: Frame) -> None:
        match frame.kind:
            case Kind.PING:
                self.send(Frame(Kind.PONG, number=frame.number("number")))
            case Kind.PONG:
                self._pongs = frame.number("number")
                if self._pongs > self._pings:
                    raise Breach("a pong to no ping")
            case Kind.GOAWAY:
                self.goes_away = True
            case Kind.GOODBYE:
                self.has_ended = True

    def _on_channel_frame(self, frame: Frame) -> None:
        number = frame.number("channel")
        if frame.kind == Kind.OPEN:
            self._on_open(number, frame)
        elif number in self._channels:
            self._channels[number].on_frame(frame)
        else:
            raise Breach(f"{frame} on a channel that was never opened")

    def _on_open(self, number: int, frame: Frame) -> None:
        if number != self._next_of_peer:
            raise Breach(f"channel {number} was opened, {self._next_of_peer} is next")
        self._next_of_peer += 2
        channel = Channel(self, frame, Grants(self.mine.early_items, self.mine.early_bytes))
        channel.credit_items, channel.credit_bytes = frame.number("items"), frame.number("bytes")
        self._channels[number] = channel
        self._incoming.append(channel)


def dial(
    address: tuple[str, int],
    me: Party,
    trust: Trust,
    offer: Preamble = Preamble(),
    psk: bytes | None = None,
    mine: Settings = Settings(),
) -> Session:
    stream = Stream(socket.create_connection(address, WAIT_SECONDS))
    return Session(stream, Handshake(stream, me, trust, psk).dial(offer), True, mine)


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

        secured = Handshake(stream, self._me, self._trust, self._psk).listen(wanted, refuse)
        return Session(stream, secured, False, mine)

    def close(self) -> None:
        self._socket.close()
