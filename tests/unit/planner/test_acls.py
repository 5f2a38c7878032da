"""Network ACLs for hosts: rules in the ACL's slice, and which subnet has which in its network's."""

from itertools import permutations

from tests.unit.planner.world import World

from alcor.goal_state import codec
from alcor.goal_state.entries import AclRule, SubnetAcl
from alcor.goal_state.slices import acl_rule_key, acl_slice, subnet_acl_key
from alcor.intent.records import (
    NetworkAclRecord,
    NetworkAclRuleRecord,
    PortRecord,
    SubnetRecord,
)
from alcor.values.addresses import prefix

SUBNET = SubnetRecord(id="s", network_id="n", project_id="", ip_version=4, cidr="10.0.0.0/24")
RULE = NetworkAclRuleRecord(
    id="r", acl_id="a", number=7, ingress=True, allow=True, ip_version=4, cidr="192.0.2.0/24",
    protocol=6, ports=(80, 90),
)  # fmt: skip
PORT = PortRecord(id="p", network_id="n", project_id="", mac_address="fa:16:3e:00:00:01", host="h1")


def acl(id_: str, *subnets: str) -> NetworkAclRecord:
    return NetworkAclRecord(id=id_, project_id="", subnet_ids=subnets)


class Acls(World):
    def acl_of_subnet(self) -> str:
        value = self.planner.goal.get(subnet_acl_key("n", "s"))
        entry = codec.decode(subnet_acl_key("n", "s"), value) if value is not None else None
        return entry.acl_id if isinstance(entry, SubnetAcl) else ""


def test_a_rule_is_an_entry_of_its_acl_s_slice() -> None:
    world = Acls()

    assert world.save(RULE) == [acl_rule_key("a", "r")]
    assert codec.decode(acl_rule_key("a", "r"), world.planner.goal[acl_rule_key("a", "r")]) == (
        AclRule("r", "a", 7, True, True, 4, prefix("192.0.2.0/24"), 6, (80, 90))
    )
    assert world.save(RULE, gone=True) == [acl_rule_key("a", "r")]


def test_a_subnet_has_its_acl_whatever_came_first() -> None:
    for order in permutations((SUBNET, acl("a", "s"), RULE)):
        world = Acls()
        world.save(*order)

        assert world.acl_of_subnet() == "a"


def test_a_subnet_that_moves_from_acl_to_acl_ends_with_the_new_one() -> None:
    for order in permutations((acl("a"), acl("b", "s"))):
        world = Acls()
        world.save(SUBNET, acl("a", "s"))
        world.save(*order)
        assert world.acl_of_subnet() == "b"

        world.save(*(acl("b"), acl("a", "s")))
        assert world.acl_of_subnet() == "a"


def test_a_subnet_without_acl_is_told_so() -> None:
    world = Acls()
    world.save(SUBNET, acl("a", "s"))

    assert world.save(acl("a", "s"), gone=True) == [subnet_acl_key("n", "s")]
    world.save(acl("a", "s"))
    assert subnet_acl_key("n", "s") in world.save(SUBNET, gone=True)


def test_an_acl_concerns_the_hosts_of_its_subnets_networks() -> None:
    world = Acls()
    world.save(SUBNET, acl("a", "s"), PORT)
    index = world.planner.index

    assert set(index.hosts_of(acl_slice("a"))) == {"h1"}
    assert index.concerns("h1", acl_slice("a"))
    assert not index.concerns("h2", acl_slice("a"))
    world.save(acl("a"))
    assert not index.hosts_of(acl_slice("a"))
