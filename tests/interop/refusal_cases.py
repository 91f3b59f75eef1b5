"""The C++ side refuses us, and tells why: crypto/HANDSHAKE.md, "Who may refuse whom"."""

import socket
import time
from dataclasses import replace

from peer.certificate import Certificate, Identity, Usage
from peer.errors import Breach, Busy, CutOff, Refused, Status
from peer.frames import Frame, Kind, Settings, number
from peer.handshake import MAGIC, Party, Preamble
from peer.session import Session
from peer.values import unpack
from world import World, case, check_told

DAY = 86_400


def check_refused(session: Session, status: Status, *words: str) -> None:
    """Reads until the session is refused; what comes behind that is the end of the stream."""
    try:
        while True:
            session.pump()
    except Refused as refused:
        assert refused.status == status, refused
        check_told(refused.text, *words)
    session.hang_up()


def check_party_refused(world: World, me: Party, status: Status, *words: str) -> None:
    session = world.dial(world.server(), me)
    check_refused(session, status, *words)
    assert not session.is_up, "settings were said to a stranger"


@case("a second implementation is refused with a certificate of an unknown authority")
def unknown_authority(world: World) -> None:
    stranger = Identity()
    check_party_refused(world, world.party(Certificate("bob"), stranger), Status.UNAUTHENTICATED, "authority")


@case("a second implementation is refused with a certificate that is not valid now")
def not_valid_now(world: World) -> None:
    now = int(time.time())
    expired = Certificate("bob", not_before=now - 2 * DAY, not_after=now - DAY)
    check_party_refused(world, world.party(expired), Status.UNAUTHENTICATED, "expired")
    early = Certificate("bob", not_before=now + DAY, not_after=now + 2 * DAY)
    check_party_refused(world, world.party(early), Status.UNAUTHENTICATED, "valid")


@case("a second implementation is refused when it dials with a key for servers")
def server_key_dials(world: World) -> None:
    me = world.party(Certificate("bob", Usage.SERVER))
    check_party_refused(world, me, Status.PERMISSION_DENIED, "server", "client")


@case("a second implementation is refused with another's signature or an expired one")
def wrong_signature(world: World) -> None:
    thief = Party(Identity(), world.bob.certificate)
    check_party_refused(world, thief, Status.UNAUTHENTICATED, "sign")
    late = world.party(Certificate("bob"), not_after=int(time.time()) - 1)
    check_party_refused(world, late, Status.UNAUTHENTICATED, "expired")


def answer_to(address: tuple[str, int], preamble: bytes) -> bytes:
    """All that a listener says to a preamble alone, until it closes."""
    with socket.create_connection(address, 20) as connection:
        connection.sendall(preamble)
        answer = b""
        while data := connection.recv(100):
            answer += data
        return answer


@case("a second implementation is answered with version and mode when its preamble does not suit")
def preamble_refused(world: World) -> None:
    server = world.server()
    wanted = Preamble(suite=0).encode()
    for offer in (Preamble(version=2), Preamble(version=0x100), Preamble(suite=7), Preamble(mode=2)):
        assert answer_to(server.address(), offer.encode()) == wanted, offer
    for foreign in (b"GET / HTTP/1.1\r\n\r\n", MAGIC[:3] + b"G" + bytes(4)):
        assert answer_to(server.address(), foreign) == b"", foreign
    world.dial(server).close()


@case("a second implementation that finds no room is told that the listener is busy")
def busy(world: World) -> None:
    server = world.server()
    crowd = [socket.create_connection(server.address(), 20) for _ in range(64 + 256)]
    try:
        world.dial(server)
        raise AssertionError("there was room for one more")
    except Busy:
        pass
    for connection in crowd:
        connection.close()
    world.dial(server).close()


@case("a second implementation is refused by name for another version of the wire")
def wire_version_refused(world: World) -> None:
    session = world.dial(world.server(), mine=Settings(version=77))
    check_refused(session, Status.FAILED_PRECONDITION, "77", "1")


def beyond_item_credit(session: Session) -> None:
    channel = session.open("interop.count.v1", ("int64", "int64"))
    for _ in range(session.theirs.early_items + 1):
        session.send(Frame(Kind.DATA, channel=channel.number, payload=b"\x00"))


def beyond_byte_credit(session: Session) -> None:
    channel = session.open("interop.count.v1", ("int64", "int64"))
    payload = bytes(session.theirs.early_bytes + 1)
    session.send(Frame(Kind.DATA, channel=channel.number, payload=payload))


def too_long_a_message(session: Session) -> None:
    channel = session.open("interop.count.v1", ("int64", "int64"))
    length = session.theirs.message_bytes_max + 1
    session.send(Frame(Kind.DATA_BEGIN, channel=channel.number, length=length, payload=b"x"))


