"""A region on a cluster of three NATS servers: any of them may go, and nobody begins anew."""

import asyncio
import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import nats
import pytest
from tests.api.served.conftest import Region, running
from tests.api.served.hosts import Hosts
from tests.api.served.storm import Storm, check, until
from tests.fixtures.nats_cluster import SIZE, NatsCluster, nats_cluster
from tests.fixtures.ports import free_port

from alcor.goal_state.slices import host_port_key

roles = ("managers", "gateway", "delivery")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    with nats_cluster(tmp_path / "nats") as found:
        yield found


@pytest.fixture
def region(tmp_path: Path, cluster: NatsCluster, postgres: Any) -> Iterator[Region]:
    databases = postgres.url(f"{uuid4().hex}_{{manager}}")
    with running(Region(tmp_path, cluster.url, databases, hosts_port=free_port())) as found:
        yield found


async def leader_and_missing(cluster: NatsCluster) -> tuple[int, int]:
    """The number of the server that leads the intent log, and how many are not up to its end."""
    client = await nats.connect(cluster.urls)
    try:
        found = (await client.jetstream().stream_info("alcor_intent")).cluster
    finally:
        await client.close()
    if found is None or found.leader is None:
        raise nats.errors.Error("they have not agreed on a leader")
    replicas = found.replicas or []
    current = sum(each.current is True and not each.offline for each in replicas)
    return int(found.leader.removeprefix("nats-")), SIZE - 1 - current


def lead(cluster: NatsCluster) -> tuple[int, int]:
    try:
        return asyncio.run(leader_and_missing(cluster))
    except (nats.errors.Error, nats.js.errors.Error) as problem:
        raise OSError(str(problem)) from problem  # which `until` asks again after


def told(region: Region, event: str) -> list[str]:
    lines = [line for role in roles for line in region.log(role).splitlines()]
    return [line for line in lines if json.loads(line).get("event") == event]


def test_any_server_of_a_cluster_may_go_under_load(region: Region, cluster: NatsCluster) -> None:
    """The one that leads the log is killed and loses its disk; then another one falls silent."""
    network_id = region.network()
    with Hosts(region, ["h1", "h2"]) as hosts:
        until(
            lambda: region.ask("GET", "/alcor/v1/nodes").body["nodes"],
            lambda found: len(found) == 2,
            region,
        )
        begun = told(region, "log.new_life")
        storm = Storm(region, network_id, ["h1", "h2"], 1)

        def go_on() -> None:
            wanted = storm.book.acknowledged + 20
            until(lambda: storm.book.acknowledged, lambda found: found >= wanted, region)

        storm.begin(3)
        try:
            go_on()
            first, _ = until(lambda: lead(cluster), bool, region)
            cluster.kill(first)
            go_on()
            shutil.rmtree(cluster.folders[first])
            cluster.start(first)
            until(lambda: lead(cluster), lambda found: found[1] == 0, region)
            second = (first + 1) % SIZE
            cluster.freeze(second)
            go_on()
            cluster.thaw(second)
            go_on()
        finally:
            storm.end()

        def ports() -> Any:
            answer = region.ask("GET", f"/v2.0/ports?network_id={network_id}")
            return answer.body["ports"] if answer.status == 200 else None

        found = until(ports, lambda each: each is not None, region)
        check(storm.book, found)
        wanted = {host_port_key(port["binding:host_id"], port["id"]) for port in found}
        until(hosts.held, lambda each: each == wanted, region)
    assert told(region, "log.new_life") == begun
    for role in ("managers", "delivery"):
        region.wait_until_ready(role)
        assert region.readyz(role).body["checks"]["logs"] is True


def test_a_region_goes_from_one_server_to_a_cluster_and_its_hosts_do_not_notice(
    tmp_path: Path, own_nats_server: Any, cluster: NatsCluster, postgres: Any
) -> None:
    """As the guide says: the setting is changed, and role by role is started again."""
    databases = postgres.url(f"{uuid4().hex}_{{manager}}")
    alone = Region(tmp_path, own_nats_server.url, databases, hosts_port=free_port())
    with running(alone) as region, Hosts(region, ["h1", "h2"]) as hosts:
        network_id = region.network()

        def make(name: str) -> str:
            port = {"network_id": network_id, "name": name, "binding:host_id": "h1"}
            made = region.ask("POST", "/v2.0/ports", {"port": port})
            assert made.status == 201, made
            return host_port_key("h1", made.body["port"]["id"])

        before = make("before")
        until(hosts.held, lambda held: held == {before}, region)
        settings = region.config.read_text().replace(own_nats_server.url, cluster.url)
        region.config.write_text(settings)
        for role in roles:
            region.kill(role, signal.SIGTERM)
            region.start(role)
        region.wait_until_served()
        own_nats_server.kill()
        for role in ("managers", "delivery"):
            region.wait_until_ready(role)

        after = make("after")

        until(hosts.held, lambda held: held == {before, after}, region)
        assert not hosts.lost()
