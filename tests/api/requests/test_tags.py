"""Tags over HTTP: every kind that shows them takes them; none is lost to a race."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.api.conftest import Api


def of_kind(api: Api, kind: str) -> str:
    """The path of a new resource of a kind."""
    network = api.network(name="tagged")["id"]
    match kind:
        case "networks":
            return f"/v2.0/networks/{network}"
        case "subnets":
            return f"/v2.0/subnets/{api.subnet(network, '10.0.0.0/24')['id']}"
        case "ports":
            return f"/v2.0/ports/{api.port(network)['id']}"
    group = api.make("/v2.0/security-groups", "security_group", name="tagged")
    return f"/v2.0/security-groups/{group['id']}"


def tags_of(api: Api, path: str) -> list[str]:
    tags: list[str] = api.get(f"{path}/tags").json["tags"]
    return tags


kinds = pytest.mark.parametrize("kind", ["networks", "subnets", "ports", "security-groups"])


@kinds
def test_tags_are_replaced_added_shown_and_removed(announced: Api, kind: str) -> None:
    path = of_kind(announced, kind)
    assert tags_of(announced, path) == []
    answer = announced.call("PUT", f"{path}/tags", {"tags": ["red", "blue"]})
    assert (answer.status, answer.json) == (200, {"tags": ["red", "blue"]})
    assert announced.call("PUT", f"{path}/tags/black.or.white").status == 201
    assert announced.call("PUT", f"{path}/tags/red").status == 201
    assert tags_of(announced, path) == ["red", "blue", "black.or.white"]
    assert announced.get(f"{path}/tags/red").status == 204
    assert announced.call("POST", f"{path}/tags", {"tags": ["red", "new"]}).status == 200
    assert announced.call("DELETE", f"{path}/tags/red").status == 204
    gone = announced.call("DELETE", f"{path}/tags/red")
    assert (gone.status, gone.type) == (404, "TagNotFound")
    assert announced.get(f"{path}/tags/red").status == 404
    (shown,) = announced.get(path).json.values()
    assert shown["tags"] == ["blue", "black.or.white", "new"]
    assert announced.call("DELETE", f"{path}/tags").status == 204
    assert tags_of(announced, path) == []


@kinds
def test_a_change_of_tags_is_a_revision_and_the_same_again_is_none(
    announced: Api, kind: str
) -> None:
    path = of_kind(announced, kind)

    def revision() -> int:
        (shown,) = announced.get(path).json.values()
        return int(shown["revision_number"])

    before = revision()
    announced.call("PUT", f"{path}/tags/red")
    assert revision() == before + 1
    announced.call("PUT", f"{path}/tags/red")
    announced.call("PUT", f"{path}/tags", {"tags": ["red"]})
    assert revision() == before + 1
    stale = {"If-Match": f"revision_number={before}"}
    answer = announced.call("PUT", f"{path}/tags/blue", None, stale)
    assert (answer.status, answer.type) == (412, "RevisionNumberConstraintFailed")
    assert tags_of(announced, path) == ["red"]


def test_what_is_no_tag_is_refused(api: Api) -> None:
    path = of_kind(api, "networks")
    for tags in (["a" * 256], ["a", "a"], ["a,b"], [1], "a", {"a": 1}):
        answer = api.call("PUT", f"{path}/tags", {"tags": tags})
        assert (answer.status, answer.type) == (400, "InvalidInput"), tags
    assert api.call("PUT", f"{path}/tags", {"tag": []}).type == "InvalidInput"
    assert api.call("PUT", f"{path}/tags/{'a' * 256}").type == "InvalidInput"
    assert api.call("PUT", f"{path}/tags").status == 400
    assert api.call("PATCH", f"{path}/tags").status == 405
    assert api.call("POST", f"{path}/tags/a").status == 405
    assert api.get("/v2.0/networks/00000000-0000-4000-8000-000000000000/tags").status == 404
    assert api.get("/v2.0/networks/none/tags/a").type == "NetworkNotFound"
    assert api.get("/v2.0/agents/none/tags").status == 404


def test_a_resource_has_at_most_fifty_tags(api: Api) -> None:
    path = of_kind(api, "networks")
    tags = [f"{i}" for i in range(50)]
    assert api.call("PUT", f"{path}/tags", {"tags": tags}).status == 200
    for more in (
        api.call("PUT", f"{path}/tags/more"),
        api.call("PUT", f"{path}/tags", {"tags": [*tags, "more"]}),
    ):
        assert (more.status, more.type) == (400, "BadRequest")
    assert api.call("PUT", f"{path}/tags/7").status == 201
    assert tags_of(api, path) == tags


def test_lists_are_filtered_by_all_any_not_all_and_none_of_the_tags(api: Api) -> None:
    network = api.network()["id"]
    tags_by_name = {"a": ["red"], "b": ["red", "blue"], "c": ["blue", "green"], "d": []}
    for name, tags in tags_by_name.items():
        api.port(network, name=name, tags=tags)

    def names(query: str) -> str:
        found = api.listed(f"/v2.0/ports?network_id={network}&{query}&sort_key=name&sort_dir=asc")
        return "".join(port["name"] for port in found)

    assert names("tags=red") == "ab"
    assert names("tags=red,blue") == "b"
    assert names("tags=red&tags=blue") == "b"
    assert names("tags-any=red,green") == "abc"
    assert names("not-tags=red,blue") == "acd"
    assert names("not-tags-any=red,blue") == "d"
    assert names("tags=blue&not-tags=red") == "c"
    assert names("tags=%27%22;--") == ""


def test_no_tag_is_lost_when_many_are_added_at_once(api: Api) -> None:
    path = of_kind(api, "networks")
    tags = [f"tag-{i}" for i in range(24)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda t: api.call("PUT", f"{path}/tags/{t}").status, tags))
    assert answers == [201] * len(tags)
    assert sorted(tags_of(api, path)) == sorted(tags)