def close_inside_a_message(session: Session) -> None:
    channel = session.open("interop.count.v1", ("int64", "int64"))
    session.send(Frame(Kind.DATA_BEGIN, channel=channel.number, length=9, payload=b"x"))
    session.send(Frame(Kind.CLOSE, channel=channel.number))


def data_behind_close(session: Session) -> None:
    channel = session.open("interop.count.v1", ("int64", "int64"))
    channel.close()
    session.send(Frame(Kind.DATA, channel=channel.number, payload=b"\x00"))


def falling_credit(session: Session) -> None:
    channel = session.open("interop.count.v1", ("int64", "int64"), items=9, byte_count=99)
    session.send(Frame(Kind.CREDIT, channel=channel.number, items=8, bytes=99))


def channel_with_a_gap(session: Session) -> None:
    fields = {"channel": 3, "class": 1, "delivery": 0}
    texts = {"service": "x", "opener_type": "x", "acceptor_type": "x"}
    session.send(Frame(Kind.OPEN, **fields, items=1, bytes=1, **texts))


def too_many_credits(session: Session) -> None:
    channel = session.open("interop.count.v1", ("int64", "int64"), items=1)
    for items in range(2, 100):
        session.send(Frame(Kind.CREDIT, channel=channel.number, items=items, bytes=65_536))


def too_many_pings(session: Session) -> None:
    for n in range(1, 100):
        session.send(Frame(Kind.PING, number=n))


BREACHES = {
    "credit": [beyond_item_credit, beyond_byte_credit, falling_credit, too_many_credits],
    "data_begin": [too_long_a_message],
    "close": [close_inside_a_message, data_behind_close],
    "open": [channel_with_a_gap],
    "200": [lambda session: session.send_bytes(b"\xc8")],
    "call": [lambda session: session.send_bytes(b"\x0c")],
    "never opened": [lambda session: session.send(Frame(Kind.CLOSE, channel=1))],
    "settings": [lambda session: session.send(Settings())],
    "number": [lambda session: session.send_bytes(bytes([Kind.PING, 0x80, 0x00]))],
    "ping": [lambda session: session.send_bytes(bytes([Kind.PING, 0x80])), too_many_pings],
    "padding": [lambda session: session.send_bytes(bytes([Kind.PADDING, 0]))],
    "pong": [lambda session: session.send(Frame(Kind.PONG, number=1))],
}


@case("a second implementation that breaks the rules is told which one")
def breaches_are_told(world: World) -> None:
    server = world.server()
    for word, breaches in BREACHES.items():
        for breach in breaches:
            session = world.dial(server)
            session.wait_up()
            breach(session)
            check_refused(session, Status.INVALID_ARGUMENT, word)
    world.dial(server).close()


@case("a second implementation is not heard any more after a record whose tag is wrong")
def wrong_tag(world: World) -> None:
    session = world.dial(world.server())
    session.wait_up()
    record = bytearray(session.sealer.seal(Frame(Kind.PING, number=1).encode()))
    record[-1] ^= 1
    session.stream.write(bytes(record))
    check_refused(session, Status.UNAUTHENTICATED, "tag")


def roles(session: Session) -> list[object]:
    """The roles that the server believes us to have."""
    channel = session.open("interop.roles.v1", ("int64", "string"))
    payloads = list(iter(channel.recv, None))
    channel.close()
    return [unpack(payload) for payload in payloads if payload is not None]


@case("a second implementation gets new roles by a renewal and none by one of another session")
def renews(world: World) -> None:
    me = world.party(Certificate("bob", roles=("early",)))
    old = Certificate.decode(me.certificate)
    newer = replace(old, roles=("late", "later"), not_after=old.not_after + DAY)
    forged = newer.issue(Identity())
    session = world.dial(world.server(), me)
    session.show(me.renewal(bytes(32), newer.issue(world.authority)))
    session.show(me.renewal(session.session_hash, forged))
    assert roles(session) == ["early"]
    session.show(me.renewal(session.session_hash, newer.issue(world.authority)))
    assert roles(session) == ["late", "later"]
    session.show(b"\x07" + me.renewal(session.session_hash, me.certificate)[1:])
    check_refused(session, Status.DATA_LOSS, "version")


@case("a second implementation may send settings with keys of a later version")
def unknown_settings(world: World) -> None:
    later = Settings().encode()[2:] + number(1000) + number(1 << 63)
    session = world.dial(world.server())
    session.discard()
    session.send_bytes(bytes([Kind.SETTINGS]) + number(len(later)) + later)
    session.ping()
    session.close()
