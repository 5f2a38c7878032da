"""Whatever happens, a host ends with what it looked for in a large network, or with all of it."""

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.frames import next_frame
from tests.unit.delivery.lives import Lives

from alcor.agent.desired.desired import Desired, Taken
from alcor.agent.model.model import HostModel
from alcor.goal_state.codec import encode
from alcor.goal_state.entries import AddressPair, GoalEntry, Name, Neighbour, Network, Port
from alcor.goal_state.slices import (
    found_key,
    found_slice,
    host_port_key,
    name_key,
    name_wanted,
    neighbour_key,
    network_key,
    network_slice,
)
from alcor.intent.records import NetworkRecord, PortRecord
from alcor.transport.link import Hello, Item, Session
from alcor.values.addresses import Mac, address, mac_text, prefix

OWN = Port("own", "n1", Mac(9), (), True, True, "", "")
PAIR = (AddressPair(prefix("10.0.0.99/32"), Mac(1)),)
WHAT = ["10.0.0.1", "10.0.0.2", mac_text(1), mac_text(2), "p1", name_wanted("web")]


def neighbour(name: str, number: int, mac: int, *, has_pairs: bool) -> Neighbour:
    return Neighbour(
        name,
        "n1",
        Mac(mac),
        (address(f"10.0.0.{number}"),),
        "h2",
        address("192.0.2.2"),
        PAIR if has_pairs else (),
    )


def named(port_id: str, name: str, number: int, domain: str) -> Name:
    return Name(port_id, "n1", name, domain, (address(f"10.0.0.{number}"),))


class Region(Lives):
    """A network, and one host that can hold it lazily."""

    def __init__(self) -> None:
        super().__init__()
        port = PortRecord(id="own", network_id="n1", project_id="", mac_address="", host="h1")
        self.index.put("port/own", port, 1)
        record = NetworkRecord(id="n1", project_id="", vni=7, mtu=1450)
        self.index.put("network/n1", record, 1)
        self.goal_state: dict[str, GoalEntry] = {}
        self.desired, self.model = Desired("h1"), HostModel()

    async def begin(self) -> None:
        """A new life of the control plane, which plans all of it again."""
        await super().begin()
        for key, entry in self.goal_state.items():
            await self.put(key, entry)
        await self.connect()

    async def connect(self) -> None:
        self.session = await self.feed.open(Hello("h1", "", None, lazy=True, names=True))
        self.desired.lose_connection()
        for name, epoch, position in self.desired.subscriptions():
            await self.session.subscribe(name, epoch, position)

    async def put(self, key: str, entry: GoalEntry | None) -> None:
        if entry is None:
            self.goal_state.pop(key, None)
        else:
            self.goal_state[key] = entry
        await self.say(key, encode(key, entry) if entry is not None else None)

    async def take(self, taken: Taken) -> None:
        for entry in taken.gone:
            self.model.remove(entry)
        for entry in taken.put:
            self.model.put(entry)
        for name in taken.unsubscribe:
            self.session.unsubscribe(name)
        for name, epoch, position in taken.subscribe:
            await self.session.subscribe(name, epoch, position)

    async def read(self, frames: int) -> None:
        async for frame in self.frames(frames):
            await self.take(self.desired.take(frame))

    async def restart(self) -> None:
        """The agent dies and comes back with what it has on its disk."""
        await self.session.close()
        saved = self.desired.saved()
        self.desired, self.model = Desired("h1"), HostModel()
        for entry in self.desired.restore(saved).put:
            self.model.put(entry)
        await self.connect()

    async def check(self) -> None:
        await self.read(200)
        for network_id in self.desired.leftovers():
            await self.take(self.desired.drop_leftovers(network_id))
        await self.read(200)
        assert self.desired.settled
        every = [each for each in self.goal_state.values() if isinstance(each, Neighbour)]
        names = [each for each in self.goal_state.values() if isinstance(each, Name)]
        network = self.goal_state[network_key("n1")]
        assert isinstance(network, Network)
        if network.lazy:
            sought = {name.split(",")[1].removesuffix("/") for name in self.desired.sought}
            for what in sought:
                found = self.desired.found(found_slice("n1", what))
                expected = [each for each in every if what in found_by(each)]
                assert found is not None
                assert sorted(found) == sorted(expected)
            every = [each for each in every if each.pairs or sought & found_by(each)]
            names = [each for each in names if each.domain or sought & name_found_by(each)]
        else:
            assert not self.desired.sought
        held = self.model.neighbours.get("n1", {})
        assert held == {each.port_id: each for each in every}
        assert set(self.model.names.get("n1", {}).values()) == set(names)


