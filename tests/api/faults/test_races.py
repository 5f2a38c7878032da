"""Sixty-four clients at once over small pools: nothing doubled, passed, orphaned or broken.

The promises hold for every meeting, on SQLite and on PostgreSQL. `--race-requests` lets each client
ask for longer.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.api.conftest import Answer, Api, Databases, running, soon
from tests.api.faults.race_game import Game, limits, overlapping, projects

from alcor.gateway.app import GatewaySettings

clients = 64

EXPECTED = {200, 201, 204, 400, 404, 409, 412}
KINDS = ("ports", "subnets", "networks", "routers", "security-groups", "floatingips")
OWNED_BY = {
    "network:router_interface": "routers",
    "network:router_gateway": "routers",
    "network:floatingip": "floatingips",
}


class Played:
    """A game that is over, and the control plane after it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: list[tuple[str, Answer]] = []
        self._running = ExitStack()
        self.restart()

    def restart(self) -> None:
        """Start the control plane, on what it held."""
        self._running.close()
        self.api: Api = self._running.enter_context(running(self.folder, GatewaySettings()))

    def close(self) -> None:
        """Stop it."""
        self._running.close()

    def rows(self, manager: str, query: str) -> list[Any]:
        """What a manager's database holds."""
        if url := Databases.served(self.folder).postgres:
            with closing(psycopg.connect(url.replace("{manager}", manager))) as server:
                return server.execute(query).fetchall()
        with closing(sqlite3.connect(self.folder / f"{manager}.sqlite", timeout=10)) as file:
            return file.execute(query).fetchall()

    def there(self) -> dict[str, dict[str, dict[str, Any]]]:
        """All that there is, by kind and id."""
        return {
            kind: {each["id"]: each for each in self.api.listed(f"/v2.0/{kind}")} for kind in KINDS
        }


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def played(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """A game of all clients, on one kind of database."""
    folder = tmp_path_factory.mktemp("races")
    count = request.config.getoption("--race-requests")
    first = 1_000 * (1 + request.param_index)
    with pytest.MonkeyPatch.context() as patch:
        url = request.getfixturevalue("postgres").url if request.param == "postgres" else None
        if not Databases.in_processes:  # those are on PostgreSQL always
            patch.setattr(Databases, "url", url)
        over = Played(folder)
        try:
            game = Game(over.api)
            with ThreadPoolExecutor(clients) as threads:
                games = threads.map(lambda i: game.play(first + i, count), range(clients))
                over.answers = [answer for each in games for answer in each]
            yield over
        finally:
            over.close()


def test_every_answer_is_one_that_the_api_knows(played: Played) -> None:
    counts = Counter((move, answer.status) for move, answer in played.answers)
    strange = [(move, a) for move, a in played.answers if a.status not in EXPECTED]
    assert not strange, strange[:5]
    succeeded = {move for move, status in counts if status < 300}
    assert len(succeeded) > len({move for move, _ in counts}) / 2, counts  # it was a game at all
    assert sum(n for (_, status), n in counts.items() if status == 409) > clients, counts


def held(played: Played) -> list[tuple[str, str, str]]:
    """Every address of every port: subnet, address, port."""
    ports = played.api.listed("/v2.0/ports")
    return [(ip["subnet_id"], ip["ip_address"], p["id"]) for p in ports for ip in p["fixed_ips"]]


def leases(played: Played) -> list[tuple[str, str, str]]:
    return [tuple(row) for row in played.rows("ip", "SELECT subnet_id, address, owner FROM lease")]


def test_no_address_is_two_ports_and_each_is_leased_to_its_port(played: Played) -> None:
    addresses = held(played)
    assert len({(subnet, address) for subnet, address, _ in addresses}) == len(addresses) > 0
    assert set(addresses) <= set(leases(played))


def test_no_quota_is_passed_and_usage_is_exact(played: Played) -> None:
    there = played.there()
    for project in projects:
        quota = played.api.get(f"/v2.0/quotas/{project}/details").json["quota"]
        for kind in KINDS:
            name = kind.removesuffix("s").replace("-", "_")
            owned = sum(each["project_id"] == project for each in there[kind].values())
            assert quota[name]["used"] == owned, (project, kind)
            assert owned <= limits[name]


def test_a_project_has_one_default_group(played: Played) -> None:
    groups = played.api.listed("/v2.0/security-groups?name=default")
    assert any(group["project_id"].startswith("new-") for group in groups)
    assert max(Counter(group["project_id"] for group in groups).values()) == 1


def test_nothing_refers_to_what_is_gone(played: Played) -> None:
    there = played.there()
    ports, groups, subnets = (there[kind] for kind in ("ports", "security-groups", "subnets"))
    for subnet in subnets.values():
        assert subnet["network_id"] in there["networks"]
    for port in ports.values():
        assert port["network_id"] in there["networks"]
        assert {ip["subnet_id"] for ip in port["fixed_ips"]} <= subnets.keys()
        assert set(port["security_groups"]) <= groups.keys()
        if kind := OWNED_BY.get(port["device_owner"]):
            assert port["device_id"] in there[kind], port
    for group in groups.values():
        for rule in group["security_group_rules"]:
            assert rule["remote_group_id"] is None or rule["remote_group_id"] in groups
    pools = {id_ for (id_,) in played.rows("ip", "SELECT subnet_id FROM pool")}
    assert pools == subnets.keys()


def test_routers_have_their_ports_and_no_two_subnets_that_overlap(played: Played) -> None:
    there = played.there()
    for router in there["routers"].values():
        owned = [p for p in there["ports"].values() if p["device_id"] == router["id"]]
        gates = [p for p in owned if p["device_owner"] == "network:router_gateway"]
        info = router["external_gateway_info"]
        assert len(gates) == (info is not None)
        assert not gates or gates[0]["fixed_ips"] == info["external_fixed_ips"]
        on = [ip["subnet_id"] for p in owned for ip in p["fixed_ips"]]
        assert not overlapping([ip_network(there["subnets"][id_]["cidr"]) for id_ in on]), router


def test_floating_ips_are_of_one_port_and_reach_it(played: Played) -> None:
    there = played.there()
    given = [each for each in there["floatingips"].values() if each["port_id"]]
    assert len({(f["port_id"], f["fixed_ip_address"]) for f in given}) == len(given)
    for each in given:
        port = there["ports"][each["port_id"]]
        assert each["fixed_ip_address"] in [ip["ip_address"] for ip in port["fixed_ips"]]
        assert each["router_id"] in there["routers"]
    outer = [p for p in there["ports"].values() if p["device_owner"] == "network:floatingip"]
    assert sorted(p["device_id"] for p in outer) == sorted(there["floatingips"])


def test_the_log_of_changes_is_in_order_and_complete(played: Played) -> None:
    """Every row's sequence is below its manager's last one, and no two rows share one."""
    for manager in ("port", "network", "subnet"):
        ((last,),) = played.rows(manager, "SELECT last FROM sequence")
        sequences = [n for (n,) in played.rows(manager, f"SELECT sequence FROM {manager}")]
        assert len(set(sequences)) == len(sequences)
        assert max(sequences, default=0) <= last


def test_after_a_restart_no_address_is_leased_to_nobody(played: Played) -> None:
    """What was leased for creates that were refused is free again."""
    before = held(played)

    played.restart()

    assert sorted(held(played)) == sorted(before)
    left = soon(lambda: leases(played), lambda found: len(found) == len(before))
    assert sorted(left) == sorted(before)
