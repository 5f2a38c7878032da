"""What can be done with nodes: a method per use case; and what hosts' reports do to them."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from prometheus_client import Counter

from alcor.contracts.peers import Done, Ids, Nodes, PortPeer, ZoneHints
from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    ListQuery,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.goal_state.reports import HostReport
from alcor.keyed_log.log import Entry
from alcor.managers.node import intent
from alcor.managers.node.heartbeats import Heartbeats
from alcor.managers.node.model import (
    Agent,
    AgentNotFound,
    Node,
    NodeInUse,
    agent,
    changed,
    node,
    view,
)
from alcor.managers.node.needs import Saved, Store
from alcor.managers.node.returning import Returning
from alcor.resource.revisions import check_revision
from alcor.resource.selection import select
from alcor.values.capacity import NOTHING
from alcor.values.errors import Conflict, Kind, Refusal, Unavailable
from alcor.values.revision import Revision
from alcor.values.zones import ZONE, check_hints

_log = structlog.get_logger("alcor.node")
_encode = msgspec.json.encode
tunnel_conflicts = Counter(
    "alcor_node_tunnel_conflicts", "Hosts that said hello with another host's tunnel endpoint."
)


class NodeService:
    """Keeps the contracts ResourceManager (of nodes) and NodePeer."""

    def __init__(
        self,
        store: Store,
        heartbeats: Heartbeats,
        now: Callable[[], str],
        auto_register: bool,
        binding_silence_s_max: float,
        returning: Returning,
        ports: PortPeer,
    ) -> None:
        self._ports = ports
        # Hosts that could not be registered, and whether a conflict was told of what they said.
        self._later: dict[str, tuple[HostReport, bool]] = {}
        self._returning = returning
        self._store = store
        self._heartbeats = heartbeats
        self._now = now
        self._auto_register = auto_register
        self._binding_silence_s_max = binding_silence_s_max

    async def list_page(self, request: ListRequest) -> ListReply:
        return ListReply([self._shown(each) for each in await self._store.page(request.query)])

    async def create(self, request: CreateRequest) -> Written:
        nodes = [node(values, self._now()) for values in request.items]
        return self._written(await self._store.insert(nodes, request.caller.request_id))

    async def update(self, request: UpdateRequest) -> Written:
        return self._written(await self.change(request.id, request))

    async def change(self, id_: str, request: UpdateRequest) -> Saved:
        """Change the node of that name as the request says."""

        def decide(old: Node) -> Node:
            check_revision(request.if_revision, old.revision_number)
            return changed(old, request.changes, self._now())

        return await self._store.change(id_, decide, request.caller.request_id)

    async def delete(self, request: DeleteRequest) -> Written:
        """The host is known no more: others have no tunnel to it. Refused while it is connected,
        and while ports are bound to it, as machines on it may run without their agent."""
        if self._heartbeats.is_connected(request.id):
            raise NodeInUse(request.id, "its agent is connected. Stop it first.")
        bound = (await self._ports.bound_to(Ids([request.id]))).count_by_id.get(request.id, 0)
        if bound:
            message = f"{bound} ports are bound to it. Bind them elsewhere, or delete them, first."
            raise NodeInUse(request.id, message)
        sequence = await self._store.remove(request.id, request.caller.request_id)
        return Written([], str(Revision("node", sequence)))

    async def nodes(self, request: Ids) -> Nodes:
        found = await self._store.nodes(request.ids)
        return Nodes([intent.record(each) for each in found])

    async def silent(self, request: Ids) -> Ids:
        limit_s, silence_s = self._binding_silence_s_max, self._heartbeats.silence_s
        return Ids([host for host in request.ids if silence_s(host) > limit_s])

    async def check_zones(self, request: ZoneHints) -> Done:
        check_hints(request.names, {ZONE, *(await self._store.zones()).values()})
        return Done()

    async def hear(self, entries: Sequence[Entry]) -> None:
        """Reports of hosts: who is alive, and whom we don't know yet."""
        new = self._heartbeats.hear(entries)
        for report in new:
            self._later.pop(report.host, None)
        if self._auto_register:
            await self._register([each for each in new if each.connected and each.tunnel_ip])

    async def _register(self, reports: Sequence[HostReport]) -> None:
        """Know hosts by what their agents say, now or later, as a database may be away. Of most
        that come again all is known: a fleet costs a look for many of them, and a transaction for
        those who are new or another."""
        if not reports:
            return
        try:
            found = await self._store.nodes([report.host for report in reports])
        except Unavailable:  # that is told where databases are asked
            for report in reports:
                self._later.setdefault(report.host, (report, False))
            return
        known = {each.id: each for each in found}
        news = []
        for report in reports:
            old = known.get(report.host)
            if old is None or self._heard(old, _said(report)) is not old:
                news.append(report)
            else:
                self._later.pop(report.host, None)
        if news:
            await self._register_new(news)

    async def _register_new(self, reports: Sequence[HostReport]) -> None:
        """All in one transaction, unless one of them is refused: then each half, down to that one,
        whose tunnel endpoint is another's."""
        said_by_host = {report.host: _said(report) for report in reports}

        def heard(host: str, old: Node | None) -> Node:
            said = said_by_host[host]
            if old is None:
                return node({"id": host, "description": ""} | said, self._now())
            return self._heard(old, said)

        try:
            await self._store.settle(list(said_by_host), heard, "")
        except Unavailable:
            for report in reports:
                self._later.setdefault(report.host, (report, False))
        except Conflict as conflict:
            if len(reports) == 1:
                self._refuse(reports[0], conflict)
                return
            half = len(reports) // 2
            await self._register_new(reports[:half])
            await self._register_new(reports[half:])
        else:
            for report in reports:
                self._later.pop(report.host, None)

    def _refuse(self, report: HostReport, conflict: Conflict) -> None:
        """Say so, once for what a host says, and try again later."""
        if self._later.get(report.host) != (report, True):
            tunnel_conflicts.inc()
            _log.error(
                "host not registered",
                host=report.host,
                tunnel_ip=report.tunnel_ip,
                reason=conflict.message,
            )
        self._later[report.host] = report, True

    def _heard(self, old: Node, said: dict[str, Any]) -> Node:
        """Of one with uplinks that was gone nothing leaves by them before it has caught up."""
        returns = old.is_gone and bool(said["physical_networks"])
        life = {"is_gone": returns, "is_returning": returns}
        return changed(old, said | life, self._now())

    async def register_again(self) -> None:
        """Try again with hosts that could not be: the tunnel endpoint may be free now, or the
        database there."""
        await self._register([report for report, _ in self._later.values()])

    async def bury(self) -> None:
        """Say of hosts with uplinks that were silent for too long that they are gone, and of those
        that came back and have caught up that they are alive.

        Of others nobody needs to know: their packets go nowhere without them either way.
        """
        for each in await self._store.uplinked():
            if self._heartbeats.is_gone(each.id):
                if not each.is_gone or each.is_returning:
                    _log.warning("host gone", host=each.id, uplinks=each.physical_networks)
                    await self._settle(each.id, is_gone=True)
            elif each.is_returning:
                report = self._heartbeats.life(each.id).report
                if report is not None and await self._returning.is_back(each.id, report):
                    _log.info("host back", host=each.id, uplinks=each.physical_networks)
                    await self._settle(each.id, is_gone=False)

    async def _settle(self, host: str, *, is_gone: bool) -> None:
        self._returning.forget(host)
        life = {"is_gone": is_gone, "is_returning": False}
        await self._store.change(host, lambda old: changed(old, life, self._now()), "")

    def _shown(self, each: Node) -> msgspec.Raw:
        return msgspec.Raw(_encode(view(each, self._heartbeats.life(each.id))))

    def _written(self, saved: Saved) -> Written:
        revision = str(Revision("node", saved.sequence))
        return Written([self._shown(each) for each in saved.nodes], revision)


