"""Goal-state entries survive their bytes, and any bytes survive the decoder."""

from contextlib import suppress
from fnmatch import fnmatchcase
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.goal_state import codec, slices
from alcor.goal_state.entries import (
    AclLog,
    AclRule,
    Addresses,
    AddressPair,
    Attachment,
    FixedIp,
    FloatingIp,
    Forwarding,
    Found,
    FoundName,
    Gateway,
    GoalEntry,
    Group,
    GroupLog,
    Helper,
    Ipv6Mode,
    Limit,
    LocalIp,
    Member,
    MeteringRule,
    Mirror,
    Name,
    NdpProxy,
    Neighbour,
    Network,
    Port,
    PortLog,
    Presence,
    QosPolicy,
    Route,
    Router,
    RouterInterface,
    Rule,
    Subnet,
    SubnetAcl,
    Tap,
    TapFlow,
    UplinkNode,
    WayOut,
)
from alcor.goal_state.slices import (
    acl_log_key,
    acl_rule_key,
    addresses_key,
    attachment_key,
    exit_key,
    floating_key,
    forwarding_key,
    found_key,
    found_name_key,
    gateway_key,
    group_key,
    group_log_key,
    host_log_key,
    host_port_key,
    interface_key,
    member_key,
    metering_rule_key,
    mirror_key,
    name_key,
    neighbour_key,
    network_key,
    policy_key,
    proxied_key,
    reach_key,
    router_key,
    rule_key,
    subnet_acl_key,
    subnet_key,
    tap_flow_key,
    tap_key,
    uplink_node_key,
)
from alcor.values.addresses import Address, Mac, Prefix, address, prefix
from alcor.values.dhcp_options import DhcpOption, When

NET, SUBNET, PORT = "net-1", "subnet-1", "port-1"
WEB = address("10.0.0.5")
KEYS = [
    host_port_key("h1", PORT),
    network_key(NET),
    subnet_key(NET, SUBNET),
    neighbour_key(NET, PORT),
    group_key("g"),
    rule_key("g", "r"),
    member_key("g", PORT),
    addresses_key("a"),
    router_key("r"),
    interface_key("r", PORT),
    attachment_key(NET, PORT),
    gateway_key("r", PORT),
    floating_key("r", "f"),
    uplink_node_key("rack/1 ext", "h1"),
    forwarding_key("f", "w"),
    subnet_acl_key(NET, SUBNET),
    acl_rule_key("c", "r"),
    policy_key("q"),
    metering_rule_key("a/b*", "r"),
    exit_key("h1", "r"),
    proxied_key("r", "n"),
    name_key(NET, PORT),
    host_log_key("h1", "l"),
    group_log_key("g", "l"),
    mirror_key("h1", "m"),
    reach_key(NET, "h1"),
    found_key(NET, "10.0.0.5", PORT),
    found_name_key(NET, "name=web", PORT),
    acl_log_key("c", "l"),
    tap_key("h1", "t"),
    tap_flow_key("h1", "f"),
]
SUBNET_ENTRY = Subnet(
    id=SUBNET,
    network_id=NET,
    prefix=prefix("2001:db8::/64"),
    gateway=None,
    dhcp=True,
    dns_nameservers=(address("2001:db8::53"),),
    host_routes=(Route(prefix("0.0.0.0/0"), WEB),),
    ra_mode=Ipv6Mode.STATEFUL,
    address_mode=Ipv6Mode.STATELESS,
    address_scope="scope-1",
)

