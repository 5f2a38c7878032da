"""The one row form of each resource, and how results are written: tables, JSON, ids, revisions."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
import typer

from alcor.client.api import (
    AGENT,
    FLOATING_IP,
    FORWARDING,
    NETWORK,
    NODE,
    PORT,
    ROUTER,
    SUBNET,
    Item,
    Kind,
)

_STYLES = {
    "ACTIVE": "green",
    "DOWN": "yellow",
    "ERROR": "red",
    "yes": "green",
    "no": "red",
    "good": "green",
    "fault": "red",
}


class Output(StrEnum):
    """How a result is written."""

    TABLE = "table"  # for people
    JSON = "json"  # the API's own objects
    ID = "id"  # one id a line
    REVISION = "revision"  # of a write: what `alcor wait` takes


class Column(NamedTuple):
    """A column of a table: its title, and what of an item it shows."""

    title: str
    field: str
    show: Callable[[Any], str] | None = None


def plain(value: Any) -> str:
    """A field's value as text for people."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode() if value else ""
    return str(value)


def addresses(fixed_ips: Any) -> str:
    """The addresses of a port's fixed_ips."""
    return ", ".join(one["ip_address"] for one in fixed_ips or ())


def gateway(info: Any) -> str:
    """A router's addresses on its external network."""
    return addresses(info["external_fixed_ips"]) if info else ""


def pools(ranges: Any) -> str:
    """A subnet's allocation pools."""
    return ", ".join(f"{one['start']}-{one['end']}" for one in ranges or ())


COLUMNS: Mapping[str, Sequence[Column]] = {
    NETWORK.name: (
        Column("ID", "id"),
        Column("Name", "name"),
        Column("Status", "status"),
        Column("VNI", "provider:segmentation_id"),
        Column("MTU", "mtu"),
        Column("Subnets", "subnets", lambda ids: str(len(ids or ()))),
    ),
    SUBNET.name: (
        Column("ID", "id"),
        Column("Name", "name"),
        Column("CIDR", "cidr"),
        Column("Gateway", "gateway_ip"),
        Column("Pools", "allocation_pools", pools),
        Column("Network", "network_id"),
    ),
    PORT.name: (
        Column("ID", "id"),
        Column("Name", "name"),
        Column("Status", "status"),
        Column("Host", "binding:host_id"),
        Column("MAC", "mac_address"),
        Column("Addresses", "fixed_ips", addresses),
    ),
    ROUTER.name: (
        Column("ID", "id"),
        Column("Name", "name"),
        Column("Status", "status"),
        Column("Gateway", "external_gateway_info", gateway),
        Column("Routes", "routes", lambda routes: str(len(routes or ()))),
    ),
    FLOATING_IP.name: (
        Column("ID", "id"),
        Column("Address", "floating_ip_address"),
        Column("Status", "status"),
        Column("Fixed address", "fixed_ip_address"),
        Column("Port", "port_id"),
        Column("Router", "router_id"),
    ),
    FORWARDING.name: (
        Column("ID", "id"),
        Column("Protocol", "protocol"),
        Column("External", "external_port_range"),
        Column("Address", "internal_ip_address"),
        Column("Internal", "internal_port_range"),
    ),
    NODE.name: (
        Column("ID", "id"),
        Column("Tunnel IP", "tunnel_ip"),
        Column("Alive", "alive"),
        Column("Last heard", "heartbeat_timestamp"),
    ),
    AGENT.name: (
        Column("ID", "id"),
        Column("Host", "host"),
        Column("Type", "agent_type"),
        Column("Alive", "alive"),
    ),
}


def cells(kind: Kind, item: Item) -> list[str]:
    """An item's row."""
    columns = COLUMNS[kind.name]
    return [(c.show or plain)(item.get(c.field)) for c in columns]


def write_items(kind: Kind, items: Sequence[Item], output: Output) -> None:
    """Write a list."""
    if output is Output.JSON:
        write_json(list(items))
    elif output is Output.ID:
        typer.echo("".join(f"{item[kind.key]}\n" for item in items), nl=False)
    else:
        titles = [column.title for column in COLUMNS[kind.name]]
        write_table(titles, [cells(kind, item) for item in items])


def write_item(kind: Kind, item: Item, output: Output) -> None:
    """Write one with all its fields."""
    if output is Output.JSON:
        write_json(item)
    elif output is Output.ID:
        typer.echo(item[kind.key])
    else:
        write_table(["Field", "Value"], [[field, plain(item[field])] for field in sorted(item)])


def write_json(value: object) -> None:
    """Write JSON, indented."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def write_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table: in colour on a terminal, in full width where nobody looks."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=250)
    console.print(table)
