"""Metadata: curl in a machine is answered as that machine, whatever it says about itself."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from alcor.client.api import PORT
from alcor.lab import namespaces, parts
from alcor.lab.commands import run
from alcor.lab.lab import Lab
from alcor.lab.record import Machine

lab_name = "sysmeta"
lab_hosts = 2

SERVER4, SERVER6 = "169.254.169.254", "[fe80::a9fe:a9fe%25eth0]"
SECRET = b"between friends"
LARGE = b"0123456789abcdef" * 16_384  # 256 KiB

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


class Nova(BaseHTTPRequestHandler):
    """Says what it was asked; `/large` is large."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        told = {name.lower(): value for name, value in self.headers.items()}
        told |= {"path": self.path, "method": self.command, "body": self.rfile.read(size).decode()}
        body = LARGE if self.path == "/large" else json.dumps(told).encode()
        self.send_response(200 if self.path != "/gone" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - its name

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
        pass


@pytest.fixture(scope="module")
def nova() -> Iterator[int]:
    """A metadata service on this computer; its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Nova) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def served(lab: Lab, nova: int, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The lab, whose agents know the metadata service."""
    secret = tmp_path_factory.mktemp("nova") / "secret"
    secret.write_bytes(SECRET + b"\n")
    restart_agents(lab, f"http://127.0.0.1:{nova}", secret)
    return lab


def restart_agents(lab: Lab, url: str, secret: Path) -> None:
    for host in lab.hosts:
        parts.stop_agent(host)
        how = ["--metadata-url", url, "--metadata-secret-file", str(secret)] if url else []
        parts.start_agent(host, lab.record, *how)
    parts.wait_alive(lab.api, lab.hosts)


def machines_of(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, names: str, hosts: str
) -> list[Machine]:
    """Machines of one address in a network each; a machine's instance is `vm-` and its name."""
    made = []
    for name, host in zip(names.split(), hosts.split(), strict=True):
        network_id = make_network("10.41.0.0/24", "fd00:41::/64")
        (machine,) = make_machines(network_id, name, host)
        revision = lab.api.update(PORT, machine.port_id, {"device_id": f"vm-{name}"})[1]
        assert lab.api.wait(revision, 30).converged
        namespace = lab.layout.machine_namespace(name)
        run("ip", "-n", namespace, "route", "replace", f"{SERVER4}/32", "dev", "eth0")
        made.append(machine)
    return made


def curl(lab: Lab, machine: Machine, *words: str) -> str:
    with namespaces.inside(lab.layout.machine_namespace(machine.name)):
        return run("curl", "-sS", "-g", "--max-time", "20", *words)


@pytest.mark.proves("Metadata", "IPv4 IPv6", "same")
def test_each_machine_is_who_its_port_says_and_not_who_it_says(
    served: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    lies = ["-H", "X-Instance-ID: vm-other", "-H", "x-tenant-id: root", "-H", "X-Forwarded-For: 1"]
    red, blue = machines_of(served, make_network, make_machines, "red blue", "h1 h1")

    assert red.addresses == blue.addresses
    for machine in (red, blue):
        port = served.api.show(PORT, machine.port_id)
        for server in (SERVER4, SERVER6):
            told = json.loads(curl(served, machine, *lies, f"http://{server}/openstack/x?y=1"))

            device = f"vm-{machine.name}"
            signature = hmac.new(SECRET, device.encode(), hashlib.sha256).hexdigest()
            assert told["x-instance-id"] == device
            assert told["x-instance-id-signature"] == signature
            assert told["x-tenant-id"] == port["project_id"]
            assert told["x-forwarded-for"] in machine.addresses
            assert told["x-neutron-network-id"] == port["network_id"]
            assert told["path"] == "/openstack/x?y=1"


def test_large_answers_and_posted_bodies_arrive_whole_and_statuses_as_they_are(
    served: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    (machine,) = machines_of(served, make_network, make_machines, "whole", "h2")

    assert curl(served, machine, f"http://{SERVER4}/large").encode() == LARGE
    posted = json.loads(
        curl(served, machine, "-d", "x" * 20_000, f"http://{SERVER4}/openstack/latest/password")
    )
    assert (posted["method"], posted["body"]) == ("POST", "x" * 20_000)
    several = curl(served, machine, f"http://{SERVER4}/a", f"http://{SERVER4}/b")
    assert several.count('"path"') == 2
    assert status(served, machine, "/gone") == "404"


def status(lab: Lab, machine: Machine, path: str = "/") -> str:
    what = ["-o", "/dev/null", "-w", "%{http_code}", f"http://{SERVER4}{path}"]
    return curl(lab, machine, *what)


def test_a_port_of_no_machine_has_no_metadata(
    served: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    (machine,) = machines_of(served, make_network, make_machines, "nobody", "h1")
    revision = served.api.update(PORT, machine.port_id, {"device_id": ""})[1]
    assert served.api.wait(revision, 30).converged

    assert status(served, machine) == "404"


def test_without_nova_machines_are_told_to_come_again(
    served: Lab, make_network: MakeNetwork, make_machines: MakeMachines, tmp_path: Path
) -> None:
    (machine,) = machines_of(served, make_network, make_machines, "early", "h1")
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)

    restart_agents(served, "http://127.0.0.1:1", secret)

    assert status(served, machine) == "503"
