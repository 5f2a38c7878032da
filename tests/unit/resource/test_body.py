"""Bodies: what is not of the declared form is refused in Neutron's words."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.resource import body
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import (
    BOOLEAN,
    CIDR,
    DOMAIN,
    IP,
    MAC,
    NAME,
    UUID,
    integer,
    list_of,
    nullable,
    one_of,
    only,
    record_of,
    string,
)
from alcor.values.errors import HTTPBadRequest, Kind, Refusal

THING = Resource(
    name="thing",
    collection="things",
    title="Thing",
    path="/v2.0/things",
    fields=(
        Field(name="id", type=UUID, put=False),
        Field(name="name", type=NAME, default=""),
        Field(name="project_id", alias="tenant_id", type=string(255), put=False),
        Field(name="parent_id", type=UUID, required=True, put=False),
        Field(name="up", type=BOOLEAN, default=True),
        Field(name="size", type=integer(0, 100), default=1),
        Field(name="mac", type=MAC),
        Field(name="ip", type=nullable(IP)),
        Field(name="cidr", type=CIDR),
        Field(name="domain", type=DOMAIN),
        Field(name="ips", type=list_of(record_of({"ip": IP}, {"note": NAME}), 3), default=[]),
        Field(name="kind", type=one_of("a", "b", 4, None)),
        Field(name="shared", type=only(False, "things are private"), default=False),
        read_only("status", NAME),
    ),
)
PARENT = "a3b1c0de-0000-4000-8000-000000000001"


def create(**thing: Any) -> dict[str, Any]:
    content = msgspec.json.encode({"thing": {"parent_id": PARENT, **thing}})
    return body.created(THING, content, 3).items[0]


def refusal(content: bytes, read: Any = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        (read or (lambda: body.created(THING, content, 3)))()
    return caught.value


def refused(**thing: Any) -> str:
    return refusal(msgspec.json.encode({"thing": {"parent_id": PARENT, **thing}})).message


def test_a_body_without_a_word_gets_the_defaults() -> None:
    assert create() == {
        "name": "",
        "parent_id": PARENT,
        "up": True,
        "size": 1,
        "ips": [],
        "shared": False,
    }


def test_values_come_through_in_canonical_form() -> None:
    made = create(
        mac="FA:16:3E:00:00:01",
        ip="2001:DB8:0::1",
        cidr="10.0.0.7/24",
        up="yes",
        size="7",
        domain="Example.ORG.",
        parent_id=PARENT.upper(),
    )
    assert made["mac"] == "fa:16:3e:00:00:01"
    assert made["ip"] == "2001:db8::1"
    assert made["cidr"] == "10.0.0.0/24"
    assert made["up"] is True
    assert made["size"] == 7
    assert made["domain"] == "example.org."
    assert made["parent_id"] == PARENT


def test_both_names_of_the_project_mean_the_same() -> None:
    assert create(tenant_id="p")["project_id"] == "p"
    assert create(tenant_id="p", project_id="p")["project_id"] == "p"
    assert "must be the same" in refused(tenant_id="p", project_id="q")


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ({"colour": 1, "b": 2}, "Unrecognized attribute(s) 'colour, b'"),
        ({"status": "ACTIVE"}, "Attribute 'status' not allowed in POST"),
        ({"parent_id": "x"}, "Invalid input for parent_id. Reason: 'x' is not a valid UUID."),
        ({"name": 5}, "Invalid input for name. Reason: '5' is not a valid string."),
        ({"name": "x" * 256}, "exceeds maximum length of 255"),
        ({"name": "a\0b"}, "NUL"),
        ({"size": 101}, "too large"),
        ({"size": -1}, "too small"),
        ({"size": 10**30}, "too large"),
        ({"size": 1.5}, "not an integer"),
        ({"size": True}, "not an integer"),
        ({"size": "9" * 4000}, "not an integer"),
        ({"mac": "fa:16"}, "not a valid MAC address"),
        ({"ip": "10.0.0.256"}, "not a valid IP address"),
        ({"ip": "fe80::1%eth0"}, "not a valid IP address"),
        ({"domain": "-a."}, "not a valid PQDN or FQDN"),
        ({"domain": "a..b."}, "not a valid PQDN or FQDN"),
        ({"domain": "example.org"}, "is not a FQDN"),
        ({"domain": "example.1."}, "TLD '1' is all numeric"),
        ({"ips": [{}]}, "Expected keys not found: ip"),
        ({"ips": [{"ip": "10.0.0.1", "x": 1}]}, "Unexpected keys supplied: x"),
        ({"ips": [{"ip": "10.0.0.1"}] * 2}, "Duplicate items"),
        ({"ips": [{"ip": f"10.0.0.{i}"} for i in range(4)]}, "longer than 3"),
        ({"ips": "10.0.0.1"}, "not a list"),
        ({"kind": "c"}, "is not in"),
        ({"kind": True}, "is not in"),
        ({"shared": True}, "not possible yet: things are private"),
        ({"shared": 0}, "not possible yet"),
    ],
)
def test_a_wrong_value_is_refused_with_its_reason(thing: dict[str, Any], message: str) -> None:
    assert message in refused(**thing)


@pytest.mark.parametrize("written", [b"7", b"7.0", b'"7"', b"0.7e1"])
def test_a_whole_number_may_be_written_in_several_ways(written: bytes) -> None:
    content = b'{"thing": {"parent_id": "%s", "size": %s}}' % (PARENT.encode(), written)
    [item] = body.created(THING, content, 1).items

    assert repr(item["size"]) == "7"


@pytest.mark.parametrize(
    "wrong", [{"up": "maybe"}, {"cidr": "10.0.0.0"}, {"size": None}, {"size": "x"}, {"size": 1.5}]
)
def test_what_can_not_be_converted_is_invalid_input_as_in_neutron(wrong: dict[str, Any]) -> None:
    found = refusal(msgspec.json.encode({"thing": {"parent_id": PARENT} | wrong}))
    assert found.type == "InvalidInput"
    assert found.message.startswith("Invalid input for operation: ")


def test_a_message_repeats_no_more_than_a_little_of_what_came() -> None:
    assert len(refused(parent_id="x" * 100_000)) < 300
    assert len(refused(**{"y" * 100_000: 1})) < 300


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"thing"',
        b"{}",
        b'{"thing": []}',
        b'{"thing": null}',
        b'{"thing": {"parent_id": NaN}}',
        b'{"thing": {"size": 1e999}}',
        b'{"thing": {"name": "\xff"}}',
        b'{"thing": {"name": "\\ud800"}}',
        b'{"thing": {"parent_id": "' + PARENT.encode() + b'"}, "more": 1}',
        b'{"things": {}}',
        b'{"things": []}',
        b'{"things": [[]]}',
        b"[" * 100_000,
        b'{"thing":' * 100_000,
        b'{"thing": {"size": ' + b"9" * 10_000 + b"}}",
    ],
)
def test_a_body_of_another_form_is_a_bad_request(content: bytes) -> None:
    assert (refusal(content).type, refusal(content).kind) == ("HTTPBadRequest", Kind.INVALID)


def test_a_list_too_long_is_too_large() -> None:
    content = msgspec.json.encode({"things": [{"parent_id": PARENT}] * 4})
    assert refusal(content).kind == Kind.TOO_LARGE


def test_what_is_required_must_be_there() -> None:
    assert "Required attribute 'parent_id' not specified" in refusal(b'{"thing": {}}').message


def test_bulk_items_keep_their_order_and_may_be_wrapped() -> None:
    items = [{"parent_id": PARENT, "name": "a"}, {"thing": {"parent_id": PARENT, "name": "b"}}]
    made = body.created(THING, msgspec.json.encode({"things": items}), 3)
    assert made.bulk
    assert [item["name"] for item in made.items] == ["a", "b"]


def test_an_update_has_no_defaults_and_no_read_only_fields() -> None:
    assert body.changed(THING, b'{"thing": {"name": "n"}}') == {"name": "n"}
    for field in (b"id", b"status", b"parent_id", b"tenant_id"):
        content = b'{"thing": {"%s": "x"}}' % field
        message = refusal(b"", lambda content=content: body.changed(THING, content)).message
        assert message == f"Cannot update read-only attribute {field.decode()}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
names = st.sampled_from([f.name for f in THING.fields]) | st.text()


@given(st.dictionaries(names, json_values, max_size=6))
def test_any_object_is_taken_or_refused(thing: dict[str, Any]) -> None:
    try:
        content = msgspec.json.encode({"thing": thing})
    except UnicodeEncodeError:
        return
    try:
        body.created(THING, content, 3)
    except Refusal:
        return


@given(st.binary())
def test_any_bytes_are_taken_or_refused(content: bytes) -> None:
    try:
        body.created(THING, content, 3)
    except Refusal:
        return


def test_a_nul_in_any_text_is_refused_and_what_only_looks_like_one_is_not() -> None:
    for content in (b'{"a": {"b": ["x\\u0000"]}}', b'{"a\\u0000": 1}'):
        with pytest.raises(HTTPBadRequest, match="NUL"):
            body.decoded(content)

    assert body.decoded(b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}
