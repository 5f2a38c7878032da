"""A page of 100 ports: it must not cost more in a table of 100,000 than in one of 10,000.

Two control planes stand side by side and are asked in turns. `--rows 1000000` compares with a
table of a million.
"""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from alcor.client.api import PORT
from bench import servers
from bench.api.load import Job, LoadGenerator, checked
from bench.api.posts import Region, hosts
from bench.api.two_sizes import compare
from bench.measure import percentile
from bench.run import Bench
from bench.tables import Section, seconds

_rounds, _rounds_quick = 9, 3
_calls = 60  # a turn
_fill_ports = 500  # a call
_page = 100


class Size(NamedTuple):
    """Two sizes to compare."""

    small: int
    large: int


_sizes, _sizes_quick = Size(10_000, 100_000), Size(2_000, 20_000)


class Table:
    """A control plane with so many ports, and pages to ask it for."""

    def __init__(self, region: Region, ports: int, load: LoadGenerator) -> None:
        self._server = region.server
        self._load = load
        job = Job(
            port=region.server.port,
            method="POST",
            targets=[PORT.path],
            body=region.body(_fill_ports),
            connections=4,
            count=ports // _fill_ports,
        )
        outcome = checked(load.run(job), 201, what="filling")
        region.server.wait_until_quiet()
        self.fill_s = outcome.seconds
        limit = f"limit={_page}"
        self._targets = {
            "first page": f"{PORT.path}?{limit}",
            "page in the middle": f"{PORT.path}?{limit}&marker={self._middle(ports)}",
            "of one network": f"{PORT.path}?{limit}&network_id={region.network_id}",
            "of one host": f"{PORT.path}?{limit}&binding:host_id={hosts[3]}",
        }

    def _middle(self, ports: int) -> str:
        marker = ""
        for _ in range(max(1, ports // 2 // 1_000)):
            found = self._server.api.list_page(
                PORT,
                [("limit", "1000"), ("fields", "id"), *([("marker", marker)] if marker else [])],
            )
            marker = found[-1]["id"]
        return marker

    def ask(self, page: str) -> float:
        """The median time of one page, in seconds."""
        target = self._targets[page]
        job = Job(port=self._server.port, targets=[target], count=_calls)
        outcome = checked(self._load.run(job), 200, what=target)
        return percentile(outcome.latencies_s, 0.5)


pages = ("first page", "page in the middle", "of one network", "of one host")


def measure(bench: Bench) -> list[Section]:
    """Fill both, then ask both in turns."""
    sizes = _sizes_quick if bench.quick else _sizes
    if bench.rows:
        sizes = sizes._replace(large=bench.rows)
    with ExitStack() as stack:
        load = stack.enter_context(LoadGenerator())
        small, large = (_table(bench, stack, load, size) for size in sizes)
        rounds = bench.rounds(_rounds, _rounds_quick)
        rows = [
            compare(page, rounds, partial(small.ask, page), partial(large.ask, page), bench.tell)
            for page in pages
        ]
    fill = f"The larger was filled in {seconds(large.fill_s)} by bulks of {_fill_ports}."
    return [
        Section(
            title=f"A page of {_page} ports",
            about=(
                f"Out of {sizes.small:,} ports and out of {sizes.large:,}, one client, asked in "
                f"turns. {fill}"
            ),
            columns=["page", f"of {sizes.small:,}", f"of {sizes.large:,}", "ratio"],
            rows=rows,
        )
    ]


def _table(bench: Bench, stack: ExitStack, load: LoadGenerator, size: int) -> Table:
    bench.tell(f"filling a table of {size:,} ports")
    data = Path(bench.folder / f"pages-{size}")
    data.mkdir()
    server = stack.enter_context(servers.control_plane(data))
    return Table(Region(server, data), size, load)
