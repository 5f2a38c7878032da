"""OVN as a peer, on hosts of the same kind: same switches, same underlay, Geneve instead of VXLAN.

Northbound, southbound and northd live in a namespace of their own on the underlay, an
ovn-controller on each host. A port is configured as Alcor's is: address, port security, DHCP.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import NamedTuple, Self

from rich.console import Console

from alcor.lab import hosts, namespaces
from alcor.lab import lab as labs
from alcor.lab.commands import environment, ip_batch, run
from alcor.lab.interfaces import checksum_in_software
from alcor.lab.layout import LabHost, layout
from alcor.lab.waiting import wait_until

_central_address = "172.31.255.1"
_switch = "net1"
_gateway, _gateway_mac = "10.9.255.254", "02:09:ff:00:00:01"
_cidr = "10.9.0.0/16"
_packages = ("ovn-central", "ovn-host")
_programs = ("ovn-northd", "ovn-nbctl", "ovn-sbctl", "ovn-controller")
_policy = Path("/usr/sbin/policy-rc.d")
_path = environment()["PATH"]
install_timeout_s = 300.0
start_timeout_s = 30.0
ports_per_command_max = 100  # a command line has a limit


def install() -> None:
    """Install OVN by apt if it is missing, without starting its services; needs root then."""
    if all(shutil.which(program, path=_path) for program in _programs):
        return
    Console(stderr=True).print(f"bench: installing {' '.join(_packages)} by apt")
    ours = not _policy.exists()
    if ours:
        _policy.write_text("#!/bin/sh\nexit 101\n")  # Debian's way to say: start no service
        _policy.chmod(0o755)
    try:
        run("apt-get", "update", "-q", timeout_s=install_timeout_s)
        words = ("install", "-q", "-y", "--no-install-recommends", *_packages)
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run("apt-get", *words, env=quiet, timeout_s=install_timeout_s)
    finally:
        if ours:
            _policy.unlink()


class OvnPort(NamedTuple):
    """A logical port; its interface on a host has the name as iface-id."""

    name: str
    mac: str
    address: str


class Configured(NamedTuple):
    """How long one `ovn-nbctl --wait=hv` took, from when (monotonic)."""

    began: float
    seconds: float


class OvnLab:
    """A lab whose hosts obey OVN; use it as a context."""

    def __init__(self, name: str, host_count: int) -> None:
        self.lab = layout(name)
        self._host_count = host_count
        self._central = self.lab.folder / "central"

    def __enter__(self) -> Self:
        install()
        labs.down(self.lab.name)
        try:
            self._build()
        except BaseException:
            labs.down(self.lab.name)
            raise
        return self

    def __exit__(self, *problem: object) -> None:
        labs.down(self.lab.name)

    def _build(self) -> None:
        all_hosts = self.lab.hosts(self._host_count)
        hosts.build(self.lab, all_hosts)
        self._start_central()
        hosts.each(_start_controller, all_hosts)
        wait_until("OVN's chassis", self._has_all_chassis, start_timeout_s)
        self._lay_network()

    def _start_central(self) -> None:
        self._central.mkdir()
        namespace = f"{self.lab.prefix}central"
        namespaces.create([namespace])
        under = self.lab.underlay_namespace
        ip_batch([f"link add eth0 netns {namespace} type veth peer name central netns {under}"])
        ip_batch(["link set central master br0 up"], under)
        address = f"addr add {_central_address}/16 dev eth0"
        ip_batch(["link set lo up", address, "link set eth0 up"], namespace)
        with namespaces.inside(namespace):
            checksum_in_software("eth0")
            self._start_databases()

    def _start_databases(self) -> None:
        for name, more in (("nb", []), ("sb", ["--remote=ptcp:6642:0.0.0.0"])):
            database = self._central / f"{name}.db"
            run("ovsdb-tool", "create", database, f"/usr/share/ovn/ovn-{name}.ovsschema")
            remote = f"--remote=punix:{self._central / name}.sock"
            self._daemon("ovsdb-server", name, str(database), remote, *more)
            run(f"ovn-{name}ctl", f"--db=unix:{self._central / name}.sock", "init")
        databases = [f"--ovn{n}-db=unix:{self._central / n}.sock" for n in ("nb", "sb")]
        self._daemon("ovn-northd", "northd", *databases)

    def _daemon(self, program: str, name: str, *arguments: str) -> None:
        control = f"--unixctl={self._central / name}.ctl"
        run(program, *arguments, control, *_daemon_options(self._central, name))

    def _has_all_chassis(self) -> bool:
        where = f"--db=unix:{self._central / 'sb.sock'}"
        found = run("ovn-sbctl", where, "--bare", "--columns=name", "list", "Chassis")
        return len(found.split()) == self._host_count

    def _lay_network(self) -> None:
        self.nb(
            "ls-add",
            _switch,
            "--",
            "set",
            "Logical_Switch",
            _switch,
            f"other_config:subnet={_cidr}",
        )
        given = f'"server_id"="{_gateway}" "server_mac"="{_gateway_mac}" "lease_time"="3600"'
        router = f'"router"="{_gateway}"'
        options = f"options={given} {router}"
        self._dhcp = self.nb("create", "DHCP_Options", f"cidr={_cidr}", options).strip()

    def nb(self, *words: str) -> str:
        """Run ovn-nbctl; what it printed."""
        return run("ovn-nbctl", f"--db=unix:{self._central / 'nb.sock'}", *words, timeout_s=60.0)

    def add_ports(self, ports: Sequence[OvnPort]) -> Configured:
        """Configure ports in one transaction, and wait until every host has its flows."""
        return self._timed([word for port in ports for word in self._add(port)])

    def fill(self, ports: Sequence[OvnPort]) -> None:
        """Configure many ports that no host claims."""
        for start in range(0, len(ports), ports_per_command_max):
            some = ports[start : start + ports_per_command_max]
            self.nb(*[word for port in some for word in self._add(port)])
        self.settle()

    def delete_ports(self, ports: Sequence[OvnPort]) -> Configured:
        """Take ports away, and wait until every host has done so."""
        return self._timed([word for port in ports for word in ("--", "lsp-del", port.name)])

    def settle(self) -> Configured:
        """Wait until every host has what is configured."""
        return self._timed(["--", "sync"])

    def _timed(self, words: Sequence[str]) -> Configured:
        began = monotonic()
        self.nb("--wait=hv", *words)
        return Configured(began, monotonic() - began)

    def _add(self, port: OvnPort) -> list[str]:
        addresses = f"{port.mac} {port.address}"
        return [
            *("--", "lsp-add", _switch, port.name),
            *("--", "lsp-set-addresses", port.name, addresses),
            *("--", "lsp-set-port-security", port.name, addresses),
            *("--", "lsp-set-dhcpv4-options", port.name, self._dhcp),
        ]


def _start_controller(host: LabHost) -> None:
    hosts.vsctl(
        host,
        *("set", "Open_vSwitch", ".", f"external_ids:ovn-remote=tcp:{_central_address}:6642"),
        "external_ids:ovn-encap-type=geneve",
        f"external_ids:ovn-encap-ip={host.tunnel_ip}",
        "external_ids:ovn-bridge-datapath-type=netdev",
    )
    database = f"unix:{host.database_socket}"
    environment = {"OVN_RUNDIR": str(host.folder), "OVS_RUNDIR": str(host.folder)}
    with namespaces.inside(host.namespace):
        run(
            *("ovn-controller", database, *_daemon_options(host.folder, "controller")),
            env=environment,
        )


def _daemon_options(folder: Path, name: str) -> list[str]:
    return [
        *("-vconsole:off", "-vsyslog:off", f"--pidfile={folder / name}.pid"),
        *(f"--log-file={folder / name}.log", "--detach", "--no-chdir"),
    ]
