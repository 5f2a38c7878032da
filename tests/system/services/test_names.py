"""Names: dig asks the host by UDP and TCP, over IPv4 and IPv6, and is answered or passed on."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from alcor.client.api import NETWORK, PORT, SUBNET, Kind
from alcor.lab import namespaces, parts
from alcor.lab.commands import run
from alcor.lab.lab import Lab
from alcor.lab.machines import give_address
from alcor.lab.record import Machine

lab_name = "sysnames"
lab_hosts = 2

SERVER4, SERVER6 = "169.254.169.254", "fe80::a9fe:a9fe"
ROUTER = Kind("router", "routers", "/v2.0/routers")
FLOATING = Kind("floatingip", "floatingips", "/v2.0/floatingips")
ELSEWHERE = bytes((192, 0, 2, 80))

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


@pytest.fixture
def resolver() -> Iterator[int]:
    """Somebody else's resolver on this computer, which knows one answer; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        threading.Thread(target=_answer_all, args=(door,), daemon=True).start()
        yield door.getsockname()[1]


def _answer_all(door: socket.socket) -> None:
    """Until the door is closed: who waits at it then gets one question more."""
    with suppress(OSError):
        while True:
            asked, asker = door.recvfrom(4096)
            end = asked.index(b"\0", 12) + 5
            head = asked[:2] + b"\x81\x80\0\x01\0\x01\0\0\0\0"
            record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + ELSEWHERE
            door.sendto(head + asked[12:end] + record, asker)


def dig(lab: Lab, machine: Machine, *words: str, form: str = "+short") -> str:
    """What dig prints inside a machine."""
    with namespaces.inside(lab.layout.machine_namespace(machine.name)):
        return run("dig", form, "+time=2", "+tries=3", *words).strip()


@pytest.mark.proves("Names", "IPv4 IPv6", "same")
def test_machines_are_found_by_name_and_by_address_and_others_are_asked_for(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, resolver: int
) -> None:
    for host in lab.hosts:
        parts.stop_agent(host)
        parts.start_agent(host, lab.record, "--dns-resolvers", f"127.0.0.1:{resolver}")
    parts.wait_alive(lab.api, lab.hosts)
    network_id = make_network("10.31.0.0/24", "fd00:31::/64")
    asker, named = make_machines(network_id, "asker named", "h1 h2")
    revision = lab.api.update(PORT, named.port_id, {"dns_name": "db"})[1]
    assert lab.api.wait(revision, 30).converged
    ready(lab, asker)
    label = named.address(4).replace(".", "-")

    for server in (SERVER4, f"{SERVER6}%eth0"):  # who doubts that it is there asks it
        with namespaces.inside(lab.layout.machine_namespace(asker.name)):
            assert "1 received" in run("ping", "-n", "-c1", "-W5", server)
    for how in ((f"@{SERVER4}",), (f"@{SERVER4}", "+tcp"), (f"@{SERVER6}%eth0",)):
        assert dig(lab, asker, *how, "db.openstacklocal") == named.address(4)
        assert dig(lab, asker, *how, "db.openstacklocal", "AAAA") == named.address(6)
        assert dig(lab, asker, *how, f"host-{label}.openstacklocal") == named.address(4)
        assert dig(lab, asker, *how, "-x", named.address(4)) == "db.openstacklocal."
    assert dig(lab, asker, f"@{SERVER4}", "www.example.org") == "192.0.2.80"
    nobody = dig(lab, asker, f"@{SERVER4}", "nobody.openstacklocal", form="+comments")
    assert "status: NXDOMAIN" in nobody
    zone = dig(lab, asker, f"@{SERVER4}", "openstacklocal", "SOA")
    assert zone.startswith("openstacklocal. nobody.invalid. ")
    itself = dig(lab, asker, f"@{SERVER4}", "openstacklocal", form="+comments")
    assert "status: NOERROR" in itself
    assert "AUTHORITY: 1" in itself
    backwards = "0.31.10.in-addr.arpa"
    assert dig(lab, asker, f"@{SERVER4}", backwards, "SOA").startswith(f"{backwards}. nobody.")
    missing = dig(lab, asker, f"@{SERVER4}", "-x", "10.31.0.250", form="+comments")
    assert "status: NXDOMAIN" in missing
    assert "AUTHORITY: 1" in missing
    halfway = dig(lab, asker, f"@{SERVER4}", "0.0.1.3.0.0.0.0.d.f.ip6.arpa", form="+comments")
    assert "status: NOERROR" in halfway
    assert "ANSWER: 0" in halfway


