"""What can be done with topologies: asking for one makes it.

Everything gets its id before it is made, so whoever asks again goes on where a crash or a refusal
has stopped it. Like Neutron's, a topology is made with the rights and the quota of who asks.
"""

import msgspec
from msgspec import Raw

from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.topology.model import (
    DRY_RUN,
    AutoAllocatedTopologyNotFound,
    Ground,
    Topology,
    ground,
    network_of,
    router_of,
    shown,
    subnet_of,
)
from alcor.managers.topology.needs import Kinds
from alcor.managers.topology.sql import TOPOLOGIES
from alcor.resource.declaration import SHOWN_FIELDS
from alcor.runtime.locks import Locks
from alcor.runtime.managing.kept import KeptStore, KeptTransaction
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.values.errors import HTTPBadRequest, NotFound

_OWN = ("None", "null")  # Neutron's words for the project that asks


class TopologyService:
    """Keeps the contract ResourceManager. The id of a topology is asked for by its project's."""

    def __init__(self, store: KeptStore, makers: Makers, kinds: Kinds) -> None:
        self._store = store
        self._makers = makers
        self._kinds = kinds
        self._locks = Locks()

    async def list_page(self, request: ListRequest) -> ListReply:
        """A show makes what is not there; any other list looks only."""
        asked = {each.field: each.values for each in request.query.filters}
        project = _project(request.caller, str(asked.get("id", ("None",))[0]))
        words = asked.get(SHOWN_FIELDS)
        if words is None:
            held = await self._held(project)
            return ListReply([Raw(shown(project, held.network_id))] if held else [])
        found = await self._ground(request.caller)
        if DRY_RUN in words:
            return ListReply([Raw(shown(project, f"{DRY_RUN}=pass"))])
        async with self._locks.of(project):
            topology = await self._made(project, found, request.caller)
        return ListReply([Raw(shown(project, topology.network_id))])

    async def create(self, request: CreateRequest) -> Written:
        raise HTTPBadRequest("Topologies are made by GET.")

    async def update(self, request: UpdateRequest) -> Written:
        raise HTTPBadRequest("Topologies are not changed.")

    async def delete(self, request: DeleteRequest) -> Written:
        """With all that was made; while some of it is in use that is refused."""
        project = _project(request.caller, request.id)
        async with self._locks.of(project):
            held = await self._held(project)
            if held is None:
                raise AutoAllocatedTopologyNotFound(project)
            await self._take_down(held, request.caller)

            def work(tx: KeptTransaction) -> Written:
                tx.remove(TOPOLOGIES, [project])
                return tx.written([])

            return await self._store.write(work, request.caller.request_id)

    async def _ground(self, caller: Caller) -> Ground:
        kinds = self._kinds
        external = {"router:external": True}
        networks = await kinds.networks.found(caller, is_default=True, **external)
        return ground(networks, await kinds.pools.found(caller, is_default=True))

    async def _held(self, project: str) -> Topology | None:
        return await self._store.read(lambda tx: tx.find(TOPOLOGIES, project))

    async def _made(self, project: str, ground: Ground, caller: Caller) -> Topology:
        held = await self._held(project)
        if held and held.is_ready:
            if await self._kinds.networks.found(caller, id=held.network_id):
                return held
            held = None  # its owner has deleted the network: they get another
        topology = held or await self._begun(project, ground)
        kinds = self._kinds
        await kinds.networks.ensure(caller, network_of(topology))
        await kinds.routers.ensure(caller, router_of(topology, ground))
        for version, subnet_id in topology.subnet_by_version.items():
            await kinds.subnets.ensure(caller, subnet_of(topology, version))
            if not await self._is_joined(topology, subnet_id, caller):
                action = "add_router_interface"
                await kinds.routers.act(caller, topology.router_id, action, subnet_id=subnet_id)
        ready = msgspec.structs.replace(topology, is_ready=True)
        await self._store.write(lambda tx: tx.save(TOPOLOGIES, ready), caller.request_id)
        return ready

    async def _begun(self, project: str, ground: Ground) -> Topology:
        new = Topology(
            id=project,
            network_id=self._makers.new_id(),
            router_id=self._makers.new_id(),
            subnet_by_version={version: self._makers.new_id() for version in ground.versions},
        )

        def work(tx: KeptTransaction) -> None:
            if tx.find(TOPOLOGIES, project):
                tx.save(TOPOLOGIES, new)
            else:
                tx.insert(TOPOLOGIES, [new])

        await self._store.write(work)
        return new

    async def _is_joined(self, topology: Topology, subnet_id: str, caller: Caller) -> bool:
        ports = await self._kinds.ports.found(
            caller, device_id=topology.router_id, network_id=topology.network_id
        )
        return any(fixed["subnet_id"] == subnet_id for port in ports for fixed in port["fixed_ips"])

    async def _take_down(self, topology: Topology, caller: Caller) -> None:
        kinds, action = self._kinds, "remove_router_interface"
        for subnet_id in topology.subnet_by_version.values():
            try:
                await kinds.routers.act(caller, topology.router_id, action, subnet_id=subnet_id)
            except NotFound:
                continue
        await kinds.routers.gone(caller, topology.router_id)
        await kinds.networks.gone(caller, topology.network_id)  # and its subnets


def _project(caller: Caller, id_: str) -> str:
    """The project that is meant; only administrators mean another than their own."""
    project = caller.project_id if id_ in _OWN else id_
    if not project or seen_by(caller) not in (None, project):
        raise AutoAllocatedTopologyNotFound(id_)
    return project
