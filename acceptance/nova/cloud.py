"""The cloud that the walk walks through: who asks, and what is asked often."""

import os
import subprocess
from collections.abc import Callable, Sequence
from time import monotonic, sleep
from typing import Any, TypeVar

from keystoneauth1.adapter import Adapter
from requests import Response

from acceptance.keystone import REGION, Account, Keystone
from acceptance.nova.plug import machine_of
from acceptance.nova.services import HOSTS, Services
from alcor.lab import namespaces
from alcor.lab.commands import run
from alcor.lab.layout import layout
from alcor.lab.record import load_machine
from alcor.lab.traffic import dhcp

MICROVERSION = "2.95"
_wait_s_max = 120.0
T = TypeVar("T")
Item = dict[str, Any]


class Client:
    """One account's calls; what is refused is an error, unless the answer itself is wanted."""

    def __init__(self, keystone: Keystone, account: Account, urls: dict[str, str]) -> None:
        self.account = account
        self._adapters = {name: keystone.adapter(account, url) for name, url in urls.items()}

    def ask(self, service: str, method: str, path: str, body: Any = None) -> Response:
        """The answer, whatever it is."""
        headers = {"compute": "compute " + MICROVERSION, "placement": "placement 1.36"}
        more = {"OpenStack-API-Version": headers[service]} if service in headers else {}
        adapter: Adapter = self._adapters[service]
        answer: Response = adapter.request(path, method, json=body, headers=more, raise_exc=False)
        return answer

    def ask_old(self, method: str, path: str, body: Any) -> Response:
        """What Nova's first microversion answers: in it a boot may name no network."""
        answer: Response = self._adapters["compute"].request(
            path, method, json=body, raise_exc=False
        )
        return answer

    def call(self, service: str, method: str, path: str, body: Any = None) -> Any:
        """What it answers when it does as told."""
        answer = self.ask(service, method, path, body)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def nova(self, method: str, path: str, body: Any = None) -> Any:
        """Of Nova."""
        return self.call("compute", method, path, body)

    def get(self, path: str) -> Any:
        """What the Networking API answers, without its name."""
        return next(iter(self.call("network", "GET", f"/v2.0{path}").values()))

    def make(self, kind: str, **fields: Any) -> Item:
        """A resource of the Networking API."""
        collection = f"{kind.removesuffix('y')}ies" if kind.endswith("y") else f"{kind}s"
        path = f"/v2.0/{collection.replace('_', '-')}"
        made: Item = self.call("network", "POST", path, {kind: fields})[kind]
        return made

    def put(self, kind: str, id_: str, **fields: Any) -> Item:
        """Change one."""
        changed: Item = self.call("network", "PUT", f"/v2.0/{kind}s/{id_}", {kind: fields})[kind]
        return changed


