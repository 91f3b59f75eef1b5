"""How a conversation may end other than in order."""

from enum import IntEnum


class Status(IntEnum):
    """gRPC's canonical codes; 0 never travels, and one above 16 reads as UNKNOWN."""

    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16

    @classmethod
    def _missing_(cls, value: object) -> "Status | None":
        return cls.UNKNOWN if isinstance(value, int) and value > 16 else None


class PeerError(Exception):
    """Everything below."""


class Breach(PeerError):
    """The peer's bytes are not what the pages say."""


class Distrust(PeerError):
    """We do not believe the peer: its certificate, name, key or usage."""


class CutOff(PeerError):
    """The connection ended without `goodbye`."""


class Busy(PeerError):
    """The listener has no room for another connection."""


class Told(PeerError):
    """The peer gave a status and a text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{Status(status).name.lower()}: {text}")
        self.status = Status(status)
        self.text = text


class Refused(Told):
    """The peer refused the session."""


class ChannelReset(Told):
    """The peer ended both directions of a channel."""


class ChannelStopped(PeerError):
    """The peer takes nothing more from a channel."""
