"""The one row form of each resource, and how results are written: tables, JSON, YAML, CSV, text."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import typer

if TYPE_CHECKING:
    from rich.console import Console

from alcor.cli.kinds import resources
from alcor.client.api import Item, Kind

_STYLES = {
    "ACTIVE": "green",
    "DOWN": "yellow",
    "ERROR": "red",
    "yes": "green",
    "no": "red",
    "good": "green",
    "fault": "red",
}


_SELDOM = {
    *(
        "project_id",
        "tenant_id",
        "description",
        "tags",
        "revision_number",
        "created_at",
        "updated_at",
    ),
    *("topic", "binary", "resources_synced", "configurations", "links"),
}


class Output(StrEnum):
    """How a result is written."""

    TABLE = "table"  # for people
    JSON = "json"  # the API's own objects
    YAML = "yaml"  # the same
    CSV = "csv"  # with a line of titles
    VALUE = "value"  # a line each, values alone
    ID = "id"  # one id a line
    REVISION = "revision"  # of a write: what `alcor wait` takes


class Column(NamedTuple):
    """A column of a table: its title, and what of an item it shows."""

    title: str
    field: str
    show: Callable[[Any], str] | None = None


def plain(value: Any) -> str:
    """A field's value as text for people: of records a line each, without what says little."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return "\n".join(plain(one) for one in value)
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}={_inner(one)}" for key, one in value.items() if _tells(key, one))
    return str(value)


def _inner(value: Any) -> str:
    return f"({plain(value)})" if isinstance(value, dict | list) else plain(value)


def _tells(field: str, value: Any) -> bool:
    return value not in (None, "", [], {}) and field not in _SELDOM


def addresses(fixed_ips: Any) -> str:
    """The addresses of a port's fixed_ips."""
    return ", ".join(one["ip_address"] for one in fixed_ips or ())


def gateway(info: Any) -> str:
    """A router's addresses on its external network."""
    return addresses(info["external_fixed_ips"]) if info else ""


def pools(ranges: Any) -> str:
    """A subnet's allocation pools."""
    return ", ".join(f"{one['start']}-{one['end']}" for one in ranges or ())


def parts(name: str) -> Callable[[Any], str]:
    """The part of this name of every record of a list."""
    return lambda records: ", ".join(str(one[name]) for one in records or ())


def count(things: Any) -> str:
    """How many."""
    return str(len(things or ()))


COLUMNS: Mapping[str, Sequence[Column]] = {
    "network": (
        Column("ID", "id"),
        Column("Name", "name"),
        Column("Status", "status"),
        Column("VNI", "provider:segmentation_id"),
        Column("MTU", "mtu"),
        Column("Subnets", "subnets", count),
    ),
    "subnet": (
        Column("ID", "id"),
        Column("Name", "name"),
        Column("CIDR", "cidr"),
        Column("Gateway", "gateway_ip"),
        Column("Pools", "allocation_pools", pools),
        Column("Network", "network_id"),
    ),
    "port": (
        Column("ID", "id"),
        Column("Name", "name"),
        Column("Status", "status"),
        Column("Host", "binding:host_id"),
        Column("MAC", "mac_address"),
        Column("Addresses", "fixed_ips", addresses),
    ),
    "router": (
        Column("ID", "id"),
        Column("Name", "name"),
        Column("Status", "status"),
        Column("Gateway", "external_gateway_info", gateway),
        Column("Routes", "routes", count),
    ),
    "floatingip": (
        Column("ID", "id"),
        Column("Address", "floating_ip_address"),
        Column("Status", "status"),
        Column("Fixed address", "fixed_ip_address"),
        Column("Port", "port_id"),
        Column("Router", "router_id"),
    ),
    "port-forwarding": (
        Column("ID", "id"),
        Column("Protocol", "protocol"),
        Column("External", "external_port_range"),
        Column("Address", "internal_ip_address"),
        Column("Internal", "internal_port_range"),
    ),
    "node": (
        Column("ID", "id"),
        Column("Tunnel IP", "tunnel_ip"),
        Column("Zone", "availability_zone"),
        Column("Alive", "alive"),
        Column("Last heard", "heartbeat_timestamp"),
        Column("Flows", "flows"),
        Column("Release", "version"),
    ),
    "trunk": (
        Column("ID", "id"),
        Column("Name", "name"),
        Column("Status", "status"),
        Column("Parent port", "port_id"),
        Column("VLANs of sub-ports", "sub_ports", parts("segmentation_id")),
    ),
    "security-group": (
        Column("ID", "id"),
        Column("Name", "name"),
        Column("Rules", "security_group_rules", count),
        Column("Stateful", "stateful"),
        Column("Project", "project_id"),
    ),
    "security-group-rule": (
        Column("ID", "id"),
        Column("Direction", "direction"),
        Column("Type", "ethertype"),
        Column("Protocol", "protocol"),
        Column("From", "port_range_min"),
        Column("To", "port_range_max"),
        Column("Prefix", "remote_ip_prefix"),
        Column("Remote group", "remote_group_id"),
        Column("Group", "security_group_id"),
    ),
    "qos-policy": (
        Column("ID", "id"),
        Column("Name", "name"),
        Column("Rules", "rules", parts("type")),
        Column("Shared", "shared"),
        Column("Default", "is_default"),
    ),
    "network-acl-rule": (
        Column("ID", "id"),
        Column("Number", "number"),
        Column("Direction", "direction"),
        Column("Action", "action"),
        Column("Type", "ethertype"),
        Column("Protocol", "protocol"),
        Column("Prefix", "ip_prefix"),
        Column("From", "port_range_min"),
        Column("To", "port_range_max"),
    ),
    "quota": tuple(
        Column(field.removesuffix("_id").replace("_", " ").capitalize(), field)
        for field in (
            *("project_id", "network", "subnet", "port", "router", "floatingip"),
            *("security_group", "security_group_rule", "rbac_policy", "trunk"),
        )
    ),
    "network-agent": (
        Column("ID", "id"),
        Column("Host", "host"),
        Column("Type", "agent_type"),
        Column("Alive", "alive"),
    ),
}