def ready(lab: Lab, machine: Machine) -> None:
    """A route to the services, as DHCP gives it."""
    namespace = lab.layout.machine_namespace(machine.name)
    run("ip", "-n", namespace, "route", "replace", f"{SERVER4}/32", "dev", "eth0")


def test_a_floating_ip_is_found_by_its_name_behind_its_router_only(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    outside = lab.api.create(NETWORK, [{"router:external": True}]).items[0]["id"]
    subnet = {"network_id": outside, "cidr": "203.0.113.0/24", "ip_version": 4}
    lab.api.create(SUBNET, [subnet])
    router = lab.api.create(ROUTER, [{"external_gateway_info": {"network_id": outside}}]).items[0]
    inside, other = make_network("10.34.0.0/24"), make_network("10.35.0.0/24")
    (asker,), (stranger,) = make_machines(inside, "fa", "h1"), make_machines(other, "fs", "h2")
    legs = [each["id"] for each in lab.api.list_page(SUBNET, [("network_id", inside)])]
    lab.api.act(ROUTER, router["id"], "add_router_interface", {"subnet_id": legs[0]})
    body = {"floating_network_id": outside, "port_id": asker.port_id}
    name = {"dns_name": "shop", "dns_domain": "example.net."}
    made = lab.api.create(FLOATING, [body | name])
    assert lab.api.wait(made.revision, 30).converged
    for each in (asker, stranger):
        ready(lab, each)

    known = dig(lab, asker, f"@{SERVER4}", "shop.example.net")
    assert known == made.items[0]["floating_ip_address"]
    unknown = dig(lab, stranger, f"@{SERVER4}", "shop.example.net")
    assert made.items[0]["floating_ip_address"] not in unknown


def test_names_of_one_network_are_unknown_in_another_of_the_same_addresses(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    machines = [
        make_machines(make_network("10.32.0.0/24"), name, "h1", "10.32.0.5")[0]
        for name in ("red", "blue")
    ]
    for machine, name in zip(machines, ("onlyred", "onlyblue"), strict=True):
        revision = lab.api.update(PORT, machine.port_id, {"dns_name": name})[1]
        assert lab.api.wait(revision, 30).converged
        give_address(lab.layout, machine, "10.32.0.5", 24)
        ready(lab, machine)

    red, blue = machines
    for asker, own, other in ((red, "onlyred", "onlyblue"), (blue, "onlyblue", "onlyred")):
        assert dig(lab, asker, f"@{SERVER4}", f"{own}.openstacklocal") == "10.32.0.5"
        assert dig(lab, asker, f"@{SERVER4}", f"{other}.openstacklocal") == ""
        assert dig(lab, asker, f"@{SERVER4}", "-x", "10.32.0.5") == f"{own}.openstacklocal."


def test_dhcp_says_who_resolves_names_and_how_to_reach_it(
    lab: Lab, make_network: MakeNetwork
) -> None:
    network_id = make_network("10.33.0.0/24")
    body = {"network_id": network_id, "name": "told", "binding:host_id": "h1"}
    created = lab.api.create(PORT, [body])
    machines = lab.plug(created.items)
    assert lab.api.wait(created.revision, 30).converged

    lease = lab.get_leases(machines)["told"]

    assert (lease.dns, lease.domain) == (SERVER4, "openstacklocal")
    label = machines[0].addresses[0].replace(".", "-")
    assert lease.hostname == f"host-{label}"  # as dns_assignment says, and not the port's own name
    found = dig(lab, machines[0], f"@{lease.dns}", f"host-{label}.openstacklocal")
    assert found == machines[0].addresses[0]
