"""The network manager's store in SQLite: row, outbox and its VNI change in one transaction."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from msgspec import Raw

from alcor.contracts.resources import ListQuery
from alcor.contracts.sharing import AS_EXTERNAL, AS_SHARED, SharingPolicy
from alcor.intent import outbox
from alcor.intent.store import Publisher, Telling
from alcor.keyed_log.log import Change
from alcor.managers.network import intent, subnets_seen
from alcor.managers.network.model.network import (
    DefaultExternalNetworkExists,
    Limits,
    Network,
    NetworkIdInUse,
    NetworkInUse,
    Reach,
    TunnelIdInUse,
)
from alcor.managers.network.model.network_segment import (
    NetworkSegment,
    check_external,
    first,
    with_segments,
)
from alcor.managers.network.needs import Draft, Saved
from alcor.managers.network.subnets_seen import SubnetSeen
from alcor.managers.network.tables import segments as segment_table
from alcor.runtime.sql.database import Database
from alcor.runtime.tables import fences, sharing, usage
from alcor.runtime.tables.resource_table import ResourceTable, Row, Taken
from alcor.runtime.tables.sharing import Viewer
from alcor.values.missing import NetworkNotFound
from alcor.values.mtu import check_mtu
from alcor.values.qos import QosPolicyNotFound

_IS = "CAST(json_extract(doc, '$.\"{}\"') AS TEXT) = '1'"
TABLE = ResourceTable(
    "network",
    "Network",
    ("project_id", "name", "vni", "qos_policy_id"),
    nullable=frozenset({"qos_policy_id"}),
    counted=True,
    tagged=True,
)

VISIBLE_BY = (AS_SHARED, AS_EXTERNAL)  # what lets other projects see a network

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Network)


def _decode(doc: bytes) -> Network:
    """A document; those of old have the VNI as the segmentation id only."""
    found = _decoder.decode(doc)
    return found if found.vni else msgspec.structs.replace(found, vni=found.segmentation_id)


def row_of(network: Network, sequence: int) -> Row:
    """The row that keeps a network."""
    columns = (network.project_id, network.name, network.vni, network.qos_policy_id)
    return Row(network.id, columns, sequence, _encode(network))


def living(connection: sqlite3.Connection, after: str, limit: int) -> Sequence[tuple[str, Change]]:
    """The networks after an id, as the intent log knows them."""
    rows = TABLE.living(connection, after, limit)
    reach = reach_of(connection, [row.id for row in rows])
    return [
        (row.id, Change(*intent.told(_decode(row.doc), reach[row.id]), row.sequence))
        for row in rows
    ]


def reach_of(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Reach]:
    """Whom the policies of these networks let use them."""
    shared_with = sharing.targets_of(connection, ids)
    return {id_: Reach(shared_with[id_]) for id_ in ids}


def network_of(connection: sqlite3.Connection, id_: str) -> Network:
    """The network of an id that exists."""
    row = TABLE.row(connection, id_)
    if row is None:
        raise NetworkNotFound(id_)
    return _decode(row.doc)


def save(
    connection: sqlite3.Connection,
    networks: Sequence[Network],
    trace: str,
    put: Callable[[sqlite3.Connection, Sequence[Row]], None],
) -> Saved:
    """Save networks, whose policies and segments are saved already, and tell the intent log."""
    begin = outbox.take(connection, len(networks))
    rows = [row_of(network, begin + i) for i, network in enumerate(networks)]
    try:
        put(connection, rows)
    except Taken as taken:
        raise refusal_of(taken) from None
    reach = reach_of(connection, [network.id for network in networks])
    told = [intent.told(network, reach[network.id]) for network in networks]
    last = outbox.tell(connection, begin, told, trace)
    for network in networks:
        if network.segments:
            last = _tell_segments(connection, network, reach[network.id], trace)
    return Saved([Raw(row.doc) for row in rows], last)


def _tell_segments(
    connection: sqlite3.Connection, network: Network, reach: Reach, trace: str
) -> int:
    """Tell the log of a network's further segments; the sequence of the last."""
    _, *others = segment_table.of_network(connection, network.id)
    begin = outbox.take(connection, len(others))
    segment_table.tell_later(connection, [each.id for each in others], begin)
    told = [intent.told_segment(network, each, reach) for each in others]
    return outbox.tell(connection, begin, told, trace)


