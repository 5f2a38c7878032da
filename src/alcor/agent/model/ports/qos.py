"""What the host knows of QoS policies, and which meters ports have. Pure.

A port needs up to four meters, and a switch has too few for four at every possible port number: so
each port with a policy gets a slot of four. It gets the slot of its own number if that is free, so
that a restarted agent finds the meters that are there. A policy at a router's gateway has a slot as
well, chosen by its id.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import NamedTuple

from alcor.agent.model.ports import meter as m
from alcor.goal_state.entries import Network, Port, QosPolicy

slots_max = 1 << 14  # ports of one host


class Limits(NamedTuple):
    """A policy of what passes a router's gateway under one address, and where its meters are."""

    policy: QosPolicy
    slot: int

    def meters(self) -> Iterator[m.Meter]:
        """All of them."""
        for each in self.policy.limits:
            yield m.of_limit(self.slot, each.ingress, each.per_packet, each.rate, each.burst)

    def ids(self, ingress: bool) -> list[int]:
        """The numbers of those of one direction."""
        limits = zip(self.policy.limits, self.meters(), strict=True)
        return [meter.id for limit, meter in limits if limit.ingress is ingress]


class Qos:
    """Policies by id, and slots by port."""

    def __init__(self) -> None:
        # The bridges that have bandwidth to guarantee, by physical network; "": of tunnels.
        self.bridge_by_network: Mapping[str, str] = {}
        self._policies: dict[str, QosPolicy] = {}
        self._slot_by_port: dict[str, int] = {}
        self._number_by_port: dict[str, int] = {}
        self._taken: set[int] = set()

    def put(self, id_: str, policy: QosPolicy | None) -> None:
        """Hold a policy; None: there is none."""
        if policy is None:
            self._policies.pop(id_, None)
        else:
            self._policies[id_] = policy

    def policy_of(self, port: Port, network: Network) -> QosPolicy | None:
        """What holds for a port: its own policy, or else its network's."""
        return self._policies.get(policy_id(port, network))

    def assign(self, port_id: str, number: int | None) -> None:
        """A port has a number, or (None) none any more."""
        if self._number_by_port.get(port_id) == number:
            return
        if port_id in self._number_by_port:
            del self._number_by_port[port_id]
            self._taken.discard(self._slot_by_port.pop(port_id))
        if number is not None:
            self._number_by_port[port_id] = number
            self._slot_by_port[port_id] = slot = self._free(number % slots_max)
            self._taken.add(slot)

    def slot(self, port_id: str) -> int:
        """Of a port that has a number."""
        return self._slot_by_port[port_id]

    def assign_id(self, id_: str, has_policy: bool) -> None:
        """What is at a gateway has a policy, or none any more."""
        digest = blake2b(id_.encode(), digest_size=4).digest()
        self.assign(id_, int.from_bytes(digest, "big") if has_policy else None)

    def limits_of(self, policy_id: str, id_: str) -> Limits | None:
        """What a policy says of what is at a gateway, once the policy is known."""
        policy, slot = self._policies.get(policy_id), self._slot_by_port.get(id_)
        return Limits(policy, slot) if policy is not None and slot is not None else None

    def queue(self, port_id: str, policy: QosPolicy, network: Network) -> int:
        """The queue by which a port with this policy leaves the host; 0: it has none of its own."""
        is_held = policy.minimum and network.physical_network in self.bridge_by_network
        return self._slot_by_port[port_id] + 1 if is_held else 0

    def queues(self, places: Iterable[tuple[Port, Network]]) -> dict[str, dict[int, int]]:
        """By bridge and queue, the bits a second that these ports are guaranteed."""
        found: dict[str, dict[int, int]] = {}
        for port, network in places:
            policy = self.policy_of(port, network)
            if policy is None or port.id not in self._slot_by_port:
                continue
            if queue := self.queue(port.id, policy, network):
                bridge = self.bridge_by_network[network.physical_network]
                found.setdefault(bridge, {})[queue] = 1_000 * policy.minimum
        return found

    def _free(self, wanted: int) -> int:
        """The next slot that is free; when none is, two ports share their meters."""
        around = (slot % slots_max for slot in range(wanted, wanted + slots_max))
        return next((slot for slot in around if slot not in self._taken), wanted)


def policy_id(port: Port, network: Network | None) -> str:
    """The policy that a port has, itself or by its network; empty: none."""
    if port.qos_policy_id or port.own_qos_only or network is None:
        return port.qos_policy_id
    return network.qos_policy_id
