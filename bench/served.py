"""Creates of ports on a region of processes: beside Neutron, and by one and by two gateways.

With `--rows` so many ports are made before: more than PostgreSQL has had time to vacuum.

A small machine has no core free for a second worker: there each gateway is held to a share of one.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

from bench.held import Held
from bench.load import LoadGenerator, Outcome
from bench.measure import in_turns, spread
from bench.neutron import Side, ask, neutron, ports_per_s
from bench.posts import Case, Region
from bench.roles import ROLES, Roles
from bench.run import Bench
from bench.tables import Row, Section, at_least, rate, ratio, seconds

_rounds, _rounds_quick = 3, 1
_cases = (  # ours, Neutron's (it takes minutes for one of 500), times as fast
    (Case(1, 16, 1_600), Case(1, 16, 48), 40.0),
    (Case(500, 1, 6), Case(500, 1, 1), 200.0),
)
_fill_ports = 500  # a call
_held_share = 0.02  # of a core
_held_clients = 64
_held_calls = 800
_second_times_min = 1.5


def measure(bench: Bench) -> list[Section]:
    """Both sections."""
    data = bench.folder / "served"
    data.mkdir()
    with Roles(data) as roles, LoadGenerator() as load:
        body = Region(roles.by_role["gateway"][0], data).body
        ours = Side(roles.port, body)
        if bench.rows:
            bench.tell(f"filling it with {bench.rows:,} ports")
            ask(load, ours, Case(_fill_ports, 4, bench.rows // _fill_ports))
        theirs = neutron(bench.neutron) if bench.neutron else None
        beside = [_beside(bench, roles, load, ours, theirs, *case) for case in _cases]
        return [_section(beside), _workers(bench, roles, load, ours)]


def _beside(
    bench: Bench,
    roles: Roles,
    load: LoadGenerator,
    ours: Side,
    theirs: Side | None,
    case: Case,
    neutrons: Case,
    times_min: float,
) -> Row:
    used: dict[str, list[float]] = {role: [] for role in ROLES}

    def turn() -> Outcome:
        before = roles.cpu_s()
        outcome = ask(load, ours, case)
        roles.wait_until_quiet()
        for role, after in roles.cpu_s().items():
            used[role].append((after - before[role]) / (case.ports * case.calls))
        return outcome

    contenders: dict[str, Callable[[], Outcome]] = {"Alcor": turn}
    if theirs is not None:
        side = theirs
        contenders["Neutron"] = lambda: ask(load, side, neutrons)
    found = in_turns(
        1 if case.ports > 1 and theirs is not None else bench.rounds(_rounds, _rounds_quick),
        contenders,
        lambda who: bench.tell(f"{case.name}: {who}"),
    )
    here = ports_per_s(case, found["Alcor"])
    cpu_s = {role: spread(each).median for role, each in used.items()}
    row = [case.name, rate(here), *map(seconds, cpu_s.values())]
    values = {"per_s": here} | {f"{role}_cpu_s": each for role, each in cpu_s.items()}
    if theirs is None:
        return Row(cells=[*row, "", ""], values=values)
    there = ports_per_s(neutrons, found["Neutron"])
    return Row(
        cells=[*row, f"{there:.1f}/s", ratio(here / there)],
        values=values | {"neutron_per_s": there, "ratio": here / there},
        verdict=at_least(times_min, here / there, f"at least {times_min:.0f} times Neutron's"),
    )


def _section(rows: list[Row]) -> Section:
    return Section(
        title="POST of ports to a region of processes",
        about=(
            "A gateway, managers and a delivery, each a process, with PostgreSQL (which syncs at "
            "every commit) and NATS. Processor time is that of each, planning included, a port: "
            "who uses most of it is the first to be busy where each has a core of its own. "
            "Neutron as above, with as many clients, in turns."
        ),
        columns=["case", "ports", *ROLES, "Neutron", "times as fast"],
        rows=rows,
    )


class _Measured(NamedTuple):
    """One turn with so many gateways."""

    ports_per_s: float
    used: list[float]  # of what each gateway is held to
    others: float  # cores that all other roles used


def _workers(bench: Bench, roles: Roles, load: LoadGenerator, ours: Side) -> Section:
    """The same by one gateway and by two; both stay what they are in all rounds."""
    case = Case(1, _held_clients, _held_calls)
    gateways = roles.by_role["gateway"]
    found: dict[int, list[_Measured]] = {}
    with ExitStack() as stack:
        for number in (1, 2):
            if number > len(gateways):
                roles.start("gateway")
            stack.enter_context(Held(f"gateway-{number}", _held_share)).take(gateways[-1].pid)
            bench.tell(f"{number} of gateways")
            rounds = bench.rounds(_rounds, _rounds_quick)
            found[number] = [_held_turn(roles, load, ours, case) for _ in range(rounds)]
    return Section(
        title="A second gateway",
        about=(
            f"{case.name}, each gateway held to {_held_share:.0%} of a core by the kernel, so that "
            "it is the first to be busy, and the second finds as much of a core free. Told are how "
            "much each used of that, the least of all rounds (below 1 it waited for others), and "
            "the cores that all other roles used. Of managers one leads, and others wait to take "
            "over; of deliveries each plans everything, and a second one serves other hosts: "
            "neither is there for more creates."
        ),
        columns=["gateways", "ports", "used by each", "cores used by others", "times as many"],
        rows=[_held_row(number, found) for number in found],
    )


def _held_turn(roles: Roles, load: LoadGenerator, ours: Side, case: Case) -> _Measured:
    gateways = roles.by_role["gateway"]
    each_before, all_before = [g.cpu_s() for g in gateways], sum(roles.cpu_s().values())
    outcome = ask(load, ours, case)
    each = [g.cpu_s() - before for g, before in zip(gateways, each_before, strict=True)]
    others_s = sum(roles.cpu_s().values()) - all_before - sum(each)
    used = [cpu_s / outcome.seconds / _held_share for cpu_s in each]
    return _Measured(case.calls / outcome.seconds, used, others_s / outcome.seconds)


def _held_row(number: int, found: dict[int, list[_Measured]]) -> Row:
    one, here = (spread(turn.ports_per_s for turn in found[each]).median for each in (1, number))
    used = min(min(turn.used) for turn in found[number])
    others = spread(turn.others for turn in found[number]).median
    words = f"at least {_second_times_min} times"
    return Row(
        cells=[str(number), rate(here), ratio(used), ratio(others), ratio(here / one)],
        values={"per_s": here, "used": used, "others": others, "ratio": here / one},
        verdict=at_least(_second_times_min, here / one, words) if number > 1 else None,
    )
