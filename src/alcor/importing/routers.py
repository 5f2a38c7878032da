"""What makes routers whole once their ports and the networks are there.

Interfaces are ports that routers take: they come as ports of nobody, with their ids, MACs and
addresses, and are attached here.
"""

from collections.abc import Callable

from alcor.client.api import Item
from alcor.client.connection import Refused
from alcor.importing.bringing import Bringing, said_of
from alcor.importing.subject import alike, told
from alcor.importing.subjects import INTERFACES
from alcor.resource.declaration import Resource

_MORE = "external_gateways"


def bring_interfaces(bringing: Bringing, port: Resource, router: Resource) -> None:
    """Attach to its router each port that is an interface at the source."""
    title = "router interfaces"
    tally = bringing.ledger.tally(title)
    owners = [("device_owner", each) for each in INTERFACES]
    for page in bringing.pages(title, port, owners):
        here = bringing.target.by_ids(port, [each["id"] for each in page])
        for each in page:
            tally.found += 1
            held = here.get(each["id"])
            if lacking := bringing.lacking([each["id"], each["device_id"]]):
                bringing.ledger.miss(title, each, lacking)
            elif held is not None and held["device_id"] == each["device_id"]:
                tally.same += 1
            elif bringing.how.check:
                tally.made += 1
            elif held is None:
                bringing.ledger.miss(title, each, "its port is not here")
            else:
                _attach(bringing, title, router, each)


def _attach(bringing: Bringing, title: str, router: Resource, port: Item) -> None:
    body = {"port_id": port["id"]}
    try:
        bringing.target.act(router, port["device_id"], "add_router_interface", body)
    except Refused as refused:
        bringing.ledger.miss(title, port, said_of(refused))
    else:
        bringing.ledger.tally(title).made += 1


def complete_routers(bringing: Bringing, router: Resource) -> None:
    """Give routers their routes, whose next hops are there by now, and their further gateways."""

    def wanted(item: Item) -> Item:
        more = item.get(_MORE) or []
        return {"routes": item.get("routes") or []} | ({_MORE: more} if len(more) > 1 else {})

    def change(id_: str, changes: Item) -> None:
        if _MORE in changes:
            body = {"router": {_MORE: changes.pop(_MORE)}}
            bringing.target.act(router, id_, "update_external_gateways", body)
        if changes:
            bringing.target.update(router, id_, changes)

    complete(bringing, "routes and gateways", router, wanted, change)


def complete_networks(bringing: Bringing, network: Resource) -> None:
    """Make the default network outside so, which it can be once everybody may use it."""

    def wanted(item: Item) -> Item:
        return {"is_default": bool(item.get("is_default"))}

    def change(id_: str, changes: Item) -> None:
        bringing.target.update(network, id_, changes)

    complete(bringing, "default networks", network, wanted, change)


def complete(
    bringing: Bringing,
    title: str,
    kind: Resource,
    wanted: Callable[[Item], Item],
    change: Callable[[str, Item], None],
) -> None:
    """Change fields of what was made by this run; and of the rest if differences are mended."""
    tally = bringing.ledger.tally(title)
    for page in bringing.pages(title, kind):
        here = bringing.target.by_ids(kind, [each["id"] for each in page])
        for each in page:
            want, held = wanted(each), here.get(each["id"])
            said = [name for name, value in want.items() if value]
            tally.found += bool(said)
            if held is None:
                tally.made += bool(said and bringing.how.check)
                continue
            changes = {n: v for n, v in want.items() if not alike(n, v, held.get(n))}
            if not changes:
                tally.same += bool(said)
            elif each["id"] not in bringing.known.made and not bringing.how.update:
                bringing.ledger.differ(title, each, told(changes, held))
            else:
                _change(bringing, title, each, changes, change)


def _change(
    bringing: Bringing, title: str, item: Item, changes: Item, change: Callable[[str, Item], None]
) -> None:
    tally = bringing.ledger.tally(title)
    try:
        if not bringing.how.check:
            change(item["id"], changes)
    except Refused as refused:
        bringing.ledger.differ(title, item, said_of(refused))
        return
    if item["id"] in bringing.known.made:
        tally.made += 1
    else:
        tally.changed += 1
