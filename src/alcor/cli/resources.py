"""What every kind of resource has: list, show, set, delete; and how a write is told."""

from typing import Annotated

import typer

from alcor.cli.exits import Exit
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
from alcor.cli.tables import Output, write_item, write_items, write_json, write_table
from alcor.client.api import Api, Convergence, Item, Kind, NotThere

wait_default_s = 30.0


def resource_app(kind: Kind) -> typer.Typer:
    """The commands of one kind; `create` is added by who knows its fields."""
    app = typer.Typer(no_args_is_help=True, help=f"{kind.collection.capitalize()}.")
    _add_list(app, kind)
    _add_show(app, kind)
    _add_set(app, kind)
    _add_delete(app, kind)
    return app


def _add_list(app: typer.Typer, kind: Kind) -> None:
    @app.command("list", help=f"List {kind.collection}.")
    def list_(
        filters: Annotated[
            list[str] | None,
            typer.Option("--filter", metavar="FIELD=VALUE", help="Only those. Repeatable."),
        ] = None,
        sort: Annotated[
            str, typer.Option(help="Sort by this field, as in name or name:desc.")
        ] = "",
        limit: Annotated[int, typer.Option(min=0, help="At most so many; 0: all.")] = 0,
        output: Format = Output.TABLE,
        endpoint: Endpoint = default_endpoint,
        project: Project = "",
    ) -> None:
        query = [pair(one, "FIELD=VALUE") for one in filters or ()]
        if sort:
            key, _, direction = sort.partition(":")
            query += [("sort_key", key), ("sort_dir", direction or "asc")]
        if limit:
            query.append(("limit", str(limit)))
        with api(endpoint, project) as client:
            write_items(kind, client.list_page(kind, query), output)


def _add_show(app: typer.Typer, kind: Kind) -> None:
    @app.command("show", help=f"Show one {kind.name} with all its fields.")
    def show(
        which: Annotated[str, typer.Argument(metavar="NAME_OR_ID")],
        output: Format = Output.TABLE,
        endpoint: Endpoint = default_endpoint,
        project: Project = "",
    ) -> None:
        with api(endpoint, project) as client:
            write_item(kind, client.find(kind, which), output)


def _add_set(app: typer.Typer, kind: Kind) -> None:
    @app.command("set", help=f"Change fields of a {kind.name}.")
    def set_(
        which: Annotated[str, typer.Argument(metavar="NAME_OR_ID")],
        name: Annotated[str | None, typer.Option(help="A new name.")] = None,
        changed: Fields = None,
        wait: Wait = 0.0,
        output: Format = Output.TABLE,
        endpoint: Endpoint = default_endpoint,
        project: Project = "",
    ) -> None:
        changes = {**given(name=name), **fields(changed)}
        if not changes:
            raise typer.BadParameter("nothing to change: give --name or --field")
        with api(endpoint, project) as client:
            item, revision = client.update(kind, client.find(kind, which)[kind.key], changes)
            told(client, kind, [item], revision, wait=wait, output=output)


def _add_delete(app: typer.Typer, kind: Kind) -> None:
    @app.command("delete", help=f"Delete {kind.collection}.")
    def delete(
        which: Annotated[list[str], typer.Argument(metavar="NAME_OR_ID...")],
        missing_ok: Annotated[
            bool, typer.Option("--missing-ok", help="One that is not there is no error.")
        ] = False,
        wait: Wait = 0.0,
        output: Format = Output.TABLE,
        endpoint: Endpoint = default_endpoint,
        project: Project = "",
    ) -> None:
        with api(endpoint, project) as client:
            revision = ""
            for one in which:
                try:
                    revision = client.delete(kind, client.find(kind, one)[kind.key])
                except NotThere:
                    if not missing_ok:
                        raise
            if output is Output.REVISION and revision:
                typer.echo(revision)
            if wait and revision:
                wait_for(client, revision, wait)


def told(
    client: Api, kind: Kind, items: list[Item], revision: str, *, wait: float, output: Output
) -> None:
    """Write what a write made, and wait for the hosts if that was asked for."""
    if output is Output.REVISION:
        typer.echo(revision)
    elif len(items) == 1:
        write_item(kind, items[0], output)
    else:
        write_items(kind, items, output)
    if output is Output.TABLE:
        typer.secho(f"revision {revision}", dim=True, err=True)
    if wait:
        wait_for(client, revision, wait)


def wait_for(client: Api, revision: str, timeout_s: float, output: Output = Output.TABLE) -> None:
    """Wait for the hosts; say which are behind and exit with NOT_CONVERGED when time is up."""
    state = client.wait(revision, timeout_s)
    if output is Output.JSON:
        write_json(state)
    if state.converged:
        return
    if output is not Output.JSON:
        _name_lagging(state, timeout_s)
    raise typer.Exit(Exit.NOT_CONVERGED)


def _name_lagging(state: Convergence, timeout_s: float) -> None:
    typer.secho(
        f"after {timeout_s:g} s these hosts have not applied {state.revision}:",
        fg="yellow",
        err=True,
    )
    rows = [
        [h.host, str(h.applied), str(h.wanted), "yes" if h.connected else "no"] for h in state.hosts
    ]
    write_table(["Host", "Applied", "Wanted", "Connected"], rows)
