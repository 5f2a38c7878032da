"""`alcor`: the one command. Here is the tree of commands; what they do is in the other modules.

What only one command needs is imported when that command runs: `alcor port list` should not wait
for the control plane's code to load.
"""

import errno
import io
import os
import sys
from typing import Annotated

import typer

from alcor.cli.exits import EXIT_CODES, Exit, exit_for, tell
from alcor.cli.help import Commands
from alcor.cli.lab import commands as lab
from alcor.cli.operating import doctor, imports, rebuild, serve, status
from alcor.cli.options import RowsFormat, given
from alcor.cli.resources.tree import Tree
from alcor.cli.session import Endpoint, api, default_endpoint, wait_default_s, wait_for
from alcor.cli.tables import Output
from alcor.cli.tracing import traces
from alcor.client.connection import ClientError
from alcor.lab.layout import LabError
from alcor.runtime.config import ConfigError

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

app = Commands(
    f"Virtual networks for a region: the control plane, its hosts, and a lab.\n\n{EXIT_CODES}",
    cls=Tree,
    name="alcor",
)


@app.callback()
def who(
    token: Annotated[
        str,
        typer.Option(
            metavar="TOKEN", help="Send this token; else ALCOR_TOKEN, OS_TOKEN, OS_CLOUD or OS_*."
        ),
    ] = "",
    os_cloud: Annotated[
        str, typer.Option(metavar="CLOUD", help="Sign in to this cloud of clouds.yaml.")
    ] = "",
    endpoint: Annotated[
        str, typer.Option(metavar="URL", help="Where the API is, for any command.")
    ] = "",
    project: Annotated[
        str, typer.Option(metavar="ID", help="Act in this project, in any command.")
    ] = "",
) -> None:
    """Say who asks whom: for the commands it is as if the environment said so."""
    said = given(
        ALCOR_TOKEN=token, OS_CLOUD=os_cloud, ALCOR_ENDPOINT=endpoint, ALCOR_PROJECT=project
    )
    os.environ.update(said)


app.add_typer(lab.app, name="lab")
app.add_typer(serve.config_app, name="config")
app.command("up", help="Run a control plane in this process, until it is told to stop.")(serve.up)
app.command("serve", help="Run one role of a control plane that is many processes.")(serve.serve)
app.command("agent", help="Run a host's agent in this process, until it is told to stop.")(
    serve.agent
)


app.command("rebuild", help="Make the logs of a region of processes anew from its databases.")(
    rebuild.rebuild
)
app.command("import", help="Bring what a Neutron holds to this control plane, ids and all.")(
    imports.bring
)
app.command("doctor", help="Find what is wrong with this host, and say what to do.")(doctor.doctor)
app.command("status", help="Say how the region is: the control plane, its hosts, their releases.")(
    status.status
)
app.command("trace", help="Follow a packet from a port: does it get there, and what decides.")(
    traces.trace
)


@app.command("wait", help="Wait until all hosts concerned have applied a write.")
def wait(
    revision: Annotated[str, typer.Argument(help="As a write answered it, e.g. port:12.")],
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long to wait.")
    ] = wait_default_s,
    log: Annotated[
        bool, typer.Option("--log", help="Say whenever more or fewer hosts are behind.")
    ] = False,
    output: RowsFormat = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
) -> None:
    """Wait for the hosts."""
    with api(endpoint) as client:
        wait_for(client, revision, timeout, output, log=log)


@app.command("version", help="Say which version this is.")
def version() -> None:
    """Say which version this is."""
    from alcor.runtime.version import version as this

    typer.echo(f"alcor {this()}")


def main() -> None:
    """Run the command line; errors that people can mend are told without a traceback."""
    for stream in (sys.stdout, sys.stderr):  # what a terminal has no character for is spelt
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except (ClientError, LabError, ConfigError) as problem:
        tell(problem)
        sys.exit(exit_for(problem))
    except UnicodeEncodeError as problem:  # bytes of the command line that are no text
        tell(ClientError(f"{problem.object!r} is not text in UTF-8"))
        sys.exit(Exit.FAILED)
    except OSError as problem:
        if problem.errno not in _DISK_ERRORS:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or what is left is written at the end
        tell(ClientError(f"the answer can't be written: {os.strerror(problem.errno)}"))
        sys.exit(Exit.FAILED)


if __name__ == "__main__":
    main()
