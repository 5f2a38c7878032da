"""`/v2.0/networks/<id>/dhcp-agents` and `/v2.0/routers/<id>/l3-agents`: which hosts serve these;
`/v2.0/agents/<id>/dhcp-networks` and `/v2.0/agents/<id>/l3-routers`: what a host serves.

Neutron's schedulers decide that, and can be told otherwise; here it follows from where ports are,
and which hosts live. So it is only read, and Neutron's extensions of schedulers are not announced.
Source: Neutron API reference v2, "DHCP agent scheduler", "L3 agent scheduler".
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec

from alcor.contracts.peers import Ids
from alcor.contracts.resources import Caller
from alcor.contracts.traces import Carried, ExitsAsked, HostAsked, TracePeer
from alcor.gateway.errors import not_allowed
from alcor.gateway.own.inner import Within, inner
from alcor.gateway.policy.policy import PolicyNotAuthorized
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import Response, encode

ids_per_page = 200
Item = dict[str, Any]
Query = Sequence[tuple[str, str]]


class _Ask(Protocol):
    """Asks for a path of ours, as who asks us; `_Refused`."""

    async def __call__(self, path: str, query: Query = ()) -> dict[str, Any]: ...


class _Refused(Exception):
    """What is asked about is not there."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


class ServingAgents:
    """Answers administrators for one network, router or agent at a time."""

    def __init__(self, hosts: TracePeer, limits: Limits, within: Within) -> None:
        self._hosts, self._limits, self._within = hosts, limits, within

    async def on_network(self, request: Request, caller: Caller, id_: str) -> Response:
        """The agents of hosts that have ports of the network: each answers its own by DHCP."""
        asked = partial(self._of_network, id_)
        return await self._told(request, caller, "dhcp-agents", "agents", asked)

    async def on_router(self, request: Request, caller: Caller, id_: str) -> Response:
        """The agents of hosts by which the router's packets leave, and of those next in line."""
        asked = partial(self._of_router, id_)
        return await self._told(request, caller, "l3-agents", "agents", asked)

    async def networks(self, request: Request, caller: Caller, id_: str) -> Response:
        """The networks that the agent's host has ports of."""
        asked = partial(self._networks_of, id_)
        return await self._told(request, caller, "dhcp-networks", "networks", asked)

    async def routers(self, request: Request, caller: Caller, id_: str) -> Response:
        """The routers that leave by the agent's host, or would if another one were lost."""
        asked = partial(self._routers_of, id_)
        return await self._told(request, caller, "l3-routers", "routers", asked)

    async def _told(
        self,
        request: Request,
        caller: Caller,
        what: str,
        key: str,
        asked: Callable[[_Ask], Awaitable[list[Item]]],
    ) -> Response:
        if request.method != "GET":
            return not_allowed("GET")
        if not caller.admin:
            raise PolicyNotAuthorized([f"get_{what}"])
        try:
            items = await asked(partial(self._ask, request, caller))
            return Response(200, encode({key: items}))
        except _Refused as refused:
            return refused.answer

    async def _of_network(self, id_: str, ask: _Ask) -> list[Item]:
        await ask(f"/v2.0/networks/{id_}")
        of = ("network_id", id_)
        if not (await ask("/v2.0/subnets", [of, ("enable_dhcp", "true")]))["subnets"]:
            return []
        segments = [each["id"] for each in (await ask("/v2.0/segments", [of]))["segments"]]
        return await _agents((await self._hosts.hosts_on(Ids([id_, *segments]))).ids, ask)

    async def _of_router(self, id_: str, ask: _Ask) -> list[Item]:
        await ask(f"/v2.0/routers/{id_}")
        exits = await self._hosts.exits(ExitsAsked(id_))
        return [
            agent | {"ha_state": state}
            for hosts, state in ((exits.active, "active"), (exits.standby, "standby"))
            for agent in await _agents(hosts, ask)
        ]

    async def _networks_of(self, id_: str, ask: _Ask) -> list[Item]:
        carried = await self._carried(id_, ask)
        # A segment of each of these ids there is: a network's first one has the network's.
        segments = await _found("segments", "id", carried.network_ids, ask)
        ids = sorted({each["network_id"] for each in segments})
        return await _found("networks", "id", ids, ask)

    async def _routers_of(self, id_: str, ask: _Ask) -> list[Item]:
        return await _found("routers", "id", (await self._carried(id_, ask)).router_ids, ask)

    async def _carried(self, id_: str, ask: _Ask) -> Carried:
        host = (await ask(f"/v2.0/agents/{id_}"))["agent"]["host"]
        return await self._hosts.carried(HostAsked(host))

    async def _ask(
        self, of: Request, caller: Caller, path: str, query: Query = ()
    ) -> dict[str, Any]:
        asked = inner(of, self._limits, "GET", path, query=urlencode(query).encode())
        answer = await self._within(asked, caller)
        if answer.status != 200:
            raise _Refused(answer)
        found: dict[str, Any] = msgspec.json.decode(answer.body)
        return found


async def _agents(hosts: Sequence[str], ask: _Ask) -> list[Item]:
    """The agents of these hosts."""
    return await _found("agents", "host", hosts, ask)


async def _found(collection: str, name: str, values: Sequence[str], ask: _Ask) -> list[Item]:
    """The items that have one of these values."""
    items: list[Item] = []
    for first in range(0, len(values), ids_per_page):
        some = [(name, each) for each in values[first : first + ids_per_page]]
        items += (await ask(f"/v2.0/{collection}", some))[collection]
    return items
