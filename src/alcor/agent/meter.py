"""How much a port may send to the agent. Pure."""

from typing import NamedTuple


class Meter(NamedTuple):
    """A meter that flows name by its id; what exceeds it is dropped."""

    id: int
    rate: int  # packets a second
    burst: int  # packets