fours = st.integers(0, 2**32 - 1).map(lambda n: Address(4, n))
addresses = st.one_of(
    fours,
    st.integers(0, 2**128 - 1).map(lambda n: Address(6, n)),
)
macs = st.integers(0, 2**48 - 1).map(Mac)
pairs = st.tuples(st.builds(AddressPair, st.just(prefix("fd00::/8")), macs)) | st.just(())
texts = st.text(max_size=20)
lengths = st.integers(0, 32)
prefixes = st.lists(
    lengths.map(lambda length: Prefix(4, (1 << 32) - (1 << (32 - length)), length)), max_size=3
).map(tuple)
bytes_ = st.none() | st.integers(0, 255)
options = st.builds(
    DhcpOption,
    st.sampled_from((4, 6)),
    st.integers(0, 65_535),
    st.binary(max_size=9),
    st.sampled_from(When),
)
positive = st.integers(1, (1 << 32) - 1)
limits = st.lists(
    st.builds(Limit, st.booleans(), st.booleans(), positive, positive),
    max_size=4,
    unique_by=lambda each: each[:2],
).map(tuple)
rules = st.builds(
    Rule,
    id=st.just("r"),
    group_id=st.just("g"),
    ingress=st.booleans(),
    version=st.just(4),
    protocol=bytes_,
    ports=st.none() | st.tuples(st.integers(0, 99), st.integers(99, 65535)),
    icmp_type=bytes_,
    icmp_code=bytes_,
    remote=st.none() | st.just(prefix("10.0.0.0/8")),
    remote_group_id=texts,
    remote_addresses_id=texts,
)
entries: st.SearchStrategy[tuple[str, GoalEntry]] = st.one_of(
    st.builds(
        Port,
        id=st.just(PORT),
        network_id=texts,
        mac=macs,
        fixed_ips=st.lists(st.builds(FixedIp, texts, addresses), max_size=3).map(tuple),
        admin_state_up=st.booleans(),
        port_security=st.booleans(),
        name=texts,
        device_id=texts,
        security_groups=st.lists(texts, max_size=2).map(tuple),
        filtered=st.booleans(),
        address_pairs=pairs,
        dhcp_options=st.lists(options, max_size=2).map(tuple),
        project_id=texts,
        parent_id=texts,
        vlan=st.integers(0, 4094),
        waits=st.booleans(),
        local_ips=st.lists(st.builds(LocalIp, fours, fours, st.booleans()), max_size=2).map(tuple),
    ).map(lambda entry: (KEYS[0], entry)),
    st.builds(
        Network,
        id=st.just(NET),
        vni=st.integers(0, 2**24 - 1),
        mtu=st.integers(0, 65535),
        admin_state_up=st.booleans(),
        dns_domain=texts,
        zone=texts,
        physical_network=texts,
        vlan=st.integers(0, 4094),
    ).map(lambda entry: (KEYS[1], entry)),
    st.builds(
        Neighbour,
        port_id=st.just(PORT),
        network_id=st.just(NET),
        mac=macs,
        addresses=st.lists(addresses, max_size=3).map(tuple),
        host=texts,
        tunnel_endpoint=addresses,
        pairs=pairs,
        also=st.lists(addresses, max_size=2).map(tuple),
    ).map(lambda entry: (KEYS[3], entry)),
    st.just((KEYS[2], SUBNET_ENTRY)),
    st.builds(
        Name,
        port_id=st.just(PORT),
        network_id=st.just(NET),
        name=texts,
        domain=texts,
        addresses=st.lists(addresses, max_size=3).map(tuple),
    ).map(lambda entry: (KEYS[21], entry)),
    st.builds(Group, st.just("g"), st.booleans()).map(lambda entry: (KEYS[4], entry)),
    rules.map(lambda entry: (KEYS[5], entry)),
    st.builds(Member, st.just("g"), st.just(PORT), prefixes).map(lambda entry: (KEYS[6], entry)),
    st.builds(Addresses, st.just("a"), prefixes).map(lambda entry: (KEYS[7], entry)),
    st.builds(
        Router,
        st.just("r"),
        st.booleans(),
        st.just((Route(prefix("10.0.0.0/8"), WEB),)),
        helpers=st.just((Helper(6, 21, "ftp"), Helper(17, 69, "tftp"))),
    ).map(lambda entry: (KEYS[8], entry)),
    st.builds(
        RouterInterface,
        port_id=st.just(PORT),
        router_id=st.just("r"),
        network_id=texts,
        mac=macs,
        fixed_ips=st.lists(st.builds(FixedIp, texts, addresses), max_size=3).map(tuple),
        admin_state_up=st.booleans(),
    ).map(lambda entry: (KEYS[9], entry)),
    st.builds(Attachment, st.just(PORT), st.just(NET), texts).map(lambda entry: (KEYS[10], entry)),
    st.builds(
        Gateway,
        port_id=st.just(PORT),
        router_id=st.just("r"),
        network_id=texts,
        mac=macs,
        fixed_ips=st.lists(st.builds(FixedIp, texts, addresses), max_size=3).map(tuple),
    ).map(lambda entry: (KEYS[11], entry)),
    st.builds(
        FloatingIp,
        id=st.just("f"),
        router_id=st.just("r"),
        network_id=texts,
        mac=macs,
        address=st.just(WEB),
        port_id=texts,
        fixed=st.none() | st.just(WEB),
        name=texts,
        qos_policy_id=texts,
    ).map(lambda entry: (KEYS[12], entry)),
    st.builds(NdpProxy, st.just("n"), st.just("r"), st.just(address("2001:db8::5"))).map(
        lambda entry: (KEYS[20], entry)
    ),
    st.builds(UplinkNode, st.just("rack/1 ext"), st.just("h1"), addresses).map(
        lambda entry: (KEYS[13], entry)
    ),
    st.builds(
        Forwarding,
        id=st.just("w"),
        floating_ip_id=st.just("f"),
        protocol=st.sampled_from((6, 17, 132)),
        outer=st.just((80, 89)),
        address=addresses,
        inner=st.sampled_from(((8080, 8089), (80, 80))),
    ).map(lambda entry: (KEYS[14], entry)),
    st.builds(SubnetAcl, st.just(NET), st.just(SUBNET), texts).map(lambda entry: (KEYS[15], entry)),
    st.builds(
        AclRule,
        id=st.just("r"),
        acl_id=st.just("c"),
        number=st.integers(1, 32_766),
        ingress=st.booleans(),
        allow=st.booleans(),
        version=st.just(4),
        peer=st.none() | st.just(prefix("10.0.0.0/8")),
        protocol=bytes_,
        ports=st.none() | st.tuples(st.integers(0, 99), st.integers(99, 65535)),
        icmp_type=bytes_,
        icmp_code=bytes_,
    ).map(lambda entry: (KEYS[16], entry)),
    st.builds(
        QosPolicy,
        st.just("q"),
        limits,
        st.none() | st.integers(0, 63),
        st.integers(0, (1 << 32) - 1),
    ).map(lambda entry: (KEYS[17], entry)),
    st.builds(
        MeteringRule,
        id=st.just("r"),
        label_id=texts,
        owner=st.just("a/b*"),
        ingress=st.booleans(),
        excluded=st.booleans(),
        source=st.none() | st.just(prefix("10.0.0.0/8")),
        destination=st.just(prefix("192.0.2.0/24")),
    ).map(lambda entry: (KEYS[18], entry)),
    st.just((KEYS[19], WayOut("h1", "r"))),
    st.builds(
        PortLog,
        st.just("l"),
        st.just("h1"),
        texts,
        texts,
        st.booleans(),
        st.booleans(),
    ).map(lambda entry: (KEYS[22], entry)),
    st.builds(GroupLog, st.just("l"), st.just("g"), st.booleans(), st.booleans()).map(
        lambda entry: (KEYS[23], entry)
    ),
    st.builds(
        Mirror,
        st.just("m"),
        st.just("h1"),
        texts,
        st.just(WEB),
        st.booleans(),
        st.none() | st.integers(0, (1 << 32) - 1),
        st.none() | st.integers(0, (1 << 32) - 1),
    ).map(lambda entry: (KEYS[24], entry)),
    st.builds(Presence, st.just(NET), st.just("h1"), addresses).map(
        lambda entry: (KEYS[25], entry)
    ),
    macs.map(
        lambda mac: (KEYS[26], Found("10.0.0.5", Neighbour(PORT, NET, mac, (WEB,), "h1", WEB)))
    ),
    texts.map(
        lambda domain: (KEYS[27], FoundName("name=web", Name(PORT, NET, "web", domain, (WEB,))))
    ),
    st.builds(AclLog, st.just("l"), st.just("c"), st.booleans(), st.booleans()).map(
        lambda entry: (KEYS[28], entry)
    ),
    st.builds(Tap, st.just("t"), st.just("h1"), texts, st.integers(1, (1 << 24) - 1)).map(
        lambda entry: (KEYS[29], entry)
    ),
    st.builds(
        TapFlow,
        st.just("f"),
        st.just("h1"),
        texts,
        texts,
        st.integers(1, (1 << 24) - 1),
        st.lists(st.just(WEB), max_size=2).map(tuple),
        st.booleans(),
        st.booleans(),
    ).map(lambda entry: (KEYS[30], entry)),
)


