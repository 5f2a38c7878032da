"""What a packet may want that no flow knows. Pure."""

from enum import IntEnum


class Wants(IntEnum):
    """Which neighbour a packet wants."""

    ADDRESS = 1  # it asks who has one
    MAC = 2  # it is sent to one
    NEXT_HOP = 3  # a router sends it to an address
