"""Database servers and NATS go away and come back under load: requests wait, or are put off.

The ports have a database server of their own: it is enough to change one manager's URL.
"""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.api.served.conftest import Region, running
from tests.api.served.storm import Storm, check, until


def databases(url: str) -> set[str]:
    with psycopg.connect(url, autocommit=True) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


@pytest.mark.timeout(900)  # every wait has a limit
def test_one_managers_server_fails_over_under_load(
    region_on_two: Region, own_postgres: Any, own_nats_server: Any
) -> None:
    region = region_on_two
    network_id = region.network()
    processes = dict(region.processes)
    storm = Storm(region, network_id, ["h1"], seed=1)
    storm.begin(4)

    def goes_on() -> None:
        wanted = storm.book.acknowledged + 20
        until(lambda: storm.book.acknowledged, lambda found: found >= wanted, region)

    try:
        goes_on()
        own_postgres.kill()
        before = storm.book.acknowledged
        # What needs no port is answered as before: its server is another one.
        assert region.ask("POST", "/v2.0/networks", {"network": {"name": "m"}}).status == 201
        own_postgres.start()
        goes_on()
        own_nats_server.kill()
        own_nats_server.start()
        goes_on()
    finally:
        storm.end()

    assert storm.book.acknowledged > before
    assert region.processes == processes  # nobody had to be started again
    listed = until(
        lambda: region.ask("GET", f"/v2.0/ports?network_id={network_id}"),
        lambda found: found.status == 200,
        region,
    )
    check(storm.book, listed.body["ports"])
    assert databases(own_postgres.url("ports")) >= {"ports"}
    assert not any("_network" in name for name in databases(own_postgres.url("ports")))


@pytest.mark.timeout(900)  # every wait has a limit
def test_a_long_outage_of_one_managers_server_stops_no_other_manager(
    region_on_two: Region, own_postgres: Any
) -> None:
    """What waits for it is refused, and what needs it not is answered, by the same process."""
    region = region_on_two
    network_id = region.network()
    managers = region.processes["managers"]
    own_postgres.kill()
    try:
        until(
            lambda: region.log("managers"),
            lambda told: '"outbox.not_read"' in told or '"task ended"' in told,
            region,
        )
        assert '"task ended"' not in region.log("managers")
        network = {"network": {"name": "meanwhile"}}
        assert region.ask("POST", "/v2.0/networks", network).status == 201
        port = {"port": {"network_id": network_id}}
        assert region.ask("POST", "/v2.0/ports", port).status == 503
        assert managers.poll() is None
    finally:
        own_postgres.start()

    until(lambda: region.ask("POST", "/v2.0/ports", port).status, (201).__eq__, region)
    assert region.processes["managers"] is managers


@pytest.mark.timeout(900)  # every wait has a limit
def test_managers_that_lose_all_servers_at_once_go_on_when_they_are_back(
    region_alone: Region, own_nats_server: Any, own_postgres: Any
) -> None:
    region = region_alone
    network_id = region.network()
    region.wait_until_ready("delivery")  # one that has not met its server yet ends without it
    processes = dict(region.processes)
    own_nats_server.kill()
    own_postgres.kill()
    own_postgres.start()
    until(
        lambda: region.log("managers"),
        lambda told: '"managers.begin_anew"' in told or region.processes != processes,
        region,
    )
    own_nats_server.start()

    port = {"port": {"network_id": network_id}}
    until(lambda: region.ask("POST", "/v2.0/ports", port).status, (201).__eq__, region)
    assert region.processes == processes


@pytest.mark.timeout(900)  # every wait has a limit
def test_who_takes_the_lead_of_a_server_that_is_full_leads_once_it_is_not(
    tmp_path: Path, own_nats_server: Any, own_postgres: Any
) -> None:
    """Each database lets in who writes, and nobody who reads what is to be told."""
    admin = own_postgres.url("postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE guest LOGIN CREATEDB")
    theirs = own_postgres.url("{manager}").replace("alcor@", "guest@")
    with running(Region(tmp_path, own_nats_server.url, theirs)) as region:
        region.start("managers", "standby")
        until(lambda: region.log("standby"), lambda told: '"waits"' in told, region)
        standby = region.processes["standby"]
        network = {"network": {"name": "n"}}

        let_in(admin, len(databases(admin)) - len({"postgres", "template0", "template1"}))
        region.kill("managers")
        until(
            lambda: region.log("standby"),
            lambda told: '"managers.begin_anew"' in told or standby.poll() is not None,
            region,
        )
        assert region.readyz("standby").status == 503
        answer = region.ask("POST", "/v2.0/networks", network)
        assert (answer.status, bool(answer.retry_after)) == (503, True)
        let_in(admin, -1)

        until(lambda: region.ask("POST", "/v2.0/networks", network).status, (201).__eq__, region)
        assert region.processes["standby"] is standby
        assert standby.poll() is None


def let_in(url: str, connections: int) -> None:
    """Let the guest have so many connections at once; -1: as many as they like."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE guest CONNECTION LIMIT {connections}".encode())