def found_by(each: Neighbour) -> set[str]:
    return {each.port_id, mac_text(each.mac), *map(str, each.addresses)}


def name_found_by(each: Name) -> set[str]:
    return {name_wanted(each.name), *map(str, each.addresses)}


names = st.builds(
    named,
    st.sampled_from(["p1", "p2"]),
    st.sampled_from(["web", "Web", "app"]),
    st.integers(1, 2),
    st.sampled_from(["", "", "example.org."]),
)
neighbours = st.builds(
    neighbour,
    st.sampled_from(["p1", "p2", "p3"]),
    st.integers(1, 2),
    st.integers(1, 2),
    has_pairs=st.sampled_from([False, False, False, True]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), neighbours),
        st.tuples(st.just("take"), neighbours),
        st.tuples(st.just("put"), names),
        st.tuples(st.just("take"), names),
        st.tuples(st.just("lazy"), st.booleans()),
        st.tuples(st.just("seek"), st.sampled_from(WHAT)),
        st.tuples(st.just("forsake"), st.sampled_from(WHAT)),
        st.tuples(st.just("read"), st.integers(1, 3)),
        st.tuples(st.sampled_from(["cut", "behind", "again", "restart", "left"])),
    ),
    max_size=30,
)


async def a_lazy_network() -> Region:
    """A region that has begun: its network has one machine, with a name."""
    region = Region()
    await region.begin()
    await region.put(network_key("n1"), Network("n1", 7, 1450, True, "", lazy=True))
    await region.put(neighbour_key("n1", "p1"), neighbour("p1", 1, 1, has_pairs=False))
    await region.put(name_key("n1", "p1"), named("p1", "web", 1, ""))
    return region


async def told(session: Session) -> list[Item]:
    """What the next frame tells."""
    frame = await next_frame(session)
    assert frame is not None
    return list(frame.items)


async def play(history: Sequence[tuple[object, ...]]) -> None:
    region = Region()
    key = network_key("n1")
    network = Network("n1", 7, 1450, True, "")
    await region.begin()
    await region.put(host_port_key("h1", "own"), OWN)
    await region.put(key, network._replace(lazy=True))
    for step in history:
        match step:
            case ("put", Neighbour() as each):
                await region.put(neighbour_key("n1", each.port_id), each)
            case ("take", Neighbour() as each):
                await region.put(neighbour_key("n1", each.port_id), None)
            case ("put", Name() as each):
                await region.put(name_key("n1", each.port_id), each)
            case ("take", Name() as each):
                await region.put(name_key("n1", each.port_id), None)
            case ("lazy", bool(lazy)):
                await region.put(key, network._replace(lazy=lazy))
            case ("seek", str(what)):
                await region.take(region.desired.seek([found_slice("n1", what)]))
            case ("forsake", str(what)):
                await region.take(region.desired.forsake([found_slice("n1", what)]))
            case ("read", int(frames)):
                await region.read(frames)
            case ("cut",):
                await region.session.close()
                await region.connect()
            case ("behind",):
                region.session.begin_again()  # type: ignore[attr-defined]
            case ("again",):
                await region.begin()
            case ("restart",):
                await region.restart()
            case ("left",):
                for network_id in region.desired.leftovers():
                    await region.take(region.desired.drop_leftovers(network_id))
    await region.check()
    await region.end()


