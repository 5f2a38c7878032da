"""One more port in a network of 20 and of 1,000 ports: from the call to the last host's switch.

The new port has no machine, as most ports of a network are elsewhere: what is timed is that its
host and its neighbours' hosts have it.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from bench.hosts import guests
from bench.hosts.alcor_lab import AlcorLab, fresh_ids, port_body
from bench.hosts.guests import Guest
from bench.hosts.ovn import OvnLab, OvnPort
from bench.measure import in_turns, spread
from bench.run import Bench
from bench.tables import Row, Section, Verdict, at_most, between, ratio

_hosts = 3
_small, _large = 20, 1_000
_machines = 20  # of each network, plugged in
_rounds, _rounds_quick = 15, 5
growth_times_max = 1.3


class More(NamedTuple):
    """One more port: when it began (monotonic), and seconds until answer and until all hosts."""

    began: float
    answered: float  # OVN's command waits in one with the hosts: 0
    converged: float


class OursOneMore:
    """Alcor's network of some size; a call makes one more port, and takes it away untimed."""

    def __init__(self, lab: AlcorLab, number: int, size: int) -> None:
        self._lab = lab
        self._next = size
        self._number = number
        self._network_id = lab.network(number)
        dealt = guests.deal(size, _hosts, number)
        named = [
            g._replace(name=f"n{number}-{g.name}", port=i)
            for g, i in zip(dealt, fresh_ids(size), strict=True)
        ]
        lab.fill([port_body(self._network_id, g, g.port) for g in named])
        guests.plug(lab.lab.layout, named[:_machines])
        lab.wait_active([g.port for g in named[:_machines]])

    def __call__(self) -> More:
        self._next += 1
        (id_,) = fresh_ids(1)
        guest = _guest(self._number, self._next)
        made = self._lab.create([port_body(self._network_id, guest, id_)])
        self._lab.delete([id_])
        return More(made.began, made.answered_s, made.converged_s)


class OvnOneMore:
    """The same in OVN, in a lab of its own: its cost depends on all that it holds."""

    def __init__(self, lab: OvnLab, number: int, size: int) -> None:
        self._lab = lab
        self._next = size
        self._number = number
        dealt = guests.deal(size, _hosts, number)
        guests.plug(lab.lab, dealt[:_machines])
        lab.fill([_ovn_port(g) for g in dealt])

    def __call__(self) -> More:
        self._next += 1
        port = _ovn_port(_guest(self._number, self._next))
        made = self._lab.add_ports([port])
        self._lab.delete_ports([port])
        return More(made.began, 0.0, made.seconds)


def _guest(network: int, number: int) -> Guest:
    mac, address = guests.mac_of(network, number), guests.address_of(network, number)
    return Guest(f"more-{number}", 1, mac, address, f"port-{number}")


def _ovn_port(guest: Guest) -> OvnPort:
    return OvnPort(guest.port, guest.mac, guest.address)


def measure(bench: Bench) -> list[Section]:
    """Four contenders in turns: two sizes, Alcor and OVN."""
    with ExitStack() as stack:
        bench.tell("building three labs")
        ours = stack.enter_context(AlcorLab("benchmore", _hosts))
        ovn_small = stack.enter_context(OvnLab("benchovns", _hosts))
        ovn_large = stack.enter_context(OvnLab("benchovnl", _hosts))
        bench.tell(f"filling networks of {_small} and {_large:,} ports")
        turns: dict[str, Callable[[], More]] = {
            "Alcor, small": OursOneMore(ours, 9, _small),
            "Alcor, large": OursOneMore(ours, 10, _large),
            "OVN, small": OvnOneMore(ovn_small, 9, _small),
            "OVN, large": OvnOneMore(ovn_large, 9, _large),
        }
        rounds = in_turns(bench.rounds(_rounds, _rounds_quick), turns, bench.tell)
    return [_section(*rounds.values())]


def _section(
    small: Sequence[More],
    large: Sequence[More],
    ovn_small: Sequence[More],
    ovn_large: Sequence[More],
) -> Section:
    answered = _row(
        "Alcor: the call is answered", [m.answered for m in small], [m.answered for m in large]
    )
    converged = _row(
        "Alcor: on all hosts", [m.converged for m in small], [m.converged for m in large]
    )
    verdict = at_most(growth_times_max, converged.values["ratio"])
    return Section(
        title=f"One more port in a network of {_small} and of {_large:,}",
        about=(
            f"{_hosts} hosts, ports dealt to all of them, {_machines} machines of each network "
            "plugged in. Medians, with least and greatest; OVN by `--wait=hv`, each size in a lab "
            "of its own."
        ),
        columns=["what", f"of {_small}", f"of {_large:,}", "ratio"],
        rows=[
            answered,
            _with(converged, verdict),
            _row(
                "OVN: on all hosts",
                [m.converged for m in ovn_small],
                [m.converged for m in ovn_large],
            ),
        ],
    )


def _row(what: str, small: Sequence[float], large: Sequence[float]) -> Row:
    few, many = spread(small), spread(large)
    times = many.median / few.median
    return Row(
        cells=[what, between(few), between(many), ratio(times)],
        values={"small_s": few.median, "large_s": many.median, "ratio": times},
    )


def _with(row: Row, verdict: Verdict) -> Row:
    return Row(cells=row.cells, values=row.values, verdict=verdict)
