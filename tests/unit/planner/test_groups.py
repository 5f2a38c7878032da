"""Security groups for hosts: slices only for whom they concern."""

import msgspec
from tests.unit.planner.world import World

from alcor.goal_state import codec
from alcor.goal_state.entries import Addresses, Group, Member, Port, Rule
from alcor.goal_state.slices import (
    addresses_key,
    addresses_slice,
    group_key,
    group_slice,
    host_port_key,
    member_key,
    members_slice,
    rule_key,
)
from alcor.intent.records import (
    AddressGroupRecord,
    AddressPair,
    FixedIp,
    GroupRecord,
    PortRecord,
    RuleRecord,
)
from alcor.values.addresses import prefix

WEB, DB = GroupRecord(id="web", project_id=""), GroupRecord(id="db", project_id="")
FROM_WEB = RuleRecord(
    id="r1",
    group_id="db",
    ingress=True,
    ip_version=4,
    protocol=6,
    ports=(5432, 5432),
    remote_group_id="web",
)
FROM_OFFICE = RuleRecord(
    id="r2", group_id="db", ingress=True, ip_version=4, remote_address_group_id="office"
)
OFFICE = AddressGroupRecord(id="office", project_id="", addresses=("192.0.2.0/24",))


def port(id_: str, host: str, *groups: str, secure: bool = True) -> PortRecord:
    return PortRecord(
        id=id_,
        network_id="n",
        project_id="",
        mac_address="fa:16:3e:00:00:01",
        fixed_ips=(FixedIp("s", "10.0.0.5"),),
        host=host,
        port_security_enabled=secure,
        security_groups=groups,
    )


def test_groups_rules_members_and_addresses_are_entries_of_their_slices() -> None:
    world = World()
    world.save(WEB, DB, FROM_WEB, OFFICE, port("p", "h1", "web"))

    assert world.entry(group_key("db")) == Group("db", True)
    assert world.entry(rule_key("db", "r1")) == Rule(
        "r1", "db", True, 4, 6, (5432, 5432), remote_group_id="web"
    )
    member = Member("web", "p", (prefix("10.0.0.5/32"),))
    assert world.entry(member_key("web", "p")) == member
    assert world.entry(addresses_key("office")) == Addresses("office", (prefix("192.0.2.0/24"),))
    entry = world.entry(host_port_key("h1", "p"))
    assert isinstance(entry, Port)
    assert (entry.filtered, entry.security_groups) == (True, ("web",))


def test_a_port_without_port_security_is_not_filtered() -> None:
    world = World()
    world.save(port("p", "h1", secure=False))

    entry = world.entry(host_port_key("h1", "p"))
    assert isinstance(entry, Port)
    assert not entry.filtered


def test_a_port_that_changes_groups_changes_one_member_of_each() -> None:
    world = World()
    world.save(WEB, DB, port("p", "h1", "web"))

    changed = world.save(port("p", "h1", "db"))

    moved = {host_port_key("h1", "p"), member_key("web", "p"), member_key("db", "p")}
    assert set(changed) == moved
    assert member_key("web", "p") not in world.planner.goal


def test_a_bound_port_moved_to_another_host_changes_no_member() -> None:
    world = World()
    world.save(WEB, port("p", "h1", "web"))

    assert member_key("web", "p") not in world.save(port("p", "h2", "web"))


def test_slices_concern_the_hosts_whose_ports_lead_to_them() -> None:
    world = World()
    world.save(WEB, DB, FROM_WEB, FROM_OFFICE, OFFICE)
    world.save(port("w", "h1", "web"), port("d", "h2", "db"), port("e", "h3", "db"))
    hosts_of = world.planner.index.hosts_of

    assert set(hosts_of(group_slice("web"))) == {"h1"}
    assert set(hosts_of(group_slice("db"))) == {"h2", "h3"}
    assert set(hosts_of(members_slice("web"))) == {"h2", "h3"}
    assert set(hosts_of(members_slice("db"))) == set()
    assert set(hosts_of(addresses_slice("office"))) == {"h2", "h3"}
    world.save(port("e", "h3", "web"))
    assert set(hosts_of(members_slice("web"))) == {"h2"}
    world.save(FROM_WEB, gone=True)
    assert not hosts_of(members_slice("web"))
    assert not hosts_of("nonsense")


def test_what_is_gone_leaves_no_entry() -> None:
    world = World()
    records = (WEB, DB, FROM_WEB, FROM_OFFICE, OFFICE, port("p", "h1", "web"))
    world.save(*records)

    world.save(*records, gone=True)

    assert not world.planner.goal


def test_p025_a_member_that_may_send_from_every_address_makes_nobody_else_a_member() -> None:
    world = World()
    mac = "fa:16:3e:00:00:01"
    pairs = tuple(AddressPair(each, mac) for each in ("0.0.0.0/0", "::/0", "10.8.0.0/16"))

    world.save(msgspec.structs.replace(port("p1", "h1", "web"), allowed_address_pairs=pairs))

    key_ = member_key("web", "p1")
    member = codec.decode(key_, world.planner.goal[key_])
    assert member == Member("web", "p1", (prefix("10.0.0.5/32"), prefix("10.8.0.0/16")))
