"""Commands that some kinds have beyond those of their declarations: what people do most, in a word.

And for some kinds, what `create` takes beyond the fields.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from typing import Annotated, Any

import typer

from alcor.cli.kinds import client_kind
from alcor.cli.options import named
from alcor.cli.session import Session, reading, writing
from alcor.client.api import Item

External = Annotated[str, typer.Option(help="Name or id of an external network.")]
Snat = Annotated[bool, typer.Option("--snat/--no-snat", help="Translate what has no floating IP.")]
Router = Annotated[str, typer.Argument(metavar="NAME_OR_ID")]
FloatingIp = Annotated[str, typer.Argument(metavar="ADDRESS_OR_ID")]
OfPort = Annotated[str, typer.Option("--port", help="Name or id of a port.")]
FixedAddress = Annotated[str, typer.Option(help="Which of the port's addresses, if several.")]

Bodies = Callable[[Session, Item, dict[str, Any]], list[Item]]


def _option(name: str, type_: Any, default: object, help_: str, metavar: str = "") -> Parameter:
    option = typer.Option(help=help_, metavar=metavar or None)
    return named(name, Annotated[type_, option], default)


def _of_ports(session: Session, body: Item, given: dict[str, Any]) -> list[Item]:
    hosts = [host for host in given["spread_over"].split(",") if host]
    return ports(body, given["count"], hosts)


def ports(body: Item, count: int, hosts: list[str]) -> list[Item]:
    """The bodies of `count` ports, dealt to the hosts in turn; several get numbered names."""
    if count < 1:
        raise typer.BadParameter("--count is at least 1")
    made: list[Item] = []
    for number in range(count):
        own = dict(body)
        if own.get("name") and count > 1:
            own["name"] = f"{body['name']}{number + 1}"
        if hosts:
            own["binding:host_id"] = hosts[number % len(hosts)]
        made.append(own)
    return made


def _of_subnet(session: Session, body: Item, given: dict[str, Any]) -> list[Item]:
    """A CIDR tells which version it is of."""
    cidr = body.get("cidr")
    return [{"ip_version": 6 if ":" in cidr else 4, **body} if cidr else body]


def _of_router(session: Session, body: Item, given: dict[str, Any]) -> list[Item]:
    if given["external"]:
        info = _gateway(session, given["external"], snat=given["snat"])
        body = {"external_gateway_info": info, **body}
    return [body]


BODIES: Mapping[str, tuple[Sequence[Parameter], Bodies]] = {
    "port": (
        (
            _option("count", int, 1, "So many in one call, all or none; names get a number."),
            _option(
                *("spread_over", str, "", "Deal the ports to these hosts in turn."),
                metavar="HOST,HOST...",
            ),
        ),
        _of_ports,
    ),
    "subnet": ((), _of_subnet),
    "router": (
        (
            _option("external", str, "", "Its way out: name or id of an external network."),
            named("snat", Snat, True),
        ),
        _of_router,
    ),
}


def _gateway(session: Session, external: str, *, snat: bool) -> Item:
    """Without a word about SNAT where it is the default: only administrators may speak of it."""
    info: Item = {"network_id": session.find_id("network", external)}
    return info if snat else info | {"enable_snat": False}


def _change(session: Session, kind: str, which: str, changes: Item) -> None:
    wanted = client_kind(kind)
    item, revision = session.api.update(wanted, session.find_id(kind, which), changes)
    session.tell_written(wanted, [item], revision)


def _set_gateway(session: Session, which: Router, external: External, snat: Snat = True) -> None:
    info = _gateway(session, external, snat=snat)
    _change(session, "router", which, {"external_gateway_info": info})


def _clear_gateway(session: Session, which: Router) -> None:
    _change(session, "router", which, {"external_gateway_info": None})


def _give(
    session: Session, which: FloatingIp, port: OfPort, fixed_address: FixedAddress = ""
) -> None:
    changes: Item = {"port_id": session.find_id("port", port)}
    if fixed_address:
        changes["fixed_ip_address"] = fixed_address
    _change(session, "floatingip", which, changes)


def _take(session: Session, which: FloatingIp) -> None:
    _change(session, "floatingip", which, {"port_id": None})


def _forward(
    session: Session,
    which: FloatingIp,
    port: OfPort,
    external: Annotated[str, typer.Option(help="A port, or a range as in 80:90.")],
    internal: Annotated[str, typer.Option(help="A port, or a range of the same length.")] = "",
    protocol: Annotated[str, typer.Option(help="tcp, udp, sctp or dccp.")] = "tcp",
    fixed_address: FixedAddress = "",
) -> None:
    inner = session.find("port", port)
    kind = client_kind("port-forwarding").under(session.find_id("floatingip", which))
    body = {
        "protocol": protocol,
        "internal_port_id": inner["id"],
        "internal_ip_address": fixed_address or _only_address(inner),
        "external_port_range": external,
        "internal_port_range": internal or external,
    }
    made = session.api.create(kind, [body])
    session.tell_written(kind, made.items, made.revision)


def _only_address(port: Item) -> str:
    addresses = [ip["ip_address"] for ip in port["fixed_ips"] if ":" not in ip["ip_address"]]
    if len(addresses) != 1:
        raise typer.BadParameter("the port has not one IPv4 address: give --fixed-address")
    return str(addresses[0])


def _unforward(
    session: Session,
    which: FloatingIp,
    forwarding: Annotated[str, typer.Argument(metavar="ID", help="The forwarding's id.")],
) -> None:
    kind = client_kind("port-forwarding").under(session.find_id("floatingip", which))
    session.tell_revision(session.api.delete(kind, forwarding))


def _state(session: Session, which: Annotated[str, typer.Argument(metavar="NAME_OR_ID")]) -> None:
    state = session.api.port_state(session.find_id("port", which))
    session.tell_item(client_kind("port"), state)


SHORTCUTS: Mapping[str, Mapping[str, tuple[str, Callable[..., None]]]] = {
    "router": {
        "set-gateway": ("Give a router its way out, or another one.", writing(_set_gateway)),
        "clear-gateway": ("Take a router's way out away.", writing(_clear_gateway)),
    },
    "floatingip": {
        "give": ("Give a floating IP to a port.", writing(_give)),
        "take": ("Take a floating IP back from its port.", writing(_take)),
        "forward": ("Forward ports of a floating IP to a machine's port.", writing(_forward)),
        "unforward": ("Forward no more.", writing(_unforward)),
    },
    "port": {
        "state": ("Say how a port is on its host, and why it is not up.", reading(_state)),
    },
}
