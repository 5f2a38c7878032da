"""Who waits for hosts hears of those of all deliveries, wherever they go meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine

import msgspec

from alcor.contracts.progress import ProgressPeer, ProgressReply, ProgressRequest
from alcor.delivery.hosts import Hosts
from alcor.delivery.progress import Lag, Progress
from alcor.goal_state.reports import HostReport, host_key
from alcor.keyed_log.log import Entry
from alcor.transport.link import Reached
from alcor.values.errors import Unavailable

LIFE = "a"
deadline_s = 20


class Dead:
    """A delivery that is there no more."""

    async def reached(self, request: ProgressRequest) -> ProgressReply:
        raise Unavailable("nobody serves it")


class Silent:
    """One that never answers."""

    async def reached(self, request: ProgressRequest) -> ProgressReply:
        never: asyncio.Future[ProgressReply] = asyncio.get_running_loop().create_future()
        return await never


class Region:
    """Deliveries 1, 2 and 3, each with what it knows; all hear the report log at once."""

    def __init__(self) -> None:
        self.hosts = {number: Hosts(number, lambda: LIFE) for number in (1, 2, 3)}
        self.peers: dict[int, ProgressPeer] = {}
        self.asked: list[tuple[int, dict[str, int]]] = []
        for number, hosts in self.hosts.items():
            self.peers[number] = Progress(hosts, self._peer)
        self.terms = 0

    def _peer(self, delivery: int) -> ProgressPeer:
        region = self

        class Noted:
            async def reached(self, request: ProgressRequest) -> ProgressReply:
                region.asked.append((delivery, dict(request.wanted_by_host)))
                return await region.peers[delivery].reached(request)

        return Noted()

    def connect(self, host: str, delivery: int) -> None:
        """A host connects, and is somewhere else no more."""
        self.terms += 1
        self.tell(host, delivery)

    def tell(self, host: str, delivery: int, *, connected: bool = True, reached: int = 0) -> None:
        report = HostReport(
            host=host,
            epoch=0,
            position=0,
            delivery=delivery,
            connected=connected,
            life=LIFE,
            reached=reached,
        )
        revision = self.terms << 32 | (2 if connected else 4)
        entry = Entry(host_key(host), msgspec.msgpack.encode(report), revision, "", 1)
        for hosts in self.hosts.values():
            hosts.hear([entry])

    def say(self, host: str, delivery: int, position: int) -> None:
        """A host says to its delivery how far it is."""
        self.hosts[delivery].said(host, self.terms, Reached(LIFE, position))

    async def wait(self, wanted_by_host: dict[str, int], within_s: float = 15) -> dict[str, Lag]:
        """As delivery 1 does."""
        first = self.peers[1]
        assert isinstance(first, Progress)
        end_s = asyncio.get_running_loop().time() + within_s
        return await first.wait(dict(wanted_by_host), end_s)


async def turns() -> None:
    """Let everybody go on."""
    for _ in range(20):
        await asyncio.sleep(0)


def run(scenario: Callable[[Region], Coroutine[None, None, None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(deadline_s):
            await scenario(Region())

    asyncio.run(main())


def test_each_delivery_is_asked_once_for_all_its_hosts_that_are_waited_for() -> None:
    async def scenario(region: Region) -> None:
        for number in range(40):
            region.connect(f"h{number}", 1 + number % 3)
        wanted = {f"h{number}": 5 for number in range(30)}

        waiting = asyncio.ensure_future(region.wait(wanted))
        for number in range(30):
            await turns()
            assert not waiting.done()
            region.say(f"h{number}", 1 + number % 3, 5)
        assert await waiting == {}

        assert sorted((at, len(some)) for at, some in region.asked) == [(2, 10), (3, 10)]

    run(scenario)


def test_nobody_is_asked_for_hosts_that_are_here() -> None:
    async def scenario(region: Region) -> None:
        region.connect("h1", 1)
        region.connect("h2", 2)

        waiting = asyncio.ensure_future(region.wait({"h1": 5}))
        await turns()
        region.say("h1", 1, 5)

        assert await waiting == {}
        assert not region.asked

    run(scenario)


def test_a_host_that_goes_from_one_delivery_to_another_is_asked_for_there() -> None:
    async def scenario(region: Region) -> None:
        region.connect("h1", 2)
        waiting = asyncio.ensure_future(region.wait({"h1": 5}))
        await turns()

        region.connect("h1", 3)
        await turns()
        region.say("h1", 3, 5)

        assert await waiting == {}
        assert [at for at, _ in region.asked] == [2, 3]

    run(scenario)


def test_a_host_that_leaves_here_is_asked_for_where_it_goes_and_one_that_comes_is_heard() -> None:
    async def scenario(region: Region) -> None:
        region.connect("h1", 1)
        region.connect("h2", 2)
        waiting = asyncio.ensure_future(region.wait({"h1": 5, "h2": 5}))
        await turns()

        region.connect("h1", 2)
        region.connect("h2", 1)
        await turns()
        region.say("h2", 1, 5)
        region.say("h1", 2, 5)

        assert await waiting == {}

    run(scenario)


def test_hosts_of_a_delivery_that_is_dead_count_where_they_have_come_to() -> None:
    async def scenario(region: Region) -> None:
        region.peers[2] = Dead()
        region.connect("h1", 2)
        region.connect("h2", 2)
        waiting = asyncio.ensure_future(region.wait({"h1": 5, "h2": 5}, within_s=3))
        await turns()

        region.connect("h1", 3)
        region.say("h1", 3, 5)
        region.tell("h2", 2, connected=False)  # buried

        assert await waiting == {"h2": Lag(5, 0)}

    run(scenario)


def test_when_the_time_is_up_hosts_that_lag_are_named_with_how_far_they_are() -> None:
    async def scenario(region: Region) -> None:
        for host, delivery in (("h1", 1), ("h2", 2), ("h3", 3), ("h4", 3)):
            region.connect(host, delivery)
            region.say(host, delivery, 4)
        region.say("h4", 3, 5)
        wanted = dict.fromkeys(("h1", "h2", "h3", "h4"), 5)

        for within_s in (0.0, 0.3):
            found = await region.wait(wanted, within_s)
            assert found == {"h1": Lag(5, 4), "h2": Lag(5, 4), "h3": Lag(5, 4)}

    run(scenario)


def test_a_delivery_that_does_not_answer_costs_a_moment_and_its_hosts_are_named() -> None:
    async def scenario(region: Region) -> None:
        region.peers[2] = Silent()
        region.connect("h1", 2)
        region.connect("h2", 3)
        region.say("h2", 3, 5)

        assert await region.wait({"h1": 5, "h2": 5}, 0) == {"h1": Lag(5, 0)}

    run(scenario)


def test_a_host_that_goes_away_counts_by_what_it_had() -> None:
    async def scenario(region: Region) -> None:
        region.connect("h1", 2)
        region.connect("h2", 2)
        waiting = asyncio.ensure_future(region.wait({"h1": 5, "h2": 5}, 0.5))
        await turns()

        region.tell("h1", 2, connected=False, reached=5)
        region.tell("h2", 2, connected=False, reached=4)

        assert await waiting == {"h2": Lag(5, 4)}

    run(scenario)


def test_what_is_asked_in_another_life_of_the_log_is_not_answered_by_this_one() -> None:
    async def scenario(region: Region) -> None:
        region.connect("h1", 2)
        region.say("h1", 2, 50)

        request = ProgressRequest(life="b", wanted_by_host={"h1": 5})
        assert (await region.peers[2].reached(request)).behind == {"h1": 0}

    run(scenario)
