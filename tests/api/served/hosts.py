"""Hosts of a region: the product's own client of the delivery, that holds what it is sent."""

import asyncio
from threading import Event, Thread

from tests.api.served.conftest import Region
from tests.contract.transport.conftest import Host

from alcor.goal_state.slices import host_port_key, host_slice
from alcor.transport.grpc_client import GrpcLink
from alcor.transport.link import Frame, Hello
from alcor.values.addresses import address


class Remembering(Host):
    """A host that knows what it has held and holds no more."""

    def __init__(self, link: GrpcLink) -> None:
        super().__init__(link)
        self.lost: set[str] = set()

    def apply(self, frame: Frame) -> None:
        before = self.living().keys()
        super().apply(frame)
        self.lost |= before - self.living().keys()


class Hosts:
    """Hosts in a thread of their own, for as long as the context lasts."""

    def __init__(self, region: Region, names: list[str]) -> None:
        self._targets = [f"127.0.0.1:{region.hosts_port}"]
        self._names = names
        self._hosts: dict[str, Remembering] = {}
        self._started = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._main()))

    def __enter__(self) -> "Hosts":
        self._thread.start()
        assert self._started.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def held(self) -> set[str]:
        """The keys of the ports that they hold."""
        prefix = {name: host_port_key(name, "") for name in self._names}
        return {
            key
            for name, host in list(self._hosts.items())
            for key in host.living()
            if key.startswith(prefix[name])
        }

    def lost(self) -> set[str]:
        """The keys of all that one of them has held, and was told to hold no more."""
        return {key for host in list(self._hosts.values()) for key in host.lost}

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        for n, name in enumerate(self._names):
            hello = Hello(name, "test", address(f"192.0.2.{n + 1}"))
            self._hosts[name] = Remembering(GrpcLink(self._targets, hello, chance=lambda: 0.0))
            self._hosts[name].link.subscribe(host_slice(name))
        running = [asyncio.create_task(host.run()) for host in self._hosts.values()]
        self._started.set()
        await self._stop.wait()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
