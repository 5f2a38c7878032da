"""Flows as values: a match, what to do, and a place in a table.

Everything here is immutable, hashable and compared by value; numbers are plain integers (a MAC is
48 bits, an IPv4 address 32).

    Flow(10, 100, match(in_port=3, eth_src=0x0200_0000_0001), apply(goto=20))
    Flow(97, 100, match(reg15=4), apply(output(4)))
"""

from typing import NamedTuple

from alcor.ovs.actions import *  # noqa: F403 - who makes flows makes what they do
from alcor.ovs.actions import Action
from alcor.ovs.match import *  # noqa: F403
from alcor.ovs.match import Masked, Match


class Instructions(NamedTuple):
    """What a flow does, in the only order there is: meter, actions, metadata, goto."""

    actions: tuple[Action, ...] = ()
    goto: int | None = None  # a later table
    metadata: Masked | None = None  # write_metadata
    meter: int | None = None  # what exceeds it is dropped


DROP = Instructions()


class Flow(NamedTuple):
    """One entry of a flow table. Table, priority and match are its key: a switch holds one."""

    table: int  # 0..254
    priority: int  # 0..65535, the highest matching wins
    match: Match
    instructions: Instructions
    cookie: int = 0  # 64 bits, ours to use

    def __str__(self) -> str:
        return f"table={self.table},priority={self.priority},{self.match}"


def apply(
    *actions: Action,
    goto: int | None = None,
    metadata: Masked | None = None,
    meter: int | None = None,
) -> Instructions:
    """Instructions: do these actions at once, then write metadata, then go on at a later table."""
    if metadata is not None:
        metadata = (metadata[0] & metadata[1], metadata[1])
    return Instructions(actions, goto, metadata, meter)
