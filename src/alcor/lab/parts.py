"""Alcor's own processes in a lab: the control plane, and an agent a host.

They run in the computer's own namespace: they speak to switches by Unix sockets and to each other
over loopback.
"""

import signal
import socket
import sys
from http import HTTPStatus
from pathlib import Path

from alcor.client.api import AGENT, Api
from alcor.client.connection import Refused, Unreachable
from alcor.lab import outside, processes
from alcor.lab.layout import LabError, LabHost, Layout
from alcor.lab.processes import Program
from alcor.lab.record import LabRecord
from alcor.lab.waiting import wait_until

start_timeout_s = 60.0  # a busy computer takes its time
log_shown_max = 1_500  # characters
_alcor = [sys.executable, "-P", "-m", "alcor.cli.main"]


def free_addresses(count: int) -> list[str]:
    """Addresses on loopback that nobody listens on just now."""
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{door.getsockname()[1]}" for door in doors]
    for door in doors:
        door.close()
    return addresses


def start_control_plane(lab: Layout, record: LabRecord) -> None:
    """Start `alcor up` on the lab's databases; `wait_ready` says when it takes requests."""
    lab.control_folder.mkdir(exist_ok=True)
    listen = record.endpoint.removeprefix("http://")
    argv = [*_alcor, "up", "--data", str(lab.control_folder), "--listen", listen]
    argv += ["--agents-listen", record.agents_target]
    processes.start(argv, lab.folder / "control.log")


def stop_control_plane(lab: Layout, how: signal.Signals = signal.SIGTERM) -> None:
    """End the control plane."""
    processes.stop(processes.running(lab.control_folder.parent, Program.CONTROL_PLANE), how)


def wait_ready(lab: Layout, client: Api) -> None:
    """Wait until the control plane takes requests; `LabError` as soon as it has ended instead."""

    def ready() -> bool:
        try:
            return client.ready()
        except Unreachable:
            if (lab.folder / "control.log").exists() and not control_plane_runs(lab):
                log = _end_of_log(lab.folder / "control.log")
                raise LabError(f"the control plane has ended: {log}") from None
            return False

    wait_until(f"the control plane at {client.endpoint}", ready, start_timeout_s)


def control_plane_runs(lab: Layout) -> bool:
    """Whether the lab's own control plane is running."""
    return bool(processes.running(lab.folder, Program.CONTROL_PLANE))


def _end_of_log(path: Path) -> str:
    return path.read_text(errors="replace").strip()[-log_shown_max:]


def start_agent(host: LabHost, record: LabRecord, *more: str) -> None:
    """Start `alcor agent` for a host, with `more` options."""
    argv = [*_alcor, "agent", "--host", host.name, "--control-plane", record.agents_target]
    argv += ["--tunnel-ip", host.tunnel_ip, "--ovs-rundir", str(host.folder)]
    argv += ["--datapath-type", "netdev"]  # the kernel's is not in a lab's switches
    argv += ["--state-dir", str(host.folder / "agent"), *more]
    argv += ["--network-log-file", str(host.folder / "network.log")]
    if host.number <= record.uplinks:
        name = outside.rack(host) if record.apart else outside.physical_network
        argv += ["--bridge-mappings", f"{name}:{outside.bridge}"]
    processes.start(argv, host.folder / "agent.log")


def stop_agent(host: LabHost, how: signal.Signals = signal.SIGTERM) -> None:
    """End the agent of a host: the switch goes on as it is."""
    processes.stop(processes.running(host.folder, Program.AGENT), how)


def agent_runs(host: LabHost) -> bool:
    """Whether the host's agent is running."""
    return bool(processes.running(host.folder, Program.AGENT))


def wait_alive(client: Api, hosts: list[LabHost]) -> None:
    """Wait until the control plane has heard of the agents of all these hosts."""
    wanted = {host.name for host in hosts}

    def all_alive() -> bool:
        for host in hosts:
            if not agent_runs(host):
                log = _end_of_log(host.folder / "agent.log")
                raise LabError(f"the agent of {host.name} has ended: {log}")
        try:
            agents = client.list_page(AGENT)
        except Refused as refused:
            if refused.status != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            return False  # a gateway may be there before the managers of its region
        return wanted <= {agent["host"] for agent in agents if agent["alive"]}

    wait_until(f"the agents of {', '.join(sorted(wanted))}", all_alive, start_timeout_s)
