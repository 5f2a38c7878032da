"""`python -m acceptance [REGEX]`: others' tests against the product, with a real Keystone.

Exit status: 0 when nothing failed, 1 when something did, 2 when the run could not be made. Reasons
of failures and skips, and all logs, stay in `.acceptance/last`.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from acceptance import devstack, gophercloud, provider, report, terraform
from acceptance.environments import WORK, AcceptanceError
from acceptance.hosts import hosts
from acceptance.keystone import Keystone
from acceptance.product import SHAPES, product
from acceptance.tempest import EVERYTHING, Tempest

_IN_GO = {"gophercloud": gophercloud.run, "provider": provider.run, "terraform": terraform.run}


def main(words: Sequence[str]) -> int:
    """Run what was asked for."""
    options = _options(words)
    folder = WORK / "last"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = monotonic()
    try:
        outcomes = _run(folder, options)
    except AcceptanceError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    report.write(folder, outcomes)
    return report.show(outcomes, monotonic() - began, f"{WORK.name}/last")


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m acceptance", description=__doc__)
    parser.add_argument("regex", nargs="?", default="", help="which tests (all)")
    parser.add_argument(
        "--suite",
        choices=("tempest", *_IN_GO),
        default="tempest",
        help="whose tests: all but Tempest's need Go on the PATH",
    )
    parser.add_argument("--exclude", default="", help="leave these of Tempest out (regex)")
    parser.add_argument("--concurrency", type=int, default=2, help="Tempest's processes (2)")
    parser.add_argument(
        "--hosts",
        type=int,
        default=1 if os.geteuid() == 0 else 0,
        help="live hosts in namespaces (1 for root, else 0)",
    )
    parser.add_argument(
        "--shape", choices=SHAPES, default=SHAPES[0], help="`alcor up`, or a region of processes"
    )
    return parser.parse_args(words)


def _run(folder: Path, options: argparse.Namespace) -> list[report.Outcome]:
    in_go = _IN_GO.get(options.suite)
    more = devstack.settings(folder) if in_go else {}
    with ExitStack() as stack:
        keystone = stack.enter_context(Keystone(folder / "keystone"))
        running = stack.enter_context(product(folder / "product", keystone, options.shape, more))
        keystone.publish(running.endpoint)
        stack.enter_context(hosts(folder, running, keystone, options.hosts))
        if in_go:
            told = devstack.prepare(keystone, running.endpoint)
            return in_go(folder / options.suite, told, options.regex)
        tempest = Tempest(folder / "tempest")
        tempest.prepare(keystone, running.endpoint)
        return tempest.run(options.regex or EVERYTHING, options.exclude, options.concurrency)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
