"""Security groups through the real store: one default, fences, what the log is told, who sees."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.json import decode
from tests.fixtures.foundation import foundation
from tests.fixtures.manager import ManagerWorld, play, refusal_of

from alcor.contracts.peers import Done, GroupsRequest, Ids, InUse, Projects
from alcor.contracts.resources import (
    ActRequest,
    Caller,
    ListQuery,
)
from alcor.contracts.sharing import Confine
from alcor.intent.records import RuleRecord
from alcor.keyed_log.memory import MemoryLog
from alcor.managers.security_group.app import SecurityGroupApp, SecurityGroupSettings
from alcor.managers.security_group.sql.transaction import SqlTransaction
from alcor.runtime.tables.sharing import Viewer
from alcor.runtime.tables.usage import unlimited
from alcor.values.errors import Refusal

ADMIN = Caller(project_id="ops", admin=True)
ALICE = Caller(project_id="alice")
BOB = Caller(project_id="bob")


class Ports:
    """The port manager, honestly faked: fences are remembered."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.fenced: set[str] = set()
        self.broken = False

    async def fence_groups(self, request: Ids) -> InUse:
        if self.broken:
            raise RuntimeError("the port manager crashed")
        self.fenced |= set(request.ids) - self.used
        return InUse([id_ for id_ in request.ids if id_ in self.used])

    async def confine(self, request: Confine) -> InUse:
        return InUse([request.id] if request.id in self.used else [])

    async def lift_groups(self, request: Ids) -> Done:
        self.fenced -= set(request.ids)
        return Done()


class World(ManagerWorld[SecurityGroupApp]):
    """The manager on a real database, a log, and ports that are faked."""

    def __init__(self, folder: Path, ports: Ports | None = None, **settings: int) -> None:
        self.ports = ports or Ports()
        log = MemoryLog(1)
        app = SecurityGroupApp(
            foundation(folder, log),
            self.ports,
            self.ports,
            SecurityGroupSettings(**settings),
        )
        super().__init__(app, log, ALICE)
        self.groups: Any = self.app.peers[0][1]

    async def group(self, caller: Caller = ALICE, **values: Any) -> dict[str, Any]:
        made: dict[str, Any]
        (made,) = await self.create("security_group", values, caller=caller)
        return made

    async def rule(self, group: str, caller: Caller = ALICE, **values: Any) -> dict[str, Any]:
        values = {"security_group_id": group, "direction": "ingress"} | values
        made: dict[str, Any]
        (made,) = await self.create("security_group_rule", values, caller=caller)
        return made


def run(folder: Path, story: Callable[[World], Awaitable[None]], **settings: int) -> None:
    play(lambda: World(folder, None, **settings), story)


async def refused(type_: str, attempt: Awaitable[object]) -> None:
    assert await refusal_of(attempt) == type_


def traffic_of(rules: list[dict[str, Any]]) -> set[tuple[str, str, str | None]]:
    return {(r["direction"], r["ethertype"], r["remote_group_id"]) for r in rules}


