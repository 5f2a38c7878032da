"""Local IPs over HTTP: where their addresses are from, which ports have them, what goes when."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.conftest import Answer, Api, running, soon, tokens

from alcor.gateway.app import GatewaySettings

PATH = "/v2.0/local_ips"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("local-ips")
    tenants = {"ann": "ann member reader", "bob": "bob member reader"}
    given = tokens(folder, root="root admin member reader", **tenants)
    with running(folder / "data", GatewaySettings(), **given) as api:
        yield api.bearing("root")


@pytest.fixture
def ann(root: Api) -> Api:
    return root.bearing("ann")


@pytest.fixture
def bob(root: Api) -> Api:
    return root.bearing("bob")


@pytest.fixture
def network(ann: Api) -> str:
    id_: str = ann.network()["id"]
    ann.subnet(id_, "10.0.0.0/24")
    ann.subnet(id_, "fd00::/64")
    return id_


def local_ip(api: Api, **fields: Any) -> dict[str, Any]:
    return api.make(PATH, "local_ip", **fields)


def associate(api: Api, of: dict[str, Any], port: dict[str, Any], **fields: Any) -> Answer:
    body = {"port_association": {"fixed_port_id": port["id"]} | fields}
    return api.call("POST", f"{PATH}/{of['id']}/port_associations", body)


def four(port: dict[str, Any]) -> str:
    (address,) = (f["ip_address"] for f in port["fixed_ips"] if ":" not in f["ip_address"])
    return str(address)


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.type


def test_on_a_network_it_has_a_port_of_its_own_that_goes_with_it(ann: Api, network: str) -> None:
    made = local_ip(ann, network_id=network, local_ip_address="10.0.0.77", name="dns")
    assert (made["local_ip_address"], made["ip_mode"]) == ("10.0.0.77", "translate")
    (own,) = ann.listed(f"/v2.0/ports?id={made['local_port_id']}")
    assert (own["device_owner"], own["device_id"]) == ("network:local_ip", made["id"])
    assert own["status"] == "N/A"
    assert refused(ann.call("DELETE", f"/v2.0/ports/{own['id']}")) == (409, "ServicePortInUse")
    taken = {"local_ip": {"network_id": network, "local_ip_address": "10.0.0.77"}}
    assert ann.call("POST", PATH, taken).status == 409
    changed = ann.call("PUT", f"{PATH}/{made['id']}", {"local_ip": {"name": "names"}}).json
    assert (changed["local_ip"]["name"], changed["local_ip"]["revision_number"]) == ("names", 2)
    assert ann.listed(f"{PATH}?name=names") == [changed["local_ip"]]
    assert ann.call("DELETE", f"{PATH}/{made['id']}").status == 204
    assert ann.listed(f"/v2.0/ports?id={own['id']}") == []
    assert refused(ann.get(f"{PATH}/{made['id']}")) == (404, "LocalIPNotFound")


def test_what_can_t_be_had_leaves_no_port_behind(ann: Api, bob: Api, network: str) -> None:
    empty = ann.network()["id"]
    six = ann.network()["id"]
    ann.subnet(six, "fd01::/64")
    wishes: list[tuple[Api, dict[str, Any], tuple[int, str]]] = [
        (ann, {}, (400, "LocalIPPortOrNetworkRequired")),
        (ann, {"network_id": six}, (400, "BadRequest")),
        (ann, {"network_id": empty}, (400, "BadRequest")),
        (
            ann,
            {"network_id": network, "local_ip_address": "192.0.2.1"},
            (400, "InvalidIpForNetwork"),
        ),
        (ann, {"network_id": network, "ip_mode": "loud"}, (400, "HTTPBadRequest")),
        (ann, {"local_port_id": network}, (400, "BadRequest")),
        (bob, {"network_id": network}, (404, "NetworkNotFound")),
    ]
    for api, fields, answer in wishes:
        assert refused(api.call("POST", PATH, {"local_ip": fields})) == answer, fields
    both = {"local_ips": [{"network_id": network}, {"network_id": six}]}
    assert ann.call("POST", PATH, both).status == 400
    assert ann.listed(PATH) == []
    assert ann.listed("/v2.0/ports?device_owner=network:local_ip") == []


def test_it_is_at_an_address_of_a_port_and_goes_with_it(ann: Api, network: str) -> None:
    port = ann.port(network)
    made = local_ip(ann, local_port_id=port["id"])
    assert (made["network_id"], made["local_ip_address"]) == (network, four(port))
    assert associate(ann, made, ann.port(network)).status == 201
    wrong = {"local_ip": {"local_port_id": port["id"], "local_ip_address": "10.0.0.9"}}
    assert refused(ann.call("POST", PATH, wrong)) == (400, "LocalIPRequestedIPNotFound")
    assert ann.call("DELETE", f"/v2.0/ports/{port['id']}").status == 204
    soon(lambda: ann.get(f"{PATH}/{made['id']}").status, lambda status: status == 404)


def test_ports_have_it_by_one_address_of_theirs(root: Api, ann: Api, network: str) -> None:
    made = local_ip(ann, network_id=network)
    port = ann.port(network)
    answer = associate(ann, made, port)
    assert answer.status == 201, answer
    assert answer.json["port_association"] == {
        "local_ip_id": made["id"],
        "local_ip_address": made["local_ip_address"],
        "fixed_port_id": port["id"],
        "fixed_ip": four(port),
        "host": "",
    }
    assert refused(associate(ann, made, port)) == (409, "LocalIPAssociationExists")
    below = f"{PATH}/{made['id']}/port_associations"
    root.call("PUT", f"/v2.0/ports/{port['id']}", {"port": {"binding:host_id": "h1"}})
    shown = ann.get(f"{below}/{port['id']}").json["port_association"]
    assert shown["host"] == "h1"
    assert ann.get(f"{below}?host=h1").json == {"port_associations": [shown]}
    assert ann.get(f"{below}?host=h2").json == {"port_associations": []}
    assert refused(ann.call("DELETE", f"{PATH}/{made['id']}")) == (409, "LocalIPInUse")
    assert ann.call("DELETE", f"{below}/{port['id']}").status == 204
    assert refused(ann.get(f"{below}/{port['id']}")) == (404, "LocalIPAssociationNotFound")
    again = ann.call("DELETE", f"{below}/{port['id']}")
    assert refused(again) == (404, "LocalIPAssociationNotFound")
    assert ann.call("DELETE", f"{PATH}/{made['id']}").status == 204


def test_of_several_addresses_one_is_named(ann: Api, network: str) -> None:
    made = local_ip(ann, network_id=network)
    several = [{"ip_address": "10.0.0.50"}, {"ip_address": "10.0.0.51"}]
    port = ann.port(network, fixed_ips=several)
    assert refused(associate(ann, made, port)) == (400, "LocalIPNoRequestedIP")
    other = associate(ann, made, port, fixed_ip="10.0.0.52")
    assert refused(other) == (400, "LocalIPRequestedIPNotFound")
    named = associate(ann, made, port, fixed_ip="10.0.0.51").json["port_association"]
    assert named["fixed_ip"] == "10.0.0.51"
    bare = ann.port(network, fixed_ips=[])
    assert refused(associate(ann, made, bare)) == (400, "LocalIPNoIP")
    elsewhere = ann.network()["id"]
    ann.subnet(elsewhere, "10.0.0.0/24")
    assert refused(associate(ann, made, ann.port(elsewhere))) == (400, "BadRequest")


def test_an_association_goes_with_its_port(ann: Api, network: str) -> None:
    made, port = local_ip(ann, network_id=network), ann.port(network)
    assert associate(ann, made, port).status == 201
    assert ann.call("DELETE", f"/v2.0/ports/{port['id']}").status == 204
    assert ann.get(f"{PATH}/{made['id']}/port_associations").json == {"port_associations": []}
    soon(lambda: ann.call("DELETE", f"{PATH}/{made['id']}").status, lambda status: status == 204)


def test_others_neither_see_it_nor_give_it_to_ports(ann: Api, bob: Api, network: str) -> None:
    made, port = local_ip(ann, network_id=network), ann.port(network)
    assert associate(ann, made, port).status == 201
    assert bob.listed(PATH) == []
    for path in (f"{PATH}/{made['id']}", f"{PATH}/{made['id']}/port_associations"):
        assert refused(bob.get(path)) == (404, "LocalIPNotFound")
    own = bob.network()["id"]
    bob.subnet(own, "10.0.0.0/24")
    assert refused(associate(bob, made, bob.port(own))) == (404, "LocalIPNotFound")
    theirs = local_ip(bob, network_id=own)
    assert refused(associate(bob, theirs, port)) == (400, "BadRequest")
