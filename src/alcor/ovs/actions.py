"""The actions of a flow, and how they are made: a part of `flow.py`.

`kind` in every action is a constant: tuples of different classes would compare as equal without.
Source: OpenFlow 1.4 section 5, ovs-actions(7).
"""

from typing import Literal, NamedTuple

from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.match import term_of

IN_PORT = 0xFFFFFFF8  # back to where it came from; a plain output to that port is dropped
CONTROLLER = 0xFFFFFFFD
LOCAL = 0xFFFFFFFE
ANY_PORT = 0xFFFFFFFF
NO_BUFFER = 0xFFFF  # max_len: send the whole packet


class Output(NamedTuple):
    """Send a copy out of a port; to CONTROLLER, at most `max_len` bytes of it."""

    port: int
    max_len: int
    kind: Literal["output"] = "output"


class Punt(NamedTuple):
    """Send to the controller, limited by a meter, with bytes that say why (NXAST_CONTROLLER2)."""

    max_len: int
    meter: int  # 0: none
    userdata: bytes
    kind: Literal["punt"] = "punt"


class SetField(NamedTuple):
    """Set the bits of `mask` in a field; the rest stays as it is."""

    field: int
    value: int
    mask: int
    kind: Literal["set_field"] = "set_field"


class Load(NamedTuple):
    """Set `bits` bits from `offset` on in a field (Nicira reg_load); at most 64 bits."""

    field: int
    offset: int
    bits: int
    value: int
    kind: Literal["load"] = "load"


class Move(NamedTuple):
    """Copy `bits` bits of one field to another (Nicira reg_move)."""

    source: int
    source_offset: int
    target: int
    target_offset: int
    bits: int
    kind: Literal["move"] = "move"


class PushVlan(NamedTuple):
    """Put a tag in front; its vid is then set by set_field."""

    ethertype: int
    kind: Literal["push_vlan"] = "push_vlan"


class PopVlan(NamedTuple):
    """Take the outer tag away."""

    kind: Literal["pop_vlan"] = "pop_vlan"


class SetQueue(NamedTuple):
    """Leave by this queue of whichever port it leaves by; 0: by the port's default one."""

    queue: int  # 32 bits
    kind: Literal["set_queue"] = "set_queue"


class DecTtl(NamedTuple):
    """One hop less; a packet with TTL 0 or 1 stops here and goes to the controller."""

    kind: Literal["dec_ttl"] = "dec_ttl"


class Resubmit(NamedTuple):
    """Look the packet up in another table, then go on here: a subroutine."""

    table: int
    kind: Literal["resubmit"] = "resubmit"


class Nat(NamedTuple):
    """What becomes of a connection's addresses, in `ct` (NXAST_NAT).

    Of a connection that is new and committed, the source or destination becomes `address`, and its
    port `port` unless that is 0; packets of a known connection follow what was done to it. Without
    a direction only the latter.
    """

    direction: Literal["source", "destination", ""] = ""
    version: int = 4
    address: int = 0
    port: int = 0


class Ct(NamedTuple):
    """Send through the connection tracker (NXAST_CT).

    The packet is tracked in a zone (a number, or 16 bits of a field from `zone_offset` on), and a
    copy that knows its ct_state goes on at `table` (None: nothing goes on, this flow's own packet
    stays untracked). With `commit` the connection is kept and `committed` (set_field, load, move
    on ct_mark and ct_label) is applied to it. `alg`, ftp or tftp: further connections that its
    packets name are known as related, and translated with it.
    """

    commit: bool
    zone: int
    zone_field: int | None
    zone_offset: int
    table: int | None
    committed: tuple["SetField | Load | Move", ...]
    nat: Nat | None = None
    alg: str = ""
    kind: Literal["ct"] = "ct"


class CtClear(NamedTuple):
    """Forget what the connection tracker said of the packet (NXAST_CT_CLEAR)."""

    kind: Literal["ct_clear"] = "ct_clear"


class CheckLarger(NamedTuple):
    """Note in a bit of a field whether the frame has more than `length` bytes, headers included.

    NXAST_CHECK_PKT_LARGER; the bit is cleared when it has not. Not for a subroutine: a switch does
    nothing of its caller any more.
    """

    length: int
    field: int
    offset: int
    kind: Literal["check_larger"] = "check_larger"


