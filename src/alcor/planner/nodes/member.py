"""A port as remotes of rules see it: where the members of its security groups are."""

from collections.abc import Iterator

from alcor.goal_state.entries import Member
from alcor.goal_state.slices import member_key
from alcor.intent.records import PortRecord
from alcor.planner.parsed import address, prefix
from alcor.values.addresses import Address, Prefix


def plan(port: PortRecord) -> Iterator[tuple[str, Member]]:
    """An entry for each of its groups; `ValueError` when the record's text is no address.

    A port that is bound nowhere is a member too: its addresses may be shared by ports that are.
    """
    own = [_whole(address(fixed.ip_address)) for fixed in port.fixed_ips]
    others = [prefix(pair.ip_address) for pair in port.allowed_address_pairs]
    # Who may send from every address does not make everybody a member (Neutron LP1867119).
    prefixes = tuple(dict.fromkeys(own + [each for each in others if each.length]))
    if not prefixes:
        return
    for group_id in port.security_groups:
        yield member_key(group_id, port.id), Member(group_id, port.id, prefixes)


def _whole(address: Address) -> Prefix:
    return Prefix(address.version, address.number, 32 if address.version == 4 else 128)
