"""A whole agent on a real switch, with a control plane that says what it is told to say."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.request import urlopen

from alcor.agent.agent import Agent
from alcor.agent.config import AgentConfig
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.codec import encode
from alcor.goal_state.entries import (
    Attachment,
    FixedIp,
    GoalEntry,
    Neighbour,
    Network,
    Port,
    Router,
    RouterInterface,
    Subnet,
)
from alcor.goal_state.reports import PortStatus
from alcor.goal_state.slices import (
    attachment_key,
    host_port_key,
    interface_key,
    neighbour_key,
    network_key,
    router_key,
    slice_of,
    subnet_key,
)
from alcor.transport.link import Connected, Disconnected, Frame, Got, Item, Report
from alcor.values.addresses import Mac, address, mac_text, prefix

NETWORK = Network("n1", 7, 1400, True, "", zone="example.org.")
SUBNET = Subnet(
    "s1", "n1", prefix("10.7.0.0/24"), address("10.7.0.1"), True, (address("9.9.9.9"),), ()
)
ENDPOINT = address("172.31.0.1")


class Host(Protocol):
    """What these tests use of the `host` fixture."""

    run_dir: Path

    def vsctl(self, *words: str) -> str: ...
    def run(self, *command: str) -> str: ...
    def flows(self) -> list[str]: ...
    def ages_s(self) -> list[float]: ...
    def kill(self, program: str) -> None: ...
    def start_switch(self) -> None: ...
    def start_database(self) -> None: ...
    def plug(self, name: str, port_id: str, mac: str) -> str: ...
    def inside(self, namespace: str, *command: str) -> str: ...


def port(number: int, *, host: str = "h1") -> Port:
    fixed = (FixedIp("s1", address(f"10.7.0.{number}")),)
    return Port(f"p{number}", "n1", Mac(0x020000000000 + number), fixed, True, True, "web", "")


def neighbour(number: int, endpoint: str = "172.31.0.1") -> Neighbour:
    each = port(number)
    addresses = tuple(fixed.address for fixed in each.fixed_ips)
    return Neighbour(each.id, "n1", each.mac, addresses, "h", address(endpoint))


def key_of(entry: GoalEntry) -> str:
    match entry:
        case Port():
            return host_port_key("h1", entry.id)
        case Network():
            return network_key(entry.id)
        case Subnet():
            return subnet_key(entry.network_id, entry.id)
        case Neighbour():
            return neighbour_key(entry.network_id, entry.port_id)
        case Router():
            return router_key(entry.id)
        case RouterInterface():
            return interface_key(entry.router_id, entry.port_id)
        case Attachment():
            return attachment_key(entry.network_id, entry.port_id)
    raise AssertionError(entry)


class Region:
    """What a control plane knows; it can be away, and outlives agents."""

    def __init__(self, *entries: GoalEntry) -> None:
        self.entries = {key_of(entry): (entry, 1) for entry in entries}
        self.position = 10
        self.away = False
        self.link: Link | None = None

    def put(self, entry: GoalEntry) -> None:
        self.position += 1
        self.entries[key_of(entry)] = (entry, self.position)
        self._tell(Item(key_of(entry), encode(key_of(entry), entry), self.position, "req-x"))

    def remove(self, entry: GoalEntry) -> None:
        self.position += 1
        del self.entries[key_of(entry)]
        self._tell(Item(key_of(entry), None, self.position, "req-x"))

    def snapshot(self, name: str) -> Frame:
        items = [
            Item(key, encode(key, entry), revision, "")
            for key, (entry, revision) in self.entries.items()
            if slice_of(key) == name
        ]
        return Frame(5, self.position, items, begins=(name,), completes=(name,))

    def _tell(self, item: Item) -> None:
        if self.link is not None:
            self.link.said.put_nowait(Frame(5, self.position, (item,)))


class Link:
    """One agent's link to the region."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.said: asyncio.Queue[Frame | Connected | Disconnected] = asyncio.Queue()
        self.last = Report(0, 0)
        self.status: dict[str, PortStatus] = {}
        self.told: list[tuple[PortStatus, str]] = []  # of ports, with reasons
        region.link = self
        if not region.away:
            self.said.put_nowait(Connected())

    async def events(self) -> AsyncIterator[Frame | Connected | Disconnected]:
        while True:
            yield await self.said.get()

    def subscribe(self, name: str, epoch: int = 0, position: int = 0) -> None:
        if not self.region.away:
            self.said.put_nowait(self.region.snapshot(name))

    def unsubscribe(self, name: str) -> None:
        return None

    def report(self, report: Report) -> None:
        self.last = report
        self.status.update({each.port_id: each.status for each in report.ports})
        self.told += [(each.status, each.reason) for each in report.ports]

    async def get(self, keys: Sequence[str]) -> Got:
        raise ConnectionError

    async def until(self, what: str, is_so: Callable[[], bool]) -> None:
        """Wait on state, with a deadline."""
        try:
            async with asyncio.timeout(15):
                while not is_so():  # noqa: ASYNC110 - what we wait for has no event
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"gave up waiting: {what}; {self.last} {self.status}") from None

    async def applied(self) -> None:
        await self.until("applied", lambda: self.last.position >= self.region.position)

    async def up(self, *port_ids: str) -> None:
        def all_up() -> bool:
            return all(self.status.get(each) is PortStatus.UP for each in port_ids)

        await self.until(f"{port_ids} up", all_up)


