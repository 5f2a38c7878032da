"""Labs for system tests: real Open vSwitch, real DHCP clients, real packets.

Where Open vSwitch or root is missing these tests fail: a test that is not run proves nothing.
Each module has a lab of its own, of its own name, and takes it down; so modules may run side by
side, in one checkout and in several.
"""

import signal
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.conftest import NatsServer
from tests.fixtures import proofs
from tests.fixtures.region import Served, served
from tests.system.obeyed import obeyed

from alcor.assembly.config import Config
from alcor.client.api import NETWORK, PORT, SUBNET, Kind
from alcor.lab import lab as labs
from alcor.lab import parts
from alcor.lab.lab import Lab
from alcor.lab.layout import LabError
from alcor.lab.machines import give_address
from alcor.lab.record import Machine
from alcor.lab.traffic.frames import FrameSocket
from alcor.lab.traffic.stream import Stream
from alcor.lab.waiting import wait_until
from alcor.runtime.config import load

converge_timeout_s = 30.0

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


def of_this_checkout(name: str) -> str:
    """A lab's name that no test of another checkout on this machine has."""
    return name + sha256(str(Path(__file__).parent).encode()).hexdigest()[:3]


@pytest.fixture(scope="module")
def lab_settings() -> Mapping[str, str]:
    """What control plane and agents are told, as variables. Modules that tell them more say so."""
    return {}


@pytest.fixture(scope="module")
def region(
    request: pytest.FixtureRequest, lab_settings: Mapping[str, str]
) -> Iterator[Served | None]:
    """With `--shape served`, a region of processes for the module's lab, else None."""
    if request.config.getoption("--shape") != "served":
        yield None
        return
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("region")
    databases = request.getfixturevalue("postgres").url(f"{uuid4().hex}_{{manager}}")
    nats = NatsServer(folder / "nats")
    try:
        with served(load(Config, None, lab_settings), folder, nats.url, databases) as found:
            yield found
    finally:
        nats.kill()


@pytest.fixture(scope="module")
def lab(
    request: pytest.FixtureRequest, region: Served | None, lab_settings: Mapping[str, str]
) -> Iterator[Lab]:
    """The module's lab: its `lab_name`, `lab_hosts`, `lab_uplinks`, `lab_apart` say which.

    Its control plane is `alcor up`, if there is no region.
    """
    name, hosts = of_this_checkout(request.module.lab_name), request.module.lab_hosts
    labs.down(name)
    with ExitStack() as stack:
        stack.callback(labs.down, name)
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for variable, value in lab_settings.items():
            environment.setenv(variable, value)
        endpoint = f"http://{region.host}:{region.port}" if region else ""
        agents = region.agents if region else ""
        uplinks = getattr(request.module, "lab_uplinks", 0)
        apart = getattr(request.module, "lab_apart", False)
        built = labs.up(name, hosts, endpoint, agents, uplinks, apart=apart)
        stack.callback(built.api.close)
        yield built


class ControlPlane:
    """The lab's `alcor up`, or all processes of its region: it may be killed, and started again."""

    def __init__(self, lab: Lab, region: Served | None) -> None:
        self._lab, self._region = lab, region

    @property
    def runs(self) -> bool:
        """Whether all of it does."""
        return self._region.runs if self._region else parts.control_plane_runs(self._lab.layout)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._region:
            self._region.kill()
        else:
            parts.stop_control_plane(self._lab.layout, signal.SIGKILL)

    def start(self) -> None:
        """Start it; it takes requests when this returns."""
        if self._region:
            self._region.start()
        else:
            parts.start_control_plane(self._lab.layout, self._lab.record)
        parts.wait_ready(self._lab.layout, self._lab.api)


@pytest.fixture(scope="module")
def control_plane(lab: Lab, region: Served | None) -> ControlPlane:
    """The lab's."""
    return ControlPlane(lab, region)


@pytest.fixture
def groups(lab: Lab) -> "Groups":
    """Security groups of the lab."""
    return Groups(lab)


@pytest.fixture
def make_network(lab: Lab) -> MakeNetwork:
    """A network with a subnet for each CIDR."""

    def make(*cidrs: str, name: str = "") -> str:
        network_id: str = lab.api.create(NETWORK, [{"name": name}]).items[0]["id"]
        for cidr in cidrs:
            version = 6 if ":" in cidr else 4
            body = {"network_id": network_id, "cidr": cidr, "ip_version": version}
            lab.api.create(SUBNET, [body])
        return network_id

    return make


@pytest.fixture
def make_machines(lab: Lab) -> MakeMachines:
    """Ports of a network, one for each host named, each with a machine that is ready to talk.

    `addresses` are asked for by name; machines set their addresses by hand, as no test here is
    about leases but those that say so.
    """

    def make(network_id: str, names: str, hosts: str, addresses: str = "") -> list[Machine]:
        wanted = addresses.split() or [""] * len(names.split())
        bodies = [
            _port(network_id, name, host, address)
            for name, host, address in zip(names.split(), hosts.split(), wanted, strict=True)
        ]
        created = lab.api.create(PORT, bodies)
        machines = lab.plug(created.items)
        set_addresses(lab, machines)
        wait_active(lab, [machine.port_id for machine in machines])
        assert lab.api.wait(created.revision, converge_timeout_s).converged
        return machines

    return make


