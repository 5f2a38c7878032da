"""Creates of ports on a region of processes, beside Neutron; and what a second worker gives.

With `--rows` so many ports are made before: more than PostgreSQL has had time to vacuum.
"""

from collections.abc import Callable

from bench.api import second
from bench.api.load import LoadGenerator, Outcome
from bench.api.neutron import Side, ask, neutron, ports_per_s
from bench.api.posts import Case, Region
from bench.api.roles import ROLES, Roles
from bench.measure import in_turns, spread
from bench.run import Bench
from bench.tables import Row, Section, at_least, rate, ratio, seconds

_rounds, _rounds_quick = 3, 1
_cases = (  # ours, Neutron's (it takes minutes for one of 500), times as fast
    (Case(1, 16, 1_600), Case(1, 16, 48), 40.0),
    (Case(500, 1, 6), Case(500, 1, 1), 200.0),
)
_fill_ports = 500  # a call


def measure(bench: Bench) -> list[Section]:
    """All sections."""
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
        sections = [_section(beside), second.gateway(bench, roles, load, ours)]
    return [*sections, second.delivery(bench)]


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
