"""Twenty ports in one call for machines plugged in before: when wired, when do all reach all?

Alcor and OVN configure the same ports on hosts of the same kind, in turns. Wired means that the
flows are acknowledged by the switch of every host: Alcor's convergence, OVN's `--wait=hv`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from alcor.lab.layout import Layout
from bench.hosts import guests
from bench.hosts.alcor_lab import AlcorLab, fresh_ids, port_body
from bench.hosts.guests import Guest
from bench.hosts.ovn import OvnLab, OvnPort
from bench.hosts.pings import Pings
from bench.measure import in_turns, spread
from bench.run import Bench
from bench.tables import Row, Section, Verdict, at_most, between, ratio

_ports = 20
_rounds, _rounds_quick = 10, 3
_network = 9
pings_s_max = 1.0


class Wired(NamedTuple):
    """One round, in seconds from the first byte of the call."""

    answered: float | None  # the API's answer; OVN's command waits in one with the hosts
    wired: float
    pinged: float


def _before(lab: Layout, machines: Sequence[Guest]) -> Pings:
    guests.forget_neighbours(lab, machines)
    return Pings({lab.machine_namespace(g.name): g.address for g in machines})


class OursOnce:
    """Alcor's round."""

    def __init__(self, lab: AlcorLab, machines: Sequence[Guest]) -> None:
        self._lab = lab
        self._machines = machines
        self._network_id = lab.network(_network)
        guests.plug(lab.lab.layout, machines)

    def __call__(self) -> Wired:
        ids = fresh_ids(len(self._machines))
        where = self._lab.lab.layout
        guests.rename_ports(where, self._machines, ids)
        bodies = [
            port_body(self._network_id, g, i) for g, i in zip(self._machines, ids, strict=True)
        ]
        with _before(where, self._machines) as pings:
            made = self._lab.create(bodies)
            pinged = pings.wait()
        guests.forget_neighbours(where, self._machines)
        self._lab.delete(ids)
        return Wired(made.answered_s, made.converged_s, pinged - made.began)


class OvnOnce:
    """OVN's round."""

    def __init__(self, lab: OvnLab, machines: Sequence[Guest]) -> None:
        self._lab = lab
        self._machines = machines
        self._ports = [OvnPort(g.port, g.mac, g.address) for g in machines]
        guests.plug(lab.lab, machines)

    def __call__(self) -> Wired:
        with _before(self._lab.lab, self._machines) as pings:
            made = self._lab.add_ports(self._ports)
            pinged = pings.wait()
        guests.forget_neighbours(self._lab.lab, self._machines)
        self._lab.delete_ports(self._ports)
        return Wired(None, made.seconds, pinged - made.began)


def on_hosts(host_count: int) -> Callable[[Bench], list[Section]]:
    """The case with so many hosts."""

    def measure(bench: Bench) -> list[Section]:
        bench.tell(f"building two labs of {host_count} hosts")
        machines = guests.deal(_ports, host_count, _network)
        with (
            AlcorLab(f"bench{host_count}", host_count) as ours,
            OvnLab(f"benchovn{host_count}", host_count) as ovn,
        ):
            turns: dict[str, Callable[[], Wired]] = {
                "Alcor": OursOnce(ours, machines),
                "OVN": OvnOnce(ovn, machines),
            }
            rounds = in_turns(bench.rounds(_rounds, _rounds_quick), turns, bench.tell)
        return [_section(host_count, rounds["Alcor"], rounds["OVN"])]

    return measure


def _section(host_count: int, ours: Sequence[Wired], ovn: Sequence[Wired]) -> Section:
    answered = spread(each.answered or 0.0 for each in ours)
    theirs = spread(each.wired for each in ovn).median
    return Section(
        title=f"{_ports} ports in one call on {host_count} hosts",
        about=(
            "Machines are plugged in and ask all others every 50 ms before the clock starts; they "
            "repeat an unanswered ARP request after 20 ms and have forgotten their neighbours. "
            "OVN's time holds the start of its command (about 10 ms). Seconds from the call; "
            f"medians of {answered.times}, with least and greatest."
        ),
        columns=["what", "Alcor", "OVN", "ratio"],
        rows=[
            Row(
                cells=["the call is answered", between(answered), "", ""],
                values={"seconds": answered.median},
            ),
            _compared(
                "wired on all hosts",
                [each.wired for each in ours],
                [each.wired for each in ovn],
                lambda here: at_most(theirs, here, "s (OVN)"),
            ),
            _compared(
                "all pairs have pinged",
                [each.pinged for each in ours],
                [each.pinged for each in ovn],
                lambda here: at_most(pings_s_max, here, "s"),
            ),
        ],
    )


def _compared(
    what: str,
    ours: Sequence[float],
    ovn: Sequence[float],
    verdict: Callable[[float], Verdict],
) -> Row:
    here, there = spread(ours), spread(ovn)
    return Row(
        cells=[what, between(here), between(there), ratio(here.median / there.median)],
        values={"seconds": here.median, "ovn": there.median},
        verdict=verdict(here.median),
    )
