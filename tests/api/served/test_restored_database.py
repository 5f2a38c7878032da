"""A database is put back from a backup: region and hosts become what it says, and go on."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.api.served.conftest import Region
from tests.api.served.hosts import Hosts
from tests.api.served.storm import until
from tests.api.served.test_rebuild import make


def exchange(region: Region, postgres: Any, old: Path, new: Path) -> None:
    """Stop managers and server, copy the server's folder `old` to `new`, and start them again."""
    region.kill("managers")
    postgres.kill()
    shutil.rmtree(new, ignore_errors=True)
    subprocess.run(["cp", "-a", old, new], check=True)
    postgres.start()
    region.start("managers")
    region.wait_until_served()


@pytest.mark.timeout(900)  # every wait has a limit
def test_a_database_that_is_put_back_is_what_hosts_hold_and_is_gone_on_from(
    region_alone: Region, own_postgres: Any, tmp_path: Path
) -> None:
    region, data = region_alone, own_postgres.folder / "data"
    backup = own_postgres.folder / "backup"
    network = region.ask("POST", "/v2.0/networks", {"network": {"name": "n"}})
    network_id = network.body["network"]["id"]
    subnet = {"network_id": network_id, "ip_version": 4, "cidr": "10.0.0.0/16"}
    assert region.ask("POST", "/v2.0/subnets", {"subnet": subnet}).status == 201
    with Hosts(region, ["h1", "h2"]) as hosts:
        kept = make(region, network_id, "h1", 5) | make(region, network_id, "h2", 5)
        until(hosts.held, kept.__eq__, region)
        exchange(region, own_postgres, data, backup)

        deleted = next(iter(kept))
        assert region.ask("DELETE", f"/v2.0/ports/{deleted.rpartition('/')[2]}").status == 204
        later = kept - {deleted} | make(region, network_id, "h1", 7)
        until(hosts.held, later.__eq__, region)
        renamed = {"network": {"name": "since"}}
        before = region.ask("PUT", f"/v2.0/networks/{network_id}", renamed).headers
        revision = before["x-alcor-revision"]  # in the log, when hosts have it
        converged = region.ask("GET", f"/alcor/v1/convergence?revision={revision}&timeout=60")
        assert converged.body["converged"]
        exchange(region, own_postgres, backup, data)

        until(hosts.held, kept.__eq__, region)
        ports = region.ask("GET", "/v2.0/ports").body["ports"]
        assert {port["id"] for port in ports} == {key.rpartition("/")[2] for key in kept}
        more = make(region, network_id, "h2", 3)
        until(hosts.held, (kept | more).__eq__, region)
        again = region.ask("PUT", f"/v2.0/networks/{network_id}", renamed).headers
        assert _sequence(again) > _sequence(before)
        assert '"log.ahead"' in region.log("managers")


def _sequence(headers: dict[str, str]) -> int:
    return int(headers["x-alcor-revision"].partition(":")[2])