@asynccontextmanager
async def an_agent(host: Host, region: Region, metrics_listen: str = "") -> AsyncIterator[Link]:
    link = Link(region)
    config = AgentConfig(
        host="h1",
        tunnel_ip=str(ENDPOINT),
        ovs_rundir=str(host.run_dir),
        datapath_type="netdev",
        state_dir=str(host.run_dir / "state"),
        lease_s=3600,
        metrics_listen=metrics_listen,
    )
    task = asyncio.create_task(Agent(config, link).run())
    try:
        yield link
        assert not task.done(), task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0)


def a_region() -> Region:
    return Region(NETWORK, SUBNET, port(5), port(6), neighbour(5), neighbour(6))


def story(tell: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await tell()

    asyncio.run(run())


def plugged(host: Host) -> tuple[str, str]:
    return tuple(host.plug(f"m{n}", f"p{n}", mac_text(port(n).mac)) for n in (5, 6))  # type: ignore[return-value]


def test_the_agent_makes_its_bridge_and_tunnel_once(host: Host) -> None:
    async def tell() -> None:
        async with an_agent(host, a_region()) as link:
            await link.applied()
            assert link.last.datapath_type == "netdev"
        made = host.vsctl("--columns=_uuid,ofport", "find", "Interface", "type=vxlan")
        async with an_agent(host, a_region()) as link:
            await link.applied()
        assert host.vsctl("get-fail-mode", "br-int") == "secure"
        assert host.vsctl("get", "Bridge", "br-int", "datapath_type") == "netdev"
        again = host.vsctl("--columns=_uuid,ofport", "find", "Interface", "type=vxlan")
        assert made == again != ""

    story(tell)


def test_a_port_is_up_when_it_is_plugged_and_down_when_it_is_not(host: Host) -> None:
    async def tell() -> None:
        async with an_agent(host, a_region()) as link:
            await link.applied()
            assert link.status == {"p5": PortStatus.DOWN, "p6": PortStatus.DOWN}
            await asyncio.to_thread(plugged, host)
            await link.up("p5", "p6")
            await asyncio.to_thread(host.vsctl, "del-port", "vm5")
            await link.until("down", lambda: link.status["p5"] is PortStatus.DOWN)
            assert not any("10.7.0.5" in line and "table=11" in line for line in host.flows())

    story(tell)


def test_a_port_that_is_plugged_in_before_its_device_is_made_has_not_failed(host: Host) -> None:
    """Nova does so, and gives up a machine of whose port it hears that it failed."""
    waits = PortStatus.DOWN, "the interface's device is not there"

    async def tell() -> None:
        async with an_agent(host, a_region()) as link:
            await link.applied()
            plug = ("add-port", "br-int", "late", "--", "set", "Interface", "late")
            await asyncio.to_thread(host.vsctl, *plug, "external_ids:iface-id=p5")
            await link.until("it waits", lambda: waits in link.told)
            await asyncio.to_thread(host.run, "ip", "tuntap", "add", "late", "mode", "tap")
            await asyncio.to_thread(host.run, "ip", "link", "set", "late", "up")
            await link.up("p5")
            assert PortStatus.FAILED not in dict(link.told)

    story(tell)


def test_a_restarted_agent_changes_nothing_on_the_switch(host: Host) -> None:
    async def tell() -> None:
        region = a_region()
        async with an_agent(host, region) as link:
            await asyncio.to_thread(plugged, host)
            await link.up("p5", "p6")
        flows, ages = host.flows(), host.ages_s()
        async with an_agent(host, region) as link:
            await link.up("p5", "p6")
        assert host.flows() == flows
        assert sum(host.ages_s()) > sum(ages)

    story(tell)


def test_a_host_starts_from_its_own_memory_without_a_control_plane(host: Host) -> None:
    async def tell() -> None:
        region = a_region()
        async with an_agent(host, region) as link:
            await asyncio.to_thread(plugged, host)
            await link.up("p5", "p6")
        flows = host.flows()
        await asyncio.to_thread(host.kill, "ovs-vswitchd")
        await asyncio.to_thread(host.start_switch)
        assert host.flows() == []
        region.away = True
        async with an_agent(host, region) as link:
            await link.until("flows are back", lambda: host.flows() == flows)

    story(tell)


def test_flows_are_back_after_the_switch_was_restarted(host: Host) -> None:
    async def tell() -> None:
        async with an_agent(host, a_region()) as link:
            await asyncio.to_thread(plugged, host)
            await link.up("p5", "p6")
            flows = host.flows()
            await asyncio.to_thread(host.kill, "ovs-vswitchd")
            await asyncio.to_thread(host.start_switch)
            await link.until("flows are back", lambda: host.flows() == flows)

    story(tell)


def test_a_database_that_was_restarted_changes_no_flow_and_is_watched_again(host: Host) -> None:
    async def tell() -> None:
        async with an_agent(host, a_region()) as link:
            await asyncio.to_thread(plugged, host)
            await link.up("p5", "p6")
            flows, ages = host.flows(), host.ages_s()
            await asyncio.to_thread(host.kill, "ovsdb-server")
            await asyncio.to_thread(host.start_database)
            await asyncio.to_thread(host.vsctl, "del-port", "vm5")
            await link.until("down", lambda: link.status["p5"] is PortStatus.DOWN)
            kept = set(host.flows())
            # Who has gone gets no copy of a broadcast any more: those flows are others.
            made_anew = {flow for flow in kept - set(flows) if f"table={p.MULTICAST}," in flow}
            kept -= made_anew
            assert made_anew
            assert kept < set(flows)
            assert sum(host.ages_s()) > sum(ages) * len(kept) / len(flows) / 2

    story(tell)


def test_metrics_are_served_where_prometheus_expects_them(host: Host) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"

    async def tell() -> None:
        async with an_agent(host, a_region(), metrics_listen=listen) as link:
            await link.applied()
            with await asyncio.to_thread(urlopen, f"http://{listen}/metrics") as answer:
                text = answer.read().decode()
            assert re.search(r"^alcor_agent_flows [1-9]", text, re.MULTILINE)
            assert "alcor_agent_apply_seconds_bucket" in text
            assert 'alcor_agent_flow_ops_total{op="put",result="ok"}' in text

    story(tell)


def test_a_second_agent_waits_until_the_first_has_gone(host: Host) -> None:
    async def tell() -> None:
        region = a_region()
        async with an_agent(host, region) as first:
            await first.applied()
            flows = host.flows()
            other = Region(NETWORK, SUBNET, port(9))
            async with an_agent(host, other) as second:
                await asyncio.to_thread(host.vsctl, "set", "Bridge", "br-int", "external_ids:a=b")
                region.put(neighbour(20))
                await first.applied()
                assert second.last.position == 0
                assert len(host.flows()) == len(flows) + 1  # answered; its endpoint is this host

    story(tell)


def test_a_removed_port_is_cut_off_and_a_new_neighbour_is_reached(host: Host) -> None:
    async def tell() -> None:
        region = a_region()
        async with an_agent(host, region) as link:
            await asyncio.to_thread(plugged, host)
            await link.up("p5", "p6")
            region.remove(port(5))
            region.remove(neighbour(5))
            region.put(neighbour(9, "172.31.0.9"))
            await link.applied()
            text = "\n".join(host.flows())
            assert mac_text(port(5).mac) not in text
            assert "10.7.0.5" not in text
            assert "10.7.0.9" in text

    story(tell)


LEASE_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || exit 0
echo "lease $ip/$mask router=$router mtu=$mtu dns=$dns domain=$domain lease=$lease server=$serverid"
ip addr replace $ip/$mask dev $interface
"""


def test_real_machines_get_their_leases_and_reach_each_other(host: Host) -> None:
    script = host.run_dir / "lease.sh"
    script.write_text(LEASE_SCRIPT)
    script.chmod(0o755)

    async def tell() -> None:
        async with an_agent(host, a_region()) as link:
            five, six = await asyncio.to_thread(plugged, host)
            await link.up("p5", "p6")
            client = ("udhcpc", "-i", "eth0", "-f", "-q", "-n", "-t", "5", "-T", "1")
            asks = (*client, "-O", "mtu", "-s", str(script))
            said = await asyncio.gather(
                asyncio.to_thread(host.inside, five, *asks),
                asyncio.to_thread(host.inside, six, *asks),
            )
            assert (
                "lease 10.7.0.5/24 router=10.7.0.1 mtu=1400 dns=9.9.9.9 domain=example.org"
                " lease=3600 server=10.7.0.1"
            ) in said[0]
            assert "lease 10.7.0.6/24" in said[1]
            ping = ("ping", "-c", "3", "-i", "0.2", "-W", "2", "10.7.0.6")
            reply = await asyncio.to_thread(host.inside, five, *ping)
            assert re.search(r"3 received", reply), reply

    story(tell)


def a_routed_region() -> Region:
    """Two networks of both families, a router, and a machine on each side."""
    entries: list[GoalEntry] = [Router("r", True, ())]
    for n, side in ((1, "left"), (2, "right")):
        plain = (f"10.{n}.0.", f"fd0{n}::")
        fixed = tuple(
            FixedIp(f"{side}{family}", address(f"{start}5"))
            for family, start in zip((4, 6), plain, strict=True)
        )
        gateway = tuple(each._replace(address=address(f"{start}1")) for each, start in
                        zip(fixed, plain, strict=True))  # fmt: skip
        mac = Mac(0x020000000000 + n)
        entries += [
            Network(side, n, 1450, True, ""),
            Subnet(f"{side}4", side, prefix(f"10.{n}.0.0/24"), gateway[0].address, True, (), ()),
            Subnet(f"{side}6", side, prefix(f"fd0{n}::/64"), gateway[1].address, False, (), ()),
            Port(f"p-{side}", side, mac, fixed, True, True, side, ""),
            Neighbour(f"p-{side}", side, mac, tuple(f.address for f in fixed), "h1", ENDPOINT),
            RouterInterface(f"i-{side}", "r", side, Mac(0x020000000A00 + n), gateway),
            Attachment(f"i-{side}", side, "r"),
        ]
    return Region(*entries)


def test_a_router_joins_two_networks_of_a_host(host: Host) -> None:
    def talk(left: str) -> None:
        for target in ("10.2.0.5", "fd02::5", "10.1.0.1", "10.2.0.1", "fd01::1", "fd02::1"):
            said = host.inside(left, "ping", "-c1", "-W3", target)
            assert "1 received" in said, said
        said = host.inside(left, "ping", "-c1", "-W3", "-t1", "10.2.0.5")
        assert "From 10.1.0.1 icmp_seq=1 Time to live exceeded" in said
        said = host.inside(left, "ping", "-c1", "-W3", "-t1", "fd02::5")
        assert "From fd01::1 icmp_seq=1 Time exceeded: Hop limit" in said
        said = host.inside(left, "ping", "-c1", "-W3", "10.2.0.6")
        assert "From 10.2.0.1 icmp_seq=1 Destination Host Unreachable" in said
        said = host.inside(left, "ping", "-c1", "-W3", "10.3.0.1")
        assert "From 10.1.0.1 icmp_seq=1 Destination Net Unreachable" in said

    async def tell() -> None:
        async with an_agent(host, a_routed_region()) as link:
            left = await asyncio.to_thread(host.plug, "l", "p-left", "02:00:00:00:00:01")
            right = await asyncio.to_thread(host.plug, "r", "p-right", "02:00:00:00:00:02")
            await link.up("p-left", "p-right")
            for machine, n in ((left, 1), (right, 2)):
                for command in (
                    f"addr add 10.{n}.0.5/24 dev eth0",
                    f"addr add fd0{n}::5/64 dev eth0 nodad",
                    f"route add default via 10.{n}.0.1",
                    f"-6 route add default via fd0{n}::1",
                ):
                    host.inside(machine, "ip", *command.split())
            await asyncio.to_thread(talk, left)

    story(tell)
