"""Records: crypto/HANDSHAKE.md, "Rekey"."""

from peer.records import REKEY_BYTES
from programs import Files
from world import World, long_case


@long_case("a second implementation changes both keys after a gibibyte and goes on")
def changes_keys(world: World) -> None:
    length = REKEY_BYTES + (1 << 24)
    pipe = world.pipe(files=Files(zeros=length, out="dropped"))
    session = world.dial(pipe)
    channel = session.open("tube.pipe.v1", ("bytes", "bytes"), items=64, byte_count=1 << 20)
    message = bytes(60_000)
    received = sent = 0
    while sent < length:
        channel.send(message)
        sent += len(message)
        while channel.waiting and received < length:
            received += len(channel.recv() or b"")
    while received < length:
        received += len(channel.recv() or b"")
    assert (session.sealer.key_changes, session.opener.key_changes) == (1, 1)
    channel.send(b"")
    channel.close()
    assert channel.recv() == b""
    assert channel.recv() is None
    session.close()
    status, err = pipe.finish()
    assert status == 0, err