class Cloud:
    """A tenant, an administrator, and a network of the tenant's."""

    def __init__(
        self,
        keystone: Keystone,
        endpoint: str,
        services: Services,
        lab: str,
        agent: Sequence[str] = (),
    ) -> None:
        """`agent`: the options of the hosts' agents."""
        self.keystone, self.services, self.lab, self.agent = keystone, services, lab, agent
        urls = {name: services.ports.url(name) for name in ("compute", "placement", "image")}
        self.urls = urls | {"network": endpoint}
        self.mary = Client(keystone, keystone.user("mary", "walk", ("member",)), self.urls)
        self.admin = Client(keystone, keystone.admin, self.urls)
        self.project = keystone.project("walk")

    def prepare(self) -> None:
        """Hosts, a flavor, an image and a network."""
        wait("both hosts", lambda: len(self._computes()) == len(HOSTS))
        self.services.discover()
        flavors = {"id": "1", "name": "one", "vcpus": 1, "ram": 64, "disk": 1}
        self.admin.nova("POST", "/flavors", {"flavor": flavors})
        two = flavors | {"id": "2", "name": "two", "vcpus": 2}
        self.admin.nova("POST", "/flavors", {"flavor": two})
        image = {"name": "nothing", "disk_format": "raw", "container_format": "bare",
                 "visibility": "public"}  # fmt: skip
        made = self.admin.call("image", "POST", "/v2/images", image)
        self.image = str(made["id"])
        stored = self._store(f"/v2/images/{self.image}/file")
        assert stored == 204, stored
        self.network = self.mary.make("network", name="blue")["id"]
        self.subnet = self.mary.make(
            "subnet", name="blue", network_id=self.network, ip_version=4, cidr="10.20.0.0/24"
        )["id"]

    def _store(self, path: str) -> int:
        adapter = self.keystone.adapter(self.admin.account, self.urls["image"])
        headers = {"Content-Type": "application/octet-stream"}
        return int(adapter.put(path, data=b"\0" * 1024, headers=headers).status_code)

    def _computes(self) -> list[Item]:
        found = self.admin.nova("GET", "/os-services?binary=nova-compute")["services"]
        return [each for each in found if each["state"] == "up"]

    def boot(self, networks: Any = None, **fields: Any) -> Item:
        """A server as it was answered; `networks` as Nova takes them, else the tenant's network."""
        body = {"name": "vm", "flavorRef": "1", "imageRef": self.image} | fields
        body["networks"] = [{"uuid": self.network}] if networks is None else networks
        # Only an administrator names a host.
        who = self.admin if "host" in body else self.mary
        made: Item = who.nova("POST", "/servers", {"server": body})["server"]
        return made

    def active(self, server: Item | str) -> Item:
        """The server once it runs and nothing is being done with it."""
        return self.settled(server, "ACTIVE")

    def moved(self, server: Item, host: str) -> Item:
        """The server once it is on this host, and runs."""
        key = "OS-EXT-SRV-ATTR:host"
        wait(f"{host} to have it", lambda: self.server(server["id"])[key] == host)
        return self.active(server)

    def settled(self, server: Item | str, status: str) -> Item:
        """The server once it has this status and nothing is being done with it."""
        id_ = server if isinstance(server, str) else server["id"]

        def found() -> Item | None:
            one: Item = self.server(id_)
            if one["status"] == "ERROR" and status != "ERROR":
                raise AssertionError(f"the server has failed: {one.get('fault')}")
            busy = one["OS-EXT-STS:task_state"] is not None
            return one if one["status"] == status and not busy else None

        return wait(f"server {id_} to be {status}", found)

    def server(self, id_: str) -> Item:
        """As an administrator sees it."""
        one: Item = self.admin.nova("GET", f"/servers/{id_}")["server"]
        return one

    def act(self, server: Item, **action: Any) -> Any:
        """An action of a server, as an administrator."""
        return self.admin.nova("POST", f"/servers/{server['id']}/action", action)

    def ports(self, server: Item) -> list[Item]:
        """What the Networking API has for a server."""
        found: list[Item] = self.admin.get(f"/ports?device_id={server['id']}")
        return found

    def port(self, server: Item) -> Item:
        """Its only port."""
        (one,) = self.ports(server)
        return one

    def bindings(self, port: Item) -> list[tuple[str, str]]:
        """A port's hosts, and what its binding to each is."""
        found = self.admin.get(f"/ports/{port['id']}/bindings")
        return [(each["host"], each["status"]) for each in found]

    def gone(self, server: Item) -> None:
        """Delete a server, and wait until it is."""
        self.admin.nova("DELETE", f"/servers/{server['id']}")
        path = f"/servers/{server['id']}"
        wait("the server to be gone",
             lambda: self.admin.ask("compute", "GET", path).status_code == 404)  # fmt: skip

    def addresses(self, server: Item, kind: str = "fixed") -> list[str]:
        """What Nova shows of a server's addresses."""
        networks = self.server(server["id"])["addresses"].values()
        found = [each for network in networks for each in network]
        return sorted(each["addr"] for each in found if each["OS-EXT-IPS:type"] == kind)

    def drop(self, collection: str, item: Item) -> None:
        """Delete something of the Networking API."""
        self.admin.call("network", "DELETE", f"/v2.0/{collection}/{item['id']}")

    def external_network(self) -> Item:
        """One with a subnet for floating IPs."""
        made = self.admin.make("network", name="outside", **{"router:external": True})
        v4 = {"network_id": made["id"], "ip_version": 4, "cidr": "198.18.0.0/24"}
        self.admin.make("subnet", **v4, enable_dhcp=False)
        return made

    def router(self, outside: Item) -> Item:
        """Of the tenant's, between its network and the one outside."""
        gateway = {"network_id": outside["id"]}
        made = self.mary.make("router", name="way", external_gateway_info=gateway)
        path, body = f"/v2.0/routers/{made['id']}", {"subnet_id": self.subnet}
        self.mary.call("network", "PUT", f"{path}/add_router_interface", body)
        return made

    def unroute(self, router: Item) -> None:
        """Delete such a router."""
        path, body = f"/v2.0/routers/{router['id']}", {"subnet_id": self.subnet}
        self.mary.call("network", "PUT", f"{path}/remove_router_interface", body)
        self.drop("routers", router)

    def clean(self) -> None:
        """Take away what a step that failed has left."""
        for server in self.admin.nova("GET", "/servers?all_tenants=1")["servers"]:
            self.gone(server)
        for router in self.admin.get("/routers"):
            path = f"/v2.0/routers/{router['id']}/remove_router_interface"
            for port in self.admin.get(f"/ports?device_id={router['id']}"):
                self.admin.ask("network", "PUT", path, {"port_id": port["id"]})
        for kind in ("floatingips", "routers", "trunks", "ports", "networks", "security-groups"):
            for item in self.admin.get(f"/{kind}?fields=id"):
                if item["id"] != self.network:
                    self.admin.ask("network", "DELETE", f"/v2.0/{kind}/{item['id']}")

    def lease(self, port: Item) -> str:
        """The address that DHCP gives the machine at a port, on the port's host."""
        where = layout(self.lab)
        machine = load_machine(where, machine_of(port["id"], port["binding:host_id"]))
        leases = dhcp.get_leases(where, [machine], 30.0)
        assert machine.name in leases, f"{machine.name} got no lease"
        return leases[machine.name].address

    def plugged(self, port: Item, host: str) -> bool:
        """Whether a port's machine is on a host."""
        return self._namespace(port, host) in namespaces.named(layout(self.lab).prefix)

    def inside(self, port: Item, *argv: str) -> str:
        """What a program in the machine writes."""
        space = self._namespace(port, port["binding:host_id"])
        return run("ip", "netns", "exec", space, *argv)

    def _namespace(self, port: Item, host: str) -> str:
        return layout(self.lab).machine_namespace(machine_of(port["id"], host))

    def openstack(self, *words: str) -> str:
        """What the `openstack` command writes, as the tenant."""
        account = self.mary.account
        env = dict(os.environ) | {
            "OS_AUTH_URL": self.keystone.url,
            "OS_USERNAME": account.name,
            "OS_PASSWORD": account.password,
            "OS_PROJECT_NAME": account.project,
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_REGION_NAME": REGION,
            "OS_IDENTITY_API_VERSION": "3",
        }
        argv = [str(self.services.bin / "openstack"), *words]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"openstack {' '.join(words)}: {done.stderr[-1_000:]}"
        return done.stdout


def wait(what: str, found: Callable[[], T | None]) -> T:
    """The first answer that is true."""
    deadline = monotonic() + _wait_s_max
    while monotonic() < deadline:
        if answer := found():
            return answer
        sleep(0.3)
    raise AssertionError(f"waited too long for {what}")
