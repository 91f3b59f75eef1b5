"""The C++ side dials us, believes us or refuses us, and is refused."""

import socket

from channel_cases import SAMPLES, check_reset, send, unpack_sample
from peer.certificate import Certificate, Identity, Usage
from peer.errors import Breach, Distrust, Refused, Status
from peer.frames import Settings
from peer.handshake import BUSY, Mode, Party, Preamble, Suite, Trust
from peer.session import Listener, Session
from peer.values import pack
from programs import Files, Program
from world import World, case, check_told


def ask(
    world: World,
    listener: Listener,
    name: str = "bob",
    what: str = "ask",
    more: tuple[str, ...] = (),
) -> Program:
    host, port = listener.address
    return world.start("interop_server", what, "alice", f"{name}@{host}:{port}", *more)


def answer_all(session: Session) -> int:
    """Answers each struct of the one channel that comes. Returns how many there were."""
    assert session.peer.name == "alice"
    channel = session.accept()
    assert channel.opened.text("service") == "interop.echo.v1"
    assert (channel.opened.text("opener_type"), channel.opened.text("acceptor_type")) == SAMPLES
    channel.accept(items=1, byte_count=50)
    answered = 0
    while payload := channel.recv():
        send(channel, unpack_sample(payload).answer)
        answered += 1
    channel.close()
    session.close()
    return answered


@case("a second implementation listens and answers thousands of structs with little credit")
def answers(world: World) -> None:
    listener = world.listener()
    program = ask(world, listener)
    answered = answer_all(listener.accept())
    status, err = program.finish()
    assert status == 0, err
    assert answered == 2000, answered


@case("a second implementation accepts late and is sent no more than the early credit")
def accepts_late(world: World) -> None:
    listener = world.listener()
    host, port = listener.address
    data = bytes(range(256)) * 4096
    pipe = world.start("tube", "pipe", f"bob@{host}:{port}", "--as", "alice", files=Files(data))
    session = listener.accept()
    channel = session.accept()
    session.wait_idle()
    early = channel.waiting
    assert early <= 16, early
    channel.accept(items=2, byte_count=1000)
    received = bytearray()
    while payload := channel.recv():
        received += payload
    assert received == data
    channel.send(b"the answer")
    channel.send(b"")
    channel.close()
    assert channel.recv() is None
    session.close()
    status, err = pipe.finish()
    assert status == 0, err
    assert pipe.out.finish() == b"the answer"


@case("a second implementation lets channels go and gives their places back")
def gives_places_back(world: World) -> None:
    listener = world.listener()
    program = ask(world, listener, what="visit")
    session = listener.accept(mine=Settings(channels_max=4))
    for number in range(40):
        channel = session.accept()
        channel.accept(items=1, byte_count=50)
        assert channel.recv() == pack(number)
        channel.send(pack(number))
        channel.close()
        assert channel.recv() is None
    session.close()
    status, err = program.finish()
    assert status == 0, err


@case("a second implementation opens channels on a session that it was dialled for")
def opens_as_listener(world: World) -> None:
    listener = world.listener()
    program = ask(world, listener)
    session = listener.accept()
    session.accept()
    check_reset(session.open("nobody.v1", SAMPLES), Status.UNIMPLEMENTED, "nobody.v1")
    check_reset(session.open("nobody.v2", SAMPLES), Status.UNIMPLEMENTED, "nobody.v2")
    program.kill()


def check_refused_by_dialler(
    world: World, me: Party, status: Status, *words: str, name: str = "bob"
) -> None:
    """It tells us in message 3, and the one who started it on standard error."""
    listener = world.listener(me)
    program = ask(world, listener, name)
    try:
        listener.accept()
    except Refused as refused:
        assert refused.status == status, refused
        check_told(refused.text, *words)
    else:
        raise AssertionError("the dialler believed us")
    status_of_exit, err = program.finish()
    assert status_of_exit == 1, status_of_exit
    check_told(err, status.name.lower(), *words)


@case("a second implementation that listens is refused with an unknown authority or another name")
def listens_without_trust(world: World) -> None:
    stranger = world.party(Certificate("bob"), Identity())
    check_refused_by_dialler(world, stranger, Status.UNAUTHENTICATED, "authority")
    expired = world.party(Certificate("bob", not_before=1, not_after=2))
    check_refused_by_dialler(world, expired, Status.UNAUTHENTICATED, "expired")
    check_refused_by_dialler(world, world.bob, Status.UNAUTHENTICATED, "bob", "carol", name="carol")


@case("a second implementation that listens with a key for clients is refused")
def client_key_listens(world: World) -> None:
    client = world.party(Certificate("bob", Usage.CLIENT))
    check_refused_by_dialler(world, client, Status.PERMISSION_DENIED, "client", "server")


@case("a second implementation that answers another version or mode is left with both named")
def answers_another_version(world: World) -> None:
    for wanted, words in (
        (Preamble(version=2), ("version 1", "version 2")),
        (Preamble(mode=Mode.XXPSK3), ("mode", "XX", "XXpsk3")),
        (Preamble(suite=Suite.AES), ("suite", "ChaChaPoly")),
    ):
        listener = world.listener()
        program = ask(world, listener)
        try:
            listener.accept(wanted)
        except Breach:
            pass
        listener.close()
        status, err = program.finish()
        assert status == 1, status
        check_told(err, *words)


@case("a second implementation that refuses a dialler is quoted")
def refuses_the_dialler(world: World) -> None:
    listener = Listener(world.bob, Trust(frozenset({Identity().public})))
    program = ask(world, listener)
    try:
        listener.accept()
    except Distrust as error:
        status, err = program.finish()
        assert status == 1, status
        check_told(err, "unauthenticated", "alice is certified by the unknown ed25519:")
        assert str(error)[:30] in err
    else:
        raise AssertionError("a stranger was believed")


@case("a second implementation that is busy says so to whoever dials")
def busy(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        program = world.start("interop_server", "ask", "alice", f"bob@127.0.0.1:{listener.getsockname()[1]}")
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(BUSY.encode())
    status, err = program.finish()
    assert status == 1, err
    check_told(err, "unavailable", "the peer is busy")
