"""Names over the API reach Designate, and a Designate that is down stops no port."""

from pathlib import Path

from tests.api.conftest import Api, running
from tests.fixtures.designate import Designate

from alcor.gateway.app import GatewaySettings
from alcor.integrations.designate.settings import DesignateSettings
from alcor.lab.waiting import wait_until

ZONE = "example.org."
WEB = (ZONE, f"web.{ZONE}", "A")


def test_names_over_the_api_reach_designate(tmp_path: Path) -> None:
    with Designate() as dns:
        dns.zone(ZONE, "blue")
        settings = DesignateSettings(endpoint=dns.endpoint, interval_s=0.01)
        with running(tmp_path, GatewaySettings(), designate=settings) as api:
            assert api.get("/v2.0/extensions/subnet-dns-publish-fixed-ip").status == 200
            network = api.network(dns_domain=ZONE, project_id="blue")["id"]
            subnet = api.subnet(network, "10.0.0.0/24", dns_publish_fixed_ip=True)
            assert subnet["dns_publish_fixed_ip"] is True
            port = api.port(network, dns_name="web", project_id="blue")
            (address,) = (each["ip_address"] for each in port["fixed_ips"])
            wait_until("publication", lambda: dns.held() == {WEB: [address]}, 30)
            change(api, f"/v2.0/ports/{port['id']}", "port", dns_name="db")
            wait_until("the new name", lambda: set(dns.held()) == {(ZONE, f"db.{ZONE}", "A")}, 30)
            change(api, f"/v2.0/subnets/{subnet['id']}", "subnet", dns_publish_fixed_ip=False)
            wait_until("removal", lambda: dns.held() == {}, 30)


def test_a_designate_that_is_down_stops_no_port(tmp_path: Path) -> None:
    with Designate() as gone:
        where, port = gone.endpoint, gone.server_address[1]
    settings = DesignateSettings(endpoint=where, interval_s=0.01, retry_s_max=0.1)
    with running(tmp_path, GatewaySettings(), designate=settings) as api:
        network = api.network(dns_domain=ZONE, project_id="blue")["id"]
        api.subnet(network, "10.0.0.0/24", dns_publish_fixed_ip=True)
        made = [api.port(network, dns_name=f"n{i}", project_id="blue") for i in range(5)]
        assert api.call("DELETE", f"/v2.0/ports/{made[0]['id']}").status == 204
        with Designate(port) as back:
            back.zone(ZONE, "blue")
            wait_until("publication", lambda: len(back.held()) == 4, 30)


def change(api: Api, path: str, kind: str, **fields: object) -> None:
    assert api.call("PUT", path, {kind: fields}).status == 200
