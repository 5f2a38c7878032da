"""Alcor's own lab as a contender: a control plane, hosts with their agents, machines plugged in."""

from collections.abc import Sequence
from time import monotonic
from typing import NamedTuple, Self
from uuid import uuid4

from alcor.client.api import NETWORK, PORT, SUBNET, Item
from alcor.lab import lab as labs
from alcor.lab.lab import Lab
from alcor.lab.waiting import wait_until
from bench.hosts.guests import Guest
from bench.servers import Unexpected

converge_timeout_s = 60.0
ports_per_call = 500


class Timed(NamedTuple):
    """A write: from when (monotonic), how long until its answer, and until the hosts had it."""

    began: float
    answered_s: float
    converged_s: float


class AlcorLab:
    """A lab; use it as a context."""

    def __init__(self, name: str, host_count: int) -> None:
        self.name = name
        self._host_count = host_count
        self.lab: Lab

    def __enter__(self) -> Self:
        labs.down(self.name)
        self.lab = labs.up(self.name, self._host_count)
        return self

    def __exit__(self, *problem: object) -> None:
        labs.down(self.name)

    def network(self, number: int) -> str:
        """Make a network of 10.`number`.0.0/16; its id."""
        (network,) = self.lab.api.create(NETWORK, [{"name": f"net-{number}"}]).items
        subnet = {"network_id": network["id"], "ip_version": 4, "cidr": f"10.{number}.0.0/16"}
        self.lab.api.create(SUBNET, [subnet])
        return str(network["id"])

    def create(self, ports: Sequence[Item]) -> Timed:
        """Make ports in one call, and wait until every host concerned has its flows."""
        began = monotonic()
        revision = self.lab.api.create(PORT, ports).revision
        answered = monotonic()
        self.converge(revision)
        return Timed(began, answered - began, monotonic() - began)

    def fill(self, ports: Sequence[Item]) -> None:
        """Make many ports."""
        for start in range(0, len(ports), ports_per_call):
            self.create(ports[start : start + ports_per_call])

    def delete(self, ids: Sequence[str]) -> None:
        """Take ports away, and wait until the hosts have done so."""
        revision = ""
        for id_ in ids:
            revision = self.lab.api.delete(PORT, id_)
        self.converge(revision)

    def converge(self, revision: str) -> None:
        """Wait until every host concerned has applied the write."""
        state = self.lab.api.wait(revision, converge_timeout_s)
        if not state.converged:
            raise Unexpected(f"not converged after {converge_timeout_s:g} s: {state.hosts}")

    def wait_active(self, ids: Sequence[str]) -> None:
        """Wait until the switches have the flows of ports whose machines are plugged in."""

        def active() -> bool:
            return all(self.lab.api.show(PORT, id_)["status"] == "ACTIVE" for id_ in ids)

        wait_until("ports to be ACTIVE", active, converge_timeout_s)


def fresh_ids(count: int) -> list[str]:
    """Ids that no port has had."""
    return [str(uuid4()) for _ in range(count)]


def port_body(network_id: str, guest: Guest, id_: str) -> Item:
    """What a client asks for when the machine is there already."""
    return {
        "id": id_,
        "network_id": network_id,
        "name": guest.name,
        "binding:host_id": f"h{guest.host}",
        "mac_address": guest.mac,
        "fixed_ips": [{"ip_address": guest.address}],
    }
