"""Whatever is asked of groups, rules, addresses and ACLs, the answer is never a fault of ours."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alcor.managers.network_acl.api import NETWORK_ACL, NETWORK_ACL_RULE
from alcor.managers.security_group.api import (
    ADDRESS_GROUP,
    DEFAULT_SECURITY_GROUP_RULE,
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
)
from alcor.resource.declaration import Resource

RESOURCES = (
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
    DEFAULT_SECURITY_GROUP_RULE,
    ADDRESS_GROUP,
    NETWORK_ACL,
    NETWORK_ACL_RULE,
)
UNKNOWN = "a3b1c0de-0000-4000-8000-00000000000f"
quick = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
words = st.sampled_from(
    "tcp icmp ipv6-icmp ip 58 256 IPv6 ipv4 ingress allow PARENT default -1 1e3 \u0661 \u00b2 "
    "10.0.0.1 10.0.0.0/24 0.0.0.0/0 ::/0 ::1 fe80::1%eth0/64 10/8 10.0.0.0/255.0.0.0 "
    f"::ffff:10.0.0.1/96 {UNKNOWN} ".split(" ")
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.sampled_from([0, 1, 8, 58, 255, 256, 32_767, 65_535, 65_536])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=300)
    | words
)
values = scalars | st.lists(scalars, max_size=4) | st.dictionaries(st.text(), scalars, max_size=2)


@pytest.fixture(scope="module")
def parents(announced: Any) -> dict[str, dict[str, Any]]:
    """What a nearly right body of each kind needs."""
    group = announced.make(SECURITY_GROUP.path, "security_group", name="g")["id"]
    network = announced.network(name="n")["id"]
    acl = announced.make(NETWORK_ACL.path, "network_acl", network_id=network)["id"]
    way = {"direction": "ingress"}
    return {
        "security_group_rule": way | {"security_group_id": group},
        "default_security_group_rule": way,
        "network_acl": {"network_id": network},
        "network_acl_rule": way | {"network_acl_id": acl, "action": "deny", "number": 5},
    }


def names(resource: Resource) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(resource.field_by_name)) | st.text(max_size=5)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.name)
@quick
@given(data=st.data())
def test_no_body_makes_a_fault(
    announced: Any, parents: dict[str, dict[str, Any]], resource: Resource, data: st.DataObject
) -> None:
    right = parents.get(resource.name, {})
    members = st.dictionaries(names(resource), values, max_size=4).map(lambda more: right | more)
    body = data.draw(
        members.map(lambda one: {resource.name: one})
        | st.lists(members, max_size=3).map(lambda many: {resource.collection: many})
    )

    change = {resource.name: data.draw(st.dictionaries(names(resource), values, max_size=3))}

    answer = announced.call("POST", resource.path, body)

    assert answer.status < 500, (answer, body)
    if answer.status != 201:
        return
    for made in answer.json.get(resource.collection) or [answer.json[resource.name]]:
        path = f"{resource.path}/{made['id']}"
        assert announced.get(path).json[resource.name] == made
        assert announced.call("PUT", path, change).status < 500, change
        assert announced.call("DELETE", path).status == 204


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.name)
@quick
@given(data=st.data())
def test_no_query_makes_a_fault(announced: Any, resource: Resource, data: st.DataObject) -> None:
    reserved = st.sampled_from(["limit", "marker", "page_reverse", "sort_key", "sort_dir"])
    text = words | st.text(st.characters(codec="utf-8"), max_size=20)
    pairs = data.draw(st.lists(st.tuples(names(resource) | reserved, text), max_size=4))
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)

    assert announced.get(f"{resource.path}?{query}").status < 500, query


@quick
@given(action=st.sampled_from(["add_addresses", "remove_addresses"]), arguments=values)
def test_no_action_makes_a_fault(announced: Any, action: str, arguments: object) -> None:
    made = announced.make(ADDRESS_GROUP.path, "address_group", addresses=["10.0.0.0/8"])
    path = f"{ADDRESS_GROUP.path}/{made['id']}/{action}"

    for body in (arguments, {"addresses": arguments}, {"addresses": [arguments]}):
        assert announced.call("PUT", path, body).status < 500, body
    assert announced.call("PUT", f"{ADDRESS_GROUP.path}/{uuid4()}/{action}", {}).status == 400