@settings(max_examples=200, deadline=None)
@given(steps)
def test_a_host_ends_with_what_it_looked_for_or_with_the_whole_network(
    history: Sequence[tuple[object, ...]],
) -> None:
    asyncio.run(play(history))


def test_until_a_host_has_looked_for_what_it_uses_it_is_told_of_every_change() -> None:
    async def main() -> None:
        region = Region()
        await region.begin()
        await region.put(host_port_key("h1", "own"), OWN)
        whole = Network("n1", 7, 1450, True, "")
        await region.put(network_key("n1"), whole)
        for number, name in ((1, "p1"), (2, "p2")):
            known = neighbour(name, number, number, has_pairs=False)
            await region.put(neighbour_key("n1", name), known)
        await region.read(20)
        await region.put(network_key("n1"), whole._replace(lazy=True))
        await region.read(20)

        moved = neighbour("p1", 1, 1, has_pairs=False)._replace(host="h3")
        await region.put(neighbour_key("n1", "p1"), moved)
        await region.put(neighbour_key("n1", "p2"), None)
        await region.read(20)
        assert region.model.neighbours["n1"] == {"p1": moved}

        await region.take(region.desired.seek([found_slice("n1", "p1")]))
        again = moved._replace(host="h4")
        await region.put(neighbour_key("n1", "p1"), again)
        await region.take(region.desired.drop_leftovers("n1"))
        await region.read(20)
        assert region.model.neighbours["n1"] == {"p1": again}
        other = neighbour("p3", 3, 3, has_pairs=False)
        await region.put(neighbour_key("n1", "p3"), other)
        await region.read(20)
        assert region.model.neighbours["n1"] == {"p1": again}
        assert not region.desired.leftovers()
        await region.end()

    asyncio.run(main())


def test_a_host_that_looks_for_neighbours_only_is_told_all_names() -> None:
    async def main() -> None:
        region = await a_lazy_network()
        older = await region.feed.open(Hello("h1", "", None, lazy=True))
        await older.subscribe(network_slice("n1"), 0, 0)
        heard: list[tuple[str, bool]] = []
        for domain in ("", "example.org.", "", None):
            heard += [(item.key, item.value is not None) for item in await told(older)]
            name = named("p1", "app", 1, domain) if domain is not None else None
            await region.put(name_key("n1", "p1"), name)
        heard += [(item.key, item.value is not None) for item in await told(older)]
        name_told = [(name_key("n1", "p1"), True)] * 4 + [(name_key("n1", "p1"), False)]
        assert heard == [(network_key("n1"), True), *name_told]
        await region.end()

    asyncio.run(main())


def test_a_host_of_an_older_release_is_told_of_no_name_that_it_did_not_look_for() -> None:
    """It can't read those, and would say that goal state is at fault."""

    async def main() -> None:
        region = await a_lazy_network()
        (own,) = named("p1", "web", 1, "").addresses
        name = found_slice("n1", str(own))
        older = await region.feed.open(Hello("h1", "", None, lazy=True))
        await older.subscribe(name, 0, 0)
        keys = [item.key for item in await told(older)]
        await region.put(name_key("n1", "p1"), named("p1", "app", 1, ""))
        await region.put(neighbour_key("n1", "p1"), None)
        keys += [item.key for item in await told(older)]
        assert keys == [found_key("n1", str(own), "p1")] * 2
        await region.end()

    asyncio.run(main())


def test_a_host_that_cannot_hold_it_lazily_is_told_everything() -> None:
    async def main() -> None:
        region = await a_lazy_network()
        older = await region.feed.open(Hello("h1", "", None))
        await older.subscribe(network_slice("n1"), 0, 0)
        assert neighbour_key("n1", "p1") in {item.key for item in await told(older)}
        await region.put(neighbour_key("n1", "p1"), None)
        assert [(item.key, item.value) for item in await told(older)] == [
            (neighbour_key("n1", "p1"), None)
        ]
        await region.end()

    asyncio.run(main())
