"""Commands of routers and floating IPs, beyond those that every kind has."""

from typing import Annotated

import typer

from alcor.cli.options import (
    Endpoint,
    Fields,
    Format,
    Project,
    Wait,
    api,
    default_endpoint,
    fields,
    given,
    pair,
)
from alcor.cli.resources import resource_app, told, wait_for
from alcor.cli.tables import Output, write_item
from alcor.client.api import (
    FLOATING_IP,
    FORWARDING,
    NETWORK,
    PORT,
    ROUTER,
    SUBNET,
    Api,
    Item,
)

router_app = resource_app(ROUTER)
floating_ip_app = resource_app(FLOATING_IP)

Router = Annotated[str, typer.Argument(metavar="ROUTER", help="Name or id.")]
FloatingIp = Annotated[str, typer.Argument(metavar="FLOATING_IP", help="Address or id.")]
External = Annotated[str, typer.Option(help="Name or id of an external network.")]
Snat = Annotated[bool, typer.Option("--snat/--no-snat", help="Translate what has no floating IP.")]
OfSubnet = Annotated[str, typer.Option("--subnet", help="Name or id of a subnet.")]
OfPort = Annotated[str, typer.Option("--port", help="Name or id of a port.")]
FixedAddress = Annotated[str, typer.Option(help="Which of the port's addresses, if several.")]
Routes = Annotated[
    list[str], typer.Option("--route", metavar="DESTINATION=NEXTHOP", help="Repeatable.")
]


