"""One of each kind of resource made alone, a conditional update, and routers' interfaces.

Each is beside the bare echo, which answers the same bytes to the same bodies.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from alcor.client.api import NETWORK, NODE, PORT, ROUTER, SUBNET, Api, Kind
from bench import servers
from bench.api.load import Job, LoadGenerator, Outcome, checked
from bench.api.posts import hosts
from bench.measure import in_turns, percentile, spread
from bench.run import Bench
from bench.servers import Server
from bench.tables import Row, Section, rate, ratio, seconds

_rounds, _rounds_quick = 3, 1
_alone, _together = 100, 400  # calls a turn by one client, and by sixteen
_clients = 16
_project = "bench"
_NAMED = {"name": "bench", "project_id": _project}

Item = dict[str, Any]


class Ask(msgspec.Struct, frozen=True):
    """Requests, each once: where to, and with which body."""

    targets: list[str]
    bodies: list[Item]
    method: str = "POST"
    headers: dict[str, str] = {}


class World:
    """A control plane, and what new resources refer to."""

    def __init__(self, api: Api) -> None:
        self._api = api
        api.create(NODE, [{"id": hosts[0], "tunnel_ip": "172.31.0.1"}])
        self.network = self.many(NETWORK, 1)[0]
        self._subnet_of(self.network, "10.0.0.0/8")
        external = {**_NAMED, "router:external": True}
        self.external = str(api.create(NETWORK, [external]).items[0]["id"])
        self._subnet_of(self.external, "172.16.0.0/12")

    def _subnet_of(self, network: str, cidr: str) -> str:
        subnet = {"network_id": network, "ip_version": 4, "cidr": cidr, "project_id": _project}
        return str(self._api.create(SUBNET, [subnet]).items[0]["id"])

    def many(self, kind: Kind, count: int, fields: Item | None = None) -> list[str]:
        """The ids of so many new ones."""
        made = self._api.create(kind, [_NAMED | (fields or {})] * count).items
        return [str(item["id"]) for item in made]

    def alike(self, path: str, name: str, fields: Item) -> Callable[[int], Ask]:
        """New ones that differ in nothing."""
        return lambda count: Ask([path] * count, [{name: fields}] * count)

    def subnets(self, count: int) -> Ask:
        """A subnet for each of as many new networks."""
        items = [
            {"network_id": id_, "ip_version": 4, "cidr": "10.0.0.0/24", "project_id": _project}
            for id_ in self.many(NETWORK, count)
        ]
        return Ask([SUBNET.path] * count, [{"subnet": item} for item in items])

    def rules(self, count: int) -> Ask:
        """Rules of one new group, each for another port."""
        groups = Kind("security_group", "security_groups", "/v2.0/security-groups")
        common = {
            "security_group_id": self.many(groups, 1)[0],
            "direction": "ingress",
            "protocol": "tcp",
            "project_id": _project,
        }
        items = [{**common, "port_range_min": n, "port_range_max": n} for n in range(1, count + 1)]
        path = "/v2.0/security-group-rules"
        return Ask([path] * count, [{"security_group_rule": item} for item in items])

    def trunks(self, count: int) -> Ask:
        """A trunk for each of as many new ports."""
        ports = self.many(PORT, count, {"network_id": self.network})
        items = [{**_NAMED, "port_id": id_} for id_ in ports]
        return Ask(["/v2.0/trunks"] * count, [{"trunk": item} for item in items])

    def interfaces(self, count: int) -> Ask:
        """A router's interface on each of as many new subnets, a router each."""
        asked = self.subnets(count).bodies
        subnets = self._api.create(SUBNET, [each["subnet"] for each in asked]).items
        routers = self.many(ROUTER, count)
        targets = [f"{ROUTER.path}/{id_}/add_router_interface" for id_ in routers]
        return Ask(targets, [{"subnet_id": each["id"]} for each in subnets], "PUT")

    def conditional(self, count: int) -> Ask:
        """A change of each of as many new ports, only if nobody has changed it."""
        ports = self.many(PORT, count, {"network_id": self.network})
        targets = [f"{PORT.path}/{id_}" for id_ in ports]
        body: Item = {"port": {"name": "changed"}}
        return Ask(targets, [body] * count, "PUT", {"If-Match": "revision_number=1"})


