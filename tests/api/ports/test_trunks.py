"""Trunks over HTTP, as Neutron's clients meet them."""

from typing import Any, NamedTuple
from uuid import uuid4

import pytest

TRUNKS, PORTS = "/v2.0/trunks", "/v2.0/ports"
NOBODY = str(uuid4())


class Place(NamedTuple):
    """A network of parents and one of sub-ports."""

    api: Any
    network: str
    inner: str

    def port(self, **fields: Any) -> str:
        return str(self.api.port(self.network, **fields)["id"])

    def inner_port(self, **fields: Any) -> str:
        return str(self.api.port(self.inner, **fields)["id"])

    def trunk(self, port: str = "", **fields: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.api.make(TRUNKS, "trunk", port_id=port or self.port(), **fields)
        return made

    def post(self, **fields: Any) -> Any:
        return self.api.call("POST", TRUNKS, {"trunk": fields})

    def put(self, id_: str, **changes: Any) -> Any:
        return self.api.call("PUT", f"{TRUNKS}/{id_}", {"trunk": changes})

    def act(self, id_: str, action: str, sub_ports: Any) -> Any:
        return self.api.call("PUT", f"{TRUNKS}/{id_}/{action}", {"sub_ports": sub_ports})

    def show(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"{TRUNKS}/{id_}").json["trunk"]
        return found

    def show_port(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"{PORTS}/{id_}").json["port"]
        return found


def seat(port: str, tag: int) -> dict[str, Any]:
    return {"port_id": port, "segmentation_type": "vlan", "segmentation_id": tag}


@pytest.fixture
def place(api: Any) -> Place:
    return Place(api, api.network()["id"], api.network()["id"])


def test_a_trunk_is_shown_as_it_was_made(place: Place) -> None:
    parent, sub_port = place.port(), place.inner_port()

    made = place.trunk(parent, name="t", description="d", sub_ports=[seat(sub_port, 2)])

    assert made == place.show(made["id"])
    assert made["sub_ports"] == [seat(sub_port, 2)]
    assert (made["port_id"], made["status"], made["admin_state_up"]) == (parent, "DOWN", True)
    listed = place.api.listed(f"{TRUNKS}?port_id={parent}")
    assert listed == [made]


def test_a_parent_shows_its_trunk_and_a_sub_port_its_place(place: Place) -> None:
    parent, sub_port = place.port(), place.inner_port()
    trunk = place.trunk(parent, sub_ports=[seat(sub_port, 7)])

    shown, inner = place.show_port(parent), place.show_port(sub_port)

    mac = inner["mac_address"]
    details = {"trunk_id": trunk["id"], "sub_ports": [seat(sub_port, 7) | {"mac_address": mac}]}
    assert shown["trunk_details"] == details
    assert inner["device_owner"] == "trunk:subport"
    assert inner["device_id"] == trunk["id"]
    assert inner["trunk_subport"] == {
        "trunk_id": trunk["id"],
        "port_id": parent,
        "segmentation_id": 7,
    }
    assert "trunk_details" not in inner
    assert "trunk_details" not in place.show_port(place.port())


def test_sub_ports_come_and_go(place: Place) -> None:
    one, two = place.inner_port(), place.inner_port()
    id_ = place.trunk()["id"]

    added = place.act(id_, "add_subports", [seat(one, 2), seat(two, 3)])
    removed = place.act(id_, "remove_subports", [{"port_id": one}])

    assert added.json["sub_ports"] == [seat(one, 2), seat(two, 3)]
    assert removed.json["sub_ports"] == [seat(two, 3)]
    assert place.api.get(f"{TRUNKS}/{id_}/get_subports").json == {"sub_ports": [seat(two, 3)]}
    assert place.show(id_)["revision_number"] == 3
    freed = place.show_port(one)
    assert (freed["device_owner"], freed["device_id"]) == ("", "")
    assert "trunk_subport" not in freed
    assert place.api.call("DELETE", f"{PORTS}/{one}").status == 204


def test_a_sub_port_is_where_its_parent_is(place: Place) -> None:
    place.api.make("/alcor/v1/nodes", "node", id="h1", tunnel_ip="192.0.2.1")
    place.api.make("/alcor/v1/nodes", "node", id="h2", tunnel_ip="192.0.2.2")
    parent, sub_port = place.port(**{"binding:host_id": "h1"}), place.inner_port()
    id_ = place.trunk(parent, sub_ports=[seat(sub_port, 2)])["id"]

    def where() -> tuple[str, str]:
        shown = place.show_port(sub_port)
        return shown["binding:host_id"], shown["binding:vif_type"]

    assert where() == ("h1", "ovs")
    body = {"port": {"binding:host_id": "h2"}}
    assert place.api.call("PUT", f"{PORTS}/{parent}", body).status == 200
    assert where() == ("h2", "ovs")
    body = {"port": {"binding:host_id": ""}}
    assert place.api.call("PUT", f"{PORTS}/{parent}", body).status == 200
    assert where() == ("", "unbound")
    body = {"port": {"binding:host_id": "h1"}}
    assert place.api.call("PUT", f"{PORTS}/{sub_port}", body).type == "PortInUseAsSubPort"
    binding = place.api.call("POST", f"{PORTS}/{sub_port}/bindings", {"binding": {"host": "h1"}})
    assert binding.type == "PortInUseAsSubPort"
    assert place.api.call("PUT", f"{PORTS}/{parent}", body).status == 200
    assert where() == ("h1", "ovs")
    assert place.api.call("DELETE", f"{TRUNKS}/{id_}").status == 204
    assert where() == ("", "unbound")


def test_a_parent_shows_the_mac_address_that_its_sub_port_has_now(place: Place) -> None:
    parent, sub_port = place.port(), place.inner_port()
    place.trunk(parent, sub_ports=[seat(sub_port, 2)])

    body = {"port": {"mac_address": "fa:16:3e:aa:bb:cc"}}
    assert place.api.call("PUT", f"{PORTS}/{sub_port}", body).status == 200

    (shown,) = place.show_port(parent)["trunk_details"]["sub_ports"]
    assert shown["mac_address"] == "fa:16:3e:aa:bb:cc"


def test_ports_of_a_trunk_are_not_deleted_before_it_is(place: Place) -> None:
    parent, sub_port = place.port(), place.inner_port()
    id_ = place.trunk(parent, sub_ports=[seat(sub_port, 2)])["id"]

    assert place.api.call("DELETE", f"{PORTS}/{parent}").type == "PortInUseAsTrunkParent"
    assert place.api.call("DELETE", f"{PORTS}/{sub_port}").type == "PortInUseAsSubPort"
    assert place.api.call("DELETE", f"{TRUNKS}/{id_}").status == 204
    for port in (parent, sub_port):
        assert place.api.call("DELETE", f"{PORTS}/{port}").status == 204
    assert place.api.get(f"{TRUNKS}/{id_}").type == "TrunkNotFound"


def test_a_disabled_trunk_stays_as_it_is(place: Place) -> None:
    sub_port = place.inner_port()
    id_ = place.trunk(sub_ports=[seat(sub_port, 2)], admin_state_up=False)["id"]

    for action, what in (("add_subports", place.inner_port()), ("remove_subports", sub_port)):
        refused = place.act(id_, action, [seat(what, 3)])
        assert (refused.status, refused.type) == (409, "TrunkDisabled")
    assert place.api.call("DELETE", f"{TRUNKS}/{id_}").type == "TrunkDisabled"
    assert place.put(id_, admin_state_up=True).status == 200
    assert place.api.call("DELETE", f"{TRUNKS}/{id_}").status == 204


def test_a_port_is_on_one_trunk_once(place: Place) -> None:
    parent, sub_port = place.port(), place.inner_port()
    place.trunk(parent, sub_ports=[seat(sub_port, 2)])
    other = place.trunk()["id"]

    assert place.post(port_id=parent).type == "ParentPortInUse"
    assert place.post(port_id=sub_port).type == "TrunkPortInUse"
    assert place.act(other, "add_subports", [seat(sub_port, 2)]).type == "TrunkPortInUse"
    assert place.act(other, "add_subports", [seat(parent, 2)]).type == "ParentPortInUse"
    own = place.show(other)["port_id"]
    assert place.act(other, "add_subports", [seat(own, 2)]).type == "ParentPortInUse"
    used = place.inner_port(device_id="machine", device_owner="compute:nova")
    assert place.act(other, "add_subports", [seat(used, 2)]).type == "PortInUse"
    assert place.show(other)["sub_ports"] == []


def test_a_refused_trunk_leaves_its_ports_alone(place: Place) -> None:
    parent, sub_port = place.port(), place.inner_port()

    refused = place.post(port_id=parent, sub_ports=[seat(sub_port, 2), seat(NOBODY, 3)])
    used = place.inner_port(device_id="machine")
    half = place.post(port_id=parent, sub_ports=[seat(sub_port, 2), seat(used, 3)])

    assert (refused.type, half.type) == ("PortNotFound", "PortInUse")
    assert "trunk_details" not in place.show_port(parent)
    assert place.show_port(sub_port)["device_owner"] == ""
    assert place.trunk(parent, sub_ports=[seat(sub_port, 2)])["port_id"] == parent


def test_a_batch_of_trunks_is_made_whole_or_not(place: Place) -> None:
    parents = [place.port(), place.port()]
    taken = place.trunk()["port_id"]

    refused = place.api.call(
        "POST", TRUNKS, {"trunks": [{"port_id": id_} for id_ in [*parents, taken]]}
    )
    made = place.api.call("POST", TRUNKS, {"trunks": [{"port_id": id_} for id_ in parents]})

    assert refused.type == "ParentPortInUse"
    assert [each["port_id"] for each in made.json["trunks"]] == parents


@pytest.mark.parametrize(
    "sub_ports",
    [
        {"port_id": NOBODY, "segmentation_type": "vlan", "segmentation_id": 2},
        [{"segmentation_type": "vlan", "segmentation_id": 3}],
        [{"port_id": NOBODY, "segmentation_type": "vlan"}],
        [{"port_id": NOBODY, "segmentation_id": 3}],
        [{"port_id": NOBODY}],
        [seat(NOBODY, 0)],
        [seat(NOBODY, 4095)],
        [seat("no-uuid", 3)],
        [seat(NOBODY, 3), seat(NOBODY, 4)],
        [seat(NOBODY, 3), seat(str(uuid4()), 3)],
        [{"port_id": NOBODY, "segmentation_type": "vxlan", "segmentation_id": 3}],
        None,
        "x",
    ],
)
def test_sub_ports_that_make_no_sense_are_a_bad_request(place: Place, sub_ports: Any) -> None:
    id_ = place.trunk()["id"]

    assert place.act(id_, "add_subports", sub_ports).status == 400
    assert place.post(port_id=place.port(), sub_ports=sub_ports).status == 400


def test_a_refusal_repeats_the_sub_port_that_lacks_a_tag(place: Place) -> None:
    refused = place.act(place.trunk()["id"], "add_subports", [{"port_id": NOBODY}])

    assert f"Invalid subport details '{{'port_id': '{NOBODY}'}}': missing" in refused.message


def test_a_tag_is_one_sub_ports(place: Place) -> None:
    id_ = place.trunk(sub_ports=[seat(place.inner_port(), 2)])["id"]

    refused = place.act(id_, "add_subports", [seat(place.inner_port(), 2)])

    assert (refused.status, refused.type) == (409, "DuplicateSubPort")


def test_what_is_not_there_is_not_found(place: Place) -> None:
    id_ = place.trunk()["id"]

    assert place.post(port_id=NOBODY).type == "PortNotFound"
    assert place.act(id_, "add_subports", [seat(NOBODY, 2)]).type == "PortNotFound"
    assert place.act(id_, "remove_subports", [seat(NOBODY, 2)]).type == "SubPortNotFound"
    assert place.act(NOBODY, "add_subports", [seat(place.port(), 2)]).type == "TrunkNotFound"
    assert place.act(id_, "remove_subports", {"port_id": NOBODY}).status == 400


def test_what_a_trunk_has_becomes_no_interface_of_a_router(place: Place) -> None:
    network = place.api.network()["id"]
    place.api.subnet(network, "10.0.0.0/24")
    trunk = place.trunk(place.api.port(network)["id"])
    router = f"/v2.0/routers/{place.api.make('/v2.0/routers', 'router')['id']}"
    port = f"/v2.0/ports/{trunk['port_id']}"
    before = place.api.get(port).json["port"]

    added = place.api.call("PUT", f"{router}/add_router_interface", {"port_id": trunk["port_id"]})

    assert (added.status, added.type) == (409, "PortInUseAsTrunkParent")
    assert place.api.get(port).json["port"] == before
    assert place.api.call("DELETE", router).status == 204


def test_a_sub_port_is_no_larger_than_its_parent(place: Place) -> None:
    small = place.api.port(place.api.network(mtu=1000)["id"])["id"]
    large = place.api.port(place.api.network(mtu=1400)["id"])["id"]

    refused = place.post(port_id=small, sub_ports=[seat(large, 2)])

    assert (refused.status, refused.type) == (409, "SubPortMtuGreaterThanTrunkPortMtu")
    assert place.post(port_id=large, sub_ports=[seat(small, 2)]).status == 201


def test_a_sub_port_of_a_vlan_network_inherits_its_tag(place: Place) -> None:
    outside: dict[str, Any] = {"provider:network_type": "vlan"}
    outside |= {"provider:physical_network": "physnet1", "provider:segmentation_id": 123}
    tagged = place.api.port(place.api.network(mtu=1400, **outside)["id"])["id"]
    id_ = place.trunk()["id"]

    added = place.act(id_, "add_subports", [{"port_id": tagged, "segmentation_type": "inherit"}])
    inherited = [{"port_id": place.inner_port(), "segmentation_type": "inherit"}]
    refused = place.act(id_, "add_subports", inherited)

    assert added.json["sub_ports"] == [seat(tagged, 123)]
    assert refused.status == 400


def test_a_change_is_waited_for_by_the_revision_of_its_ports(place: Place) -> None:
    made = place.post(port_id=place.port(), sub_ports=[seat(place.inner_port(), 2)])
    id_ = made.json["trunk"]["id"]

    renamed = place.put(id_, name="other")

    assert made.headers["x-alcor-revision"].startswith("port:")
    for answer in (made, renamed):
        revision = answer.headers["x-alcor-revision"]
        waited = place.api.get(f"/alcor/v1/convergence?revision={revision}&timeout=5")
        assert waited.json.get("converged"), waited


def test_who_asks_for_the_id_of_a_trunk_that_is_there_changes_nothing_of_it(place: Place) -> None:
    parent, inside = place.port(), place.inner_port()
    held = place.trunk(parent, sub_ports=[seat(inside, 5)])
    other, further = place.port(), place.inner_port()

    answer = place.post(id=held["id"], port_id=other, sub_ports=[seat(further, 6)])

    assert (answer.status, answer.type) == (409, "TrunkIdInUse")
    assert place.show(held["id"])["sub_ports"] == held["sub_ports"]
    details = place.show_port(parent)["trunk_details"]
    assert [each["port_id"] for each in details["sub_ports"]] == [inside]
    again = place.trunk(other, sub_ports=[seat(further, 6)])
    assert [each["port_id"] for each in again["sub_ports"]] == [further]