def _port(network_id: str, name: str, host: str, address: str) -> dict[str, Any]:
    body: dict[str, Any] = {"network_id": network_id, "name": name, "binding:host_id": host}
    if address:
        body["fixed_ips"] = [{"ip_address": address}]
    return body


def sent(*streams: Stream, more: int) -> None:
    """Let `more` further packets of each stream be sent."""
    upto = [each.sent + more for each in streams]
    wait_until(
        "the streams",
        lambda: all(each.sent >= n for each, n in zip(streams, upto, strict=True)),
        converge_timeout_s,
    )


def hears(socket: FrameSocket, words: bytes) -> None:
    """Wait until a frame with these words has arrived."""
    socket.wait_for(words.decode(), lambda frame: words in frame)


def set_addresses(lab: Lab, machines: list[Machine]) -> None:
    """What DHCP would have said, set by hand."""
    for machine in machines:
        for address in machine.addresses:
            give_address(lab.layout, machine, address, 64 if ":" in address else 24)


def wait_active(lab: Lab, port_ids: list[str]) -> None:
    """Wait until the switches have acknowledged these ports."""

    def active() -> bool:
        return all(lab.api.show(PORT, port_id)["status"] == "ACTIVE" for port_id in port_ids)

    wait_until("ports to be ACTIVE", active, converge_timeout_s)


SECURITY_GROUP = Kind("security_group", "security_groups", "/v2.0/security-groups")
RULE = Kind("security_group_rule", "security_group_rules", "/v2.0/security-group-rules")
ADDRESS_GROUP = Kind("address_group", "address_groups", "/v2.0/address-groups")


class Groups:
    """Security groups of a lab: what tests make of them, and waiting until hosts obey."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def make(self, *rules: str, stateful: bool = True) -> str:
        """A group without rules but these (see `rule`)."""
        body = {"name": "g", "stateful": stateful}
        group_id: str = self._lab.api.create(SECURITY_GROUP, [body]).items[0]["id"]
        for each in self._lab.api.list_page(RULE, [("security_group_id", group_id)]):
            self._lab.api.delete(RULE, each["id"])
        for text in rules:
            self.rule(group_id, text)
        return group_id

    def rule(self, group_id: str, text: str) -> str:
        """Add a rule: `in|out 4|6 [PROTOCOL [FIRST[-LAST]]] [prefix=|group=|addresses=VALUE]`.

        Of ICMP FIRST is its type.
        """
        words = [word for word in text.split() if "=" not in word]
        said = dict(word.split("=", 1) for word in text.split() if "=" in word)
        body: dict[str, Any] = {
            "security_group_id": group_id,
            "direction": "ingress" if words[0] == "in" else "egress",
            "ethertype": f"IPv{words[1]}",
            "remote_ip_prefix": said.get("prefix"),
            "remote_group_id": said.get("group"),
            "remote_address_group_id": said.get("addresses"),
        }
        if len(words) > 2:
            body["protocol"] = words[2]
        if len(words) > 3:
            first, _, last = words[3].partition("-")
            body["port_range_min"] = int(first)
            if "icmp" not in words[2]:
                body["port_range_max"] = int(last or first)
        created = self._lab.api.create(RULE, [body])
        obeyed(self._lab, created.revision)
        rule_id: str = created.items[0]["id"]
        return rule_id

    def drop(self, rule_id: str) -> None:
        """Delete a rule."""
        obeyed(self._lab, self._lab.api.delete(RULE, rule_id))

    def put(self, machine: Machine, *group_ids: str, **more: Any) -> None:
        """Make these the groups of a machine's port."""
        changes = {"security_groups": list(group_ids), **more}
        obeyed(self._lab, self._lab.api.update(PORT, machine.port_id, changes)[1])

    def addresses(self, *prefixes: str) -> str:
        """An address group."""
        body = {"name": "a", "addresses": list(prefixes)}
        group_id: str = self._lab.api.create(ADDRESS_GROUP, [body]).items[0]["id"]
        return group_id

    def set_addresses(self, group_id: str, verb: str, *prefixes: str) -> None:
        """`add_addresses` or `remove_addresses` of an address group."""
        body = {"addresses": list(prefixes)}
        obeyed(self._lab, self._lab.api.act(ADDRESS_GROUP, group_id, verb, body)[1])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "proves(feature, families, places): see tests/fixtures/proofs.py"
    )
    config.pluginmanager.register(_Recorder(update=bool(config.getoption("--update"))))


def _keep_evidence(item: pytest.Item, report: pytest.TestReport) -> None:
    """Before its lab is used by the next test, or taken down."""
    lab = getattr(item, "funcargs", {}).get("lab")
    if isinstance(lab, Lab):
        with suppress(LabError, OSError):
            kept = lab.keep_evidence(lab.machines())
            report.sections.append(("What the lab knew", f"is kept in {kept}"))


class _Recorder:
    """Notes which tests that prove something passed in all their cases."""

    def __init__(self, *, update: bool) -> None:
        self._update = update
        self._passed: set[str] = set()
        self._failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed and report.when == "call":
            _keep_evidence(item, report)
        if item.get_closest_marker("proves") is not None:
            name = f"{item.path.relative_to(proofs.FOLDER)}::{item.originalname}"  # type: ignore[attr-defined]
            if report.failed:
                self._failed.add(name)
            elif report.when == "call" and report.passed:
                self._passed.add(name)
        return report

    def pytest_sessionfinish(self) -> None:
        if self._update and self._passed | self._failed:
            proofs.record(self._passed - self._failed, self._failed)