def test_a_project_has_one_default_group_however_many_come_first_together(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        firsts = [
            *(world.listed("security_group") for _ in range(8)),
            *(world.listed("security_group_rule") for _ in range(8)),
            *(world.group(name="g") for _ in range(8)),
            *(world.groups.defaults_of(Projects(["alice"])) for _ in range(8)),
        ]

        await asyncio.gather(*firsts)

        (default,) = await world.listed("security_group", name="default")
        assert traffic_of(default["security_group_rules"]) == {
            ("egress", "IPv4", None),
            ("egress", "IPv6", None),
            ("ingress", "IPv4", default["id"]),
            ("ingress", "IPv6", default["id"]),
        }
        assert all(rule["belongs_to_default_sg"] for rule in default["security_group_rules"])

    run(tmp_path, story)


def test_asking_about_a_foreign_project_makes_nothing(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert await world.listed("security_group", project_id="bob") == []

        assert await world.listed("security_group", ADMIN, name="default", project_id="x") != []
        everything = await world.listed("security_group", ADMIN)
        assert {each["project_id"] for each in everything} == {"x", "ops"}

    run(tmp_path, story)


def test_a_new_group_lets_everything_out_and_nothing_in(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        group = await world.group(name="web")

        rules = group["security_group_rules"]
        assert traffic_of(rules) == {("egress", "IPv4", None), ("egress", "IPv6", None)}
        assert not any(rule["belongs_to_default_sg"] for rule in rules)

    run(tmp_path, story)


def test_groups_are_listed_with_their_rules_by_a_few_statements_however_many_they_are(
    tmp_path: Path,
) -> None:
    async def story(world: World) -> None:
        made = [await world.group(name=f"g{number}") for number in range(20)]
        said: list[str] = []

        def page(connection: Any) -> list[Any]:
            connection.set_trace_callback(said.append)
            tx = SqlTransaction(connection, "", unlimited)
            found = tx.group_page(ListQuery(), Viewer("alice", all=False))
            connection.set_trace_callback(None)
            return found

        page_now = await world.app.database.read(page)

        rules = {each["id"]: each["security_group_rules"] for each in map(decode, page_now)}
        assert len(said) <= 3
        assert len(rules) == 21  # the default group, too
        assert all(rules[each["id"]] == each["security_group_rules"] for each in made)

    run(tmp_path, story)


def test_templates_decide_what_new_groups_begin_with(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        ssh = {"direction": "ingress", "protocol": "tcp", "port_range_min": 22}
        ssh |= {"port_range_max": 22, "remote_group_id": "PARENT"}
        for template in await world.listed("default_security_group_rule"):
            await world.delete("default_security_group_rule", template["id"], ADMIN)
        await world.create("default_security_group_rule", ssh, caller=ADMIN)

        group = await world.group(name="web")

        (rule,) = group["security_group_rules"]
        assert (rule["protocol"], rule["remote_group_id"]) == ("tcp", group["id"])
        (default,) = await world.listed("security_group", name="default")
        assert default["security_group_rules"] == []
        await refused(
            "DefaultSecurityGroupRuleExists",
            world.create("default_security_group_rule", ssh, caller=ADMIN),
        )

    run(tmp_path, story)


def test_the_same_template_may_be_for_each_kind_of_group(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        ssh: dict[str, Any] = {"direction": "ingress", "protocol": "tcp"}
        of_default = ssh | {"used_in_default_sg": True, "used_in_non_default_sg": False}
        of_both = ssh | {"used_in_default_sg": True, "used_in_non_default_sg": True}
        await world.create("default_security_group_rule", of_default, ssh, caller=ADMIN)

        for double in (of_default, ssh, of_both):
            await refused(
                "DefaultSecurityGroupRuleExists",
                world.create("default_security_group_rule", double, caller=ADMIN),
            )

    run(tmp_path, story)


def test_whoever_policy_lets_do_so_writes_templates(tmp_path: Path) -> None:
    """An operator's rules may name another role than the administrators'."""

    async def story(world: World) -> None:
        (held, *_) = await world.listed("default_security_group_rule")
        ssh = {"direction": "ingress", "protocol": "tcp", "port_range_min": 22}
        (made,) = await world.create("default_security_group_rule", ssh | {"port_range_max": 22})

        await world.delete("default_security_group_rule", held["id"])

        ids = [each["id"] for each in await world.listed("default_security_group_rule")]
        assert made["id"] in ids
        assert held["id"] not in ids

    run(tmp_path, story)


def test_the_default_group_keeps_its_name_and_only_administrators_delete_it(
    tmp_path: Path,
) -> None:
    async def story(world: World) -> None:
        (default,) = await world.listed("security_group")

        await refused(
            "SecurityGroupCannotUpdateDefault",
            world.update("security_group", default["id"], name="mine"),
        )
        await refused(
            "SecurityGroupCannotRemoveDefault", world.delete("security_group", default["id"])
        )
        changed = await world.update("security_group", default["id"], description="ours")
        await world.delete("security_group", default["id"], ADMIN)
        (again,) = await world.listed("security_group")

        assert changed["description"] == "ours"
        assert again["id"] != default["id"]

    run(tmp_path, story)


def test_a_rule_is_there_once_and_the_refusal_names_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        group = await world.group(name="web")
        held = await world.rule(group["id"], protocol="tcp")

        with pytest.raises(Refusal, match=held["id"]) as caught:
            await world.rule(group["id"], protocol="6", remote_ip_prefix="0.0.0.0/0")
        assert caught.value.type == "SecurityGroupRuleExists"
        udp = {"security_group_id": group["id"], "direction": "ingress", "protocol": "udp"}
        await refused(
            "DuplicateSecurityGroupRuleInPost", world.create("security_group_rule", udp, udp)
        )

        assert len(await world.listed("security_group_rule", security_group_id=group["id"])) == 3

    run(tmp_path, story)


def test_rules_of_one_request_are_made_together_or_not_at_all(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        web, db = await world.group(name="web"), await world.group(name="db")
        tcp = {"security_group_id": web["id"], "direction": "ingress", "protocol": "tcp"}
        udp = tcp | {"protocol": "udp"}

        await refused(
            "SecurityGroupNotFound",
            world.create("security_group_rule", tcp, udp | {"remote_group_id": "nobody"}),
        )
        await refused(
            "SecurityGroupNotSingleGroupRules",
            world.create("security_group_rule", tcp, udp | {"security_group_id": db["id"]}),
        )
        both = await world.create("security_group_rule", tcp, udp)

        assert [rule["protocol"] for rule in both] == ["tcp", "udp"]
        (shown,) = await world.listed("security_group", id=web["id"])
        assert len(shown["security_group_rules"]) == 4

    run(tmp_path, story)


def test_a_group_holds_no_more_rules_than_its_limit(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        group = await world.group(name="web")
        await world.rule(group["id"], protocol="tcp")

        await refused("SecurityGroupRuleLimitExceeded", world.rule(group["id"], protocol="udp"))

    run(tmp_path, story, rules_per_group_max=3)


def test_a_groups_revision_grows_with_its_rules(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        group = await world.group(name="web")

        rule = await world.rule(group["id"], protocol="tcp")
        (after_create,) = await world.listed("security_group", id=group["id"])
        await world.update("security_group_rule", rule["id"], description="why")
        (after_update,) = await world.listed("security_group", id=group["id"])
        await world.delete("security_group_rule", rule["id"])
        (after_delete,) = await world.listed("security_group", id=group["id"])

        grown = [g["revision_number"] for g in (group, after_create, after_update, after_delete)]
        assert grown == [1, 2, 3, 4]
        await refused(
            "RevisionNumberConstraintFailed",
            world.update("security_group", group["id"], if_revision=1, name="x"),
        )

    run(tmp_path, story)


def test_foreign_groups_and_rules_are_not_there(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        theirs = await world.group(BOB, name="theirs")
        (rule,) = theirs["security_group_rules"][:1]
        mine = await world.group(name="mine")

        assert await world.listed("security_group", id=theirs["id"]) == []
        assert await world.listed("security_group_rule", id=rule["id"]) == []
        for attempt in (
            world.update("security_group", theirs["id"], name="x"),
            world.delete("security_group", theirs["id"]),
            world.rule(theirs["id"]),
            world.rule(mine["id"], remote_group_id=theirs["id"]),
        ):
            await refused("SecurityGroupNotFound", attempt)
        await refused("SecurityGroupRuleNotFound", world.delete("security_group_rule", rule["id"]))

    run(tmp_path, story)


def test_the_owner_of_a_group_sees_the_rules_that_an_administrator_made_in_it(
    tmp_path: Path,
) -> None:
    async def story(world: World) -> None:
        group = await world.group(name="web")

        rule = await world.rule(group["id"], ADMIN, protocol="tcp")

        assert rule["project_id"] == "ops"
        assert [r["id"] for r in await world.listed("security_group_rule", id=rule["id"])]
        (shown,) = await world.listed("security_group", id=group["id"])
        assert rule["id"] in {r["id"] for r in shown["security_group_rules"]}

    run(tmp_path, story)


def test_a_group_that_ports_are_in_stays(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        group = await world.group(name="web")
        world.ports.used = {group["id"]}

        await refused("SecurityGroupInUse", world.delete("security_group", group["id"]))
        await refused(
            "SecurityGroupInUse", world.update("security_group", group["id"], stateful=False)
        )
        world.ports.used = set()
        changed = await world.update("security_group", group["id"], stateful=False, name="n")

        assert (changed["stateful"], changed["name"]) == (False, "n")
        assert world.ports.fenced == set()
        await world.delete("security_group", group["id"])
        assert world.ports.fenced == {group["id"]}

    run(tmp_path, story)


def test_rules_elsewhere_that_name_a_group_go_with_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        gone, other = await world.group(name="gone"), await world.group(name="other")
        named = await world.rule(other["id"], remote_group_id=gone["id"])

        await world.delete("security_group", gone["id"])

        (shown,) = await world.listed("security_group", id=other["id"])
        assert named["id"] not in {r["id"] for r in shown["security_group_rules"]}
        assert shown["revision_number"] == 3
        assert gone["id"] not in await world.told("security_group")
        assert {r.group_id for r in (await world.told("security_group_rule")).values()} == {
            other["id"],
            (await world.listed("security_group", name="default"))[0]["id"],
        }

    run(tmp_path, story)


def test_a_deletion_that_a_crash_cut_short_is_finished_or_taken_back(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        first, second = await world.group(name="first"), await world.group(name="second")
        store = world.groups._store
        await store.write(lambda tx: tx.set_work(first["id"], "delete"))
        await store.write(lambda tx: tx.set_work(second["id"], "delete"))
        world.ports.used = {second["id"]}

        await world.app.recover()

        names = {group["name"] for group in await world.listed("security_group")}
        assert names == {"default", "second"}
        world.ports.used = set()
        await world.delete("security_group", second["id"])

    run(tmp_path, story)


def test_a_group_stays_usable_when_its_ports_could_not_be_asked(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        group = await world.group(name="web")
        world.ports.broken = True
        with pytest.raises(RuntimeError):
            await world.delete("security_group", group["id"])
        world.ports.broken = False

        await world.rule(group["id"], protocol="tcp")
        assert (await world.groups.groups(GroupsRequest([group["id"]], "alice"))).groups

    run(tmp_path, story)


def test_the_log_is_told_numbers_and_nothing_where_anything_goes(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        group = await world.group(name="web")
        https: dict[str, Any] = {"protocol": "tcp", "port_range_min": 443, "port_range_max": 443}
        tcp = await world.rule(group["id"], remote_ip_prefix="10.1.2.3/16", **https)
        ping = await world.rule(group["id"], protocol="icmp", port_range_min=8)
        anybody = await world.rule(group["id"], direction="egress", remote_ip_prefix="::/0",
                                   ethertype="IPv6", protocol="ip")  # fmt: skip

        told = await world.told("security_group_rule")

        common: dict[str, Any] = {"group_id": group["id"], "ingress": True, "ip_version": 4}
        assert told[tcp["id"]] == RuleRecord(
            id=tcp["id"], protocol=6, ports=(443, 443), remote_cidr="10.1.0.0/16", **common
        )
        assert told[ping["id"]] == RuleRecord(id=ping["id"], protocol=1, icmp_type=8, **common)
        assert told[anybody["id"]] == RuleRecord(
            id=anybody["id"], group_id=group["id"], ingress=False, ip_version=6
        )

    run(tmp_path, story)


def test_a_log_that_lost_everything_is_told_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        group = await world.group(name="web")
        addresses = {"name": "a", "addresses": ["10.0.0.0/8"]}
        (made,) = await world.create("address_group", addresses)
        before = {kind: await world.told(kind) for kind in KINDS}

        again = World(tmp_path)
        after = {kind: await again.told(kind) for kind in KINDS}
        await again.app.database.close()

        assert before == after
        assert group["id"] in after["security_group"]
        assert after["address_group"][made["id"]].addresses == ("10.0.0.0/8",)
        assert len(after["security_group_rule"]) == 6

    run(tmp_path, story)


KINDS = ("security_group", "security_group_rule", "address_group")


def test_peers_get_the_groups_that_a_project_may_use(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        mine, theirs = await world.group(name="mine"), await world.group(BOB, name="theirs")
        ids = [mine["id"], theirs["id"], "nobody"]

        of_alice = await world.groups.groups(GroupsRequest(ids, "alice"))
        of_all = await world.groups.groups(GroupsRequest(ids, ""))
        defaults = await world.groups.defaults_of(Projects(["alice", "new"]))

        assert [g.id for g in of_alice.groups] == [mine["id"]]
        assert {g.id for g in of_all.groups} == {mine["id"], theirs["id"]}
        assert [(g.project_id, g.name) for g in defaults.groups] == [
            ("alice", "default"),
            ("new", "default"),
        ]

    run(tmp_path, story)


def test_an_address_group_that_rules_name_stays(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        group = await world.group(name="web")
        (addresses,) = await world.create("address_group", {"name": "a"})
        rule = await world.rule(group["id"], remote_address_group_id=addresses["id"])

        await refused("AddressGroupInUse", world.delete("address_group", addresses["id"]))
        await world.delete("security_group_rule", rule["id"])
        await world.delete("address_group", addresses["id"])

        await refused(
            "AddressGroupNotFound",
            world.rule(group["id"], remote_address_group_id=addresses["id"]),
        )

    run(tmp_path, story)


def test_addresses_come_and_go_by_actions_and_the_log_knows(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        (made,) = await world.create("address_group", {"name": "a", "addresses": ["10.0.0.0/24"]})
        manager: Any = world.managers["address_group"][1]

        async def act(action: str, caller: Caller, *addresses: str) -> Any:
            arguments = {"addresses": list(addresses)}
            return await manager.act(ActRequest(caller, made["id"], action, arguments))

        await act("add_addresses", ALICE, "10.1.0.0/24", "2001:db8::/64")
        await act("remove_addresses", ALICE, "10.0.0.0/24")
        await refused("AddressGroupNotFound", act("add_addresses", BOB, "10.9.0.0/24"))

        told = await world.told("address_group")
        assert told[made["id"]].addresses == ("10.1.0.0/24", "2001:db8::/64")

    run(tmp_path, story)
