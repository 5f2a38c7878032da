"""Sets of prefixes: put together, compared, and cut into pieces. Pure; one family at a time."""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence

from alcor.values.addresses import Prefix, prefix


def compact(prefixes: Iterable[Prefix]) -> list[Prefix]:
    """The same addresses in as few prefixes as there can be, in order."""
    networks: list[ipaddress.IPv4Network] | list[ipaddress.IPv6Network]
    texts = [str(each) for each in prefixes]
    if any(":" in text for text in texts):
        networks = [ipaddress.IPv6Network(text) for text in texts]
        return [prefix(str(each)) for each in ipaddress.collapse_addresses(networks)]
    networks = [ipaddress.IPv4Network(text) for text in texts]
    return [prefix(str(each)) for each in ipaddress.collapse_addresses(networks)]


def within(inner: Iterable[Prefix], outer: Sequence[Prefix]) -> bool:
    """Whether every one of `inner` is in one of `outer`, which is compact."""
    return all(any(_holds(whole, part) for whole in outer) for part in inner)


def without(whole: Iterable[Prefix], removed: Iterable[Prefix]) -> list[Prefix]:
    """What is left of `whole`; a part that is not in it is not removed."""
    left = list(whole)
    for part in removed:
        left = [piece for each in left for piece in _cut(each, part)]
    return compact(left)


def free(prefixes: Sequence[Prefix], taken: Iterable[Prefix]) -> Iterator[Prefix]:
    """The free pieces of the prefixes, each as large as it can be, in order."""
    ranges = sorted((each.first, each.last) for each in taken)
    for whole in prefixes:
        first = whole.first
        for low, high in ranges:
            if high < first or low > whole.last:
                continue
            yield from _pieces(whole, first, low - 1)
            first = high + 1
        yield from _pieces(whole, first, whole.last)


def smallest_fit(pieces: Iterable[Prefix], length: int) -> Prefix | None:
    """A prefix of this length out of the smallest piece that has one, so that large ones last."""
    found = max((p for p in pieces if p.length <= length), key=lambda p: p.length, default=None)
    return None if found is None else Prefix(found.version, found.number, length)


def _pieces(whole: Prefix, first: int, last: int) -> Iterator[Prefix]:
    while first <= last:
        alignment = (first & -first).bit_length() - 1 if first else whole.width
        bits = min(alignment, (last - first + 1).bit_length() - 1)
        yield Prefix(whole.version, first, whole.width - bits)
        first += 1 << bits


def _cut(whole: Prefix, part: Prefix) -> list[Prefix]:
    if _holds(part, whole):
        return []
    if not _holds(whole, part):
        return [whole]
    return [
        *_pieces(whole, whole.first, part.first - 1),
        *_pieces(whole, part.last + 1, whole.last),
    ]


def _holds(whole: Prefix, part: Prefix) -> bool:
    return whole.length <= part.length and whole.overlaps(part)