_ALIASES = {"tenant_id"}  # another name of what is shown as well
piped_columns = 250  # of a table that is no terminal's
columns_shown_max = 6  # of a kind that has no row form of its own


def columns_of(kind: Kind, items: Sequence[Item], wanted: Sequence[str]) -> Sequence[Column]:
    """Those of the fields that were asked for; else those of the kind's row form."""
    own = (
        COLUMNS.get(kind.command)
        or [
            Column(_title(field), field)
            for field in [field for field in _fields(kind, items) if field not in _SELDOM]
        ][:columns_shown_max]
    )
    if not wanted:
        return own
    by_field = {column.field: column for column in own}
    return [by_field.get(name) or Column(name, name) for name in wanted]


def fields_named(kind: Kind, items: Sequence[Item], wanted: Sequence[str]) -> list[str]:
    """The fields that were asked for, each by its name or its title in the kind's row form.

    `typer.BadParameter` when there is no such field."""
    known = dict.fromkeys([*_fields(kind, items), *(field for item in items for field in item)])
    by_title = {column.title.lower(): column.field for column in columns_of(kind, items, ())}
    fields = {name: name if name in known else by_title.get(name.lower()) for name in wanted}
    for name, field in fields.items():
        if field is None and known:  # of an empty list of a kind that nobody declares we know none
            raise typer.BadParameter(f"there is no column '{name}': {', '.join(known)}")
    return [field or name for name, field in fields.items()]


def _fields(kind: Kind, items: Sequence[Item]) -> list[str]:
    """What a kind without a row form has, by its declaration; else what was answered."""
    if kind.command:
        return [field.name for field in resources()[kind.command].fields]
    return list(dict.fromkeys(field for item in items for field in item))


def _title(field: str) -> str:
    words = field.removesuffix("_id").replace("_", " ").replace(":", " ")
    return "ID" if field == "id" else words[:1].upper() + words[1:]


def cells(columns: Sequence[Column], item: Item) -> list[str]:
    """An item's row."""
    return [(column.show or plain)(item.get(column.field)) for column in columns]


def write_items(
    kind: Kind, items: Sequence[Item], output: Output, wanted: Sequence[str] = ()
) -> None:
    """Write a list."""
    wanted = fields_named(kind, items, wanted)
    if output in (Output.JSON, Output.YAML):
        write_whole([_part(item, wanted) for item in items], output)
        return
    if output is Output.ID:
        typer.echo("".join(f"{item.get(kind.key, '')}\n" for item in items), nl=False)
        return
    columns = columns_of(kind, items, wanted)
    rows = [cells(columns, item) for item in items]
    if output is Output.TABLE:
        write_table([column.title for column in columns], rows)
    else:
        _write_rows([column.field for column in columns], rows, output)


def write_item(kind: Kind, item: Item, output: Output, wanted: Sequence[str] = ()) -> None:
    """Write one with all its fields, or those that were asked for."""
    wanted = fields_named(kind, [item], wanted)
    if output in (Output.JSON, Output.YAML):
        write_whole(_part(item, wanted), output)
        return
    if output is Output.ID:
        typer.echo(item.get(kind.key, ""))
        return
    fields = wanted or sorted(item.keys() - _ALIASES)
    rows = [[field, plain(item.get(field))] for field in fields]
    if output is Output.TABLE:
        write_table(["Field", "Value"], rows)
    elif output is Output.CSV:
        _write_rows(fields, [[value for _, value in rows]], output)
    else:
        _write_rows([], [[value] for _, value in rows], output)


def _part(item: Item, wanted: Sequence[str]) -> Item:
    return {field: item[field] for field in wanted if field in item} if wanted else item


def write_whole(value: object, output: Output) -> None:
    """Write anything as JSON, indented, or as YAML."""
    if output is Output.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
    else:
        typer.echo(msgspec.yaml.encode(value).decode(), nl=False)


def write_records(records: Sequence[Item], titles: Mapping[str, str], output: Output) -> None:
    """Write what is no resource, in any form of `RowsFormat`; `titles` are of a table, by field."""
    rows = [[plain(record[field]) for field in titles] for record in records]
    if output is Output.TABLE:
        write_table(list(titles.values()), rows)
    elif output in (Output.JSON, Output.YAML):
        write_whole(records, output)
    else:
        _write_rows(list(titles), rows, output)


def _write_rows(titles: Sequence[str], rows: Sequence[Sequence[str]], output: Output) -> None:
    """CSV with a line of titles, or values with spaces between them."""
    if output is not Output.CSV:
        lines = [" ".join(row).replace("\n", "; ") for row in rows]
        typer.echo("".join(f"{line}\n" for line in lines), nl=False)
        return
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([titles, *rows])
    typer.echo(text.getvalue(), nl=False)


def write_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table: in colour on a terminal, in full width where nobody looks."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    console().print(table)


def console() -> "Console":
    """Where people read: as wide as their terminal, and wide where nobody looks."""
    from rich.console import Console

    found = Console()
    return found if found.is_terminal else Console(width=piped_columns)
