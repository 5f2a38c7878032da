"""Sixty-four clients at once over small pools: nothing doubled, passed, orphaned or broken.

What each client asks is drawn from a seed; how the requests meet is the machine's. The promises
hold for every meeting.
"""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.api.conftest import Answer, Api, running

from alcor.gateway.app import GatewaySettings

clients = 64
requests_each = 12
ports_max = 30  # of each project
projects = ("one", "two", "three")

EXPECTED = {200, 201, 204, 400, 404, 409, 412, 503}


class Game:
    """What there is to meet over."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.networks = [api.network(project_id="one")["id"] for _ in range(3)]
        # Eleven addresses each: far fewer than clients.
        self.subnets = [api.subnet(n, f"10.{i}.0.0/28")["id"] for i, n in enumerate(self.networks)]
        for project in projects:
            api.call("PUT", f"/v2.0/quotas/{project}", {"quota": {"port": ports_max}})

    def play(self, seed: int) -> list[Answer]:
        """One client's requests."""
        rng = random.Random(seed)
        mine: list[str] = []
        return [self._move(rng, mine) for _ in range(requests_each)]

    def _move(self, rng: random.Random, mine: list[str]) -> Answer:
        move = rng.choice(["make", "make", "bulk", "readdress", "retag", "delete", "group", "net"])
        if move in ("readdress", "retag", "delete") and not mine:
            move = "make"
        match move:
            case "make" | "bulk":
                return self._make(rng, mine, 1 if move == "make" else 3)
            case "readdress":
                path = f"/v2.0/ports/{rng.choice(mine)}"
                address = f"10.{rng.randrange(3)}.0.{rng.randrange(1, 15)}"
                return self._put(path, {"fixed_ips": [{"ip_address": address}]})
            case "retag":
                return self.api.call("PUT", f"/v2.0/ports/{rng.choice(mine)}/tags/{rng.random()}")
            case "delete":
                return self.api.call("DELETE", f"/v2.0/ports/{mine.pop(rng.randrange(len(mine)))}")
            case "group":
                return self.api.get(f"/v2.0/security-groups?project_id=new-{rng.randrange(4)}")
        return self._network(rng)

    def _make(self, rng: random.Random, mine: list[str], count: int) -> Answer:
        i = rng.randrange(3)
        port: dict[str, Any] = {
            "network_id": self.networks[i],
            "project_id": rng.choice(projects),
        }
        if rng.random() < 0.5:
            port["fixed_ips"] = [{"ip_address": f"10.{i}.0.{rng.randrange(1, 15)}"}]
        answer = self.api.call("POST", "/v2.0/ports", {"ports": [port] * count})
        if answer.status == 201:
            mine += [each["id"] for each in answer.json["ports"]]
        return answer

    def _put(self, path: str, changes: dict[str, Any]) -> Answer:
        return self.api.call("PUT", path, {"port": changes})

    def _network(self, rng: random.Random) -> Answer:
        """A network of everybody's id: made, used and deleted by whoever comes."""
        id_ = f"00000000-0000-4000-8000-0000000000{rng.randrange(10, 14)}"
        match rng.randrange(3):
            case 0:
                return self.api.call("POST", "/v2.0/networks", {"network": {"id": id_}})
            case 1:
                subnet = {"network_id": id_, "cidr": "10.9.0.0/28", "ip_version": 4}
                return self.api.call("POST", "/v2.0/subnets", {"subnet": subnet})
        return self.api.call("DELETE", f"/v2.0/networks/{id_}")


@pytest.fixture(scope="module", params=[1, 2])
def played(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The answers of a game, the control plane after it, and the folder of its databases."""
    folder = tmp_path_factory.mktemp("races")
    gateway = GatewaySettings()
    with running(folder, gateway) as api:
        game = Game(api)
        seeds = [request.param * 1_000 + i for i in range(clients)]
        with ThreadPoolExecutor(clients) as threads:
            answers = [a for some in threads.map(game.play, seeds) for a in some]
        yield answers, api, folder


def rows(folder: Path, manager: str, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / f"{manager}.sqlite", timeout=10)) as connection:
        return connection.execute(query).fetchall()


def test_every_answer_is_one_that_the_api_knows(played: Any) -> None:
    answers, _, _ = played
    counts = Counter(answer.status for answer in answers)
    assert counts.keys() <= EXPECTED, counts
    assert counts[201] > clients  # it was a game at all
    assert counts[409] > 0


def test_no_address_is_two_ports_and_every_lease_is_a_ports(played: Any) -> None:
    _, api, folder = played
    held = [
        (ip["subnet_id"], ip["ip_address"], port["id"])
        for port in api.listed("/v2.0/ports")
        for ip in port["fixed_ips"]
    ]
    assert len({(subnet, address) for subnet, address, _ in held}) == len(held)
    leases = rows(folder, "ip", "SELECT subnet_id, address, owner FROM lease")
    assert set(held) <= set(leases)
    ports = {port["id"] for port in api.listed("/v2.0/ports")}
    living = {subnet["id"] for subnet in api.listed("/v2.0/subnets")}
    assert {subnet for subnet, _, _ in held} <= living
    # What is leased beyond that is of creates that were refused: the sweeper's, nobody's port.
    assert {owner for s, a, owner in set(leases) - set(held)}.isdisjoint(ports)


def test_no_quota_is_passed_and_usage_is_exact(played: Any) -> None:
    _, api, _ = played
    counts = Counter(port["project_id"] for port in api.listed("/v2.0/ports"))
    assert max(counts.values()) <= ports_max
    for project in projects:
        used = api.get(f"/v2.0/quotas/{project}/details").json["quota"]["port"]["used"]
        assert used == counts[project]


def test_a_project_has_one_default_group(played: Any) -> None:
    _, api, _ = played
    groups = api.listed("/v2.0/security-groups?name=default")
    assert max(Counter(group["project_id"] for group in groups).values()) == 1


def test_no_subnet_is_left_without_its_network(played: Any) -> None:
    _, api, folder = played
    networks = {network["id"] for network in api.listed("/v2.0/networks")}
    assert {subnet["network_id"] for subnet in api.listed("/v2.0/subnets")} <= networks
    assert {port["network_id"] for port in api.listed("/v2.0/ports")} <= networks
    pools = {id_ for (id_,) in rows(folder, "ip", "SELECT subnet_id FROM pool")}
    assert pools == {subnet["id"] for subnet in api.listed("/v2.0/subnets")}


def test_the_log_of_changes_is_in_order_and_complete(played: Any) -> None:
    """Every row's sequence is below its manager's last one, and no two rows share one."""
    _, _, folder = played
    for manager in ("port", "network", "subnet"):
        ((last,),) = rows(folder, manager, "SELECT last FROM sequence")
        sequences = [n for (n,) in rows(folder, manager, f"SELECT sequence FROM {manager}")]
        assert len(set(sequences)) == len(sequences)
        assert max(sequences, default=0) <= last
