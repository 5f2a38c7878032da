"""`alcor rebuild`: make a region's logs anew from its databases."""

import asyncio
import os
from typing import TYPE_CHECKING, Annotated

import typer

from alcor.cli.exits import Exit
from alcor.cli.options import ConfigFile
from alcor.cli.tables import write_table

if TYPE_CHECKING:
    from alcor.assembly.rebuild import Progress


def rebuild(
    config: ConfigFile = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be emptied, and change nothing.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0, help="How long to wait for the managers, in seconds.")
    ] = 600.0,
) -> None:
    """Empty the logs of a running region, and have its managers tell them all they hold again."""
    from alcor.assembly.config import Config
    from alcor.assembly.rebuild import rebuild, sizes
    from alcor.runtime.config import load

    settings = load(Config, config, os.environ)
    found = asyncio.run(sizes(settings))
    write_table(
        ["Log", "Messages", "Bytes"], [[s.log, str(s.messages), str(s.bytes)] for s in found]
    )
    if dry_run:
        typer.echo("nothing was changed")
        return
    if not yes:
        typer.confirm("Empty these, and have managers tell them all again?", abort=True)
    try:
        asyncio.run(rebuild(settings, _Told().tell, timeout))
    except TimeoutError:
        typer.echo(
            "the logs are empty, and managers have not told all yet; they go on: look at "
            "/readyz of the deliveries, or repeat this",
            err=True,
        )
        raise typer.Exit(Exit.FAILED) from None
    typer.echo("the logs are complete; hosts are sent what differs from what they hold")


class _Told:
    """What was said of progress; nothing is said twice."""

    def __init__(self) -> None:
        self._last = ""

    def tell(self, progress: "Progress") -> None:
        """Say how far managers are."""
        waits = f"; still to tell: {', '.join(progress.awaited)}" if progress.awaited else ""
        said = f"{progress.records} records{waits}"
        if said != self._last:
            self._last = said
            typer.echo(said)
