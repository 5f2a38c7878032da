"""Records held as a delivery holds them, and the region that follows them."""

from collections.abc import Iterable

from alcor.intent.records import TYPE_BY_KIND, Record, key
from alcor.planner.index import Index
from alcor.tracing.region import Region

_KIND_BY_TYPE = {type_: kind for kind, type_ in TYPE_BY_KIND.items()}


class Followed:
    """An index, and a region that is told of what it holds."""

    def __init__(self) -> None:
        self.reads = 0  # of single records, by the region
        self.index = Index()
        self.region = Region(self._get)
        self.index.also(self.region)

    def _get(self, key_: str) -> Record | None:
        self.reads += 1
        return self.index.get(key_)

    def put(self, records: Iterable[Record]) -> None:
        """These are so now."""
        for record in records:
            name = key_of(record)
            self.index.put(name, record, self.index.revision(name) + 1)

    def drop(self, records: Iterable[Record]) -> None:
        """These are gone."""
        for record in records:
            self.index.drop(key_of(record))


def key_of(record: Record) -> str:
    """The key that a record is held by."""
    return key(_KIND_BY_TYPE[type(record)], record.id)


def region_of(records: Iterable[Record]) -> Region:
    """A region of these."""
    followed = Followed()
    followed.put(records)
    return followed.region