def test_every_kind_of_entry_is_declared_once_and_tried_here() -> None:
    of_each = [[key for key in KEYS if fnmatchcase(key, kind.keys)] for kind in codec.KINDS]

    assert [len(keys) for keys in of_each] == [1] * len(codec.KINDS)
    assert len(KEYS) == len(codec.KINDS) == len([n for n in vars(slices) if n.endswith("_key")])
    assert {kind.type for kind in codec.KINDS} == set(get_args(GoalEntry))


@given(entries)
def test_an_entry_survives_its_bytes(keyed: tuple[str, GoalEntry]) -> None:
    key, entry = keyed

    assert codec.decode(key, codec.encode(key, entry)) == entry


@given(st.sampled_from(KEYS), st.binary(max_size=200))
def test_any_bytes_are_an_entry_or_malformed(key: str, value: bytes) -> None:
    with suppress(codec.Malformed):
        codec.decode(key, value)


@given(entries, st.binary(max_size=4), st.integers(0, 60))
def test_a_damaged_entry_is_an_entry_or_malformed(
    keyed: tuple[str, GoalEntry], damage: bytes, at: int
) -> None:
    key, entry = keyed
    value = codec.encode(key, entry)

    with suppress(codec.Malformed):
        codec.decode(key, value[:at] + damage + value[at + len(damage) :])


