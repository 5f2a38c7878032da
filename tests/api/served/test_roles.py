"""Gateways, managers, delivery as processes: any may be killed; nothing is lost or doubled."""

import signal
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any

from tests.api.served.conftest import Region


def ports_of(region: Region, network_id: str) -> list[Any]:
    answer = region.ask("GET", f"/v2.0/ports?network_id={network_id}")
    assert answer.status == 200
    return list(answer.body["ports"])


def test_a_write_passes_through_all_roles_and_is_planned(region: Region) -> None:
    network_id = region.network()
    ports = [{"network_id": network_id, "name": f"p{n}"} for n in range(20)]

    made = region.ask("POST", "/v2.0/ports", {"ports": ports})

    assert made.status == 201
    assert len({ip["ip_address"] for p in made.body["ports"] for ip in p["fixed_ips"]}) == 20
    last = region.ask("GET", "/v2.0/networks/nothing")
    assert last.status == 404
    assert last.body["NeutronError"]["type"] == "NetworkNotFound"
    revision = made.headers["x-alcor-revision"]
    converged = region.ask("GET", f"/alcor/v1/convergence?revision={revision}")
    assert converged.status == 200, converged
    assert converged.body["converged"]


def test_managers_that_are_killed_lose_nothing_and_others_take_over(region: Region) -> None:
    network_id = region.network()
    region.start("managers", "standby")
    region.wait_until_ready("standby")
    made: list[str] = []

    def create(n: int) -> None:
        port = {"port": {"network_id": network_id, "name": f"p{n}"}}
        try:
            answer = region.ask("POST", "/v2.0/ports", port)
        except (OSError, HTTPException):
            return
        assert answer.status in (201, 503), answer.body
        if answer.status == 201:
            made.append(answer.body["port"]["id"])

    with ThreadPoolExecutor(8) as clients:
        wanted = [clients.submit(create, n) for n in range(200)]
        while len(made) < 50:
            wanted[0].exception()
        region.kill("managers")
        for each in wanted:
            each.result()

    region.wait_until_served()
    held = ports_of(region, network_id)
    addresses = [ip["ip_address"] for port in held for ip in port["fixed_ips"]]
    assert set(made) <= {port["id"] for port in held}
    assert len(addresses) == len(set(addresses)) == len(held)
    assert len({port["mac_address"] for port in held}) == len(held)
    assert len(made) >= 100  # the standby went on


def test_nats_and_a_gateway_may_be_killed(region: Region, module_nats_server: Any) -> None:
    network_id = region.network()
    region.start("gateway", "other")
    module_nats_server.kill()
    module_nats_server.start()
    region.kill("gateway")

    region.wait_until_served()
    port = {"port": {"network_id": network_id}}
    answers = [region.ask("POST", "/v2.0/ports", port).status for _ in range(5)]

    assert answers[-1] == 201
    assert set(answers) <= {201, 503}
    assert len(ports_of(region, network_id)) >= answers.count(201)


def test_a_database_that_was_killed_is_used_again(region_alone: Region, own_postgres: Any) -> None:
    region = region_alone
    network_id = region.network()
    processes = dict(region.processes)
    own_postgres.kill()
    own_postgres.start()

    statuses = [503]
    while statuses[-1] == 503:
        region.wait_until_served()
        port = {"port": {"network_id": network_id}}
        statuses.append(region.ask("POST", "/v2.0/ports", port).status)

    assert statuses[-1] == 201
    assert region.processes == processes  # nobody had to be started again


def test_a_role_that_is_told_to_stop_ends_well(region: Region) -> None:
    for role in ("gateway", "delivery", "managers"):
        assert region.kill(role, signal.SIGTERM) == 0, region.log(role)


def test_a_role_that_is_told_to_stop_while_nats_is_away_ends_well(
    region: Region, module_nats_server: Any
) -> None:
    module_nats_server.kill()
    try:
        for role in ("gateway", "delivery", "managers"):
            assert region.kill(role, signal.SIGTERM) == 0, region.log(role)
    finally:
        module_nats_server.start()
