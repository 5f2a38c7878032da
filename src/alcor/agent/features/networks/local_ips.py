"""Local IPs: a virtual address that leads to a port of this host, for the machines of this host.

The asker gets the port's MAC (`arp.local`). What it sends there is translated before L2_DST looks
for the port, so that the asker's security groups see the local IP, and the port's see its own
address; what the port answers is translated back in the same place. The connection tracker knows
which answers these are, so the port talks by its own address as well.
"""

from collections.abc import Iterator

from alcor.agent.model.model import Wired
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import LocalIp
from alcor.ovs.fields import ETH_TYPE_IPV4
from alcor.ovs.flow import CtClear, Flow, Nat, apply, ct, match, set_field

_ABOVE_MACS = p.PRIORITY.guard + 1
_UNSEEN = (0, p.LOOKED_AT[1])


def port(wired: Wired, zone: int | None, cookie: int) -> Iterator[Flow]:
    """The local IPs of one port that are translated; none without a `zone`."""
    translated = [each for each in wired.port.local_ips if not each.passthrough]
    if zone is not None:
        for each in translated:
            yield _towards(wired, each, zone, cookie)
        for fixed in sorted({each.fixed for each in translated}):
            said = match(
                reg14=wired.number,
                reg0=_UNSEEN,
                eth_type=ETH_TYPE_IPV4,
                ipv4_src=fixed.number,
            )
            seen = set_field(p.FLAGS, *p.LOOKED_AT)
            back = apply(seen, CtClear(), ct(zone, table=p.L2_DST, nat=Nat()))
            yield Flow(p.L2_DST, _ABOVE_MACS, said, back, cookie)


def _towards(wired: Wired, local_ip: LocalIp, zone: int, cookie: int) -> Flow:
    """What is sent here to the local IP goes to the port's own address."""
    sent = match(
        metadata=wired.network.vni,
        reg0=p.FROM_HERE,
        eth_dst=wired.port.mac,
        eth_type=ETH_TYPE_IPV4,
        ipv4_dst=local_ip.address.number,
    )
    nat = Nat("destination", 4, local_ip.fixed.number)
    translated = apply(CtClear(), ct(zone, commit=True, table=p.L2_DST, nat=nat))
    return Flow(p.L2_DST, _ABOVE_MACS, sent, translated, cookie)
