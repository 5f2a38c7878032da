"""Which gateway is meant, of several to one network: by addresses, and then by what is left."""

from hypothesis import given
from hypothesis import strategies as st

from alcor.intent.records import FixedIp
from alcor.managers.router.model.attachments import Attachment, Place, gates_of
from alcor.managers.router.model.gateway import GatewayInfo, matched


def gateway(network: str, *addresses: str) -> GatewayInfo:
    fixed = tuple(FixedIp(subnet_id="s", ip_address=each) for each in addresses)
    return GatewayInfo(network_id=network, external_fixed_ips=fixed)


def item(network: str, *addresses: str) -> dict[str, object]:
    fixed = [{"ip_address": each} for each in addresses]
    return {"network_id": network} | ({"external_fixed_ips": fixed} if fixed else {})


def port(id_: str, info: GatewayInfo) -> Attachment:
    places = (Place("s", "192.0.2.0/24", each.ip_address) for each in info.external_fixed_ips)
    return Attachment(id_, "r", info.network_id, True, tuple(places))


HELD = (gateway("a", "1"), gateway("a", "2"), gateway("b", "3"))


def test_who_has_the_addresses_is_meant_whatever_the_order() -> None:
    assert matched(HELD, [item("a"), item("a", "1")], loosely=True) == [1, 0]
    assert matched(HELD, [item("a", "2"), item("b"), item("a", "1")], loosely=False) == [1, 2, 0]


def test_addresses_that_none_has_mean_one_that_is_left_only_loosely() -> None:
    assert matched(HELD, [item("a", "9"), item("a", "1")], loosely=True) == [1, 0]
    assert matched(HELD, [item("a", "9"), item("a", "1")], loosely=False) == [-1, 0]
    assert matched(HELD, [item("c"), item("b"), item("b")], loosely=True) == [-1, 2, -1]


@given(st.permutations(range(4)))
def test_each_gateway_has_the_port_of_its_addresses(order: list[int]) -> None:
    infos = [gateway("a", "1"), gateway("a", "2"), gateway("a"), gateway("b", "1")]
    ports = [port(f"p{number}", info) for number, info in enumerate(infos)]

    gates = gates_of([infos[place] for place in order], [*ports, ports[0]._replace(
        port_id="inside", is_gateway=False)])  # fmt: skip

    assert [gate.port_id if gate else "" for gate in gates] == [f"p{place}" for place in order]


def test_a_gateway_whose_port_is_not_known_has_none() -> None:
    assert gates_of(HELD, [port("p", HELD[1])]) == [None, port("p", HELD[1]), None]
