"""`alcor import`: bring what a Neutron holds to this control plane, as often as need be."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alcor.cli.exits import Exit
from alcor.cli.kinds import resources
from alcor.cli.options import WholeFormat
from alcor.cli.session import Endpoint, default_endpoint
from alcor.cli.tables import Output, write_table, write_whole
from alcor.client.connection import ClientError, Connection, Refused, place_of
from alcor.client.credentials import SignedIn, sign_in

if TYPE_CHECKING:
    from rich.progress import TaskID

    from alcor.importing.ledger import Ledger, Problem, Tally, Watch

problems_shown_max = 5  # of one kind with one reason
_COLUMNS = {
    "found": "At the source",
    "same": "There already",
    "made": "Made",
    "changed": "Changed",
    "removed": "Removed",
    "different": "Different",
    "missing": "Missing",
    "owners": "Not needed",
}


def bring(
    from_: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="CLOUD_OR_URL",
            help="A cloud of clouds.yaml, or an endpoint's URL; else what OS_* say.",
        ),
    ] = "",
    from_token: Annotated[
        str, typer.Option(envvar="ALCOR_FROM_TOKEN", help="The token to send to that URL.")
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Say what would be done, and change nothing.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Change what is here, but otherwise than there.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Delete what is only here, of projects that are there too; with --update.",
        ),
    ] = False,
    project: Annotated[
        list[str] | None,
        typer.Option("--project", metavar="ID", help="Only what is this project's. Repeatable."),
    ] = None,
    new_tunnels: Annotated[
        bool,
        typer.Option(
            "--new-tunnels",
            help="Make networks that go by VXLAN, Geneve or GRE as this region makes its own.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before --prune.")] = False,
    output: WholeFormat = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
) -> None:
    """Bring all, or say what would be brought; exit status 1 when something is missing."""
    from alcor.importing.bringing import How
    from alcor.importing.ends import Source, Target
    from alcor.importing.importer import bring_all

    if prune and not update:
        raise typer.BadParameter("--prune is for --update")
    there, here = _source_of(from_, from_token), _target_of(endpoint)
    source, target = Source(there.connect, time.sleep), Target(here.connect, time.sleep)
    if place_of(there.url) == place_of(here.url):
        raise typer.BadParameter(f"{there.url} is both source and target: name another --endpoint")
    if prune and not check and not yes:
        text = f"Delete at {here.url} what {there.url} does not have?"
        typer.confirm(text, abort=True, err=True)
    how = How(check=check, update=update, projects=project or ())
    progress: AbstractContextManager[Watch] = (
        _Progress(check=check) if output is Output.TABLE else nullcontext(lambda tally: None)
    )
    with closing(source), closing(target), _as_administrator(), progress as watch:
        for end, url in ((source, there.url), (target, here.url)):
            if not end.offers(resources()["network"]):
                raise ClientError(f"there are no networks at {url}: that is not the Networking API")
        ledger = bring_all(source, target, resources(), how, watch, pruning=prune, anew=new_tunnels)
    _report(ledger, output)
    if not ledger.complete:
        raise typer.Exit(Exit.FAILED)


@contextmanager
def _as_administrator() -> Iterator[None]:
    """Say of what is forbidden who may do it."""
    try:
        yield
    except Refused as refused:
        if refused.status == 403:
            said = refused.message.rstrip(".")
            message = f"{said}. An import is an administrator's, at both ends."
            raise Refused(403, refused.kind, message, refused.request_id) from None
        raise


class _AtSource(Connection):
    """A connection to the end that is no control plane of ours."""

    nobody = "the source at {endpoint} does not answer ({reason}): name another by --from"
    sign_in = "Say who you are at the source: --from a cloud of clouds.yaml, or --from-token."


class _End:
    """An endpoint and how to sign in to it, as often as a token ends."""

    def __init__(self, sign: Callable[[], SignedIn], kind: type[Connection] = Connection) -> None:
        self._sign = sign
        self._kind = kind
        self.url = ""

    def connect(self) -> Connection:
        """A connection with a token that is good now."""
        signed = self._sign()
        self.url = signed.endpoint
        return self._kind(signed.endpoint, "", signed.token, trust=signed.trust)


def _source_of(name: str, token: str) -> _End:
    if "://" in name:
        given = SignedIn(token, name, os.environ.get("OS_CACERT") or True)
        return _End(lambda: given, _AtSource)
    environment = {**os.environ, "OS_CLOUD": name} if name else dict(os.environ)
    if name:
        environment = {k: v for k, v in environment.items() if k not in ("ALCOR_TOKEN", "OS_TOKEN")}

    def sign() -> SignedIn:
        signed = sign_in(environment)
        if not signed.endpoint:
            raise typer.BadParameter("name a source: --from CLOUD_OR_URL, or OS_* with a catalog")
        return signed

    return _End(sign, _AtSource)


def _target_of(endpoint: str) -> _End:
    def sign() -> SignedIn:
        signed = sign_in(os.environ)
        found = signed.endpoint if endpoint == default_endpoint and signed.endpoint else endpoint
        return signed._replace(endpoint=found)

    return _End(sign)


class _Progress:
    """Says on standard error, where somebody looks, how far each kind is."""

    def __init__(self, *, check: bool) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        done = TextColumn("{task.completed:,} " + ("looked at" if check else "done"))
        columns = (SpinnerColumn(), TextColumn("{task.description}"), done, TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task_by_kind: dict[str, TaskID] = {}

    def __enter__(self) -> "Watch":
        self._progress.start()
        return self._watch

    def __exit__(self, *problem: object) -> None:
        self._progress.stop()

    def _watch(self, tally: "Tally") -> None:
        if tally.kind not in self._task_by_kind:
            for task in self._task_by_kind.values():
                self._progress.update(task, visible=False)
            self._task_by_kind[tally.kind] = self._progress.add_task(tally.kind, total=None)
        done = tally.same + tally.made + tally.changed + tally.different + tally.missing
        task = self._task_by_kind[tally.kind]
        self._progress.update(task, completed=done + tally.owners)


def _report(ledger: "Ledger", output: Output) -> None:
    if output is not Output.TABLE:
        write_whole({"complete": ledger.complete, **_as_dict(ledger)}, output)
        return
    titles = dict(_COLUMNS)
    if ledger.check:
        titles |= {"made": "To be made", "changed": "To be changed", "removed": "To be removed"}
    used = [f for f in titles if f == "found" or any(getattr(t, f) for t in ledger.tallies)]
    rows = [[t.kind, *(str(getattr(t, f) or "") for f in used)] for t in ledger.tallies]
    write_table(["Kind", *(titles[field] for field in used)], rows)
    _tell("Not as at the source", ledger.problems)
    _tell("Made without", ledger.notes)
    if ledger.complete:
        typer.echo("all of it can be made" if ledger.check else "everything is here")


def _as_dict(ledger: "Ledger") -> dict[str, Any]:
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(ledger)
    return found


def _tell(title: str, problems: "Iterable[Problem]") -> None:
    """Some of each kind and reason, and how many there are."""
    by_reason: dict[tuple[str, str], list[Problem]] = {}
    for each in problems:
        by_reason.setdefault((each.kind, each.why), []).append(each)
    if not by_reason:
        return
    rows = []
    for (kind, why), some in by_reason.items():
        named = [f"{each.name} {each.id}".strip() for each in some[:problems_shown_max]]
        more = [f"and {len(some) - len(named)} more"] if len(some) > len(named) else []
        rows.append([kind, "\n".join([*named, *more]), why])
    typer.secho(f"{title}:", bold=True)
    write_table(["Kind", "Which", "Why"], rows)
