"""The logs may be lost, all of them: they are made again, and no host is touched."""

import shutil
from typing import Any

import pytest
from tests.api.served.conftest import Region
from tests.api.served.hosts import Hosts
from tests.api.served.storm import until

from alcor.goal_state.slices import host_port_key


def make(region: Region, network_id: str, host: str, count: int) -> set[str]:
    """Ports on a host; the keys under which it holds them."""
    ports = [{"network_id": network_id, "binding:host_id": host} for _ in range(count)]
    made = until(
        lambda: region.ask("POST", "/v2.0/ports", {"ports": ports}),
        lambda answer: answer.status != 503,
        region,
    )
    assert made.status == 201, made
    return {host_port_key(host, port["id"]) for port in made.body["ports"]}


@pytest.mark.timeout(900)  # every wait has a limit
def test_logs_that_are_purged_are_made_again_and_hosts_keep_what_they_hold(
    region_alone: Region, own_nats_server: Any
) -> None:
    region = region_alone
    network = region.ask("POST", "/v2.0/networks", {"network": {"name": "n"}})
    network_id = network.body["network"]["id"]
    subnet = {"network_id": network_id, "ip_version": 4, "cidr": "10.0.0.0/16"}
    assert region.ask("POST", "/v2.0/subnets", {"subnet": subnet}).status == 201
    with Hosts(region, ["h1", "h2"]) as hosts:
        kept = make(region, network_id, "h1", 20) | make(region, network_id, "h2", 20)
        until(hosts.held, lambda held: held == kept, region)

        own_nats_server.kill()
        shutil.rmtree(own_nats_server.folder)
        own_nats_server.folder.mkdir()
        own_nats_server.start()
        # A delivery that starts now knows nothing but what managers tell the new logs.
        region.kill("delivery")
        region.start("delivery")

        more = make(region, network_id, "h1", 1)
        until(hosts.held, lambda held: held == kept | more, region)
        assert hosts.lost() == set()
