"""Nova hears of a port when the switch has its flows, and when it is gone."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.system.conftest import of_this_checkout

from alcor.client.api import NETWORK, PORT, SUBNET
from alcor.lab import lab as labs
from alcor.lab.lab import Lab
from alcor.lab.waiting import wait_until

SERVER = "5e7a0000-0000-4000-8000-000000000001"
lab_name = of_this_checkout("sysnova")
told_timeout_s = 30.0


class Nova(ThreadingHTTPServer):
    """Records the events that it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[tuple[str, str, str]] = []


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["events"]
        assert isinstance(self.server, Nova)
        self.server.told += [(e["name"], e["tag"], e["server_uuid"]) for e in events]
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def nova() -> Iterator[Nova]:
    with Nova() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def lab(nova: Nova) -> Iterator[Lab]:
    """A host, and a control plane that knows where Nova is."""
    labs.down(lab_name)
    try:
        with pytest.MonkeyPatch.context() as environment:
            endpoint = f"http://127.0.0.1:{nova.server_address[1]}/v2.1"
            environment.setenv("ALCOR_NOVA__ENDPOINT", endpoint)
            built = labs.up(lab_name, 1)
        yield built
        built.api.close()
    finally:
        labs.down(lab_name)


def test_a_machines_port_is_plugged_unplugged_and_deleted(lab: Lab, nova: Nova) -> None:
    network_id = lab.api.create(NETWORK, [{}]).items[0]["id"]
    lab.api.create(SUBNET, [{"network_id": network_id, "ip_version": 4, "cidr": "10.77.0.0/24"}])
    body = {"network_id": network_id, "name": "nova1", "binding:host_id": "h1",
            "device_owner": "compute:nova", "device_id": SERVER}  # fmt: skip
    port = lab.api.create(PORT, [body]).items[0]

    def hears(name: str) -> None:
        event = (name, port["id"], SERVER)
        wait_until(f"{name} of {port['id']}", lambda: event in nova.told, told_timeout_s)

    machines = lab.plug([port])
    hears("network-vif-plugged")
    lab.unplug(machines)
    hears("network-vif-unplugged")
    lab.api.delete(PORT, port["id"])
    hears("network-vif-deleted")

    assert [name for name, _, _ in nova.told] == [
        "network-vif-plugged", "network-vif-unplugged", "network-vif-deleted"]  # fmt: skip
