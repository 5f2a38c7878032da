"""What every command that asks the API shares: its options, its client, how its answer is told."""

import inspect
import os
from collections.abc import Callable, Sequence
from inspect import Parameter, Signature
from time import monotonic
from typing import Annotated, Any

import typer
from msgspec import to_builtins

from alcor.cli.exits import Exit
from alcor.cli.kinds import client_kind
from alcor.cli.options import Format, named
from alcor.cli.tables import (
    Output,
    fields_named,
    write_item,
    write_items,
    write_records,
    write_whole,
)
from alcor.client.api import Api, Convergence, Item, Kind, LaggingHost
from alcor.client.connection import ClientError
from alcor.client.credentials import sign_in

default_endpoint = "http://127.0.0.1:9696"
wait_default_s = 30.0
look_again_s = 0.5  # between two lines of a log
hosts_named_max = 10  # in such a line
completed_max = 1_000  # names that are looked through for the shell

Endpoint = Annotated[
    str,
    typer.Option(
        envvar="ALCOR_ENDPOINT",
        metavar="URL",
        help="Where the control plane's API is.",
        rich_help_panel="Client",
    ),
]
Project = Annotated[
    str,
    typer.Option(
        envvar="ALCOR_PROJECT", metavar="ID", help="Act in this project.", rich_help_panel="Client"
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        "-c",
        metavar="FIELD",
        help="Show only this field of the API. Repeatable.",
        rich_help_panel="Client",
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        help="Wait this long for the hosts concerned; 0: don't wait.",
        rich_help_panel="Client",
    ),
]


_OF_ALL = (
    named("output", Format, Output.TABLE),
    named("columns", Columns, None),
    named("endpoint", Endpoint, default_endpoint),
    named("project", Project, ""),
)
_OF_WRITES = (named("wait", Wait, 0.0),)


class Session:
    """One command's client, and the form in which it was asked to answer."""

    def __init__(self, api: Api, output: Output, columns: Sequence[str], wait_s: float) -> None:
        self.api = api
        self.output = output
        self.columns = list(columns)
        self._wait_s = wait_s

    def find(self, kind: str, name_or_id: str) -> Item:
        """The one of a command's kind that has this id or is called so."""
        return self.api.find(client_kind(kind), name_or_id)

    def find_id(self, kind: str, name_or_id: str) -> str:
        """Its id."""
        wanted = client_kind(kind)
        return str(self.api.find(wanted, name_or_id)[wanted.key])

    def tell_items(self, kind: Kind, items: Sequence[Item]) -> None:
        """Write a list."""
        write_items(kind, items, self.output, self.columns)

    def tell_item(self, kind: Kind, item: Item) -> None:
        """Write one with all its fields."""
        write_item(kind, item, self.output, self.columns)

    def tell_written(self, kind: Kind, items: Sequence[Item], revision: str) -> None:
        """Write what a write made, and wait for the hosts if that was asked for."""
        try:
            fields_named(kind, items, self.columns)
        except typer.BadParameter as wrong:  # it is done all the same
            typer.secho(f"{wrong.message}", err=True)
            self.columns = []
        if self.output is not Output.REVISION:
            if len(items) == 1:
                self.tell_item(kind, items[0])
            else:
                self.tell_items(kind, items)
        self.tell_revision(revision)

    def tell_revision(self, revision: str) -> None:
        """Say what a write can be waited for by, and wait if that was asked for."""
        if not revision:
            return
        if self.output is Output.REVISION:
            typer.echo(revision)
        elif self.output is Output.TABLE:
            typer.secho(f"revision {revision}", dim=True, err=True)
        if self._wait_s:
            wait_for(self.api, revision, self._wait_s)


def reading(
    function: Callable[..., None], own: Sequence[Parameter] | None = None
) -> Callable[..., None]:
    """The command of a function of a `Session` and of its own options: those of its signature, or
    `own`."""

    def read(session: Session, **given: Any) -> None:
        if session.output is Output.REVISION:
            raise typer.BadParameter(
                "only what changes something answers a revision", param_hint="-f"
            )
        function(session, **given)

    if own is None:
        own = _own(function)
    return _with_session(read, own, _OF_ALL)


