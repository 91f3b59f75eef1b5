"""rpc/WIRE.md, "Values": a message's payload is one value in msgpack.

A struct is the array of its fields in their order; a reader takes a map from their names too, skips
fields that it does not know, and keeps the default of those that are missing. A channel of `bytes`
alone has the bytes themselves for its payload.
"""

import msgpack


def pack(value: object) -> bytes:
    return bytes(msgpack.packb(value))


def unpack(payload: bytes) -> object:
    return msgpack.unpackb(payload)
