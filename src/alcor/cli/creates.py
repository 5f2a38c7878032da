"""`create` of each kind of resource: the fields that people give as options."""

from collections.abc import Callable
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
from alcor.cli.resources import resource_app, told
from alcor.cli.tables import Output
from alcor.client.api import NETWORK, NODE, PORT, SUBNET, Item

network_app = resource_app(NETWORK)
subnet_app = resource_app(SUBNET)
port_app = resource_app(PORT)
node_app = resource_app(NODE)

Name = Annotated[str, typer.Argument(help="A name for people; need not be unique.")]
_fixed_ip_fields = {"ip-address": "ip_address", "subnet": "subnet_id"}


@network_app.command("create", help="Make a network.")
def create_network(
    name: Name = "",
    mtu: Annotated[int | None, typer.Option(help="Bytes.")] = None,
    vni: Annotated[int | None, typer.Option(help="VXLAN network identifier; else chosen.")] = None,
    more: Fields = None,
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Make a network."""
    with api(endpoint, project) as client:
        body = given(name=name, mtu=mtu) | {"provider:segmentation_id": vni}
        body = given(**body) | fields(more)
        made = client.create(NETWORK, [body])
        told(client, NETWORK, made.items, made.revision, wait=wait, output=output)


@subnet_app.command("create", help="Make a subnet of a network.")
def create_subnet(
    network: Annotated[str, typer.Option(help="Name or id of its network.")],
    cidr: Annotated[str, typer.Option(help="As in 10.0.0.0/24 or 2001:db8::/64.")],
    name: Name = "",
    gateway: Annotated[
        str, typer.Option(help="An address, or 'none'; else the first of the CIDR.")
    ] = "",
    pool: Annotated[
        list[str] | None,
        typer.Option(metavar="FIRST-LAST", help="Addresses to choose from. Repeatable."),
    ] = None,
    dns: Annotated[list[str] | None, typer.Option(help="A name server. Repeatable.")] = None,
    dhcp: Annotated[bool, typer.Option("--dhcp/--no-dhcp", help="Answer DHCP clients.")] = True,
    more: Fields = None,
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Make a subnet."""
    with api(endpoint, project) as client:
        body: Item = {
            "network_id": client.find(NETWORK, network)["id"],
            "cidr": cidr,
            "ip_version": 6 if ":" in cidr else 4,
            "enable_dhcp": dhcp,
        }
        body |= given(name=name, dns_nameservers=dns, allocation_pools=_pools(pool))
        if gateway:
            body["gateway_ip"] = None if gateway == "none" else gateway
        made = client.create(SUBNET, [body | fields(more)])
        told(client, SUBNET, made.items, made.revision, wait=wait, output=output)


def _pools(texts: list[str] | None) -> list[dict[str, str]]:
    pools = []
    for text in texts or ():
        first, dash, last = text.partition("-")
        if not dash:
            raise typer.BadParameter(f"'{text}' is not of the form FIRST-LAST")
        pools.append({"start": first, "end": last})
    return pools


@port_app.command("create", help="Make one port, or many in one call: all or none.")
def create_port(
    network: Annotated[str, typer.Option(help="Name or id of its network.")],
    name: Name = "",
    count: Annotated[int, typer.Option(min=1, help="So many; names get a number.")] = 1,
    host: Annotated[str, typer.Option(help="The host that it is bound to.")] = "",
    spread_over: Annotated[
        str, typer.Option(metavar="HOST,HOST...", help="Deal the ports to these hosts in turn.")
    ] = "",
    mac: Annotated[str, typer.Option(help="A MAC address; else chosen.")] = "",
    fixed_ip: Annotated[
        list[str] | None,
        typer.Option(
            metavar="subnet=SUBNET,ip-address=ADDRESS", help="Either or both. Repeatable."
        ),
    ] = None,
    more: Fields = None,
    wait: Wait = 0.0,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Make ports."""
    with api(endpoint, project) as client:
        network_id = client.find(NETWORK, network)["id"]
        fixed_ips = [
            _fixed_ip(text, lambda s: str(client.find(SUBNET, s)["id"])) for text in fixed_ip or ()
        ]
        body = given(network_id=network_id, mac_address=mac, fixed_ips=fixed_ips) | fields(more)
        bodies = ports(body, name, count, [h for h in (spread_over or host).split(",") if h])
        made = client.create(PORT, bodies)
        told(client, PORT, made.items, made.revision, wait=wait, output=output)


def ports(body: Item, name: str, count: int, hosts: list[str]) -> list[Item]:
    """The bodies of `count` ports, dealt to the hosts in turn; several get numbered names."""
    made: list[Item] = []
    for number in range(count):
        own = dict(body)
        if name:
            own["name"] = f"{name}{number + 1}" if count > 1 else name
        if hosts:
            own["binding:host_id"] = hosts[number % len(hosts)]
        made.append(own)
    return made


def _fixed_ip(text: str, subnet_id: Callable[[str], str]) -> dict[str, str]:
    one: dict[str, str] = {}
    for part in text.split(","):
        key, value = pair(part, "subnet=SUBNET,ip-address=ADDRESS")
        if key not in _fixed_ip_fields:
            raise typer.BadParameter(f"'{key}' is not of a fixed IP: subnet or ip-address")
        one[_fixed_ip_fields[key]] = subnet_id(value) if key == "subnet" else value
    return one


@node_app.command("create", help="Make a host known before its agent says hello.")
def create_node(
    name: Annotated[str, typer.Argument(help="The host's name, as in binding:host_id.")],
    tunnel_ip: Annotated[str, typer.Option(help="Its address on the underlay.")],
    more: Fields = None,
    output: Format = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Make a node."""
    with api(endpoint, project) as client:
        made = client.create(NODE, [{"id": name, "tunnel_ip": tunnel_ip} | fields(more)])
        told(client, NODE, made.items, made.revision, wait=0.0, output=output)