def writing(
    function: Callable[..., None], own: Sequence[Parameter] | None = None
) -> Callable[..., None]:
    """The same for one that changes something: it can wait for the hosts."""
    if own is None:
        own = _own(function)
    return _with_session(function, own, (*_OF_WRITES, *_OF_ALL))


def _own(function: Callable[..., None]) -> list[Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())[1:]


def _with_session(
    function: Callable[..., None], own: Sequence[Parameter], shared: Sequence[Parameter]
) -> Callable[..., None]:
    def run(
        *,
        output: Output,
        columns: list[str] | None,
        endpoint: str,
        project: str,
        wait: float = 0.0,
        **given: Any,
    ) -> None:
        with api(endpoint, project) as client:
            function(Session(client, output, columns or (), wait), **given)

    return with_parameters(run, [*own, *shared])


def with_parameters(
    function: Callable[..., None], parameters: Sequence[Parameter]
) -> Callable[..., None]:
    """A function that takes these keywords, as Typer reads it."""

    def run(**given: Any) -> None:
        function(**given)

    keywords = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in parameters]
    setattr(run, "__signature__", Signature(keywords))  # noqa: B010 - functions don't declare it
    run.__annotations__ = {p.name: p.annotation for p in keywords}
    return run


def api(endpoint: str, project: str = "") -> Api:
    """The client of a command, signed in as the environment says."""
    signed = sign_in(os.environ)
    there = signed.endpoint if endpoint == default_endpoint and signed.endpoint else endpoint
    return Api(there, project, signed.token, trust=signed.trust)


def names_of(kind: str) -> Callable[[str], list[str]]:
    """For the shell: what is there of a kind and begins so; nothing when nobody answers."""

    def complete(incomplete: str) -> list[str]:
        wanted = client_kind(kind)
        try:
            with api(os.environ.get("ALCOR_ENDPOINT", default_endpoint)) as client:
                items = client.list_page(wanted, [("limit", str(completed_max))])
        except ClientError:
            return []
        names = (str(item.get(wanted.called) or item[wanted.key]) for item in items)
        return [name for name in names if name.startswith(incomplete)]

    return complete


def wait_for(
    client: Api,
    revision: str,
    timeout_s: float,
    output: Output = Output.TABLE,
    *,
    log: bool = False,
) -> None:
    """Wait for the hosts; say which are behind and exit with NOT_CONVERGED when time is up.

    With `log` it says on standard error whenever the number of hosts that are behind is another.
    """
    state = _logged(client, revision, timeout_s) if log else client.wait(revision, timeout_s)
    if output in (Output.JSON, Output.YAML):
        write_whole(state, output)
    elif not state.converged:
        _name_lagging(state, timeout_s, output)
    if state.converged:
        return
    raise typer.Exit(Exit.NOT_CONVERGED)


def _logged(client: Api, revision: str, timeout_s: float) -> Convergence:
    began, behind = monotonic(), -1
    while True:
        passed = monotonic() - began
        state = client.wait(revision, max(0.0, min(look_again_s, timeout_s - passed)))
        hosts = [host.host for host in state.hosts]
        if len(hosts) != behind:
            behind = len(hosts)
            some = ", ".join(hosts[:hosts_named_max]) + (" ..." if behind > hosts_named_max else "")
            count = f"{behind} host{'' if behind == 1 else 's'}"
            said = f"{count} behind: {some}" if behind else "all hosts have it"
            typer.echo(f"{monotonic() - began:6.2f} s  {said}", err=True)
        if state.converged or passed >= timeout_s:
            return state


def _name_lagging(state: Convergence, timeout_s: float, output: Output) -> None:
    typer.secho(
        f"after {timeout_s:g} s these hosts have not applied {state.revision}:",
        fg="yellow",
        err=True,
    )
    titles = {field: field.capitalize() for field in LaggingHost.__struct_fields__}
    write_records([to_builtins(host) for host in state.hosts], titles, output)
