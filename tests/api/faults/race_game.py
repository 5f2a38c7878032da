"""What many clients do at once to one control plane, over pools that are too small for them.

What each client asks is drawn from a seed; how the requests meet is the machine's.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

from tests.api.conftest import Answer, Api

projects = ("one", "two", "three")
limits = {"port": 30, "router": 4, "floatingip": 4, "security_group": 4, "subnet": 6, "network": 4}

PORTS, SUBNETS, NETWORKS = "/v2.0/ports", "/v2.0/subnets", "/v2.0/networks"
ROUTERS, GROUPS, FLOATING = "/v2.0/routers", "/v2.0/security-groups", "/v2.0/floatingips"
RULES = "/v2.0/security-group-rules"


class Pile(list[str]):
    """Ids that all clients see; who picks one may find that it has gone."""

    def pick(self, rng: random.Random) -> str:
        """One of them, or an id of nothing."""
        there = tuple(self)
        return rng.choice(there) if there else "00000000-0000-4000-8000-00000000dead"

    def take(self, rng: random.Random) -> str:
        """One of them, that others are less likely to pick from now on."""
        id_ = self.pick(rng)
        if id_ in self[:]:
            try:
                self.remove(id_)
            except ValueError:
                return id_  # somebody else took it, too
        return id_


class Game:
    """A control plane, and what there is in it to meet over."""

    def __init__(self, api: Api) -> None:
        self.api = api
        for project in projects:
            answer = api.call("PUT", f"/v2.0/quotas/{project}", {"quota": limits})
            assert answer.status == 200, answer
        self.networks = [api.network(project_id="place")["id"] for _ in range(3)]
        # Eleven addresses each: far fewer than clients.
        self.subnets = Pile(
            api.subnet(each, f"10.{i}.0.0/28")["id"] for i, each in enumerate(self.networks)
        )
        self.public = api.network(**{"router:external": True}, project_id="place")["id"]
        self.outer = api.subnet(self.public, "203.0.113.0/28")["id"]
        self.ports, self.routers, self.groups, self.floating = Pile(), Pile(), Pile(), Pile()
        for project, subnet in zip(projects, self.subnets, strict=True):
            self._begin(project, subnet)
        moves: dict[Callable[[random.Random], Answer], int] = {
            self._make_ports: 6, self._readdress: 2, self._regroup: 2, self._retag: 1,
            self._delete_port: 4, self._default_group: 1, self._everybodys_network: 3,
            self._make_subnet: 2, self._update_subnet: 1, self._delete_subnet: 1,
            self._make_router: 2, self._set_gateway: 3, self._attach: 4, self._detach: 2,
            self._delete_router: 1, self._make_group: 2, self._rule: 3, self._delete_group: 1,
            self._make_floating: 4, self._associate: 3, self._delete_floating: 2,
        }  # fmt: skip
        self._moves, self._weights = list(moves), list(moves.values())

    def _begin(self, project: str, subnet: str) -> None:
        """A router between a subnet and the outside, and a group, for clients to begin with."""
        info = {"network_id": self.public}
        body = {"project_id": project, "external_gateway_info": info}
        assert self._post(ROUTERS, {"router": body}, self.routers).status == 201
        path = f"{ROUTERS}/{self.routers[-1]}/add_router_interface"
        assert self.api.call("PUT", path, {"subnet_id": subnet}).status == 200
        body = {"name": "g", "project_id": project}
        assert self._post(GROUPS, {"security_group": body}, self.groups).status == 201

    def play(self, seed: int, count: int) -> list[tuple[str, Answer]]:
        """One client's requests: the name of each move and its answer."""
        rng = random.Random(seed)
        drawn = rng.choices(self._moves, self._weights, k=count)
        return [(move.__name__, move(rng)) for move in drawn]

    def _post(self, path: str, body: Any, pile: Pile | None = None) -> Answer:
        answer = self.api.call("POST", path, body)
        if answer.status == 201 and pile is not None:
            (made,) = answer.json.values()
            pile += [each["id"] for each in (made if isinstance(made, list) else [made])]
        return answer

    def _put(self, path: str, name: str, /, **changes: Any) -> Answer:
        return self.api.call("PUT", path, {name: changes})

    def _make_ports(self, rng: random.Random) -> Answer:
        i = rng.randrange(3)
        port: dict[str, Any] = {
            "network_id": self.networks[i],
            "project_id": rng.choice(projects),
        }
        if rng.random() < 0.3:
            port["fixed_ips"] = [{"ip_address": f"10.{i}.0.{rng.randrange(1, 15)}"}]
        if rng.random() < 0.2:
            port["security_groups"] = [self.groups.pick(rng)]
        count = rng.choice((1, 1, 3))
        return self._post(PORTS, {"ports": [port] * count}, self.ports)

    def _readdress(self, rng: random.Random) -> Answer:
        address = f"10.{rng.randrange(3)}.0.{rng.randrange(1, 15)}"
        path = f"{PORTS}/{self.ports.pick(rng)}"
        return self._put(path, "port", fixed_ips=[{"ip_address": address}])

    def _regroup(self, rng: random.Random) -> Answer:
        wanted = [self.groups.pick(rng)] if rng.random() < 0.8 else []
        return self._put(f"{PORTS}/{self.ports.pick(rng)}", "port", security_groups=wanted)

    def _retag(self, rng: random.Random) -> Answer:
        return self.api.call("PUT", f"{PORTS}/{self.ports.pick(rng)}/tags/t{rng.randrange(9)}")

    def _delete_port(self, rng: random.Random) -> Answer:
        return self.api.call("DELETE", f"{PORTS}/{self.ports.take(rng)}")

    def _default_group(self, rng: random.Random) -> Answer:
        return self.api.get(f"{GROUPS}?project_id=new-{rng.randrange(4)}")

    def _everybodys_network(self, rng: random.Random) -> Answer:
        """A network of everybody's id: made, used and deleted by whoever comes."""
        id_ = f"00000000-0000-4000-8000-0000000000{rng.randrange(10, 14)}"
        match rng.randrange(4):
            case 0 | 1:
                body = {"id": id_, "project_id": rng.choice(projects)}
                return self._post(NETWORKS, {"network": body})
            case 2:
                subnet = {"network_id": id_, "cidr": "10.9.0.0/28", "ip_version": 4}
                return self._post(SUBNETS, {"subnet": subnet})
        return self.api.call("DELETE", f"{NETWORKS}/{id_}")

    def _make_subnet(self, rng: random.Random) -> Answer:
        i, part = rng.randrange(3), rng.randrange(4)
        body = {
            "network_id": self.networks[i],
            "cidr": f"10.{i}.1.{16 * part}/{rng.choice((27, 28))}",
            "ip_version": 4,
            "project_id": rng.choice(projects),
        }
        return self._post(SUBNETS, {"subnet": body}, self.subnets)

    def _update_subnet(self, rng: random.Random) -> Answer:
        change = rng.choice(({"name": "s"}, {"gateway_ip": None}, {"dns_nameservers": ["9.9.9.9"]}))
        return self._put(f"{SUBNETS}/{self.subnets.pick(rng)}", "subnet", **change)

    def _delete_subnet(self, rng: random.Random) -> Answer:
        return self.api.call("DELETE", f"{SUBNETS}/{self.subnets.pick(rng)}")

    def _make_router(self, rng: random.Random) -> Answer:
        body = {"project_id": rng.choice(projects)}
        return self._post(ROUTERS, {"router": body}, self.routers)

    def _set_gateway(self, rng: random.Random) -> Answer:
        info = {"network_id": self.public} if rng.random() < 0.7 else None
        return self._put(
            f"{ROUTERS}/{self.routers.pick(rng)}", "router", external_gateway_info=info
        )

    def _attach(self, rng: random.Random) -> Answer:
        return self._interface(rng, "add_router_interface")

    def _detach(self, rng: random.Random) -> Answer:
        return self._interface(rng, "remove_router_interface")

    def _interface(self, rng: random.Random, verb: str) -> Answer:
        path = f"{ROUTERS}/{self.routers.pick(rng)}/{verb}"
        if rng.random() < 0.3:
            return self.api.call("PUT", path, {"port_id": self.ports.pick(rng)})
        return self.api.call("PUT", path, {"subnet_id": self.subnets.pick(rng)})

    def _delete_router(self, rng: random.Random) -> Answer:
        return self.api.call("DELETE", f"{ROUTERS}/{self.routers.pick(rng)}")

    def _make_group(self, rng: random.Random) -> Answer:
        body = {"name": "g", "project_id": rng.choice(projects)}
        return self._post(GROUPS, {"security_group": body}, self.groups)

    def _rule(self, rng: random.Random) -> Answer:
        """One of a few rules: most of them are there already."""
        body: dict[str, Any] = {
            "security_group_id": self.groups.pick(rng),
            "direction": "ingress",
            "ethertype": "IPv4",
            "protocol": rng.choice(("tcp", "udp", "icmp")),
        }
        if rng.random() < 0.5:
            body["remote_group_id"] = self.groups.pick(rng)
        return self._post(RULES, {"security_group_rule": body})

    def _delete_group(self, rng: random.Random) -> Answer:
        return self.api.call("DELETE", f"{GROUPS}/{self.groups.pick(rng)}")

    def _make_floating(self, rng: random.Random) -> Answer:
        body: dict[str, Any] = {
            "floating_network_id": self.public,
            "project_id": rng.choice(projects),
        }
        if rng.random() < 0.5:
            body["port_id"] = self.ports.pick(rng)
        return self._post(FLOATING, {"floatingip": body}, self.floating)

    def _associate(self, rng: random.Random) -> Answer:
        port = self.ports.pick(rng) if rng.random() < 0.8 else None
        return self._put(f"{FLOATING}/{self.floating.pick(rng)}", "floatingip", port_id=port)

    def _delete_floating(self, rng: random.Random) -> Answer:
        return self.api.call("DELETE", f"{FLOATING}/{self.floating.take(rng)}")


def overlapping(cidrs: Sequence[Any]) -> bool:
    """Whether two of these networks share an address."""
    return any(a.overlaps(b) for i, a in enumerate(cidrs) for b in cidrs[:i])
