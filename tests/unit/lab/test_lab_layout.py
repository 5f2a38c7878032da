"""What a lab's things are called, and which of them are its own."""

from pathlib import Path

import pytest

from alcor.lab.layout import LabError, Layout, interface_name, machine_name
from alcor.lab.processes import Program, program_of

LAB = Layout("alcor", Path("/run/alcor-lab/alcor"))


@pytest.mark.parametrize("name", ["", "a-b", "A", "1a", "a/b", "..", "abcdefghijklm"])
def test_a_lab_can_only_have_a_name_that_no_other_labs_prefix_begins_with(name: str) -> None:
    with pytest.raises(LabError):
        Layout(name, Path("/run/x"))


def test_every_namespace_of_a_lab_begins_with_its_prefix_and_no_other_labs_does() -> None:
    other = Layout("alcor2", Path("/run/alcor-lab/alcor2"))

    names = [LAB.underlay_namespace, LAB.host(1).namespace, LAB.machine_namespace("vm1")]

    assert all(name.startswith(LAB.prefix) for name in names)
    assert not any(name.startswith(other.prefix) for name in names)
    assert not other.underlay_namespace.startswith(LAB.prefix)


def test_no_two_hosts_share_a_tunnel_address_or_a_mac() -> None:
    hosts = LAB.hosts(200)

    assert len({host.tunnel_ip for host in hosts}) == 200
    assert len({host.underlay_mac for host in hosts}) == 200
    assert hosts[0].tunnel_ip == "172.31.0.1"


def test_socket_paths_fit_the_kernels_limit() -> None:
    lab = Layout("abcdefghijkl", Path("/run/alcor-lab/abcdefghijkl"))

    assert len(str(lab.host(200).folder / "br-int.mgmt")) < 107


def test_a_machines_name_can_be_a_files_and_an_interfaces_fits_the_kernel() -> None:
    port_id = "0192c0de-0000-7000-8000-000000000001"

    assert machine_name("web/1 ü", port_id) == "web-1--"
    assert machine_name("", port_id) == "0192c0de"
    assert len(interface_name(port_id)) <= 15


def test_only_the_labs_own_programs_are_taken_for_its_processes() -> None:
    assert program_of(["/usr/sbin/ovs-vswitchd", "unix:/x"]) is Program.SWITCH
    assert program_of(["python", "-P", "-m", "alcor.cli.main", "agent"]) is Program.AGENT
    assert program_of(["python", "-m", "alcor.cli.main", "up"]) is Program.CONTROL_PLANE
    assert program_of(["tail", "-f", "/run/alcor-lab/alcor/control.log"]) is None
    assert program_of(["python", "-m", "alcor.cli.main", "lab"]) is None
    assert program_of(["python", "-m", "alcor.cli.main"]) is None
    assert program_of([]) is None
