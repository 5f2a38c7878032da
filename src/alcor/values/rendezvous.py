"""Choosing one of several alike everywhere, and evenly: the highest random weight.

When one of them goes, only what had chosen it chooses anew. Those that are preferred come before
all others.
"""

from collections.abc import Collection, Iterable
from hashlib import blake2b
from heapq import nlargest


def weight(chooser: str, one: str) -> int:
    """How much one of them weighs for a chooser: 64 bits, the same everywhere."""
    digest = blake2b(f"{chooser}/{one}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def chosen(
    chooser: str, among: Iterable[str], preferred: Collection[str] = frozenset()
) -> str | None:
    """The one that weighs most; None of none."""
    return next(iter(first_of(chooser, among, 1, preferred)), None)


def first_of(
    chooser: str, among: Iterable[str], count: int, preferred: Collection[str] = frozenset()
) -> list[str]:
    """The `count` that weigh most: the chosen one, then who is chosen when it has gone, and on."""
    return nlargest(count, among, key=lambda one: (one in preferred, weight(chooser, one), one))
