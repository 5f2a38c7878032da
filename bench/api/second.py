"""What a second worker of a role gives, where a core is free for it.

A small machine has none: there each worker is held to a share of one, so that it is the first to be
busy.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import count
from time import monotonic
from typing import NamedTuple

from bench.api.held import Held
from bench.api.load import LoadGenerator
from bench.api.neutron import Side, ask
from bench.api.posts import Case
from bench.api.roles import Roles
from bench.fleet import floor
from bench.fleet.agents import Order
from bench.fleet.crowd import Fleet
from bench.fleet.region import Region
from bench.measure import spread
from bench.run import Bench
from bench.servers import Server
from bench.tables import Row, Section, at_least, rate, ratio, seconds

times_min = 1.5
_gateway_share, _delivery_share = 0.02, 0.05  # of a core
_clients, _calls = 64, 800
_rounds, _rounds_quick = 3, 1
_changes, _changes_quick = 11, 3
_settle_s_max = 300.0
_columns = ("used by each", "cores used by others", "times as fast")


class _Turn(NamedTuple):
    """What so many workers did."""

    per_s: float
    used: Sequence[float]  # of what each worker is held to
    others: float  # cores that all other roles used


def gateway(bench: Bench, roles: Roles, load: LoadGenerator, ours: Side) -> Section:
    """The same creates by one gateway and by two; both stay what they are in all rounds."""
    case = Case(1, _clients, _calls)
    gateways = roles.by_role["gateway"]
    found: dict[int, list[_Turn]] = {}
    with ExitStack() as stack:
        for number in (1, 2):
            if number > len(gateways):
                roles.start("gateway")
            held = stack.enter_context(Held(f"gateway-{number}", _gateway_share))
            held.take(gateways[-1].pid)
            bench.tell(f"{number} of gateways")
            found[number] = [
                _turn(
                    roles,
                    gateways,
                    _gateway_share,
                    lambda: case.calls / ask(load, ours, case).seconds,
                )
                for _ in range(bench.rounds(_rounds, _rounds_quick))
            ]
    return Section(
        title="A second gateway",
        about=(
            f"{case.name}, each gateway held to {_gateway_share:.0%} of a core by the kernel, so "
            "that it is the first to be busy, and the second finds as much of a core free. Told "
            "are how much each used of that, the least of all rounds (below 1 it waited for "
            "others), and the cores that all other roles used. Of managers one leads, and others "
            "wait to take over: a second one is not there for more creates."
        ),
        columns=["gateways", "ports", *_columns],
        rows=_rows(found, rate),
    )


def delivery(bench: Bench) -> Section:
    """One change to all hosts, by one delivery and by two."""
    size = 200 if bench.quick else 1_000
    folder = bench.folder / "second-delivery"
    (folder / "hosts").mkdir(parents=True)
    found: dict[int, list[_Turn]] = {}
    with ExitStack() as stack:
        port, _ = stack.enter_context(floor.nats_server(folder / "hosts"))
        hosts = f"nats://127.0.0.1:{port}"
        roles = stack.enter_context(Roles(folder, hosts))
        region = Region(roles.by_role["gateway"][0], size)
        region.ports(region.networks(size // 10), size)
        rules = count()
        for number in (1, 2):
            if number == 2:
                roles.start("delivery")
            bench.tell(f"{size:,} hosts, {number} of deliveries")
            found[number] = _delivered(bench, roles, region, hosts, rules)
    return Section(
        title="A second delivery",
        about=(
            f"A rule is added to the group of all ports of {size:,} simulated hosts, which connect "
            "by NATS to whichever delivery is there; each delivery is held to "
            f"{_delivery_share:.0%} of a core, and all hosts connect anew when there are two. "
            "Seconds from the call "
            "until the last host has it; each delivery plans all, and tells its own hosts."
        ),
        columns=["deliveries", "come to all in", *_columns],
        rows=_rows(found, lambda per_s: seconds(1 / per_s)),
    )


def _delivered(
    bench: Bench, roles: Roles, region: Region, hosts: str, numbers: Iterator[int]
) -> list[_Turn]:
    deliveries = roles.by_role["delivery"]
    turns = []
    with Fleet(hosts, region.hosts) as fleet, ExitStack() as stack:
        fleet.settle()
        roles.wait_until_quiet()
        for at, each in enumerate(deliveries):
            stack.enter_context(Held(f"delivery-{at}", _delivery_share)).take(each.pid)

        def change() -> float:
            fleet.order(Order(within="/rule/", count=1))
            began = monotonic()
            made = region.rule(next(numbers))
            took = fleet.found().at - began
            region.server.api.wait(made.revision, _settle_s_max)
            return 1 / took

        for _ in range(bench.rounds(_changes, _changes_quick)):
            roles.wait_until_quiet()
            turns.append(_turn(roles, deliveries, _delivery_share, change))
    return turns


def _turn(
    roles: Roles, workers: Sequence[Server], share: float, work: Callable[[], float]
) -> _Turn:
    before, all_before = [each.cpu_s() for each in workers], sum(roles.cpu_s().values())
    began = monotonic()
    per_s = work()
    took = monotonic() - began
    cpu = [each.cpu_s() - was for each, was in zip(workers, before, strict=True)]
    others_s = sum(roles.cpu_s().values()) - all_before - sum(cpu)
    return _Turn(per_s, [used_s / took / share for used_s in cpu], others_s / took)


def _rows(found: dict[int, list[_Turn]], shown: Callable[[float], str]) -> list[Row]:
    rows = []
    for number, turns in found.items():
        one, here = (spread(t.per_s for t in each).median for each in (found[1], turns))
        used = min(min(turn.used) for turn in turns)
        others = spread(turn.others for turn in turns).median
        words = f"at least {times_min} times"
        rows.append(
            Row(
                cells=[str(number), shown(here), ratio(used), ratio(others), ratio(here / one)],
                values={"per_s": here, "used": used, "others": others, "ratio": here / one},
                verdict=at_least(times_min, here / one, words) if number > 1 else None,
            )
        )
    return rows