def living_segments(
    connection: sqlite3.Connection, after: str, limit: int
) -> Sequence[tuple[str, Change]]:
    """The further segments after an id, as the intent log knows them."""
    further = "id > ? AND id <> network_id ORDER BY id LIMIT ?"
    rows = segment_table.TABLE.where(connection, further, (after, limit))
    held = {row.id: segment_table.decode(row.doc) for row in rows}
    ids = sorted({each.network_id for each in held.values()})
    networks = {id_: _decode(row.doc) for id_, row in TABLE.rows(connection, ids).items()}
    reach = reach_of(connection, ids)
    return [
        (row.id, Change(*intent.told_segment(networks[on], held[row.id], reach[on]), row.sequence))
        for row in rows
        if (on := held[row.id].network_id) in networks
    ]


class NetworkStore:
    """Keeps `needs.Store`."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        limits: Limits,
        quota: usage.Limit = usage.unlimited,
    ) -> None:
        self._database = database
        self._telling = Telling(database, publisher)
        self._limits = limits
        self._quota = quota

    async def page(self, query: ListQuery, viewer: Viewer) -> list[Raw]:
        return await self._database.read(
            lambda c: sharing.objects_page(c, TABLE, VISIBLE_BY, query, viewer)
        )

    async def networks(self, ids: Sequence[str]) -> list[tuple[Network, Reach]]:
        def work(connection: sqlite3.Connection) -> list[tuple[Network, Reach]]:
            rows = TABLE.rows(connection, ids)
            reach = reach_of(connection, ids)
            return [
                (_decode(row.doc), reach[row.id])
                for row in rows.values()
                if not is_marked(connection, row.id)
            ]

        return await self._database.read(work)

    async def reachable(self, project: str) -> tuple[list[str], list[str]]:
        def work(connection: sqlite3.Connection) -> tuple[list[str], list[str]]:
            shared, external = (
                sharing.objects_for(connection, TABLE.name, action, project)
                for action in (AS_SHARED, AS_EXTERNAL)
            )
            return shared, external

        return await self._database.read(work)

    async def insert(
        self,
        drafts: Sequence[Draft],
        policies: Sequence[SharingPolicy],
        project: str | None,
        trace: str,
    ) -> Saved:
        def work(connection: sqlite3.Connection) -> Saved:
            for draft in drafts:
                _check_policy(connection, draft.network, project)
            sharing.insert(connection, policies)
            ready = [self._placed(connection, draft) for draft in drafts]
            _check_default(connection, ready)
            saved = save(connection, ready, trace, TABLE.insert)
            usage.check(connection, TABLE.name, {n.project_id for n in ready}, self._quota)
            return saved

        return await self._telling.write(work)

    def _placed(self, connection: sqlite3.Connection, draft: Draft) -> Network:
        """The network with the ids of its segments, which are saved."""
        project = draft.network.project_id
        segments = [
            segment_table.placed(connection, each, project, self._limits)
            for each in (first(draft.network), *draft.further)
        ]
        insert_segments(connection, segments)
        own = segments[0]
        return msgspec.structs.replace(
            draft.network,
            vni=own.vni,
            physical_network=own.physical_network,
            segmentation_id=own.segmentation_id,
            segments=with_segments(draft.network, segments, "").segments,
        )

    async def change(
        self,
        id_: str,
        decide: Callable[[Network], Network],
        project: str | None,
        trace: str,
        new_id: Callable[[], str],
    ) -> Saved:
        def work(connection: sqlite3.Connection) -> Saved:
            row = _visible(connection, id_, project)
            old = _decode(row.doc)
            new = decide(old)
            if new is old:
                return Saved([Raw(row.doc)], row.sequence)
            if new.mtu != old.mtu:
                for version in subnets_seen.families(connection, id_):
                    check_mtu(id_, new.mtu, version)
            _check_default(connection, [new])
            check_external(new, len(new.segments or ()))
            if new.segmentation_id != old.segmentation_id:
                segment_table.retag(connection, new)
            if new.qos_policy_id != old.qos_policy_id:
                _check_policy(connection, new, project)
            for action, on, was in (
                (AS_SHARED, new.shared, old.shared),
                (AS_EXTERNAL, new.external, old.external),
            ):
                if on != was:
                    whole = action == AS_EXTERNAL
                    sharing.toggle(connection, TABLE, new.id, action, new_id() if on else "", whole)
            return save(connection, [new], trace, TABLE.replace)

        return await self._telling.write(work)

    async def network(self, id_: str, project: str | None) -> Network:
        return await self._database.read(lambda c: _decode(_visible(c, id_, project).doc))

    async def mark(self, id_: str, project: str | None) -> Network:
        def work(connection: sqlite3.Connection) -> Network:
            row = _visible(connection, id_, project)
            if is_marked(connection, id_):
                raise NetworkInUse(id_, "It is being deleted already.")
            connection.execute("UPDATE network SET deleting = 1 WHERE id = ?", (id_,))
            return _decode(row.doc)

        return await self._database.write(work)

    async def unmark(self, id_: str) -> None:
        statement = "UPDATE network SET deleting = 0 WHERE id = ?"
        await self._database.write(lambda c: c.execute(statement, (id_,)) and None)

    async def marked(self) -> list[Network]:
        return await self._database.read(
            lambda c: [_decode(row.doc) for row in TABLE.where(c, "deleting <> 0", ())]
        )

    async def remove(self, id_: str, trace: str) -> int:
        def work(connection: sqlite3.Connection) -> Saved:
            gone = [each.id for each in segment_table.of_network(connection, id_)]
            TABLE.delete(connection, [id_])
            segment_table.remove(connection, gone)
            sharing.drop_object(connection, id_)
            told = [intent.told_gone(id_)]
            told += [intent.told_segment_gone(each) for each in gone if each != id_]
            begin = outbox.take(connection, len(told))
            return Saved([], outbox.tell(connection, begin, told, trace))

        return (await self._telling.write(work)).sequence

    async def replace_subnets(self, seen: Mapping[str, SubnetSeen]) -> None:
        await self._database.write(lambda c: _apply_subnets(c, subnets_seen.different(c, seen)))

    async def apply_subnets(self, seen: Mapping[str, SubnetSeen | None]) -> None:
        await self._database.write(lambda c: _apply_subnets(c, seen))

    async def replace_scopes(self, scopes: Mapping[str, str]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            gone = dict.fromkeys(subnets_seen.pools_with_scopes(connection), "")
            _show_subnets(connection, subnets_seen.keep_scopes(connection, {**gone, **scopes}))

        await self._database.write(work)

    async def apply_scopes(self, scopes: Mapping[str, str]) -> None:
        await self._database.write(lambda c: _show_subnets(c, subnets_seen.keep_scopes(c, scopes)))


def insert_segments(connection: sqlite3.Connection, segments: Sequence[NetworkSegment]) -> None:
    """Save new segments; refused when a VNI of theirs is taken."""
    try:
        rows = [segment_table.row_of(each) for each in segments]
        segment_table.TABLE.insert(connection, rows)
    except Taken as taken:
        raise refusal_of(taken) from None


def refusal_of(taken: Taken) -> Exception:
    """Which id is taken."""
    if taken.columns == ("vni",):
        return TunnelIdInUse("Unable to create the network. The tunnel ID is in use.")
    return NetworkIdInUse("Unable to create the network. Its id is in use.")


def is_marked(connection: sqlite3.Connection, id_: str) -> bool:
    """Whether the network is being deleted."""
    found = connection.execute("SELECT deleting FROM network WHERE id = ?", (id_,)).fetchone()
    return found is not None and bool(found[0])


def _visible(connection: sqlite3.Connection, id_: str, project: str | None) -> Row:
    row = TABLE.row(connection, id_)
    if row is None or project not in (None, row.columns[0]):
        raise NetworkNotFound(id_)
    return row


def _check_default(connection: sqlite3.Connection, networks: Sequence[Network]) -> None:
    """That there will be one default external network at most."""
    wanted = [network.id for network in networks if network.is_default]
    if not wanted:
        return
    held = TABLE.where(connection, _IS.format("is_default"), ())
    for other in [*(row.id for row in held), *wanted]:
        if other != wanted[0]:
            raise DefaultExternalNetworkExists(other)


def _check_policy(connection: sqlite3.Connection, network: Network, project: str | None) -> None:
    """That its QoS policy has not gone, nor was taken from its project, since it was asked for."""
    id_ = network.qos_policy_id
    owner = None if project is None else network.project_id
    if id_ and not fences.may_refer(connection, id_, owner):
        raise QosPolicyNotFound(id_)


def _apply_subnets(
    connection: sqlite3.Connection, changes: Mapping[str, SubnetSeen | None]
) -> None:
    """Keep which subnets networks have, and show them."""
    _show_subnets(connection, subnets_seen.keep(connection, changes))


def _show_subnets(connection: sqlite3.Connection, touched: Iterable[str]) -> None:
    """Show networks' subnets and their address scopes in the documents; no intent changes."""
    for row in TABLE.rows(connection, sorted(touched)).values():
        old = _decode(row.doc)
        shown = msgspec.structs.replace(
            old,
            subnets=subnets_seen.of_network(connection, row.id),
            ipv4_address_scope=subnets_seen.scope_of(connection, row.id, 4),
            ipv6_address_scope=subnets_seen.scope_of(connection, row.id, 6),
            l2_adjacency=not subnets_seen.are_of_segments(connection, row.id),
            revision_number=old.revision_number + 1,
        )
        connection.execute(
            "UPDATE network SET doc = ? WHERE id = ?", (_encode(shown).decode(), row.id)
        )
