"""Lists: filters, sort keys, pages with links, fields; the same for every collection."""

from typing import Any
from urllib.parse import urlsplit

import pytest


@pytest.fixture(scope="module")
def project(api: Any) -> str:
    """A project with seven networks; names come twice, mtu falls."""
    name = "lists"
    for i in range(7):
        api.network(
            tenant_id=name,
            name=f"n{i // 2}",
            mtu=1400 - i,
            admin_state_up=i % 2 == 0,
            description="" if i else "first",
        )
    return name


def names(items: list[dict[str, Any]]) -> list[Any]:
    return [item["name"] for item in items]


def walk(api: Any, path: str, rel: str = "next") -> list[list[dict[str, Any]]]:
    """The pages that links lead to, until one is short."""
    pages: list[list[dict[str, Any]]] = []
    while path and len(pages) < 50:
        answer = api.get(path)
        assert answer.status == 200, answer
        collection = urlsplit(path).path.rpartition("/")[2]
        pages.append(answer.json[collection])
        links = {link["rel"]: link["href"] for link in answer.json[f"{collection}_links"]}
        url = urlsplit(links.get(rel, ""))
        path = f"{url.path}?{url.query}" if url.path else ""
    return pages


def test_every_scalar_field_is_a_filter(api: Any, project: str) -> None:
    all_ = api.listed(f"/v2.0/networks?project_id={project}")
    assert len(all_) == 7
    sample = all_[3]
    for field, value in sample.items():
        if isinstance(value, str | int | bool):
            found = api.listed(f"/v2.0/networks?project_id={project}&{field}={value}")
            assert found == [each for each in all_ if each[field] == value], field


def test_a_filter_twice_means_either_and_two_filters_mean_both(api: Any, project: str) -> None:
    found = api.listed(f"/v2.0/networks?tenant_id={project}&name=n0&name=n1&admin_state_up=true")
    assert names(found) == ["n0", "n1"]
    assert api.listed(f"/v2.0/networks?tenant_id={project}&name=n0&mtu=1395") == []


def test_what_changed_since_a_time_can_be_asked(api: Any, project: str) -> None:
    query = f"/v2.0/networks?tenant_id={project}&changed_since="
    assert len(api.listed(f"{query}2020-01-01T00:00:00Z")) == 7
    assert api.listed(f"{query}2999-01-01T00:00:00") == []
    assert api.get(f"{query}yesterday").type == "InvalidInput"


def test_lists_are_sorted_by_keys_and_then_by_id(api: Any, project: str) -> None:
    query = f"/v2.0/networks?tenant_id={project}"
    ids = [each["id"] for each in api.listed(query)]
    assert ids == sorted(ids)
    found = api.listed(f"{query}&sort_key=name&sort_dir=desc&sort_key=mtu&sort_dir=asc")
    assert [(f["name"], f["mtu"]) for f in found] == sorted(
        ((f["name"], f["mtu"]) for f in found), key=lambda pair: (-int(pair[0][1:]), pair[1])
    )


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
@pytest.mark.parametrize(
    "sort",
    [
        "",
        "&sort_key=name&sort_dir=asc",
        "&sort_key=name&sort_dir=desc",
        "&sort_key=description&sort_dir=desc&sort_key=mtu&sort_dir=asc",
        "&sort_key=qos_policy_id&sort_dir=asc",
        "&sort_key=id&sort_dir=desc",
    ],
)
def test_pages_hold_the_whole_list_in_order_forwards_and_back(
    api: Any, project: str, limit: int, sort: str
) -> None:
    query = f"/v2.0/networks?tenant_id={project}{sort}"
    whole = api.listed(query)

    forwards = walk(api, f"{query}&limit={limit}")
    assert [item for page in forwards for item in page] == whole

    backwards = walk(api, f"{query}&limit={limit}&page_reverse=True", "previous")
    assert [item for page in reversed(backwards) for item in page] == whole


def test_fields_are_all_that_is_answered_and_unknown_ones_do_no_harm(
    api: Any, project: str
) -> None:
    found = api.listed(f"/v2.0/networks?tenant_id={project}&fields=name&fields=mtu&limit=2")
    assert [each.keys() for each in found] == [{"name", "mtu"}] * 2
    assert api.listed(f"/v2.0/networks?tenant_id={project}&fields=nothing") == [{}] * 7
    id_ = api.listed(f"/v2.0/networks?tenant_id={project}")[0]["id"]
    shown = api.get(f"/v2.0/networks/{id_}?fields=id").json["network"]
    assert shown == {"id": id_}


def test_agents_are_listed_like_stored_resources(api: Any) -> None:
    for i in range(4):
        api.make("/alcor/v1/nodes", "node", id=f"lists-{i}", tunnel_ip=f"198.51.100.{i}")
    query = "&".join(f"host=lists-{i}" for i in range(4))
    whole = api.listed(f"/v2.0/agents?{query}&sort_key=host&sort_dir=desc")
    assert [each["host"] for each in whole] == ["lists-3", "lists-2", "lists-1", "lists-0"]
    pages = walk(api, f"/v2.0/agents?{query}&sort_key=host&sort_dir=desc&limit=3")
    assert [item for page in pages for item in page] == whole
    assert api.listed(f"/v2.0/agents?{query}&alive=true") == []
    for i in range(4):
        assert api.call("DELETE", f"/alcor/v1/nodes/lists-{i}").status == 204


def test_links_follow_what_ended_the_clients_tls(api: Any, project: str) -> None:
    path = f"/v2.0/networks?project_id={project}&limit=1"

    for said, scheme in (("https", "https"), ("http", "http"), ("gopher", "http")):
        answer = api.call("GET", path, headers={"X-Forwarded-Proto": said})
        links = answer.json["networks_links"]
        assert {urlsplit(link["href"]).scheme for link in links} == {scheme}