def _cases(world: World) -> dict[str, Callable[[int], Ask]]:
    on = {"network_id": world.network, "binding:host_id": hosts[0]}
    pool = {**_NAMED, "prefixes": ["10.0.0.0/8"], "default_prefixlen": 24}
    floating = {"floating_network_id": world.external, "project_id": _project}
    return {
        "network": world.alike(NETWORK.path, "network", _NAMED),
        "subnet": world.subnets,
        "port": world.alike(PORT.path, "port", _NAMED | on),
        "router": world.alike(ROUTER.path, "router", _NAMED),
        "security group": world.alike("/v2.0/security-groups", "security_group", _NAMED),
        "security group rule": world.rules,
        "floating IP": world.alike("/v2.0/floatingips", "floatingip", floating),
        "trunk": world.trunks,
        "QoS policy": world.alike("/v2.0/qos/policies", "policy", _NAMED),
        "subnet pool": world.alike("/v2.0/subnetpools", "subnetpool", pool),
        "address scope": world.alike(
            "/v2.0/address-scopes", "address_scope", _NAMED | {"ip_version": 4}
        ),
        "address group": world.alike("/v2.0/address-groups", "address_group", _NAMED),
        "metering label": world.alike("/v2.0/metering/metering-labels", "metering_label", _NAMED),
        "update of a port with If-Match": world.conditional,
        "router's interface": world.interfaces,
    }


class _Turns:
    """One case: what is asked of the control plane and of the echo."""

    def __init__(
        self, ask: Callable[[int], Ask], server: Server, echo: Server, load: LoadGenerator
    ) -> None:
        self.alone: list[Outcome] = []
        self.together: list[Outcome] = []
        self.echo: list[Outcome] = []
        self._ask = ask
        self._server = server
        self._echo = echo
        self._load = load

    def ours(self) -> None:
        for outcomes, clients, count in (
            (self.alone, 1, _alone),
            (self.together, _clients, _together),
        ):
            job = self._job(self._ask(count), clients)
            self._server.wait_until_quiet()
            outcomes.append(checked(self._load.run(job), 200, 201))
            self._server.wait_until_quiet()

    def bare(self) -> None:
        answer = self.alone[0].sample
        put = Job(port=self._echo.port, method="PUT", targets=["/any"], body=answer, count=1)
        self._load.run(put)
        job = self._job(self._ask(_alone), 1)
        same = msgspec.structs.replace(
            job, port=self._echo.port, method="POST", targets=["/any"] * len(job.targets)
        )
        self.echo.append(checked(self._load.run(same), 200, 201))

    def _job(self, ask: Ask, clients: int) -> Job:
        return Job(
            port=self._server.port,
            method=ask.method,
            targets=ask.targets,
            bodies=[msgspec.json.encode(body).decode() for body in ask.bodies],
            headers=ask.headers,
            connections=clients,
            count=len(ask.targets),
        )


def measure(bench: Bench) -> list[Section]:
    """All kinds."""
    data = bench.folder / "creates"
    data.mkdir()
    with (
        servers.control_plane(data) as server,
        servers.echo(bench.folder) as echo,
        LoadGenerator() as load,
    ):
        found = {
            name: _case(bench, name, _Turns(ask, server, echo, load))
            for name, ask in _cases(World(server.api)).items()
        }
    return [_section(found)]


def _case(bench: Bench, name: str, turns: _Turns) -> _Turns:
    in_turns(
        bench.rounds(_rounds, _rounds_quick),
        {"Alcor": turns.ours, "bare echo": turns.bare},
        lambda what: bench.tell(f"{name}: {what}"),
        turning=False,  # the echo answers what Alcor has answered
    )
    return turns


def _section(found: dict[str, _Turns]) -> Section:
    return Section(
        title="One call of each kind",
        about=(
            "`alcor up` on SQLite with `synchronous=FULL`; one resource a call, every call with "
            f"others to refer to where it needs them, by one client and by {_clients}. The bare "
            "echo answers the same bytes to the same bodies, to one client, in turns."
        ),
        columns=["call", "1 client, p50", "p99", f"{_clients} clients", "echo, p50", "times echo"],
        rows=[_row(name, turns) for name, turns in found.items()],
    )


def _row(name: str, turns: _Turns) -> Row:
    p50, p99 = _at(turns.alone, 0.5), _at(turns.alone, 0.99)
    echo = _at(turns.echo, 0.5)
    per_s = spread(_together / outcome.seconds for outcome in turns.together).median
    return Row(
        cells=[name, seconds(p50), seconds(p99), rate(per_s), seconds(echo), ratio(p50 / echo)],
        values={
            "p50_s": p50,
            "p99_s": p99,
            "per_s": per_s,
            "echo_s": echo,
            "times_echo": p50 / echo,
        },
    )


def _at(outcomes: Sequence[Outcome], share: float) -> float:
    return spread(percentile(outcome.latencies_s, share) for outcome in outcomes).median
