"""A lab as a whole: up, open, down, and what one does with it."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from alcor.client.api import PORT, Api, Item
from alcor.client.credentials import SignedIn, sign_in
from alcor.lab import evidence, hosts, machines, namespaces, outside, parts, processes
from alcor.lab.layout import (
    LabError,
    LabHost,
    Layout,
    hosts_max,
    lab_root,
    layout,
    machine_name,
)
from alcor.lab.record import (
    LabRecord,
    Machine,
    load_lab,
    load_machine,
    load_machines,
    save_lab,
)
from alcor.lab.traffic import dhcp
from alcor.lab.traffic.ping import PingResult, all_pairs, ping
from alcor.lab.traffic.stream import Stream, interval_s
from alcor.lab.vlans import VlanSwitch

dhcp_timeout_s = 30.0
ping_timeout_s = 10.0
page_items = 1_000


class HostStatus(NamedTuple):
    """How a host is: whether its parts run, and how many flows its switch has."""

    host: LabHost
    switch: bool
    agent: bool
    flows: int
    machines: int


class Lab:
    """A lab that is up."""

    def __init__(self, where: Layout, record: LabRecord) -> None:
        self.layout = where
        self.record = record
        self.hosts = where.hosts(record.hosts)
        # A control plane of the lab's own asks nobody who they are.
        own = record.control_plane
        signed = SignedIn() if own else sign_in(os.environ)
        self.api = Api(record.endpoint, token=signed.token, trust=signed.trust)

    def host(self, name: str) -> LabHost:
        """The host of this name."""
        for host in self.hosts:
            if host.name == name:
                return host
        names = ", ".join(host.name for host in self.hosts)
        raise LabError(f"lab '{self.layout.name}' has no host '{name}', but {names}")

    def namespace(self, name: str) -> str:
        """The namespace of a machine, or else of a host; `outside` is the world outside."""
        if name == "outside" and self.record.uplinks:
            return self.layout.outside_namespace
        if any(host.name == name for host in self.hosts):
            return self.host(name).namespace
        return self.layout.machine_namespace(load_machine(self.layout, name).name)

    def machines(self, names: Sequence[str] = ()) -> list[Machine]:
        """The machines of these names; all when none is given."""
        if not names:
            return load_machines(self.layout)
        return [load_machine(self.layout, name) for name in names]

    def without_machine(self, network_id: str) -> list[Item]:
        """A network's ports that machines are still to be plugged into: not those of routers."""
        plugged = {machine.port_id for machine in self.machines()}
        ports = self.api.list_all(PORT, [("network_id", network_id)], 0, page_items)
        return [
            port
            for port in ports
            if port["id"] not in plugged and not port["device_owner"].startswith("network:")
        ]

    def plug(self, ports: Sequence[Item]) -> list[Machine]:
        """Make a machine for each port (the API's objects) on the port's host."""
        fresh = [self._machine(port) for port in ports]
        there = {machine.name for machine in load_machines(self.layout)}
        for machine in fresh:
            if machine.name in there:
                raise LabError(f"there is a machine '{machine.name}' already")
            there.add(machine.name)
        machines.plug(self.layout, fresh)
        return fresh

    def plug_behind(self, parent: Machine, port_by_vlan: Mapping[int, Item]) -> VlanSwitch:
        """Machines for the sub-ports of a machine's trunk, to be used as a context."""
        behind = {vlan: self._machine(port) for vlan, port in port_by_vlan.items()}
        return VlanSwitch(self.layout, parent, behind)

    def _machine(self, port: Item) -> Machine:
        host = port.get("binding:host_id") or ""
        if not host:
            step = f"name one by `alcor port set {port['id']} --host HOST`"
            raise LabError(f"port {port['id']} is bound to no host: {step}")
        return Machine(
            name=machine_name(port.get("name") or "", port["id"]),
            port_id=port["id"],
            mac=port["mac_address"],
            host=self.host(host).number,
            addresses=[one["ip_address"] for one in port.get("fixed_ips", ())],
        )

    def unplug(self, gone: Sequence[Machine]) -> None:
        """Take machines away; their ports stay in the API."""
        machines.unplug(self.layout, gone)

    def get_leases(self, of: Sequence[Machine]) -> dict[str, dhcp.Lease]:
        """Run DHCP clients; the leases by machine of those that got one."""
        return dhcp.get_leases(self.layout, of, dhcp_timeout_s)

    def ping_all(
        self, address_by_machine: Mapping[str, str], timeout_s: float = ping_timeout_s
    ) -> PingResult:
        """Every machine asks every other, until all have answered or the time is up."""
        where = {name: self.layout.machine_namespace(name) for name in address_by_machine}
        return ping(all_pairs(address_by_machine), where, timeout_s)

    def keep_evidence(self, of: Sequence[Machine]) -> Path:
        """Write down what the lab knows of these machines and of all hosts; the new folder."""
        return evidence.keep(self.layout, self.hosts, of, self.api)

    def stream(self, machine: str, address: str, interval: float = interval_s) -> Stream:
        """A ping every `interval` seconds from a machine, to be used as a context."""
        return Stream(self.layout.machine_namespace(machine), address, interval)

    def status(self) -> list[HostStatus]:
        """How each host is."""
        plugged = [machine.host for machine in load_machines(self.layout)]
        return hosts.each(lambda host: _status(host, plugged.count(host.number)), self.hosts)


