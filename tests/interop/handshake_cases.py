"""Both sides meet: crypto/HANDSHAKE.md where all goes well, and where they share no key."""

from channel_cases import check_counts, count_to
from listener_cases import answer_all, ask
from peer.certificate import read_psk_file
from peer.errors import Breach, CutOff
from peer.handshake import Mode, Preamble, Suite
from world import World, case, check_told

SUITES = {Suite.CHACHA: (), Suite.AES: ("--aes",)}


@case("a second implementation dials and says goodbye")
def dials(world: World) -> None:
    session = world.dial(world.server())
    session.wait_up()
    assert session.peer.name == "alice"
    assert session.theirs.channels_max > 0
    session.ping()
    session.close()


@case("a second implementation sends its first values before it knows that it is welcome")
def sends_at_once(world: World) -> None:
    session = world.dial(world.server())
    channel = count_to(session, 3)
    session.flush()
    assert not session.is_up
    check_counts(channel, range(1, 4))
    session.close()


@case("a second implementation dials in both modes and both suites")
def dials_in_all_modes(world: World) -> None:
    world.tube("key", "psk")
    file = world.folder / "shared.psk"
    psk = read_psk_file(file)
    for suite, words in SUITES.items():
        for key, more in ((None, ()), (psk, ("--psk", str(file)))):
            session = world.dial(world.server(*words, *more), offer=Preamble(suite=suite), psk=key)
            check_counts(count_to(session, 500), range(1, 501))
            session.close()


@case("a second implementation listens in both modes and both suites")
def listens_in_all_modes(world: World) -> None:
    world.tube("key", "psk")
    file = world.folder / "shared.psk"
    psk = read_psk_file(file)
    for suite, words in SUITES.items():
        for key, more in ((None, ()), (psk, ("--psk", str(file)))):
            listener = world.listener(psk=key)
            program = ask(world, listener, more=(*words, *more))
            answer_all(listener.accept(Preamble(suite=suite)))
            status, err = program.finish()
            assert status == 0, err


@case("a second implementation with another pre-shared key is cut off and told nothing")
def another_psk(world: World) -> None:
    world.tube("key", "psk")
    file = world.folder / "shared.psk"
    server = world.server("--psk", str(file))
    session = world.dial(server, psk=bytes(32))
    try:
        session.wait_up()
    except CutOff:
        pass
    else:
        raise AssertionError("another key was taken")
    world.dial(server, psk=read_psk_file(file)).close()


@case("a second implementation that listens with another pre-shared key hears nobody")
def listens_with_another_psk(world: World) -> None:
    world.tube("key", "psk")
    listener = world.listener(psk=bytes(32))
    program = ask(world, listener, more=("--psk", str(world.folder / "shared.psk")))
    try:
        listener.accept()
    except Breach as error:
        assert "does not open" in str(error), error
    else:
        raise AssertionError("another key was taken")
    status, err = program.finish()
    assert status == 1, status
    check_told(err, "unavailable", "cut short")  # nothing can be told on the wire


@case("a second implementation without the pre-shared key is told to bring one")
def no_psk(world: World) -> None:
    world.tube("key", "psk")
    server = world.server("--psk", str(world.folder / "shared.psk"))
    try:
        world.dial(server)
    except Breach as error:
        check_told(str(error), f"mode {int(Mode.XX)} offered", f"{int(Mode.XXPSK3)} answered")
    else:
        raise AssertionError("a dialler without the key was taken")
