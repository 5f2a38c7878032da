"""Several deliveries: hosts of each are known to all, and one that is killed is not missed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

from alcor.goal_state.reports import PortStatus
from alcor.goal_state.slices import host_slice, network_slice, slice_of
from alcor.transport.grpc_client import GrpcLink
from alcor.transport.link import Disconnected, Frame, Hello, PortState, Report
from alcor.values.addresses import address

deadline_s = 180
hosts = ("h1", "h2")


class Host:
    """An agent without a switch: it holds what it is sent, and says that its ports are up."""

    def __init__(self, name: str, number: int, targets: list[str], chance: float) -> None:
        hello = Hello(name, "test", address(f"192.0.2.{number}"), bridge="br7")
        self.name = name
        self.link = GrpcLink(targets, hello, chance=lambda: chance)
        self.living: dict[str, bytes] = {}
        self.lost: list[str] = []  # what went, for whatever reason
        self.cuts = 0
        self._wanted = {host_slice(name)}
        self._synced: set[str] = set()
        self._sent: dict[str, set[str]] = {}
        self._changed = asyncio.Condition()

    def is_synced(self) -> bool:
        return bool(self._synced)

    async def run(self) -> None:
        self.link.subscribe(host_slice(self.name))
        async with aclosing(self.link.events()) as events:
            async for event in events:
                if isinstance(event, Disconnected):
                    self.cuts += 1
                    self._synced.clear()
                    self._sent.clear()
                if isinstance(event, Frame):
                    self._take(event)
                async with self._changed:
                    self._changed.notify_all()

    def _take(self, frame: Frame) -> None:
        for name in frame.begins:
            self._sent[name] = set()
        for item in frame.items:
            self._sent.get(slice_of(item.key), set()).add(item.key)
            if item.value is None:
                self.living.pop(item.key, None)
                self.lost.append(item.key)
            else:
                self.living[item.key] = item.value
        for name in frame.completes:
            sent = self._sent.pop(name)
            gone = [key for key in self.living if slice_of(key) == name and key not in sent]
            for key in gone:
                del self.living[key]
                self.lost.append(key)
        self._synced |= {*frame.completes, *frame.resumes}
        self._synced -= set(frame.refused)
        for name in frame.refused:
            self.link.subscribe(name)
        if self._synced >= self._wanted:
            own = f"{host_slice(self.name)}port/"
            ids = [key.removeprefix(own) for key in self.living if key.startswith(own)]
            ports = [PortState(id_, PortStatus.UP) for id_ in ids]
            said = Report(frame.epoch, frame.position, ports, datapath_type="netdev")
            self.link.report(said)

    def want(self, name: str) -> None:
        self._wanted.add(name)
        self.link.subscribe(name)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(deadline_s), self._changed:
            await self._changed.wait_for(holds)


@asynccontextmanager
async def running(*several: Host) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(host.run()) for host in several]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def create(region: Any, path: str, body: dict[str, Any], status: int = 201) -> Any:
    answer = await asyncio.to_thread(region.ask, "POST", path, body)
    assert answer.status == status, answer.body
    return answer.body


async def ports_on_both(region: Any, network_id: str, count: int) -> list[str]:
    ports = [{"network_id": network_id, "binding:host_id": hosts[n % 2]} for n in range(count)]
    made = await create(region, "/v2.0/ports", {"ports": ports})
    return [port["id"] for port in made["ports"]]


async def converged(region: Any, revision: str) -> None:
    path = f"/alcor/v1/convergence?revision={revision}&timeout=60"
    answer = await asyncio.to_thread(region.ask, "GET", path)
    assert answer.status == 200, answer.body
    assert answer.body["converged"], answer.body


async def active(region: Any, ids: list[str]) -> None:
    async with asyncio.timeout(deadline_s):
        while True:
            answer = await asyncio.to_thread(region.ask, "GET", "/v2.0/ports?status=ACTIVE")
            if {port["id"] for port in answer.body["ports"]} >= set(ids):
                return


def test_hosts_of_a_delivery_that_is_killed_go_on_at_another(region: Any) -> None:
    region.start("delivery", "second")
    region.wait_until_ready("delivery")
    region.wait_until_ready("second")
    targets = [f"127.0.0.1:{region.agents_port(name)}" for name in ("delivery", "second")]

    async def scenario() -> None:
        h1, h2 = Host("h1", 1, targets, 0.0), Host("h2", 2, targets, 0.99)  # one at each
        async with running(h1, h2):
            for host in (h1, h2):
                await host.until(host.is_synced)
            await nodes(region)
            network = await create(region, "/v2.0/networks", {"network": {}})
            id_ = network["network"]["id"]
            subnet = {"network_id": id_, "ip_version": 4, "cidr": "10.0.0.0/16"}
            await create(region, "/v2.0/subnets", {"subnet": subnet})
            made = await ports_on_both(region, id_, 10)
            for host in (h1, h2):
                host.want(network_slice(id_))
            await converged(region, "port:10")
            await active(region, made)
            await plugged_as_said(region, made)
            before = dict(h1.living)

            region.kill("delivery")
            more = await ports_on_both(region, id_, 10)
            await converged(region, "port:20")
            await active(region, more)

            assert h1.cuts >= 1
            assert h2.cuts == 0
            assert not h1.lost
            assert before.items() <= h1.living.items()
            own = {key: value for key, value in h1.living.items() if key.startswith("network/")}
            assert own == {k: v for k, v in h2.living.items() if k.startswith("network/")}

    asyncio.run(scenario())


async def plugged_as_said(region: Any, ids: list[str]) -> None:
    """Nova is told of the bridge that the hosts say they have."""
    path, body = f"/v2.0/ports/{ids[0]}", {"port": {"binding:host_id": hosts[0]}}
    async with asyncio.timeout(deadline_s):
        while True:
            answer = await asyncio.to_thread(region.ask, "PUT", path, body)
            details = answer.body["port"]["binding:vif_details"]
            if (details["bridge_name"], details["datapath_type"]) == ("br7", "netdev"):
                return


async def nodes(region: Any) -> None:
    async with asyncio.timeout(deadline_s):
        while True:
            answer = await asyncio.to_thread(region.ask, "GET", "/v2.0/agents")
            if {each["host"] for each in answer.body["agents"] if each["alive"]} >= set(hosts):
                return
