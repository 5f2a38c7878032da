"""However ports come and go, before their host is told of it or after: a host that has read all is
done, and holds the networks of its ports as they are."""

import asyncio
from collections import deque
from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.delivery.lives import Lives

from alcor.agent.desired.desired import Desired, Taken
from alcor.goal_state.codec import encode
from alcor.goal_state.entries import GoalEntry, Network, Port
from alcor.goal_state.slices import host_port_key, network_key
from alcor.intent.records import PortRecord
from alcor.transport.link import Hello
from alcor.values.addresses import Mac

NETWORKS, PORTS = ("n1", "n2"), ("p1", "p2", "p3")


class Region(Lives):
    """One host, whose ports are planned before the log of what is planned is read."""

    def __init__(self) -> None:
        super().__init__()
        self.desired = Desired("h1")
        self.planned: deque[tuple[str, bytes | None]] = deque()
        self.network_by_port: dict[str, str] = {}
        self.mtu_by_network = dict.fromkeys(NETWORKS, 1450)

    async def begin(self) -> None:
        await super().begin()
        for network_id in NETWORKS:
            self.change(network_id)
        self.session = await self.feed.open(Hello("h1", "", None))
        for name, epoch, position in self.desired.subscriptions():
            await self.session.subscribe(name, epoch, position)

    def plan(self, key: str, entry: GoalEntry | None) -> None:
        self.planned.append((key, encode(key, entry) if entry is not None else None))

    def bind(self, port_id: str, network_id: str) -> None:
        record = PortRecord(
            id=port_id, network_id=network_id, project_id="", mac_address="", host="h1"
        )
        self.index.put(f"port/{port_id}", record, 1)
        self.network_by_port[port_id] = network_id
        port = Port(port_id, network_id, Mac(1), (), True, True, "", "")
        self.plan(host_port_key("h1", port_id), port)

    def unbind(self, port_id: str) -> None:
        if self.network_by_port.pop(port_id, None) is not None:
            self.index.drop(f"port/{port_id}")
            self.plan(host_port_key("h1", port_id), None)

    def change(self, network_id: str) -> None:
        self.mtu_by_network[network_id] += 1
        self.plan(network_key(network_id), self.network(network_id))

    def network(self, network_id: str) -> Network:
        return Network(network_id, 7, self.mtu_by_network[network_id], True, "")

    async def log(self, most: int) -> None:
        for _ in range(min(most, len(self.planned))):
            await self.say(*self.planned.popleft())
        for _ in range(20):
            await asyncio.sleep(0)  # slices are withdrawn

    async def read(self, most: int) -> None:
        async for frame in self.frames(most):
            await self.take(self.desired.take(frame))

    async def take(self, taken: Taken) -> None:
        for name in taken.unsubscribe:
            self.session.unsubscribe(name)
        for name, epoch, position in taken.subscribe:
            await self.session.subscribe(name, epoch, position)

    def held(self) -> list[str]:
        """The networks that the host holds as they are."""
        values = {
            each.key: each.value for one in self.desired.saved().slices for each in one.entries
        }
        return [
            each
            for each in NETWORKS
            if values.get(network_key(each)) == encode(network_key(each), self.network(each))
        ]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("bind"), st.sampled_from(PORTS), st.sampled_from(NETWORKS)),
        st.tuples(st.just("unbind"), st.sampled_from(PORTS)),
        st.tuples(st.just("change"), st.sampled_from(NETWORKS)),
        st.tuples(st.just("log"), st.integers(1, 3)),
        st.tuples(st.just("read"), st.integers(1, 2)),
    ),
    max_size=30,
)


async def play(history: Sequence[tuple[object, ...]]) -> None:
    region = Region()
    await region.begin()
    for step in history:
        match step:
            case ("bind", str(port), str(network)):
                region.bind(port, network)
            case ("unbind", str(port)):
                region.unbind(port)
            case ("change", str(network)):
                region.change(network)
            case ("log", int(most)):
                await region.log(most)
            case ("read", int(most)):
                await region.read(most)
    await region.log(len(region.planned))
    await region.read(100)

    assert region.desired.settled
    assert region.desired.refused == []
    assert region.held() == sorted(set(region.network_by_port.values()))
    await region.end()


@given(steps)
@example(
    [
        *(("bind", "p1", "n1"), ("log", 3), ("read", 2), ("read", 2)),
        *(("unbind", "p1"), ("log", 1), ("bind", "p2", "n1"), ("log", 1), ("read", 2)),
        *(("change", "n1"), ("log", 1)),
    ]
)
@settings(max_examples=150)
def test_a_host_that_has_read_all_holds_the_networks_of_its_ports(
    history: Sequence[tuple[object, ...]],
) -> None:
    asyncio.run(play(history))
