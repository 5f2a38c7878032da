"""Hosts: a namespace each, with ovsdb-server, ovs-vswitchd (userspace datapath) and br-phys.

A host comes as an operator hands it over: its switch runs and its tunnel address is on br-phys. The
integration bridge and the tunnel port are the agent's work.
"""

import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from alcor.lab import namespaces, processes
from alcor.lab.commands import environment, ip_batch, run
from alcor.lab.interfaces import checksum_in_software
from alcor.lab.layout import LabHost, Layout, tunnel_network_length, underlay_mtu
from alcor.lab.processes import Program
from alcor.lab.waiting import wait_until

hosts_at_once = 4  # started together; more only queue for the processor
switch_timeout_s = 20.0

T = TypeVar("T")


def each(do: Callable[[LabHost], T], hosts: Iterable[LabHost]) -> list[T]:
    """Do it on several hosts at a time; the first failure is raised when all are through."""
    with ThreadPoolExecutor(hosts_at_once) as pool:
        return [work.result() for work in [pool.submit(do, host) for host in hosts]]


def build(lab: Layout, hosts: list[LabHost]) -> None:
    """Make the underlay and the hosts, and wait until each switch knows the way to the others."""
    _lay_underlay(lab, hosts)
    each(_start_host, hosts)


def _lay_underlay(lab: Layout, hosts: list[LabHost]) -> None:
    namespaces.create([lab.underlay_namespace, *(host.namespace for host in hosts)])
    under = lab.underlay_namespace
    ip_batch(
        [
            f"link add phys0 netns {host.namespace} mtu {underlay_mtu} address {host.underlay_mac}"
            f" type veth peer name {host.name} mtu {underlay_mtu} netns {under}"
            for host in hosts
        ]
    )
    joined = [f"link set {host.name} master br0 up" for host in hosts]
    bridge = f"link add br0 mtu {underlay_mtu} type bridge mcast_snooping 0"
    ip_batch([bridge, "link set br0 up", *joined], under)


def _start_host(host: LabHost) -> None:
    host.folder.mkdir(parents=True)
    ip_batch(["link set lo up", "link set phys0 up"], host.namespace)
    with namespaces.inside(host.namespace):
        checksum_in_software("phys0")
    run("ovsdb-tool", "create", host.folder / "conf.db", env=switch_environment(host))
    _start_database(host)
    # The whole configuration is written first: then one pass of ovs-vswitchd makes it all.
    vsctl(host, *_configuration(host), wait=False)
    start_switch(host)


def _configuration(host: LabHost) -> list[str]:
    mtu = str(underlay_mtu)
    threads = ["other_config:n-handler-threads=1", "other_config:n-revalidator-threads=1"]
    return [
        *("--", "init", "--", "set", "Open_vSwitch", "."),
        *(f"external_ids:system-id={host.name}", f"external_ids:hostname={host.name}", *threads),
        *("--", "add-br", "br-phys", "--", "set", "Bridge", "br-phys", "datapath_type=netdev"),
        *("fail_mode=standalone", f'other_config:hwaddr="{host.underlay_mac}"'),
        *("--", "set", "Interface", "br-phys", f"mtu_request={mtu}"),
        *("--", "add-port", "br-phys", "phys0"),
    ]


def switch_environment(host: LabHost) -> dict[str, str]:
    """What the ovs-* programs need to find this host's sockets."""
    names = ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR")
    return environment(**dict.fromkeys(names, str(host.folder)))


def vsctl(host: LabHost, *words: str, wait: bool = True) -> str:
    """Change the host's switch database in one transaction; `wait` until the switch has it."""
    how = [f"--timeout={switch_timeout_s:g}"] if wait else ["--no-wait"]
    return run("ovs-vsctl", *how, *words, env=switch_environment(host))


def ofctl(host: LabHost, verb: str, *words: str) -> str:
    """Ask or tell the integration bridge by OpenFlow."""
    return run("ovs-ofctl", "-O", "OpenFlow14", verb, *words, env=switch_environment(host))


def appctl(host: LabHost, *words: str) -> str:
    """Ask or tell the switch process itself."""
    return run("ovs-appctl", "-t", host.folder / "vswitchd.ctl", *words)


def _start_database(host: LabHost) -> None:
    _start_daemon(
        host,
        Program.OVSDB,
        [str(host.folder / "conf.db"), f"--remote=punix:{host.database_socket}"],
        "ovsdb",
    )


def start_switch(host: LabHost) -> None:
    """Start ovs-vswitchd and set br-phys up, as a host's network set-up does at its start."""
    arguments = [f"unix:{host.database_socket}", "--disable-system"]
    _start_daemon(host, Program.SWITCH, arguments, "vswitchd")
    address = f"{host.tunnel_ip}/{tunnel_network_length}"
    ip_batch([f"addr replace {address} dev br-phys", "link set br-phys up"], host.namespace)
    wait_until(f"the route of {host.name}", lambda: _has_route(host), switch_timeout_s)


def _has_route(host: LabHost) -> bool:
    # The tunnel code learns routes from the namespace by netlink, a moment after they are made.
    return f"/{tunnel_network_length} dev br-phys" in appctl(host, "ovs/route/show")


def _start_daemon(host: LabHost, program: Program, arguments: list[str], name: str) -> None:
    quiet = ["-vconsole:off", "-vsyslog:off", f"--log-file={host.folder / name}.log"]
    control = [f"--unixctl={host.folder / name}.ctl", f"--pidfile={host.folder / program}.pid"]
    with namespaces.inside(host.namespace):
        # --detach returns when the first configuration pass is done.
        run(
            *(program, *arguments, *quiet, *control, "--detach", "--no-chdir"),
            env=switch_environment(host),
        )


def stop_switch(host: LabHost, how: signal.Signals = signal.SIGTERM) -> None:
    """End ovs-vswitchd: the host forwards nothing until it is started again."""
    processes.stop(processes.running(host.folder, Program.SWITCH), how)


def reboot(host: LabHost) -> None:
    """End the switch and its database at once, and start them: without flows, with the database."""
    programs = (Program.SWITCH, Program.OVSDB)
    processes.stop(processes.running(host.folder, *programs), signal.SIGKILL)
    for leftover in _sockets(host.folder):
        leftover.unlink()
    _start_database(host)
    start_switch(host)


def _sockets(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_socket() or path.suffix == ".pid"]


def flow_count(host: LabHost) -> int:
    """How many flows the integration bridge has."""
    return int(ofctl(host, "dump-aggregate", "br-int").rsplit("flow_count=", 1)[1])
