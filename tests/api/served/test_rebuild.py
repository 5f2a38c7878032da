"""The logs may be lost, all of them: they are made again, and no host is touched."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from tests.api.served.conftest import Region
from tests.api.served.hosts import Hosts
from tests.api.served.storm import until
from tests.fixtures.ports import free_port

from alcor.goal_state.slices import host_port_key


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, module_nats_server: Any, postgres: Any
) -> Iterator[Region]:
    """The module's region, whose hosts find its delivery at `hosts_port`."""
    databases = postgres.url(f"{uuid4().hex}_{{manager}}")
    folder = tmp_path_factory.mktemp("region")
    found = Region(folder, module_nats_server.url, databases, hosts_port=free_port())
    try:
        yield found
    finally:
        found.stop()


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
def test_logs_that_are_lost_are_made_again_and_hosts_keep_what_they_hold(
    region: Region, module_nats_server: Any
) -> None:
    network = region.ask("POST", "/v2.0/networks", {"network": {"name": "n"}})
    network_id = network.body["network"]["id"]
    subnet = {"network_id": network_id, "ip_version": 4, "cidr": "10.0.0.0/16"}
    assert region.ask("POST", "/v2.0/subnets", {"subnet": subnet}).status == 201
    with Hosts(region, ["h1", "h2"]) as hosts:
        kept = make(region, network_id, "h1", 20) | make(region, network_id, "h2", 20)
        until(hosts.held, lambda held: held == kept, region)

        module_nats_server.kill()
        shutil.rmtree(module_nats_server.folder)
        module_nats_server.folder.mkdir()
        module_nats_server.start()
        # A delivery that starts now knows nothing but what managers tell the new logs.
        region.kill("delivery")
        region.start("delivery")

        more = make(region, network_id, "h1", 1)
        until(hosts.held, lambda held: held == kept | more, region)
        assert hosts.lost() == set()


def rebuilt(region: Region, *options: str) -> subprocess.CompletedProcess[str]:
    """`alcor rebuild` with these options."""
    argv = [sys.executable, "-P", "-m", "alcor.cli.main", "rebuild"]
    argv += ["--config", str(region.config), *options]
    return subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.timeout(900)  # every wait has a limit
def test_an_operator_has_the_logs_made_anew_twice_while_all_goes_on(region: Region) -> None:
    network = region.ask("POST", "/v2.0/networks", {"network": {"name": "n"}})
    network_id = network.body["network"]["id"]
    subnet = {"network_id": network_id, "ip_version": 4, "cidr": "10.0.0.0/16"}
    assert region.ask("POST", "/v2.0/subnets", {"subnet": subnet}).status == 201
    with Hosts(region, ["h3", "h4"]) as hosts:
        kept = make(region, network_id, "h3", 20) | make(region, network_id, "h4", 20)
        until(hosts.held, lambda held: held == kept, region)

        assert "nothing was changed" in rebuilt(region, "--dry-run").stdout
        for _ in range(2):
            done = rebuilt(region, "--yes")
            assert done.returncode == 0, done.stderr + done.stdout
            assert "the logs are complete" in done.stdout
            kept |= make(region, network_id, "h3", 1)
            until(hosts.held, kept.__eq__, region)

        # A delivery that starts now knows nothing but what managers told the new logs.
        region.kill("delivery")
        region.start("delivery")
        kept |= make(region, network_id, "h4", 1)
        until(hosts.held, lambda held: held == kept, region)
        assert hosts.lost() == set()


def test_logs_that_nobody_could_fill_again_are_not_emptied(region: Region) -> None:
    region.kill("managers")

    refused = rebuilt(region, "--yes")

    assert refused.returncode == 2
    assert "no managers answer" in refused.stderr
