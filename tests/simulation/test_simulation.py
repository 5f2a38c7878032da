"""Whatever goes wrong, what must never be is never seen; what is planted on purpose is found."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from alcor.agent.desired.desired import Desired, Taken
from alcor.keyed_log.log import Change, KeyedLog
from alcor.simulation.world import Parts, run
from alcor.transport.link import Frame

seeds_of_ci, seeds_at_once = 50, 10
seeds_to_find = 200

_LOST_FENCE = ("CREATE TRIGGER planted BEFORE INSERT ON fence BEGIN SELECT RAISE(IGNORE); END",)
_NOT_COUNTED = (
    "CREATE TRIGGER planted AFTER UPDATE ON used WHEN new.count < old.count AND new.count % 3 = 1 "
    "BEGIN UPDATE used SET count = count + 1 "
    "WHERE kind = new.kind AND project_id = new.project_id; END",
)
_LOST_LEASE = (
    "CREATE TRIGGER planted AFTER INSERT ON lease WHEN new.owner LIKE '%7' "
    "BEGIN DELETE FROM lease WHERE owner = new.owner; END",
)
_KEPT_FLOW = ("CREATE TRIGGER planted BEFORE DELETE ON tap_flow BEGIN SELECT RAISE(IGNORE); END",)


def simulate(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "alcor.simulation", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        timeout=280,
        check=False,
    )


@pytest.mark.parametrize("first", range(1, seeds_of_ci, seeds_at_once))
def test_nothing_that_must_never_be_is_seen(first: int) -> None:
    done = simulate("--first", str(first), "--seeds", str(seeds_at_once))

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{seeds_at_once} seeds, 0 with violations" in done.stdout


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(730152, id="an agent that starts at rest looks for somebody at the checks"),
        pytest.param(730074, id="two deliveries begin in the same millisecond"),
    ],
)
def test_a_world_that_was_once_wrong_is_right(seed: int) -> None:
    done = simulate("--seed", str(seed))

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_seed_has_one_history_whoever_lives_through_it() -> None:
    first, second = simulate("--seed", "3"), simulate("--seed", "3")

    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout == second.stdout


@pytest.mark.parametrize(
    ("planted", "law"),
    [
        pytest.param({"port": _LOST_FENCE}, "no orphan", id="fences that do not hold"),
        pytest.param({"port": _NOT_COUNTED}, "usage is exact", id="usage that drifts"),
        pytest.param({"monitoring": _KEPT_FLOW}, "no orphan", id="taps of what has gone"),
        pytest.param({"ip": _LOST_LEASE}, "leases are the ports' addresses", id="lost leases"),
    ],
)
def test_what_a_database_does_wrong_is_found(
    planted: Mapping[str, Sequence[str]], law: str
) -> None:
    assert found_by(law, Parts(spoiled=planted)) <= seeds_to_find


class Overlooking(Desired):
    """An agent that now and then overlooks that something is gone."""

    def take(self, frame: Frame) -> Taken:
        taken = super().take(frame)
        if frame.position % 3 == 0:
            taken.gone = taken.gone[:-1]
        return taken


class Marking:
    """An intent log that takes a change for told before it is, and then forgets it."""

    def __init__(self, log: KeyedLog) -> None:
        self._log = log

    async def put(self, changes: Sequence[Change]) -> int:
        return await self._log.put([each for each in changes if each.revision % 9])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


class Unchecked(Marking):
    """An intent log that takes what is older than what it holds: no revision is checked."""

    def __init__(self, log: KeyedLog) -> None:
        super().__init__(log)
        self._last: dict[str, int] = {}

    async def put(self, changes: Sequence[Change]) -> int:
        return await self._log.put([self._as_news(each) for each in changes])

    def _as_news(self, change: Change) -> Change:
        last = self._last.get(change.key, 0)
        self._last[change.key] = max(change.revision, last + 1)
        return change._replace(revision=self._last[change.key])


@pytest.mark.parametrize(
    ("parts", "law"),
    [
        pytest.param(Parts(desired=Overlooking), "hosts have what intent says", id="overlooks"),
        pytest.param(
            Parts(intent_log=lambda log: cast(KeyedLog, Marking(log))),
            "the log tells what is saved",
            id="outbox marked before the log has it",
        ),
        pytest.param(
            Parts(intent_log=lambda log: cast(KeyedLog, Unchecked(log))),
            "the log tells what is saved",
            id="no revision is checked",
        ),
    ],
)
def test_what_a_part_does_wrong_is_found(parts: Parts, law: str) -> None:
    assert found_by(law, parts) <= seeds_to_find


def found_by(law: str, parts: Parts) -> int:
    """The first seed in whose world the law is seen broken."""
    for seed in range(1, seeds_to_find + 1):
        if any(law in violation for violation in run(seed, parts).violations):
            return seed
    raise AssertionError(f"'{law}' holds in {seeds_to_find} worlds")
