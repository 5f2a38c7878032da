"""What a trace reads follows intent, and is no more than what concerns it."""

from collections.abc import Iterator
from random import Random

from hypothesis import given, seed, settings
from hypothesis import strategies as st
from tests.unit.tracing.regions import Followed, key_of, region_of
from tests.unit.tracing.worlds import World, world

from alcor.intent.records import (
    FixedIp,
    FloatingIpRecord,
    NetworkRecord,
    PortRecord,
    Record,
    RouterGateway,
    RouterRecord,
    RuleRecord,
    SubnetRecord,
)
from alcor.tracing.path import Trace
from alcor.tracing.region import Region
from alcor.tracing.walk import trace

_NUMBERS = st.integers(0, 2**32 - 1)


def traced(region: Region, asked: World) -> Trace:
    sender = region.one(PortRecord, asked.sender)
    assert sender is not None
    return trace(region, sender, asked.packet)


@seed(1)
@settings(max_examples=100)
@given(_NUMBERS, _NUMBERS, _NUMBERS)
def test_a_region_that_followed_changes_is_as_one_that_began_with_their_end(
    before: int, after: int, order: int
) -> None:
    wanted, followed, dice = world(after), Followed(), Random(order)
    old = list(world(before).records)
    dice.shuffle(old)
    followed.put(old)

    named = {key_of(each) for each in wanted.records}
    followed.drop(each for each in old if key_of(each) not in named)
    new = list(wanted.records)
    dice.shuffle(new)
    followed.put(new)

    assert traced(followed.region, wanted) == traced(region_of(wanted.records), wanted)


def test_what_has_gone_leaves_nothing_behind() -> None:
    followed = Followed()
    for number in range(20):
        followed.put(world(number).records)
    for key_ in list(followed.index.held()):
        followed.index.drop(key_)

    kept = vars(followed.region).values()
    assert [each for each in kept if any(_sizes(each))] == []


def _sizes(part: object) -> list[int]:
    held = vars(part).values() if hasattr(part, "__dict__") else ()
    return [len(each) for each in held if isinstance(each, dict)]


def test_a_trace_reads_no_more_in_a_region_where_others_have_much() -> None:
    asked = next(each for each in map(world, range(100)) if _is_routed(each))
    small, large = Followed(), Followed()
    for each in (small, large):
        each.put(asked.records)
    large.put(_of_others(300))

    assert traced(small.region, asked) == traced(large.region, asked)
    reads = []
    for each in (small, large):
        each.reads = 0
        traced(each.region, asked)
        reads.append(each.reads)
    assert reads[0] == reads[1] > 0


def _is_routed(asked: World) -> bool:
    said = traced(region_of(asked.records), asked)
    return {"ROUTE", "NAT_OUT", "UPLINK_OUT"} <= {step.stage for step in said.steps}


def _of_others(count: int) -> Iterator[Record]:
    """Networks, machines, rules, routers and floating IPs that the packet has nothing to do with,
    on the same external network, with the same addresses inside."""
    for n in range(count):
        yield NetworkRecord(id=f"o{n}", project_id="o", vni=1000 + n, mtu=1450)
        yield SubnetRecord(id=f"os{n}", network_id=f"o{n}", project_id="o", ip_version=4,
                           cidr="10.1.0.0/24", gateway_ip="10.1.0.1")  # fmt: skip
        for low in range(1, 30):
            yield _port(f"o{n}-{low}", f"o{n}", FixedIp(f"os{n}", f"10.1.0.{low}"))
        yield RuleRecord(id=f"ru{n}", group_id=f"og{n}", ip_version=4, ingress=True)
        gate = f"198.51.{n // 200}.{n % 200 + 1}"
        yield RouterRecord(id=f"or{n}", project_id="o",
                           gateway=RouterGateway(network_id="ext", port_id=f"ogw{n}"))  # fmt: skip
        yield _port(f"ogw{n}", "ext", FixedIp("s-ext", gate), "network:router_gateway", f"or{n}")
        yield FloatingIpRecord(id=f"of{n}", project_id="o", floating_network_id="ext",
                               floating_port_id=f"ofp{n}", mac_address="02:00:00:00:00:98",
                               floating_ip_address=f"198.18.{n // 200 + 1}.{n % 200 + 1}",
                               port_id=f"o{n}-9", fixed_ip_address="10.1.0.9",
                               router_id=f"or{n}")  # fmt: skip


def _port(id_: str, network: str, at: FixedIp, owner: str = "", device: str = "") -> PortRecord:
    return PortRecord(id=id_, network_id=network, project_id="o", mac_address="02:00:00:00:00:99",
                      fixed_ips=(at,), host="h1" if not owner else "", device_owner=owner,
                      device_id=device)  # fmt: skip
