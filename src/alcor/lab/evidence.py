"""Keep what a lab knows when something did not arrive, before it is taken down.

Of each host: the logs of its agent and its switch, the goal state that it remembers, its flows,
meters, ports and what the switch has cached. Of each machine: its interface, what its DHCP client
said, its port as the API has it, and which way the switch says that its next DHCP question takes.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from alcor.client.api import PORT, Api
from alcor.client.connection import ClientError
from alcor.lab import hosts
from alcor.lab.commands import run
from alcor.lab.layout import LabError, LabHost, Layout, interface_name
from alcor.lab.machines import bridge
from alcor.lab.record import Machine

_LOGS = ("agent.log", "network.log", "vswitchd.log", "ovsdb.log")
_OPENFLOW = ("dump-flows", "dump-group-stats", "dump-meters", "meter-stats", "dump-ports", "show")
_SWITCH = (("dpctl/dump-flows", "-m"), ("dpctl/dump-conntrack",), ("coverage/show",))

Finding = tuple[str, Callable[[], str]]  # a file's name, and what is found for it


def keep(
    lab: Layout, of: Iterable[LabHost], machines: Iterable[Machine] = (), api: Api | None = None
) -> Path:
    """Write down all of these hosts and machines; the new folder, which is nobody's to remove."""
    folder = Path(mkdtemp(prefix=f"alcor-{lab.name}-"))
    _copy(lab.folder / "control.log", folder)
    for host in of:
        place = folder / host.name
        place.mkdir()
        for name in (*_LOGS, "agent"):
            _copy(host.folder / name, place)
        _write(place, _of_host(host))
    for machine in machines:
        place = folder / machine.name
        place.mkdir()
        _copy(lab.machines_folder / f"{machine.name}.dhcp.log", place)
        _write(place, _of_machine(lab, machine))
        if api is not None:
            _write(place, [("port", partial(_port, api, machine.port_id))])
    return folder


def _of_host(host: LabHost) -> Iterator[Finding]:
    for verb in _OPENFLOW:
        yield verb, partial(hosts.ofctl, host, verb, bridge)
    for words in _SWITCH:
        yield words[0].replace("/", "-"), partial(hosts.appctl, host, *words)
    yield "interfaces", partial(hosts.vsctl, host, "list", "interface", wait=False)


def _of_machine(lab: Layout, machine: Machine) -> Iterator[Finding]:
    host, space = lab.host(machine.host), lab.machine_namespace(machine.name)
    yield "link", partial(run, "ip", "-n", space, "-s", "-d", "link")
    yield "addresses", partial(run, "ip", "-n", space, "address")
    yield "neighbours", partial(run, "ip", "-n", space, "neighbour")
    asks = f"in_port={interface_name(machine.port_id)},udp,dl_src={machine.mac},"
    asks += "dl_dst=ff:ff:ff:ff:ff:ff,nw_dst=255.255.255.255,udp_src=68,udp_dst=67"
    yield "dhcp-trace", partial(hosts.appctl, host, "ofproto/trace", bridge, asks)


def _port(api: Api, port_id: str) -> str:
    return json.dumps(api.show(PORT, port_id), indent=1)


def _write(place: Path, findings: Iterable[Finding]) -> None:
    for name, find in findings:
        try:
            text = find()
        except (LabError, ClientError) as error:  # said there: what can't be asked is evidence too
            text = f"{error}\n"
        (place / name).write_text(text)


def _copy(source: Path, place: Path) -> None:
    with suppress(OSError):
        if source.is_dir():
            shutil.copytree(source, place / source.name)
        else:
            shutil.copy(source, place)
