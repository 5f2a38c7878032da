"""The language of the planner's scenarios.

A command is a line: `<kind> <id> <field>=<value> ...` saves a record, `gone <kind> <id>` deletes
it. The lines that follow it, `+` or `-`, are the goal entries that it changes, and are recorded.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alcor.goal_state import codec
from alcor.goal_state.entries import GoalEntry, Neighbour, Network, Port, Subnet
from alcor.intent.records import (
    FixedIp,
    HostRoute,
    NetworkRecord,
    NodeRecord,
    PortRecord,
    Record,
    SubnetRecord,
    key,
)
from alcor.planner.graph import GoalChange, IntentChange, Planner
from alcor.values.addresses import mac_text


def record(kind: str, id_: str, said: dict[str, str]) -> Record:
    """The record of a command, with what it doesn't say left at what is usual."""
    if kind == "node":
        return NodeRecord(id=id_, tunnel_ip=said["tunnel"])
    common: dict[str, Any] = {"id": id_, "project_id": "demo"}
    up = said.get("up", "yes") == "yes"
    if kind == "network":
        vni, mtu = int(said["vni"]), int(said.get("mtu", "1450"))
        domain = said.get("domain", "")
        return NetworkRecord(**common, vni=vni, mtu=mtu, admin_state_up=up, dns_domain=domain)
    common["network_id"] = said["network"]
    if kind == "subnet":
        routes = [route.split(">") for route in listed(said, "routes")]
        return SubnetRecord(
            **common,
            ip_version=6 if ":" in said["cidr"] else 4,
            cidr=said["cidr"],
            gateway_ip=said.get("gateway"),
            enable_dhcp=said.get("dhcp", "yes") == "yes",
            dns_nameservers=tuple(listed(said, "dns")),
            host_routes=tuple(HostRoute(*route) for route in routes),
        )
    fixed = [FixedIp(*each.split("@")[::-1]) for each in listed(said, "ips")]
    return PortRecord(
        **common,
        mac_address=said["mac"],
        fixed_ips=tuple(fixed),
        host=said.get("host", ""),
        waiting_hosts=tuple(listed(said, "waiting")),
        name=said.get("name", ""),
        admin_state_up=up,
        port_security_enabled=said.get("security", "yes") == "yes",
    )


def listed(said: dict[str, str], name: str) -> list[str]:
    return [each for each in said.get(name, "").split(",") if each]


def row(change: GoalChange) -> str:
    """A change of goal state on one line."""
    if change.value is None:
        return f"  - {change.key}"
    return f"  + {change.key}  {cells(codec.decode(change.key, change.value))}"


def cells(entry: GoalEntry) -> str:
    match entry:
        case Port():
            ips = ",".join(f"{fixed.address}@{fixed.subnet_id}" for fixed in entry.fixed_ips)
            flags = f"up={yes(entry.admin_state_up)} security={yes(entry.port_security)}"
            flags += " waits" if entry.waits else ""
            return f"network={entry.network_id} mac={mac_text(entry.mac)} ips={ips} {flags}"
        case Network():
            up = yes(entry.admin_state_up)
            return f"vni={entry.vni} mtu={entry.mtu} up={up} domain={entry.dns_domain}"
        case Subnet():
            dns = ",".join(map(str, entry.dns_nameservers))
            routes = ",".join(f"{each.destination}>{each.nexthop}" for each in entry.host_routes)
            told = f"dhcp={yes(entry.dhcp)} dns={dns} routes={routes}"
            return f"prefix={entry.prefix} gateway={entry.gateway or ''} {told}"
        case Neighbour():
            ips = ",".join(map(str, entry.addresses))
            where = f"host={entry.host} tunnel={entry.tunnel_endpoint}"
            where += "".join(f" also={endpoint}" for endpoint in entry.also)
            return f"mac={mac_text(entry.mac)} ips={ips} {where}"
        case _:
            raise ValueError(f"how is {entry} written?")


def yes(flag: bool) -> str:
    return "yes" if flag else "no"


def played(text: str) -> Iterator[str]:
    """The scenario with what the planner answers now."""
    planner, revision = Planner(), 0
    for line in text.splitlines():
        if line.startswith("  "):
            continue  # a recorded answer
        yield line
        words = line.split()
        if not words or line.startswith("#"):
            continue
        revision += 1
        gone, (kind, id_, *said) = words[0] == "gone", words[words[0] == "gone" :]
        made = None if gone else record(kind, id_, dict(each.split("=", 1) for each in said))
        yield from map(row, planner.apply(IntentChange(key(kind, id_), made, revision)))


@pytest.fixture
def play(update: bool) -> Callable[[Path], None]:
    """Play a scenario and compare its recorded answers (or record them anew)."""

    def check(path: Path) -> None:
        recorded = path.read_text()
        answered = "\n".join(played(recorded)) + "\n"
        if update:
            path.write_text(answered)
        assert answered == recorded or update

    return check