def _status(host: LabHost, count: int) -> HostStatus:
    switch = bool(processes.running(host.folder, processes.Program.SWITCH))
    flows = 0
    if switch:
        with suppress(LabError):  # the bridge is the agent's to make
            flows = hosts.flow_count(host)
    return HostStatus(host, switch, parts.agent_runs(host), flows, count)


def up(
    name: str,
    count: int,
    endpoint: str = "",
    agents_target: str = "",
    uplinks: int = 0,
    *,
    apart: bool = False,
) -> Lab:
    """Build a lab of `count` hosts; with its own control plane unless an endpoint is given.

    The first `uplinks` hosts have an uplink to a world outside, each to a physical network of its
    own when they are `apart`.
    """
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces, and needs root for it: use sudo")
    if not 1 <= count <= hosts_max:
        raise LabError(f"a lab has 1 to {hosts_max} hosts, not {count}")
    if not 0 <= uplinks <= count:
        raise LabError(f"of {count} hosts not {uplinks} can have an uplink")
    if bool(endpoint) != bool(agents_target):
        raise LabError("give both the API's endpoint and the address that agents connect to")
    where = layout(name)
    if where.folder.exists() or namespaces.named(where.prefix):
        raise LabError(f"there is a lab '{name}' already: `alcor lab down --name {name}` ends it")
    processes.adopt_orphans()
    try:
        return _build(where, count, endpoint, agents_target, uplinks, apart=apart)
    except BaseException:
        down(name)
        raise


def _build(
    where: Layout, count: int, endpoint: str, agents_target: str, uplinks: int, *, apart: bool
) -> Lab:
    where.folder.mkdir(parents=True)
    own = not endpoint
    if own:
        listen, agents_target = parts.free_addresses(2)
        endpoint = f"http://{listen}"
    record = LabRecord(
        hosts=count,
        endpoint=endpoint,
        agents_target=agents_target,
        control_plane=own,
        uplinks=uplinks,
        apart=apart,
    )
    save_lab(where, record)
    lab = Lab(where, record)
    if own:
        parts.start_control_plane(where, record)
    hosts.build(where, lab.hosts)
    outside.build(where, lab.hosts[:uplinks])
    for host in lab.hosts:
        parts.start_agent(host, record)
    parts.wait_ready(where, lab.api)
    parts.wait_alive(lab.api, lab.hosts)
    return lab


def open_lab(name: str) -> Lab:
    """The lab of this name, which is up; `LabError` names those that are, when it is not."""
    where = layout(name)
    try:
        return Lab(where, load_lab(where))
    except LabError as missing:
        if others := ", ".join(names()):
            raise LabError(f"{missing}; here are: {others} (--name)") from None
        raise


def down(name: str) -> bool:
    """End a lab whatever is left of it; whether there was anything. Repeating it does no harm."""
    with _undisturbed():
        return _down(layout(name))


@contextmanager
def _undisturbed() -> Iterator[None]:
    # Who presses Ctrl-C twice means "quickly", not "leave half of it behind".
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _down(where: Layout) -> bool:
    processes.stop(processes.running(where.folder))
    spaces = namespaces.named(where.prefix)
    processes.kill(processes.inside_namespaces({namespaces.identity(one) for one in spaces}))
    namespaces.remove(spaces)
    was_there = bool(spaces) or where.folder.exists()
    shutil.rmtree(where.folder, ignore_errors=True)
    with suppress(OSError):  # other labs are in it, or it was never made
        lab_root().rmdir()
    return was_there


def names() -> list[str]:
    """The labs that have left a folder or a namespace here."""
    folders = {path.name for path in lab_root().glob("*") if path.is_dir()}
    spaces = {space.split("-")[1] for space in namespaces.named("alcor-") if space.count("-") >= 2}
    return sorted(folders | spaces)
