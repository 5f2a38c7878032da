"""Neutron as a peer, where one runs: the same calls with the same bodies, in turns.

It must answer without authentication and have hosts with agents, as `--neutron` promises.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from alcor.client.api import AGENT, NETWORK, PORT, SUBNET, Api
from bench import servers
from bench.api.load import Job, LoadGenerator, Outcome, checked
from bench.api.posts import Case, Region, port_bodies, project
from bench.measure import in_turns, percentile, spread
from bench.run import Bench
from bench.tables import Row, Section, rate, ratio, seconds

_rounds, _rounds_quick = 3, 1
_page = 100

cases = [
    Case(1, 1, 20),
    Case(1, 16, 48),
    Case(20, 1, 3),
    Case(100, 1, 1),  # one of 500 takes it minutes
]


class Side(NamedTuple):
    """A contender: where it listens, and bodies of creates by number of ports."""

    port: int
    body: Callable[[int], str]


def neutron(endpoint: str) -> Side:
    """A Neutron with a network for ports; `Unexpected` when it has no hosts."""
    api = Api(endpoint, project)
    found = api.list_page(AGENT, [("agent_type", "Open vSwitch agent")])
    agents = sorted({agent["host"] for agent in found})
    if not agents:
        raise servers.Unexpected(f"{endpoint} has no host with an Open vSwitch agent")
    (network,) = api.create(NETWORK, [{"name": "bench", "project_id": project}]).items
    subnet = {"network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/8"}
    api.create(SUBNET, [{**subnet, "project_id": project}])
    api.close()
    port = urlsplit(endpoint).port
    if port is None:
        raise servers.Unexpected(f"{endpoint} names no port")
    return Side(port, lambda ports: port_bodies(network["id"], agents, ports))


def measure(bench: Bench) -> list[Section]:
    """Alcor and Neutron in turns; nothing when there is no Neutron."""
    if not bench.neutron:
        return []
    data = bench.folder / "neutron"
    data.mkdir()
    with servers.control_plane(data) as server, LoadGenerator() as load:
        ours = Side(server.port, Region(server, data).body)
        theirs = neutron(bench.neutron)
        rows = [_posts(bench, load, case, ours, theirs) for case in cases]
        rows.append(_pages(bench, load, ours, theirs))
    return [
        Section(
            title="Beside Neutron",
            about=(
                "The same calls to Alcor and to Neutron (ML2 with Open vSwitch and l2population "
                "drivers, MariaDB, no authentication, no agents behind it), in turns."
            ),
            columns=["case", "Alcor", "Neutron", "times as fast"],
            rows=rows,
        )
    ]


def ask(load: LoadGenerator, side: Side, case: Case) -> Outcome:
    """Creates of ports, all of which are answered 201."""
    job = Job(
        port=side.port,
        method="POST",
        targets=[PORT.path],
        headers={"X-Project-Id": project},
        body=side.body(case.ports),
        connections=case.clients,
        count=case.calls,
    )
    return checked(load.run(job), 201)


def ports_per_s(case: Case, outcomes: Sequence[Outcome]) -> float:
    """The median of several turns."""
    return spread(case.ports * case.calls / each.seconds for each in outcomes).median


def _posts(bench: Bench, load: LoadGenerator, case: Case, ours: Side, theirs: Side) -> Row:
    rounds = _turns(
        bench, case.name, lambda: ask(load, ours, case), lambda: ask(load, theirs, case)
    )
    here, there = (ports_per_s(case, side) for side in rounds)
    return _row(f"POST, {case.name}", here, there, f"{rate(here)} ports", f"{rate(there)} ports")


def _pages(bench: Bench, load: LoadGenerator, ours: Side, theirs: Side) -> Row:
    def turn(side: Side) -> Outcome:
        target = f"{PORT.path}?limit={_page}"
        headers = {"X-Project-Id": project}
        return checked(
            load.run(Job(port=side.port, targets=[target], headers=headers, count=10)), 200
        )

    rounds = _turns(bench, "page", lambda: turn(ours), lambda: turn(theirs))
    here, there = (
        spread(percentile(each.latencies_s, 0.5) for each in side).median for side in rounds
    )
    return _row(f"a page of {_page} ports", 1 / here, 1 / there, seconds(here), seconds(there))


def _turns(
    bench: Bench, what: str, ours: Callable[[], Outcome], theirs: Callable[[], Outcome]
) -> tuple[Sequence[Outcome], Sequence[Outcome]]:
    found = in_turns(
        bench.rounds(_rounds, _rounds_quick),
        {"Alcor": ours, "Neutron": theirs},
        lambda who: bench.tell(f"{what}: {who}"),
    )
    return found["Alcor"], found["Neutron"]


def _row(what: str, here: float, there: float, ours: str, theirs: str) -> Row:
    return Row(
        cells=[what, ours, theirs, ratio(here / there)],
        values={"per_s": here, "neutron_per_s": there, "ratio": here / there},
    )
