"""Lists of ports by name and tags, and of the networks that a project sees, by size of the table.

Two control planes stand side by side and are asked in turns. Every question has as many answers in
the smaller table as in the larger one, so that only what is not asked for grows.
"""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from alcor.client.api import NETWORK, PORT, SUBNET, Api, Kind
from bench import servers
from bench.api.load import Job, LoadGenerator
from bench.api.two_sizes import compare
from bench.measure import percentile
from bench.run import Bench
from bench.servers import Server
from bench.tables import Section

_rounds, _rounds_quick = 7, 3
_calls = 40  # a turn
_page = 100  # items, also those of one name and of one tag
_fill = 500  # items a call
_small, _large, _small_quick, _large_quick = 10_000, 100_000, 2_000, 20_000
_owner, _tenant = "owner", "tenant"
_QUOTA = Kind("quota", "quotas", "/v2.0/quotas")
_POLICY = Kind("rbac_policy", "rbac_policies", "/v2.0/rbac-policies")

_TOKENS = f"""
[[tokens]]
token = "{_owner}"
project_id = "{_owner}"
roles = ["admin", "member", "reader"]

[[tokens]]
token = "{_tenant}"
project_id = "{_tenant}"
"""


class Question(NamedTuple):
    """What is asked of a list, and by whom."""

    name: str
    path: str
    query: str
    token: str = _owner


def questions(group: int) -> list[Question]:
    """All, of a hundred that have a name and a tag in common."""
    return [
        Question("ports of one name", PORT.path, f"name=name-{group}"),
        Question("ports with a tag", PORT.path, f"tags=tag-{group}"),
        Question("ports with two tags", PORT.path, f"tags=all,tag-{group}"),
        Question("ports with one of two tags", PORT.path, f"tags-any=tag-{group},tag-{group + 1}"),
        Question("ports without a tag", PORT.path, f"not-tags=tag-{group}"),
        Question("networks that the project sees", NETWORK.path, "", _tenant),
        Question("of these, by name", NETWORK.path, f"name=name-{group}", _tenant),
    ]


class Table:
    """A control plane with so many networks, and as many ports on another one; a hundred of the
    networks a second project sees."""

    def __init__(self, server: Server, size: int, load: LoadGenerator) -> None:
        self._server = server
        self._load = load
        self._group = size // _page // 2  # in the middle
        with Api(f"http://127.0.0.1:{server.port}", _owner, _owner) as api:
            api.update(_QUOTA, _owner, {"port": -1, "network": -1, "rbac_policy": -1})
            self._fill_ports(api, size)
            shared: list[str] = []
            for start in range(0, size, _fill):
                items = [{"name": f"name-{n // _page}"} for n in range(start, start + _fill)]
                made = api.create(NETWORK, items).items
                shared += [str(each["id"]) for each in made if self._is_shared(each["name"])]
            api.create(_POLICY, [_shared(id_) for id_ in shared])
        server.wait_until_quiet()

    def _is_shared(self, name: str) -> bool:
        return name == f"name-{self._group}"

    @staticmethod
    def _fill_ports(api: Api, size: int) -> None:
        network = api.create(NETWORK, [{"name": "bench"}]).items[0]["id"]
        api.create(SUBNET, [{"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/8"}])
        for start in range(0, size, _fill):
            groups = [n // _page for n in range(start, start + _fill)]
            items = [{"network_id": network, "name": f"name-{g}"} for g in groups]
            tags = [[f"tag-{g}", "all"] for g in groups]
            api.create(PORT, [{**i, "tags": t} for i, t in zip(items, tags, strict=True)])

    def ask(self, number: int) -> float:
        """The median time of one question, in seconds."""
        question = questions(self._group)[number]
        job = Job(
            port=self._server.port,
            targets=[f"{question.path}?limit={_page}&{question.query}".rstrip("&")],
            headers={"X-Auth-Token": question.token},
            count=_calls,
        )
        outcome = self._load.run(job)
        found = outcome.sample.count('"created_at"')
        if outcome.statuses.keys() != {200} or found != _page:
            raise servers.Unexpected(
                f"{question.name}: {outcome.statuses}, {found} found {outcome.sample[:300]}"
            )
        return percentile(outcome.latencies_s, 0.5)


def _shared(id_: str) -> dict[str, object]:
    return {
        "object_type": "network",
        "object_id": id_,
        "action": "access_as_shared",
        "target_tenant": _tenant,
    }


def measure(bench: Bench) -> list[Section]:
    """Fill both, then ask both in turns."""
    small, large = (_small_quick, _large_quick) if bench.quick else (_small, _large)
    large = bench.rows or large
    with ExitStack() as stack:
        load = stack.enter_context(LoadGenerator())
        few, many = (_table(bench, stack, load, size) for size in (small, large))
        rounds = bench.rounds(_rounds, _rounds_quick)
        rows = [
            compare(question.name, rounds, partial(few.ask, n), partial(many.ask, n), bench.tell)
            for n, question in enumerate(questions(0))
        ]
    return [
        Section(
            title=f"A list of {_page} by name, tags and sharing",
            about=(
                f"Out of {small:,} ports and as many networks, and out of {large:,}; ports have "
                f"two tags each. Names and tags are common to {_page}, and as many networks are "
                "shared with another project by RBAC policies. One client with a token, asked in "
                "turns."
            ),
            columns=["list", f"of {small:,}", f"of {large:,}", "ratio"],
            rows=rows,
        )
    ]


def _table(bench: Bench, stack: ExitStack, load: LoadGenerator, size: int) -> Table:
    bench.tell(f"filling tables of {size:,} rows")
    data = Path(bench.folder / f"lists-{size}")
    data.mkdir()
    tokens = data / "tokens.toml"
    tokens.write_text(_TOKENS)
    tokens.chmod(0o600)
    return Table(stack.enter_context(servers.control_plane(data, tokens)), size, load)