class Multipath(NamedTuple):
    """Write one of `links` numbers, from 0 on, into a field: alike for all packets of a connection,
    whichever way they go (NXAST_MULTIPATH; addresses and ports, hashed). Of UDP addresses alone:
    its datagrams may come in fragments, which have no ports."""

    links: int  # 1 to 65536
    field: int
    bits: int  # of the field, from 0 on
    kind: Literal["multipath"] = "multipath"


class Clone(NamedTuple):
    """Do these to a copy (NXAST_CLONE): what they change is seen by nobody else."""

    actions: tuple["Action", ...]
    kind: Literal["clone"] = "clone"


class Conjunction(NamedTuple):
    """One dimension of a conjunctive match (NXAST_CONJUNCTION); only beside others of its kind.

    A packet that matches a flow of every dimension of `id`, all of one table and priority, is
    looked up again with that `conj_id`.
    """

    id: int  # 32 bits, one conjunction of its table
    dimension: int  # 0 .. dimensions - 1
    dimensions: int  # 2 to 64
    kind: Literal["conjunction"] = "conjunction"


Action = (
    Output
    | Punt
    | SetField
    | Load
    | Move
    | PushVlan
    | PopVlan
    | SetQueue
    | DecTtl
    | Resubmit
    | Ct
    | CtClear
    | CheckLarger
    | Multipath
    | Clone
    | Conjunction
)


def output(port: int) -> Output:
    """Send out of `port` (IN_PORT included; for the controller use `punt`)."""
    return Output(port, 0)


def punt(max_len: int = NO_BUFFER, meter: int = 0, userdata: bytes = b"") -> Output | Punt:
    """Send to whoever listens for packet-ins."""
    if meter or userdata:
        return Punt(max_len, meter, userdata)
    return Output(CONTROLLER, max_len)


def set_field(name: str, value: int, mask: int | None = None) -> SetField:
    """Set a field by name; `ValueError` when the value does not fit."""
    field = FIELD_BY_NAME[name]
    return SetField(*term_of(field, value, field.full if mask is None else mask))


def load(name: str, value: int, offset: int = 0, bits: int | None = None) -> Load:
    """Set a range of bits of a field (all by default); `ValueError` when it does not fit."""
    field = FIELD_BY_NAME[name]
    bits = field.bits - offset if bits is None else bits
    if not 0 < bits <= 64 or offset + bits > field.bits or value < 0 or value >> bits:
        raise ValueError(f"{value:#x} does not fit into {name}[{offset}..{offset + bits - 1}]")
    return Load(field.place, offset, bits, value)


def move(
    source: str,
    target: str,
    bits: int | None = None,
    source_offset: int = 0,
    target_offset: int = 0,
) -> Move:
    """Copy bits from field to field (by default all of the source)."""
    from_, to = FIELD_BY_NAME[source], FIELD_BY_NAME[target]
    bits = from_.bits - source_offset if bits is None else bits
    if bits <= 0 or source_offset + bits > from_.bits or target_offset + bits > to.bits:
        raise ValueError(f"{bits} bits of {source} do not fit into {target}")
    return Move(from_.place, source_offset, to.place, target_offset, bits)


def check_larger(length: int, name: str, offset: int) -> CheckLarger:
    """Note in a bit of a field whether the frame is longer; `ValueError` if there is no such."""
    field = FIELD_BY_NAME[name]
    if not 0 <= offset < field.bits or not 0 <= length <= 0xFFFF:
        raise ValueError(f"{length} bytes can't be checked into bit {offset} of {name}")
    return CheckLarger(length, field.place, offset)


def multipath(links: int, name: str) -> Multipath:
    """Choose one of `links` numbers and write it into a field of at most 32 bits."""
    field = FIELD_BY_NAME[name]
    if not 0 < links <= 1 << 16 or field.bits > 32:
        raise ValueError(f"{name} can't hold one of {links}")
    return Multipath(links, field.place, field.bits)


def ct(
    zone: int | str = 0,
    *,
    zone_offset: int = 0,
    commit: bool = False,
    table: int | None = None,
    committed: tuple[SetField | Load | Move, ...] = (),
    nat: Nat | None = None,
    alg: Literal["", "ftp", "tftp"] = "",
) -> Ct:
    """Track in a zone: a number, or the name of a field that holds it (16 bits)."""
    if isinstance(zone, str):
        return Ct(commit, 0, FIELD_BY_NAME[zone].place, zone_offset, table, committed, nat, alg)
    return Ct(commit, zone, None, 0, table, committed, nat, alg)
