"""Channels with values in both directions: rpc/WIRE.md, "A channel" and "Credit"."""

from dataclasses import astuple, dataclass

from peer.channel import Channel
from peer.errors import ChannelReset, ChannelStopped, Status
from peer.frames import Kind
from peer.session import Session
from peer.values import pack, unpack
from programs import Files
from world import World, case

INT64 = ("int64", "int64")


@dataclass(frozen=True)
class Sample:
    """As server.cpp lists its fields."""

    number: int
    text: str
    flag: bool
    ratio: float
    items: tuple[int, ...]

    @property
    def answer(self) -> "Sample":
        return Sample(self.number + 1, self.text + "!", self.flag, self.ratio, (*self.items, -1))


SAMPLES = ("interop.Sample.v1", "interop.Sample.v1")


def sample(number: int) -> Sample:
    items = tuple(range(-number % 7, 3))
    return Sample(number * 12_345_678_901, "ä" * (number % 150), number % 2 == 0, number / 8, items)


def send(channel: Channel, value: Sample) -> None:
    channel.send(pack(astuple(value)))


def unpack_sample(payload: bytes) -> Sample:
    fields = unpack(payload)
    assert isinstance(fields, list)
    number, text, flag, ratio, items = fields
    return Sample(number, text, flag, ratio, tuple(items))


def check_answer(channel: Channel, asked: Sample) -> None:
    payload = channel.recv()
    assert payload is not None, "the channel closed early"
    answer = unpack_sample(payload)
    assert answer == asked.answer, f"{answer} came, {asked.answer} was due"


def count_to(session: Session, last: int, items: int = 8, byte_count: int = 64) -> Channel:
    channel = session.open("interop.count.v1", INT64, items, byte_count)
    channel.send(pack(last))
    return channel


def check_counts(channel: Channel, numbers: range) -> None:
    for number in numbers:
        payload = channel.recv()
        assert payload is not None and unpack(payload) == number, f"{payload!r}, not {number}"


def check_reset(channel: Channel, status: Status, *words: str) -> None:
    try:
        channel.recv()
    except ChannelReset as reset:
        assert reset.status == status, reset
        assert all(word in reset.text for word in words), reset
    else:
        raise AssertionError("the channel was not reset")


@case("a second implementation streams thousands of structs both ways with little credit")
def streams_both_ways(world: World) -> None:
    session = world.dial(world.server())
    channel = session.open("interop.echo.v1", SAMPLES, items=3, byte_count=100)
    ahead = 3  # more would wait for us: the server has credit for 2 and one in hand, and we for 1
    for number in range(4000):
        send(channel, sample(number))
        if number >= ahead:
            check_answer(channel, sample(number - ahead))
    for number in range(4000 - ahead, 4000):
        check_answer(channel, sample(number))
    channel.close()
    assert channel.recv() is None
    session.close()


@case("a second implementation is sent no more messages and bytes than it granted")
def bounds_the_sender(world: World) -> None:
    session = world.dial(world.server())
    two_items = count_to(session, 3000, items=2)
    forty_bytes = count_to(session, 3000, items=1000, byte_count=40)
    session.wait_idle()
    assert two_items.waiting == 2, two_items.waiting
    assert forty_bytes.waiting == 40, forty_bytes.waiting  # the small numbers have one byte
    check_counts(forty_bytes, range(1, 3001))
    check_counts(two_items, range(1, 3001))
    session.close()


@case("a second implementation is granted more only when its values were taken")
def waits_for_credit(world: World) -> None:
    pipe = world.pipe(files=Files(out="unread"))
    session = world.dial(pipe)
    channel = session.open("tube.pipe.v1", ("bytes", "bytes"))
    message, sent = bytes(range(256)) * 32, 0
    session.wait_idle()
    while channel.can_send(len(message)):
        channel.send(message)
        sent += 1
        assert sent < 10_000, "the credit has no end"
        if not channel.can_send(len(message)):
            session.wait_idle()
    assert pipe.out  # somebody reads at last
    for _ in range(2000):
        channel.send(message)
    channel.send(b"")  # how a pipe says that its input has ended
    channel.close()
    assert channel.recv() == b"", "the pipe ended with data"
    assert channel.recv() is None
    session.close()
    status, err = pipe.finish()
    assert status == 0, err
    assert pipe.out.finish() == message * (sent + 2000)


@case("a second implementation exchanges a value that is larger than every window")
def large_values(world: World) -> None:
    session = world.dial(world.server())
    channel = session.open("interop.echo.v1", SAMPLES, items=1, byte_count=64)
    for length in (16_300, 16_384, 262_144, 1_000_000):
        large = Sample(1, "x" * length, True, 0.5, ())
        send(channel, large)
        check_answer(channel, large)
    session.close()


