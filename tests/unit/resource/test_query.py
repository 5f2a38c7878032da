"""Queries of lists: filters, sort keys, pages, and the links between pages."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.contracts.resources import Filter, ListQuery, Sort
from alcor.resource.declaration import Field, Resource, read_only
from alcor.resource.fields import BOOLEAN, NAME, integer, nullable, string
from alcor.resource.links import links
from alcor.resource.query import page, parameters
from alcor.resource.tags import TAG_LIST
from alcor.values.errors import HTTPBadRequest, Refusal

THING = Resource(
    name="thing",
    collection="things",
    title="Thing",
    path="/v2.0/things",
    fields=(
        Field(name="id", type=NAME),
        Field(name="project_id", alias="tenant_id", type=string(255)),
        Field(name="up", type=BOOLEAN),
        Field(name="size", type=integer(0, 9)),
        Field(name="note", type=nullable(NAME)),
        read_only("tags", TAG_LIST),
        read_only("updated_at", NAME),
    ),
    special_filters={"near": lambda values: [Filter("near:x", tuple(values))]},
)


def query(text: str) -> ListQuery:
    return page(THING, text.encode(), 50).query


def refusal(text: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        query(text)
    return caught.value


def refused(text: str) -> str:
    return refusal(text).type


def test_a_filter_given_twice_means_either() -> None:
    assert query("size=1&size=2&up=False").filters == (
        Filter("size", (1, 2)),
        Filter("up", (False,)),
    )


def test_a_filter_may_use_the_other_name() -> None:
    assert query("tenant_id=p").filters == (Filter("project_id", ("p",)),)


def test_the_empty_text_is_null_where_null_can_be() -> None:
    assert query("note=&project_id=").filters == (
        Filter("note", (None,)),
        Filter("project_id", ("",)),
    )


def test_special_filters_become_conditions_of_their_own() -> None:
    assert query("near=a&near=b").filters == (Filter("near:x", ("a", "b")),)


def test_sort_keys_go_with_their_directions() -> None:
    text = "sort_key=size&sort_dir=desc&sort_key=tenant_id&sort_dir=asc"
    assert query(text).sorts == (Sort("size", True), Sort("project_id", False))


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("colour=red", "HTTPBadRequest"),
        ("tag=a", "HTTPBadRequest"),
        ("size=x", "InvalidInput"),
        ("size=" + "9" * 19, "HTTPBadRequest"),
        ("up=maybe", "InvalidInput"),
        ("sort_key=size", "HTTPBadRequest"),
        ("sort_key=size&sort_dir=up", "HTTPBadRequest"),
        ("sort_key=colour&sort_dir=asc", "HTTPBadRequest"),
        ("sort_key=tags&sort_dir=asc", "HTTPBadRequest"),
        ("sort_dir=asc", "HTTPBadRequest"),
        ("limit=-1", "BadRequest"),
        ("limit=x", "BadRequest"),
        ("limit=" + "9" * 30, "BadRequest"),
        ("page_reverse=maybe", "InvalidInput"),
        ("&".join(["size=1"] * 2_000), "HTTPBadRequest"),
    ],
)
def test_what_a_list_has_not_is_refused(text: str, type_: str) -> None:
    assert refused(text) == type_


def test_a_refusal_names_all_that_is_wrong_in_the_words_of_neutron() -> None:
    assert str(refusal("colour=red&size=1&shape=round")) == (
        "['colour', 'shape'] is invalid attribute for filtering"
    )
    assert str(refusal("sort_key=colour&sort_dir=asc&sort_key=tags&sort_dir=asc")) == (
        "['colour', 'tags'] is invalid attribute for sort_keys"
    )
    assert str(refusal("sort_key=size&sort_dir=up")) == (
        "['up'] is invalid value for sort_dirs, valid value is 'asc' and 'desc'"
    )
    assert str(refusal("limit=-1")) == (
        "Bad limit request: Limit must be an integer 0 or greater and not '-1'."
    )


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-31T23:59:59Z", "2026-01-31T23:59:59Z"),
        ("2026-01-31T23:59:59", "2026-01-31T23:59:59Z"),
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2026-01-31T23:59:59.75", "2026-01-31T23:59:59Z"),
        ("2026-01-31T23:59:59%2B02:00", "2026-01-31T21:59:59Z"),
        ("2026-01-31T23:59:59+02:00", "2026-01-31T21:59:59Z"),
        ("2026-01-31T23:59:59-02:00", "2026-02-01T01:59:59Z"),
    ],
)
def test_a_time_may_be_written_in_any_way_of_iso_8601(text: str, time: str) -> None:
    assert query(f"changed_since={text}").filters == (Filter("changed_since", (time,)),)


@pytest.mark.parametrize("text", ["", "now", "2026-13-01T00:00:00", "0001-01-01T00:00:00%2B14:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    assert refused(f"changed_since={text}") == "InvalidInput"


def test_a_page_is_never_larger_than_allowed() -> None:
    assert query("limit=10").limit == 10
    assert query("limit=1000").limit == 50
    assert query("limit=0").limit == 50
    assert query("").limit == 50


def test_fields_are_names_and_unknown_ones_do_no_harm() -> None:
    assert page(THING, b"fields=id&fields=nothing&fields=", 50).fields == ("id", "nothing")


@given(st.binary())
def test_any_query_is_taken_or_refused(text: bytes) -> None:
    try:
        page(THING, text, 50)
    except Refusal:
        return


def linked(ids: list[str], limit: int, text: str = "", reverse: bool = False) -> dict[str, object]:
    given = [tuple(pair.split("=")) for pair in text.split("&") if pair]
    found = links("http://h/things", given, ids, limit, reverse=reverse)  # type: ignore[arg-type]
    return {link.rel: parse_qs(urlsplit(link.href).query) for link in found}


def test_a_full_page_links_both_ways_and_keeps_what_was_asked() -> None:
    assert linked(["a", "b"], 2, "limit=2&marker=z&name=n") == {
        "next": {"limit": ["2"], "name": ["n"], "marker": ["b"]},
        "previous": {"limit": ["2"], "name": ["n"], "marker": ["a"], "page_reverse": ["True"]},
    }


def test_a_short_page_is_the_last_in_its_direction() -> None:
    assert linked(["a"], 2).keys() == {"previous"}
    assert linked(["a"], 2, reverse=True).keys() == {"next"}
    assert linked([], 2) == {"previous": {"page_reverse": ["True"]}}


@pytest.mark.parametrize("text", [b"name=%00", b"name=a%00b&x=1", b"%00=1"])
def test_a_query_with_a_nul_is_refused(text: bytes) -> None:
    with pytest.raises(HTTPBadRequest, match="NUL"):
        parameters(text)
