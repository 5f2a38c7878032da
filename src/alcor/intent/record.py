"""What every record of the intent log is."""

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A resource, whole, as its manager saved it; `records.py` says of which kind, and of whom."""

    id: str
