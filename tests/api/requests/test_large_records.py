"""What would be larger than a log's record is refused, and changes nothing."""

from pathlib import Path

from tests.api.conftest import running

from alcor.gateway.app import GatewaySettings
from alcor.managers.router.app import RouterSettings

beside = "2001:db8:1111:2222"  # the router


def routes(first: int) -> list[dict[str, str]]:
    """A thousand of them: as many as one call may bear."""
    return [
        {
            "destination": f"2001:db8:3333:4444:5555:6666:{n >> 12:x}:{n & 0xFFF:x}/128",
            "nexthop": f"{beside}:3333:4444:{n >> 12:x}:{n & 0xFFF:x}",
        }
        for n in range(first, first + 1_000)
    ]


def test_a_router_that_outgrows_its_record_stays_as_it_was(tmp_path: Path) -> None:
    settings = RouterSettings(routes_max=100_000)
    with running(tmp_path, GatewaySettings(), router=settings) as api:
        subnet = api.subnet(api.network()["id"], f"{beside}::/64")["id"]
        path = f"/v2.0/routers/{api.make('/v2.0/routers', 'router')['id']}"
        joined = api.call("PUT", f"{path}/add_router_interface", {"subnet_id": subnet})
        assert joined.status == 200, joined

        answers = [
            api.call("PUT", f"{path}/add_extraroutes", {"router": {"routes": routes(first)}})
            for first in range(1, 8_001, 1_000)
        ]

        took = [answer for answer in answers if answer.status == 200]
        refused = answers[len(took)]
        assert (refused.status, refused.type) == (413, "HTTPRequestEntityTooLarge")
        assert "router" in refused.message
        held = api.get(path).json["router"]
        assert len(held["routes"]) == 1_000 * len(took) > 0
        assert held["revision_number"] == took[-1].json["router"]["revision_number"]
        assert api.call("PUT", path, {"router": {"description": "d"}}).status == 200
