"""What would be larger than a log's record is refused, and changes nothing."""

from pathlib import Path

from tests.api.conftest import running

from alcor.gateway.app import GatewaySettings
from alcor.managers.security_group.app import SecurityGroupSettings


def addresses(first: int) -> list[str]:
    return [
        f"2001:db8:1111:2222:3333:4444:{n >> 12:x}:{n & 0xFFF:x}/128"
        for n in range(first, first + 10_000)
    ]


def test_a_group_that_outgrows_its_record_stays_as_it_was(tmp_path: Path) -> None:
    settings = SecurityGroupSettings(addresses_per_group_max=100_000)
    with running(tmp_path, GatewaySettings(), security_group=settings) as api:
        group = api.make("/v2.0/address-groups", "address_group", addresses=addresses(0))
        path = f"/v2.0/address-groups/{group['id']}"

        answer = api.call("PUT", f"{path}/add_addresses", {"addresses": addresses(20_000)})

        assert (answer.status, answer.type) == (413, "HTTPRequestEntityTooLarge")
        assert "address_group" in answer.message
        held = api.get(path).json["address_group"]
        assert len(held["addresses"]) == 10_000
        assert held["revision_number"] == group["revision_number"]
        assert api.call("PUT", path, {"address_group": {"name": "n"}}).status == 200