@case("a second implementation uses a hundred channels of one session at once")
def many_channels(world: World) -> None:
    session = world.dial(world.server())
    channels = [count_to(session, 30 + i) for i in range(100)]
    for i, channel in reversed(list(enumerate(channels))):
        check_counts(channel, range(1, 31 + i))
        channel.close()
        assert channel.recv() is None
    session.close()


@case("a second implementation opens more channels than there are places at a time")
def takes_places(world: World) -> None:
    session = world.dial(world.server())
    session.wait_up()
    for _ in range(2 * session.theirs.channels_max + 50):
        channel = count_to(session, 1)
        check_counts(channel, range(1, 2))
        channel.close()
        assert channel.recv() is None
    session.close()


@case("a second implementation fills its records with padding")
def pads(world: World) -> None:
    session = world.dial(world.server())
    channel = count_to(session, 3)
    session.send_bytes(bytes([Kind.PADDING]) + bytes(1000))
    check_counts(channel, range(1, 4))
    session.close()


@case("a second implementation passes a channel in a value and takes one from a value")
def passes_channels(world: World) -> None:
    errand = "interop.Errand.v1"
    session = world.dial(world.server())
    carrier = session.open("interop.errand.v1", (errand, errand))
    for last in (3, 500):
        ours = session.pass_on(carrier, INT64, items=2, byte_count=40)
        carrier.send(pack([last, ours.number]))
        check_counts(ours, range(1, last + 1))
        assert ours.recv() is None
        ours.send(pack(last + 1))
        ours.close()
        payload = carrier.recv()
        assert payload is not None
        fields = unpack(payload)
        assert isinstance(fields, list) and fields[0] == last + 1, fields
        theirs = session.channels[fields[1]]
        assert theirs.opened.number("carrier") == carrier.number
        theirs.accept(items=2, byte_count=40)
        check_counts(theirs, range(1, last + 2))
        theirs.close()
        assert theirs.recv() is None
    carrier.close()
    session.close()


@case("a second implementation sees that its receiver stops")
def sees_stop(world: World) -> None:
    session = world.dial(world.server())
    channel = session.open("interop.stop.v1", INT64)
    sent = 0
    try:
        while sent < 1000:
            channel.send(pack(1))
            sent += 1
    except ChannelStopped:
        pass
    assert 3 <= sent < 1000, sent
    check_counts(channel, range(3, 4))  # three ones were taken, and the other direction goes on
    assert channel.recv() is None
    session.close()


@case("a second implementation stops a sender and goes on with another channel")
def stops(world: World) -> None:
    session = world.dial(world.server())
    endless, other = count_to(session, 1 << 40), count_to(session, 100)
    check_counts(endless, range(1, 50))
    endless.stop()
    endless.wait_closed()
    check_counts(other, range(1, 101))
    session.close()


@case("a second implementation reads the status and the text of a reset")
def sees_reset(world: World) -> None:
    session = world.dial(world.server())
    channel = session.open("interop.fail.v1", INT64)
    channel.send(pack(-7))
    check_reset(channel, Status.DATA_LOSS, "-7 is lost")
    session.ping()
    session.close()


@case("a second implementation resets a channel and goes on with another")
def resets(world: World) -> None:
    session = world.dial(world.server())
    endless, other = count_to(session, 1 << 40), count_to(session, 100)
    check_counts(endless, range(1, 50))
    endless.reset(Status.CANCELLED, "enough")
    check_counts(other, range(1, 101))
    session.close()


@case("a second implementation is refused a channel alone where service types or values are wrong")
def wrong_channels(world: World) -> None:
    session = world.dial(world.server())
    check_reset(session.open("nobody.v1", INT64), Status.UNIMPLEMENTED, "nobody.v1")
    wrong = session.open("interop.count.v1", ("string", "int64"))
    check_reset(wrong, Status.INVALID_ARGUMENT, "string", "int64")
    text = session.open("interop.count.v1", INT64)
    text.send(pack("seven"))
    check_reset(text, Status.INVALID_ARGUMENT)
    check_counts(count_to(session, 3), range(1, 4))
    session.close()


@case("a second implementation may send a struct as a map and leave out what it does not know")
def struct_as_map(world: World) -> None:
    session = world.dial(world.server())
    channel = session.open("interop.echo.v1", SAMPLES)
    for value in ({"text": "hello", "number": 6}, [6, "hello"]):
        channel.send(pack(value))
        check_answer(channel, Sample(6, "hello", False, 0.0, ()))
    channel.send(pack([6, "hello", True, 0.5, [1], "a field of a later version"]))
    check_answer(channel, Sample(6, "hello", True, 0.5, (1,)))
    session.close()
