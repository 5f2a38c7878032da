"""An agent that is killed and started again on a switch whose flows are right.

From the start of the process until a port that is made meanwhile is acknowledged: the interpreter,
the state on disk, the read-back, the connection, the first pass. Beside it the bare start of an
interpreter that imports what the agent imports.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from alcor.lab import hosts, parts
from bench.hosts.alcor_lab import AlcorLab
from bench.hosts.one_more import More, OursOneMore
from bench.measure import in_turns, spread
from bench.run import Bench
from bench.tables import Row, Section, Verdict, between, ratio

_hosts, _network, _ports = 3, 9, 1_000
_rounds, _rounds_quick = 7, 3
_duration = re.compile(r"duration=([0-9.]+)s")


class Restart(NamedTuple):
    """One restart: how long, and how many flows were written again."""

    seconds: float
    rewritten: int
    flows: int


class Restarting:
    """Kills and starts the agent of the first host of a lab."""

    def __init__(self, lab: AlcorLab, more: Callable[[], More]) -> None:
        self._lab = lab
        self._host = lab.lab.hosts[0]
        self._more = more

    def __call__(self) -> Restart:
        parts.stop_agent(self._host, signal.SIGKILL)
        began = monotonic()
        parts.start_agent(self._host, self._lab.lab.record)
        more = self._more()
        ages = self._ages()
        young = monotonic() - began
        rewritten = sum(age <= young for age in ages)
        return Restart(more.began + more.converged - began, rewritten, len(ages))

    def _ages(self) -> list[float]:
        """How long ago each flow was written, in seconds."""
        dumped = hosts.ofctl(self._host, "dump-flows", "br-int")
        return [float(age) for age in _duration.findall(dumped)]


def _bare_start() -> float:
    began = monotonic()
    subprocess.run([sys.executable, "-c", "import alcor.agent.agent"], check=True)
    return monotonic() - began


def measure(bench: Bench) -> list[Section]:
    """The agent and the bare interpreter, in turns."""
    with AlcorLab("benchre", _hosts) as lab:
        bench.tell(f"filling a network of {_ports:,} ports")
        restarting = Restarting(lab, OursOneMore(lab, _network, _ports))
        restarts: list[Restart] = []

        def restart() -> float:
            restarts.append(restarting())
            return restarts[-1].seconds

        turns: dict[str, Callable[[], float]] = {"agent": restart, "interpreter": _bare_start}
        times = in_turns(bench.rounds(_rounds, _rounds_quick), turns, bench.tell)
    return [_section(restarts, times["agent"], times["interpreter"])]


def _section(restarts: list[Restart], ours: list[float], bare: list[float]) -> Section:
    here, there = spread(ours), spread(bare)
    rewritten = max(each.rewritten for each in restarts)
    return Section(
        title="An agent killed and started again",
        about=(
            f"A host with {restarts[-1].flows:,} flows ({_ports:,} ports in the network). From the "
            "start of the process until a port made meanwhile is acknowledged by the switch; "
            "beside it a Python that imports the agent and ends."
        ),
        columns=["what", "Alcor", "bare start", "ratio"],
        rows=[
            Row(
                cells=[
                    *("agent works again", between(here), between(there)),
                    ratio(here.median / there.median),
                ],
                values={"seconds": here.median, "bare_s": there.median},
            ),
            Row(
                cells=["flows written again, at most", str(rewritten), "", ""],
                values={"flows": rewritten},
                verdict=Verdict("none", rewritten == 0),
            ),
        ],
    )
