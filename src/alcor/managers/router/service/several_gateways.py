"""Give a router more ways out, change them, take them away: by their networks and addresses.

Source: neutron.db.l3_extra_gws_db; Neutron API reference v2, "Routers" (add_external_gateways ...).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alcor.contracts.resources import ActRequest, Caller, Written
from alcor.managers.router.model.attachments import Attachment, check_beside, gates_of
from alcor.managers.router.model.gateway import (
    GatewayInfo,
    WantedGateway,
    check_several,
    gateway_kept,
    matched,
    same_addresses,
    wanted_gateway,
)
from alcor.managers.router.model.refusals import BadRouterRequest, UnableToMatchGateways
from alcor.managers.router.model.router import (
    Router,
    changed,
    with_gateways,
    with_one,
    without,
)
from alcor.managers.router.needs import Note, Store, Transaction, Undo
from alcor.managers.router.service.gateways import Gateways, leave
from alcor.managers.router.service.settling import Settling
from alcor.managers.router.service.writes import written
from alcor.resource.revisions import touched
from alcor.runtime.managing.writes import Makers, seen_by

_GATEWAYS = "external_gateways"


class SeveralGateways:
    """The sagas of several gateways; the caller holds the router's lock."""

    def __init__(
        self, store: Store, gateways: Gateways, settling: Settling, makers: Makers
    ) -> None:
        self._store = store
        self._gateways = gateways
        self._settling = settling
        self._makers = makers

    async def add(self, request: ActRequest) -> Written:
        """All or none; of a router that has none the first of them is its first."""
        router, _ = await self._held(request)
        asked = _asked(request)
        if not asked:
            return await self._as_it_is(router.id, request.caller)
        wanted = [each for item in asked if (each := wanted_gateway(item)) is not None]
        check_several(len(router.gateways) + len(wanted))
        if any(each.qos_policy_id for each in (wanted if router.gateways else wanted[1:])):
            raise BadRouterRequest("Only the first external gateway can have a QoS policy")
        await self._gateways.check_policy(wanted[0], None, request.caller)
        notes = [self._gateways.new_note(router.id) for _ in wanted]
        async with self._settling.begun(notes):
            gates = [
                await self._gateways.make(each, note, request.caller)
                for each, note in zip(wanted, notes, strict=True)
            ]

            def work(tx: Transaction) -> Written:
                for gate in gates:
                    check_beside(gate.attachment, tx.attachments(router.id))
                    tx.attach(gate.attachment)
                tx.settled(note.port_id for note in notes)
                old = tx.router(router.id, seen_by(request.caller))
                infos = (*old.gateways, *(gate.info for gate in gates))
                return self._saved(tx, old, with_gateways(infos), request.caller)

            return await self._store.write(work, request.caller.request_id)

    async def update(self, request: ActRequest) -> Written:
        """Make these the router's gateways, in this order; none that are named go. One step after
        the other: what was changed before one is refused stays changed."""
        asked, caller = _asked(request), request.caller
        check_several(len(asked))
        if any(item.get("qos_policy_id") for item in asked[1:]):
            raise BadRouterRequest("Only the first external gateway can have a QoS policy")
        router, attachments = await self._held(request)
        if not asked:
            return await self._let_go(router, router.gateways, caller)
        named = matched(router.gateways, asked, loosely=True)
        first = next(iter(gates_of(router.gateways, attachments)), None)
        if first is not None and named[0] != 0:
            await self._gateways.check_first(router, first, wanted_gateway(asked[0]))
        if router.gateways and 0 not in named and named[0] < 0:
            await self._replace_first(router, asked[0], caller)
            router, _ = await self._held(request)
            named = matched(router.gateways, asked, loosely=True)
        going = [info for place, info in enumerate(router.gateways) if place not in named]
        await self._let_go(router, going, caller)
        coming = [_bare(item) for item, place in zip(asked, named, strict=True) if place < 0]
        await self.add(msgspec.structs.replace(request, arguments={_GATEWAYS: coming}))
        done = await self._order(request, asked)
        for place, item in enumerate(asked):
            router, attachments = await self._held(request)
            info, gate = router.gateways[place], gates_of(router.gateways, attachments)[place]
            if gate is None:
                raise UnableToMatchGateways(router.id, info.network_id)
            wanted = wanted_gateway({"enable_snat": info.enable_snat, **item}, info)
            assert wanted is not None  # it names a network
            await self._gateways.check_policy(wanted, info, caller)
            done = await self._change(router, gate, info, wanted, caller)
        return done

    async def _replace_first(self, router: Router, item: Mapping[str, Any], caller: Caller) -> None:
        """Where the first gateway goes and a new one is to be the first, let it take its place."""

        def apply(tx: Transaction, values: Mapping[str, Any]) -> Written:
            old = tx.router(router.id, seen_by(caller))
            new = changed(old, values, self._makers.now())
            return written(tx, [tx.save(new)])

        await self._gateways.change(router, wanted_gateway(_bare(item)), caller, apply)

    async def _order(self, request: ActRequest, asked: Sequence[Mapping[str, Any]]) -> Written:
        """Let the gateways be in this order; who is not the first any more has no QoS policy."""

        def work(tx: Transaction) -> Written:
            old = tx.router(request.id, seen_by(request.caller))
            named = matched(old.gateways, asked, loosely=True)
            infos = [old.gateways[place] for place in named]
            if infos == list(old.gateways):
                return written(tx, [tx.document(old)])
            later = [msgspec.structs.replace(info, qos_policy_id=None) for info in infos[1:]]
            return self._saved(tx, old, with_gateways([infos[0], *later]), request.caller)

        return await self._store.write(work, request.caller.request_id)

    async def remove(self, request: ActRequest) -> Written:
        """All or none; when the first goes the next one is the first."""
        router, _ = await self._held(request)
        asked = _asked(request)
        named = matched(router.gateways, asked, loosely=False)
        for item, place in zip(asked, named, strict=True):
            if place < 0:
                raise UnableToMatchGateways(router.id, item["network_id"])
        return await self._let_go(router, [router.gateways[p] for p in named], request.caller)

    async def _let_go(
        self, router: Router, going: Sequence[GatewayInfo], caller: Caller
    ) -> Written:
        """All or none."""
        attachments = await self._store.read(lambda tx: tx.attachments(router.id))
        gates, left = gates_of(router.gateways, attachments), list(going)
        ports: list[Attachment] = []
        for info, gate in zip(router.gateways, gates, strict=True):
            if gate is not None and info in left:
                left.remove(info)
                ports.append(gate)
        leaving = [Note(each.port_id, router.id, Undo.DROP) for each in ports]

        def work(tx: Transaction) -> Written:
            for note in leaving:
                leave(tx, note)
            old = tx.router(router.id, seen_by(caller))
            values = without(old, going)
            if not values[_GATEWAYS]:
                values["enable_ndp_proxy"] = False
            return self._saved(tx, old, values, caller)

        if not going:
            return await self._as_it_is(router.id, caller)
        async with self._settling.begun([note._replace(undo=Undo.LIFT) for note in leaving]):
            for each in ports:
                await self._gateways.fence(router, each)
            done = await self._store.write(work, caller.request_id)
        await self._settling.finish(leaving)
        return done

    async def _change(
        self,
        router: Router,
        held: Attachment,
        info: GatewayInfo,
        wanted: WantedGateway,
        caller: Caller,
    ) -> Written:
        def apply(tx: Transaction, values: Mapping[str, Any]) -> Written:
            return self._saved(tx, tx.router(router.id, seen_by(caller)), values, caller)

        if not same_addresses(info, wanted):
            return await self._gateways.readdress(router, held, info, wanted, caller, apply)

        def work(tx: Transaction) -> Written:
            old = tx.router(router.id, seen_by(caller))
            return apply(tx, with_one(old, info, gateway_kept(info, wanted)))

        return await self._store.write(work, caller.request_id)

    def _saved(
        self, tx: Transaction, old: Router, values: Mapping[str, Any], caller: Caller
    ) -> Written:
        new = touched(old, values, self._makers.now())
        if new.qos_policy_id != old.qos_policy_id:
            tx.check_policy(new.qos_policy_id, seen_by(caller) and old.project_id)
        return written(tx, [tx.save(new)])

    async def _as_it_is(self, id_: str, caller: Caller) -> Written:
        def work(tx: Transaction) -> Written:
            return written(tx, [tx.document(tx.router(id_, seen_by(caller)))])

        return await self._store.read(work)

    async def _held(self, request: ActRequest) -> tuple[Router, list[Attachment]]:
        def work(tx: Transaction) -> tuple[Router, list[Attachment]]:
            router = tx.router(request.id, seen_by(request.caller))
            return router, tx.attachments(router.id)

        return await self._store.read(work)


def _asked(request: ActRequest) -> Sequence[Mapping[str, Any]]:
    asked: Sequence[Mapping[str, Any]] = request.arguments[_GATEWAYS]
    return asked


def _bare(item: Mapping[str, Any]) -> dict[str, Any]:
    """The gateway without a QoS policy, which it gets when it is the first."""
    return {name: value for name, value in item.items() if name != "qos_policy_id"}
