"""`Idempotency-Key`: a create that is sent again makes nothing twice. Pure.

The ids of what is made are computed from the key, so that nothing has to be remembered: whoever
sends the same key finds the same ids taken, also at another gateway, also after a crash, and is
answered with what has them. A key counts for one project and one collection.
"""

from hashlib import blake2b
from typing import Any
from uuid import UUID

from alcor.contracts.resources import Caller
from alcor.values.errors import HTTPBadRequest

HEADER = b"idempotency-key"
key_characters_max = 255


def name_items(key: str, caller: Caller, path: str, items: list[dict[str, Any]]) -> list[str]:
    """Give each item without an id one that follows from the key; the ids of all, in order."""
    if len(key) > key_characters_max or not key.isascii() or not key.isprintable():
        raise HTTPBadRequest(
            f"Idempotency-Key takes 1 to {key_characters_max} printable characters of ASCII"
        )
    for place, item in enumerate(items):
        item.setdefault("id", _id(caller.project_id, path, key, str(place)))
    return [item["id"] for item in items]


def _id(*parts: str) -> str:
    """A UUID of version 8 (RFC 9562: of our own making)."""
    digest = blake2b("\0".join(parts).encode(), digest_size=16).digest()
    number = int.from_bytes(digest, "big")
    number = number & ~(0xF << 76) | 8 << 76
    number = number & ~(0b11 << 62) | 0b10 << 62
    return str(UUID(int=number))
