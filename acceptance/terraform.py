"""The life of a plan that has every networking resource of Terraform's provider (`plan/`).

It is applied, changed in place, imported and destroyed. After each, a new plan must find nothing to
do: what is answered is what was asked for, field by field, also where nothing was asked for.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import msgspec

from acceptance import networking
from acceptance.devstack import Devstack
from acceptance.environments import AcceptanceError
from acceptance.provider import mirror, tofu
from acceptance.report import Outcome

_PLAN = Path(__file__).with_name("plan")
_KEPT = ("openstack_networking_portforwarding_v2", "openstack_networking_trunk_v2")  # no import
_IMPORT = 'import {{\n  to = {address}\n  id = "{id}"\n}}\n'


class _Wrong(Exception):
    """A step did not end as it should; the message says why."""


def run(folder: Path, devstack: Devstack, regex: str) -> list[Outcome]:
    """Live through the plan; a step that fails ends it, but for its destruction."""
    if regex:
        raise AcceptanceError("the plan is one test: it has no parts to choose")
    plan = _Plan(folder, devstack)
    outcomes = []
    steps = iter(plan.steps())
    for name, step in steps:
        outcomes.append(_outcome(name, step))
        if outcomes[-1].status == "failed":
            outcomes += [_outcome(name, step) for name, step in steps if name in _LAST]
    return outcomes


_LAST = ("is destroyed", "leaves nothing")


def _outcome(name: str, step: Callable[[], None]) -> Outcome:
    began, reason = monotonic(), ""
    try:
        step()
    except _Wrong as error:
        reason = str(error)
    status = "failed" if reason else "passed"
    return Outcome(f"terraform.plan.{name}", status, reason, monotonic() - began)


class _Plan:
    """The plan in a folder of its own, with its state."""

    def __init__(self, folder: Path, devstack: Devstack) -> None:
        shutil.copytree(_PLAN, folder)
        self._folder, self._devstack = folder, devstack
        self._log = folder / "tofu.log"
        config = folder / "cli.tfrc"
        config.write_text(mirror())
        self._program = tofu()
        admin = devstack.accounts["admin"]
        self._env = admin | {
            "TF_CLI_CONFIG_FILE": str(config),
            "TF_CLI_ARGS": "-no-color",
            "TF_IN_AUTOMATION": "1",
            "TF_VAR_external_network": admin["OS_EXTGW_ID"],
            "TF_VAR_other_project": devstack.demo_project,
        }
        self._before = self._held()

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        yield "is applied", self._applied
        yield "is as it was asked for", self._nothing_to_do
        self._env["TF_VAR_changed"] = "true"
        yield "is changed in place", self._changed
        yield "is as it was changed to", self._nothing_to_do
        yield "is imported", self._imported
        yield "is as it was imported", self._nothing_to_do
        yield "is destroyed", self._destroyed
        yield "leaves nothing", self._nothing_left

    def _applied(self) -> None:
        self._tofu("init")
        self._tofu("apply", "-auto-approve")

    def _nothing_to_do(self) -> None:
        self._tofu("plan", "-detailed-exitcode")

    def _changed(self) -> None:
        self._apply_without("create", "delete")

    def _imported(self) -> None:
        """Forget what is there, and find it again by its ids."""
        state = msgspec.json.decode(self._tofu("show", "-json"))
        id_by_address = {
            each["address"]: each["values"]["id"]
            for each in state["values"]["root_module"]["resources"]
            if each["mode"] == "managed" and each["type"] not in _KEPT
        }
        kept, imports = self._folder / "terraform.tfstate", self._folder / "imports.tf"
        known = kept.read_bytes()
        self._tofu("state", "rm", *id_by_address)
        blocks = (_IMPORT.format(address=to, id=id_) for to, id_ in id_by_address.items())
        imports.write_text("".join(blocks))
        try:
            self._apply_without("create", "delete")
        except _Wrong:
            kept.write_bytes(known)  # so that all can be destroyed
            raise
        finally:
            imports.unlink()

    def _apply_without(self, *unwanted: str) -> None:
        self._tofu("plan", "-out=changes")
        changes = msgspec.json.decode(self._tofu("show", "-json", "changes"))["resource_changes"]
        wrong = [
            f"{each['address']}: {each['change']['actions']}"
            for each in changes
            if not set(unwanted).isdisjoint(each["change"]["actions"])
        ]
        if wrong:
            raise _Wrong("\n".join(wrong))
        self._tofu("apply", "changes")

    def _destroyed(self) -> None:
        self._tofu("destroy", "-auto-approve")

    def _nothing_left(self) -> None:
        if left := self._held() - self._before:
            raise _Wrong("\n".join(sorted(left)))

    def _held(self) -> frozenset[str]:
        return networking.everything(self._devstack.api)

    def _tofu(self, command: str, *words: str) -> bytes:
        """What it printed; `_Wrong` unless it ended with 0."""
        done = subprocess.run(
            [str(self._program), command, *words],
            cwd=self._folder,
            env=dict(os.environ) | self._env,
            capture_output=True,
            check=False,
        )
        said = done.stdout + done.stderr
        with self._log.open("ab") as log:
            log.write(f"\n$ tofu {command} {' '.join(words)}\n".encode() + said)
        if done.returncode:
            raise _Wrong(said.decode(errors="replace")[-20_000:])
        return done.stdout
