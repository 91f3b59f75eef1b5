"""Both sides meet: crypto/HANDSHAKE.md where all goes well."""

from peer.certificate import Certificate
from peer.frames import Settings
from peer.handshake import Preamble, Suite
from world import World, case

TALK = ("tube.pipe.v1", ("bytes", "bytes"))


@case("a second implementation dials and says goodbye")
def dials(world: World) -> None:
    session = world.dial(world.server())
    session.wait_up()
    assert session.peer.name == "alice"
    assert session.theirs.channels_max > 0
    session.ping()
    session.close()