def _said(report: HostReport) -> dict[str, Any]:
    """What a report says of the node. A host that calls has not looked at its switch yet: what it
    said of its bridge before stands until it has."""
    bridge = {"bridge": report.bridge, "datapath_type": report.datapath_type}
    return {
        "tunnel_ip": report.tunnel_ip,
        "physical_networks": tuple(sorted(report.physical_networks)),
        "capacity": report.capacity or NOTHING,
        **{name: value for name, value in bridge.items() if value},
    }


class AgentService:
    """The nodes again, as Neutron's agents. Keeps the contract ResourceManager."""

    def __init__(
        self, store: Store, heartbeats: Heartbeats, nodes: NodeService, tunnel_type: str
    ) -> None:
        self._store = store
        self._heartbeats = heartbeats
        self._nodes = nodes
        self._tunnel_type = tunnel_type

    def _shown(self, node: Node) -> Agent:
        return agent(node, self._heartbeats.life(node.id), self._tunnel_type)

    async def list_page(self, request: ListRequest) -> ListReply:
        nodes = await self._among(request.query)
        agents = [msgspec.structs.asdict(self._shown(each)) for each in nodes]
        return ListReply(
            [msgspec.Raw(_encode(each)) for each in select(agents, request.query, AgentNotFound)]
        )

    async def _among(self, query: ListQuery) -> list[Node]:
        """The nodes that the query may find: who names hosts, or one agent, has no other read."""
        for each in query.filters if not query.marker else ():
            if each.field == "host":
                return await self._store.nodes([str(host) for host in each.values])
            if each.field == "id" and len(each.values) == 1:
                with suppress(AgentNotFound):
                    return [await self._store.by_agent(str(each.values[0]))]
                return []
        return await self._store.all()

    async def create(self, request: CreateRequest) -> Written:
        raise Refusal("Agents register themselves.", type="HTTPForbidden", kind=Kind.FORBIDDEN)

    async def update(self, request: UpdateRequest) -> Written:
        host = (await self._store.by_agent(request.id)).id
        saved = await self._nodes.change(host, request)
        shown = self._shown(saved.nodes[0])
        return Written([msgspec.Raw(_encode(shown))], str(Revision("node", saved.sequence)))

    async def delete(self, request: DeleteRequest) -> Written:
        host = (await self._store.by_agent(request.id)).id
        return await self._nodes.delete(DeleteRequest(request.caller, host))