@router_app.command("create", help="Make a router.")
def create_router(
    name: Annotated[str, typer.Argument(help="A name for people; need not be unique.")] = "",
    external: External = "",
    snat: Snat = True,
    more: Fields = None,
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Make a router."""
    with api(endpoint, project) as client:
        body = given(name=name)
        if external:
            body["external_gateway_info"] = _gateway(client, external, snat)
        made = client.create(ROUTER, [body | fields(more)])
        told(client, ROUTER, made.items, made.revision, wait=wait, output=output)


@router_app.command("set-gateway", help="Give a router its way out, or another one.")
def set_gateway(
    which: Router,
    external: External,
    snat: Snat = True,
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Give a router its way out."""
    with api(endpoint, project) as client:
        changes = {"external_gateway_info": _gateway(client, external, snat)}
        item, revision = client.update(ROUTER, client.find(ROUTER, which)["id"], changes)
        told(client, ROUTER, [item], revision, wait=wait, output=output)


@router_app.command("clear-gateway", help="Take a router's way out away.")
def clear_gateway(
    which: Router,
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Take a router's way out away."""
    with api(endpoint, project) as client:
        changes = {"external_gateway_info": None}
        item, revision = client.update(ROUTER, client.find(ROUTER, which)["id"], changes)
        told(client, ROUTER, [item], revision, wait=wait, output=output)


@router_app.command("attach", help="Put a router on a subnet, as its gateway or by a port.")
def attach(
    which: Router,
    subnet: OfSubnet = "",
    port: OfPort = "",
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Put a router on a subnet."""
    with api(endpoint, project) as client:
        body = _interface(client, subnet, port)
        _act(client, which, "add_router_interface", body, wait, output)


@router_app.command("detach", help="Take a router off a subnet.")
def detach(
    which: Router,
    subnet: OfSubnet = "",
    port: OfPort = "",
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Take a router off a subnet."""
    with api(endpoint, project) as client:
        body = _interface(client, subnet, port)
        _act(client, which, "remove_router_interface", body, wait, output)


@router_app.command("add-route", help="Add routes to those that a router has.")
def add_route(
    which: Router,
    route: Routes,
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Add routes."""
    with api(endpoint, project) as client:
        _act(client, which, "add_extraroutes", _routes(route), wait, output)


@router_app.command("remove-route", help="Remove routes from those that a router has.")
def remove_route(
    which: Router,
    route: Routes,
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Remove routes."""
    with api(endpoint, project) as client:
        _act(client, which, "remove_extraroutes", _routes(route), wait, output)


@floating_ip_app.command("create", help="Take an address of an external network.")
def create_floating_ip(
    external: External,
    port: OfPort = "",
    fixed_address: FixedAddress = "",
    address: Annotated[str, typer.Option(help="This address; else any.")] = "",
    more: Fields = None,
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Take an address of an external network."""
    with api(endpoint, project) as client:
        body: Item = {"floating_network_id": client.find(NETWORK, external)["id"]}
        if port:
            body["port_id"] = client.find(PORT, port)["id"]
        body |= given(fixed_ip_address=fixed_address, floating_ip_address=address)
        made = client.create(FLOATING_IP, [body | fields(more)])
        told(client, FLOATING_IP, made.items, made.revision, wait=wait, output=output)


@floating_ip_app.command("give", help="Give a floating IP to a port.")
def give(
    which: FloatingIp,
    port: OfPort,
    fixed_address: FixedAddress = "",
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Give a floating IP to a port."""
    with api(endpoint, project) as client:
        changes: Item = {"port_id": client.find(PORT, port)["id"]}
        changes |= given(fixed_ip_address=fixed_address)
        id_ = client.find(FLOATING_IP, which)["id"]
        item, revision = client.update(FLOATING_IP, id_, changes)
        told(client, FLOATING_IP, [item], revision, wait=wait, output=output)


@floating_ip_app.command("take", help="Take a floating IP back from its port.")
def take(
    which: FloatingIp,
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Take a floating IP back from its port."""
    with api(endpoint, project) as client:
        id_ = client.find(FLOATING_IP, which)["id"]
        item, revision = client.update(FLOATING_IP, id_, {"port_id": None})
        told(client, FLOATING_IP, [item], revision, wait=wait, output=output)


@floating_ip_app.command("forward", help="Forward ports of a floating IP to a machine's port.")
def forward(
    which: FloatingIp,
    port: OfPort,
    external: Annotated[str, typer.Option(help="A port, or a range as in 80:90.")],
    internal: Annotated[str, typer.Option(help="A port, or a range of the same length.")] = "",
    protocol: Annotated[str, typer.Option(help="tcp, udp, sctp or dccp.")] = "tcp",
    fixed_address: FixedAddress = "",
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Forward ports of a floating IP."""
    with api(endpoint, project) as client:
        inner = client.find(PORT, port)
        kind = FORWARDING.under(client.find(FLOATING_IP, which)["id"])
        body = {
            "protocol": protocol,
            "internal_port_id": inner["id"],
            "internal_ip_address": fixed_address or _only_address(inner),
            "external_port_range": external,
            "internal_port_range": internal or external,
        }
        made = client.create(kind, [body])
        told(client, kind, made.items, made.revision, wait=wait, output=output)


@floating_ip_app.command("unforward", help="Forward no more.")
def unforward(
    which: FloatingIp,
    forwarding: Annotated[str, typer.Argument(metavar="ID", help="The forwarding's id.")],
    wait: Wait = 0.0,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Forward no more."""
    with api(endpoint, project) as client:
        kind = FORWARDING.under(client.find(FLOATING_IP, which)["id"])
        revision = client.delete(kind, forwarding)
        if wait:
            wait_for(client, revision, wait)


def _gateway(client: Api, external: str, snat: bool) -> Item:
    """Without a word about SNAT where it is the default: only administrators may speak of it."""
    info: Item = {"network_id": client.find(NETWORK, external)["id"]}
    return info if snat else info | {"enable_snat": False}


def _interface(client: Api, subnet: str, port: str) -> Item:
    if bool(subnet) == bool(port):
        raise typer.BadParameter("give --subnet or --port")
    if subnet:
        return {"subnet_id": client.find(SUBNET, subnet)["id"]}
    return {"port_id": client.find(PORT, port)["id"]}


def _routes(texts: list[str]) -> Item:
    pairs = [pair(text, "DESTINATION=NEXTHOP") for text in texts]
    return {"router": {"routes": [{"destination": d, "nexthop": n} for d, n in pairs]}}


def _only_address(port: Item) -> str:
    addresses = [ip["ip_address"] for ip in port["fixed_ips"] if ":" not in ip["ip_address"]]
    if len(addresses) != 1:
        raise typer.BadParameter("the port has not one IPv4 address: give --fixed-address")
    return str(addresses[0])


def _act(client: Api, which: str, verb: str, body: Item, wait: float, output: Output) -> None:
    """Do what is no change of fields, and write the answer."""
    answer, revision = client.act(ROUTER, client.find(ROUTER, which)["id"], verb, body)
    if output is Output.REVISION:
        typer.echo(revision)
    else:
        write_item(ROUTER, answer.get("router", answer), output)
    if wait:
        wait_for(client, revision, wait)
