"""The exit codes of every command, for scripts; and how an error is told to people."""

from enum import IntEnum

import typer

from alcor.client.api import NotThere
from alcor.client.connection import ClientError, Refused, Unreachable
from alcor.lab.layout import LabError
from alcor.runtime.config import ConfigError

Mendable = ClientError | LabError | ConfigError  # errors that people can mend


class Exit(IntEnum):
    """What a command's exit status means."""

    DONE = 0
    FAILED = 1  # refused by the control plane, or the lab could not do it
    USAGE = 2  # the command line is wrong
    UNREACHABLE = 3  # no control plane at the endpoint
    NOT_CONVERGED = 4  # hosts had not applied it in time
    NOT_THERE = 5  # nothing of this name or id


EXIT_CODES = (
    "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 no control plane there, "
    "4 hosts have not caught up in time, 5 nothing of that name."
)


def exit_for(problem: Mendable) -> Exit:
    """The exit code of an error."""
    if isinstance(problem, Unreachable):
        return Exit.UNREACHABLE
    if isinstance(problem, NotThere):
        return Exit.NOT_THERE
    if isinstance(problem, Refused) and problem.status == 404:
        return Exit.UNREACHABLE if problem.foreign else Exit.NOT_THERE
    return Exit.USAGE if isinstance(problem, ConfigError) else Exit.FAILED


def tell(problem: Mendable) -> None:
    """Say on standard error what went wrong and what to do."""
    message = str(problem)
    if isinstance(problem, Refused):
        message = f"{problem.kind} ({problem.status}): {problem.message}"
        if problem.status >= 500 and problem.request_id:
            message = message.rstrip(".") + "."
            message += f" Look for request {problem.request_id} in the control plane's log."
    typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(message, err=True)
