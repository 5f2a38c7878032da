"""Any process may be killed at any moment under load: nothing is lost, and nothing is doubled.

`--kills N --seed S` say how often and which: `make kills N=300`. Hosts are the product's own client
of the delivery, and must hold in the end what the API shows.
"""

import sys
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import psycopg
import pytest
from tests.api.served.conftest import Region
from tests.api.served.hosts import Hosts
from tests.api.served.storm import Storm, check, until

from alcor.goal_state.slices import host_port_key

clients = 6
roles = ("managers", "managers-2", "gateway", "gateway-2", "delivery")
victims = (*roles, "nats", "postgres")


@pytest.fixture
def hosts(region_alone: Region) -> Iterator[Hosts]:
    with Hosts(region_alone, ["h1", "h2"]) as found:
        yield found


def ports_of(region: Region, network_id: str) -> Any:
    answer = region.ask("GET", f"/v2.0/ports?network_id={network_id}")
    return answer.body["ports"] if answer.status == 200 else None


def kill(victim: str, region: Region, nats: Any, postgres: Any) -> None:
    if victim == "postgres":
        postgres.crash()
        postgres.start()
    elif victim == "nats":
        nats.kill()
        nats.start()
    else:
        if victim in region.processes:
            region.kill(victim)
        region.start(victim.removesuffix("-2"), victim)


def strike(storm: Storm, region: Region, random: Random, nats: Any, postgres: Any) -> str:
    """Kill one at some moment; the next may come before all are back, or after."""
    moment = storm.book.attempts + random.randrange(1, 60)
    until(lambda: storm.book.attempts, lambda found: found >= moment, region)
    victim = random.choice(victims)
    kill(victim, region, nats, postgres)
    if random.random() < 0.5:
        wanted = storm.book.acknowledged + 5
        until(lambda: storm.book.acknowledged, lambda found: found >= wanted, region)
    return victim


def rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.mark.timeout(0)  # every wait has a limit
def test_any_process_may_be_killed_at_any_moment(
    region_alone: Region,
    hosts: Hosts,
    own_nats_server: Any,
    own_postgres: Any,
    request: pytest.FixtureRequest,
) -> None:
    region, kills = region_alone, request.config.getoption("--kills")
    seed = request.config.getoption("--seed")
    random, began = Random(seed), time.monotonic()
    network_id = region.network()
    until(
        lambda: region.ask("GET", "/alcor/v1/nodes").body["nodes"],
        lambda found: len(found) == 2,
        region,
    )
    for role in ("managers", "gateway"):
        region.start(role, f"{role}-2")
    storm = Storm(region, network_id, ["h1", "h2"], seed)
    storm.begin(clients)
    told = []
    try:
        for n in range(kills):
            told.append(strike(storm, region, random, own_nats_server, own_postgres))
            if n % 10 == 9:
                say(seed, n + 1, storm, began)
            assert not storm.book.faults
    finally:
        storm.end()
        say(seed, len(told), storm, began)

    ports = until(lambda: ports_of(region, network_id), lambda found: found is not None, region)
    check(storm.book, ports)
    wanted = {host_port_key(port["binding:host_id"], port["id"]) for port in ports}
    until(hosts.held, lambda found: found == wanted, region)
    # Whoever leads next gives back what was leased for ports that never came to be.
    for name in ("managers", "managers-2"):
        region.kill(name)
    region.start("managers")
    leases = "SELECT owner, subnet_id, address FROM lease ORDER BY 1, 2, 3"
    held = "SELECT port_id, subnet_id, address FROM port_address ORDER BY 1, 2, 3"
    until(
        lambda: rows(own_postgres.url("alcor_ip"), leases),
        lambda found: found == rows(own_postgres.url("alcor_port"), held),
        region,
    )
    counted = "SELECT count FROM used WHERE kind = 'port' AND count <> 0"
    assert rows(own_postgres.url("alcor_port"), counted) == [(len(ports),)]


def say(seed: int, kills: int, storm: Storm, began: float) -> None:
    book = storm.book
    sys.stderr.write(
        f"\nseed {seed}: {kills} kills in {time.monotonic() - began:.0f} s, {book.acknowledged} "
        f"acknowledged, {book.put_off} put off, {book.unanswered} unanswered, "
        f"{len(book.faults)} faults\n"
    )
