"""The main job, from nothing: hosts, a network, N ports in one call, leases, all-pairs ping.

Each stage is timed. What did not come in time is counted, not hidden: the job goes on as far as it
makes sense, and the result says what is missing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from time import monotonic

from alcor.client.api import NETWORK, NODE, PORT, SUBNET, Api, Item
from alcor.client.connection import Refused
from alcor.lab import lab as labs
from alcor.lab.lab import Lab
from alcor.lab.layout import LabError
from alcor.lab.traffic.dhcp import Lease
from alcor.lab.waiting import wait_until

hosts_timeout_s = 30.0  # until goal state and flows are where they belong
ports_max = 4000
_cidr = "10.0.0.0/20"


class Stage(StrEnum):
    """The stages, in order; the values are the keys of `seconds`."""

    LAB_UP = "lab_up"
    API_CALL = "api_call"
    GOAL_STATE = "goal_state_at_hosts"
    PLUG = "machines_plugged"
    FLOWS = "flows_acknowledged"
    LEASES = "leases"
    PINGS = "all_pairs_ping"
    LAB_DOWN = "lab_down"


Watch = Callable[[Stage, bool], None]  # a stage begins (False), a stage has ended (True)


@dataclass(slots=True)
class Job:
    """What the job did, filled in as it goes."""

    hosts: int
    ports: int
    endpoint: str = ""
    network_id: str = ""
    vni: int = 0
    cidr: str = _cidr
    host_of_machine: dict[str, str] = field(default_factory=dict)
    lease_by_machine: Mapping[str, Lease] = field(default_factory=dict)
    pings_ok: int = 0
    pings_total: int = 0
    seconds: dict[Stage, float] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)  # sentences: what went wrong

    @property
    def done(self) -> bool:
        """Whether every machine has its lease and every pair answered."""
        return (
            len(self.lease_by_machine) == self.ports
            and self.pings_total == self.ports * (self.ports - 1)
            and self.pings_ok == self.pings_total
        )

    def summary(self) -> dict[str, object]:
        """What scripts read."""
        return {
            "hosts": self.hosts,
            "ports": len(self.host_of_machine),
            "leases": len(self.lease_by_machine),
            "pings_ok": self.pings_ok,
            "pings_total": self.pings_total,
            "seconds": {stage.value: round(took, 4) for stage, took in self.seconds.items()},
            "missing": self.missing,
        }


def run(
    name: str,
    hosts: int,
    ports: int,
    watch: Watch,
    *,
    keep: bool = False,
    endpoint: str = "",
    agents_target: str = "",
) -> Job:
    """Do the job in a lab of this name, and take the lab down whatever happens, unless `keep`.

    With the two addresses by a control plane that is there; what the job made in it goes as well.
    """
    if not 1 <= ports <= ports_max:
        raise LabError(f"the demo makes 1 to {ports_max} ports, not {ports}")
    job = Job(hosts, ports)
    labs.down(name)  # what an interrupted run may have left
    lab = None
    try:
        with _timed(job, Stage.LAB_UP, watch):
            lab = labs.up(name, hosts, endpoint, agents_target)
        _do(job, lab, watch)
    finally:
        if not keep:
            with _timed(job, Stage.LAB_DOWN, watch):
                labs.down(name)
                if lab is not None and endpoint:
                    _forget(job, lab)
        if lab is not None:
            lab.api.close()
    return job


def _forget(job: Job, lab: Lab) -> None:
    """Take away what the job made in somebody's control plane: network, ports, hosts."""
    if job.network_id:
        for port in lab.api.list_page(PORT, [("network_id", job.network_id)]):
            lab.api.delete(PORT, port["id"])
        lab.api.delete(NETWORK, job.network_id)
    for host in lab.hosts:
        with suppress(LabError):
            wait_until("its agent's end", partial(_forgotten, lab.api, host.name), hosts_timeout_s)


def _forgotten(api: Api, host: str) -> bool:
    try:
        api.delete(NODE, host)
    except Refused as refused:
        return refused.status == 404  # 409 while its agent seems to be there
    return True


def _do(job: Job, lab: Lab, watch: Watch) -> None:
    job.endpoint = lab.record.endpoint
    _make_network(job, lab.api)
    with _timed(job, Stage.API_CALL, watch):
        created = lab.api.create(PORT, _bodies(job, lab))
    with _timed(job, Stage.GOAL_STATE, watch):
        state = lab.api.wait(created.revision, hosts_timeout_s)
    if not state.converged:
        behind = ", ".join(host.host for host in state.hosts)
        job.missing.append(f"hosts that have not applied {created.revision}: {behind}")
    with _timed(job, Stage.PLUG, watch):
        machines = lab.plug(created.items)
    job.host_of_machine = {m.name: lab.layout.host(m.host).name for m in machines}
    with _timed(job, Stage.FLOWS, watch):
        _wait_active(job, lab.api)
    with _timed(job, Stage.LEASES, watch):
        job.lease_by_machine = lab.get_leases(machines)
    with _timed(job, Stage.PINGS, watch):
        silent = _ping(job, lab)
    if silent:
        kept = lab.keep_evidence([machine for machine in machines if machine.name in silent])
        job.missing.append(f"what is known of it is kept in {kept}")


def _make_network(job: Job, api: Api) -> None:
    network = api.create(NETWORK, [{"name": "demo"}]).items[0]
    job.network_id = str(network["id"])
    body: Item = {"network_id": job.network_id, "ip_version": 4, "cidr": job.cidr}
    api.create(SUBNET, [body])
    job.vni = int(network.get("provider:segmentation_id") or 0)


def _bodies(job: Job, lab: Lab) -> Sequence[Item]:
    return [
        {
            "network_id": job.network_id,
            "name": f"vm{number + 1}",
            "binding:host_id": lab.hosts[number % len(lab.hosts)].name,
        }
        for number in range(job.ports)
    ]


def _wait_active(job: Job, api: Api) -> None:
    def not_active() -> list[str]:
        query = [("network_id", job.network_id), ("fields", "name"), ("fields", "status")]
        ports = api.list_page(PORT, query)
        return [port["name"] for port in ports if port["status"] != "ACTIVE"]

    with suppress(LabError):
        wait_until("ports", lambda: not not_active(), hosts_timeout_s)
        return
    job.missing.append(f"ports that are not ACTIVE: {', '.join(not_active())}")


def _ping(job: Job, lab: Lab) -> set[str]:
    """Ping all pairs; the machines that have no lease, no answer, or did not give one."""
    result = lab.ping_all({name: lease.address for name, lease in job.lease_by_machine.items()})
    job.pings_ok, job.pings_total = result.ok, result.total
    without = job.host_of_machine.keys() - job.lease_by_machine.keys()
    for name in sorted(without):
        job.missing.append(f"{name} got no lease")
    for pair in result.unanswered[:10]:
        job.missing.append(f"{pair.source} has no answer from {pair.target} ({pair.address})")
    return without | {name for pair in result.unanswered for name in (pair.source, pair.target)}


@contextmanager
def _timed(job: Job, stage: Stage, watch: Watch) -> Iterator[None]:
    watch(stage, False)
    start = monotonic()
    yield
    job.seconds[stage] = monotonic() - start
    watch(stage, True)
