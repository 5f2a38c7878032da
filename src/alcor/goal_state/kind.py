"""What the codecs declare of each kind of entry, in one place a kind."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from google.protobuf.message import Message

Entry = TypeVar("Entry")


class Kind(NamedTuple, Generic[Entry]):
    """One kind of entry: under which keys it is, and how its bytes are made and read.

    `read` gets a key's parts, and raises `ValueError` for what can't be such an entry.
    """

    type: type[Entry]
    keys: str  # as `slices` makes them, with * for ids and names
    message: Callable[[Entry], Message]
    read: Callable[[list[str], bytes], Entry]
