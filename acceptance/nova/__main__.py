"""`python -m acceptance.nova [REGEX]`: a real Nova walks through the product, as root.

Exit status: 0 when every step did what it says, 1 when one did not, 2 when the run could not be
made. All logs, and the reasons of failures, stay in `.acceptance/nova`.
"""

import argparse
import os
import re
import secrets
import shutil
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from acceptance.environments import WORK, AcceptanceError
from acceptance.hosts import hosts
from acceptance.keystone import Keystone
from acceptance.nova import placing, proxies, refusals, steps
from acceptance.nova.cloud import Cloud
from acceptance.nova.services import HOSTS, Ports, Services
from acceptance.nova.steps import Step
from acceptance.product import SHAPES, product

STEPS: tuple[Step, ...] = (
    *steps.STEPS,
    *refusals.STEPS,
    *proxies.STEPS,
    *placing.STEPS,
)


class Outcome(NamedTuple):
    """What became of a step; `reason` is empty when it did what it says."""

    step: Step
    reason: str
    seconds: float


def main(words: Sequence[str]) -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser("python -m acceptance.nova", description=__doc__)
    parser.add_argument("regex", nargs="?", default="", help="which steps (all)")
    parser.add_argument(
        "--shape", choices=SHAPES, default=SHAPES[0], help="`alcor up`, or a region of processes"
    )
    options = parser.parse_args(words)
    wanted = [s for s in STEPS if re.search(options.regex, s.__name__)]
    if os.geteuid() != 0:
        sys.stderr.write("its hosts are network namespaces, and need root for it: use sudo\n")
        return 2
    folder = WORK / "nova"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        outcomes = _run(folder, wanted, options.shape)
    except AcceptanceError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return _show(folder, outcomes)


def _run(folder: Path, wanted: Sequence[Step], shape: str) -> list[Outcome]:
    secret = folder / "metadata.secret"
    secret.touch(0o600)
    secret.write_text(secrets.token_hex(12))
    with ExitStack() as stack:
        keystone = stack.enter_context(Keystone(folder / "keystone"))
        ports = Ports.free()
        told = {
            "ALCOR_NOVA__ENDPOINT": ports.url("compute"),
            "ALCOR_PLACEMENT__ENDPOINT": ports.url("placement"),
            "ALCOR_PLACEMENT__RETRY_S_MAX": "2",  # it starts long after the product
            "ALCOR_PLACEMENT__COMPARE_S": "5",
        }
        running = stack.enter_context(product(folder / "product", keystone, shape, told))
        keystone.publish(running.endpoint)
        metadata = {"metadata-url": ports.url("metadata"), "metadata-secret-file": str(secret)}
        env = {f"ALCOR_{key.replace('-', '_').upper()}": value for key, value in metadata.items()}
        lab = stack.enter_context(hosts(folder, running, keystone, len(HOSTS), env))
        services = Services(folder / "services", keystone, ports, secret.read_text())
        stack.enter_context(services.running(lab))
        options = [word for key, value in metadata.items() for word in (f"--{key}", value)]
        cloud = Cloud(keystone, running.endpoint, services, lab, options)
        cloud.prepare()
        return [_outcome(step, cloud) for step in wanted]


def _outcome(step: Step, cloud: Cloud) -> Outcome:
    began, reason = monotonic(), ""
    sys.stderr.write(f"{step.__name__} ...\n")
    try:
        step(cloud)
    except Exception:  # what a step says of its failure is the result
        reason = traceback.format_exc()
        sys.stderr.write(reason)
        cloud.clean()
    return Outcome(step, reason, monotonic() - began)


def _show(folder: Path, outcomes: Sequence[Outcome]) -> int:
    failed = [outcome for outcome in outcomes if outcome.reason]
    reasons = [f"=== {each.step.__name__}\n{each.reason}\n" for each in failed]
    (folder / "failures.log").write_text("".join(reasons))
    table = Table("step", "what", "")
    for outcome in outcomes:
        what = (outcome.step.__doc__ or "").partition("\n")[0]
        table.add_row(outcome.step.__name__, what, "failed" if outcome.reason else "passed")
    console = Console() if sys.stdout.isatty() else Console(width=140)
    console.print(table)
    passed, seconds = len(outcomes) - len(failed), sum(each.seconds for each in outcomes)
    where = f"reasons in {WORK.name}/nova"
    console.print(f"{passed} passed, {len(failed)} failed in {seconds:.0f} s; {where}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