@pytest.mark.parametrize(
    "key", ["", "host", "host/h1/port/", "host//port/p", "network/n/router/r", "vpc/n/network", "/"]
)
def test_a_key_of_no_slice_is_malformed(key: str) -> None:
    with pytest.raises(codec.Malformed):
        codec.decode(key, b"")


@pytest.mark.parametrize(
    "helper", [Helper(17, 21, "ftp"), Helper(6, 0, "ftp"), Helper(17, 5060, "sip")], ids=str
)
def test_a_helper_that_no_switch_reads_is_malformed(helper: Helper) -> None:
    value = codec.encode(router_key("r"), Router("r", True, (), helpers=(helper,)))

    with pytest.raises(codec.Malformed):
        codec.decode(router_key("r"), value)


@pytest.mark.parametrize(
    "policy",
    [
        QosPolicy("q", (Limit(False, False, 1, 1), Limit(False, False, 2, 2))),
        QosPolicy("q", (Limit(False, False, 0, 1),)),
        QosPolicy("q", (), 64),
    ],
    ids=str,
)
def test_a_policy_that_no_switch_can_keep_is_malformed(policy: QosPolicy) -> None:
    value = codec.encode(policy_key("q"), policy)

    with pytest.raises(codec.Malformed):
        codec.decode(policy_key("q"), value)


@pytest.mark.parametrize("number", [0, 1 << 24])
def test_a_tap_with_a_number_that_no_tunnel_has_is_malformed(number: int) -> None:
    tap = Tap("t", "h1", "p", number)
    flow = TapFlow("f", "h1", "p", "q", number, (WEB,), True, True)

    for key, entry in ((tap_key("h1", "t"), tap), (tap_flow_key("h1", "f"), flow)):
        with pytest.raises(codec.Malformed):
            codec.decode(key, codec.encode(key, entry))


def test_a_tap_beyond_an_underlay_of_ipv6_is_malformed() -> None:
    key = tap_flow_key("h1", "f")
    flow = TapFlow("f", "h1", "p", "q", 1, (address("fd00::1"),), True, True)

    with pytest.raises(codec.Malformed):
        codec.decode(key, codec.encode(key, flow))
