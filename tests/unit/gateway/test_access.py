"""What the policy lets a caller see and make of many at once, and what finding out costs."""

import asyncio
from typing import Any

import msgspec
import pytest

from alcor.assembly.resources import declared
from alcor.contracts.resources import Caller, ListReply, ListRequest
from alcor.gateway.policy.access import Access
from alcor.gateway.policy.policy import Policy, PolicyNotAuthorized
from alcor.values.missing import NetworkNotFound

BLUE = Caller(project_id="blue", roles=("member", "reader"))


class Networks:
    """Knows which project has a network by its id's first word; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def list_page(self, request: ListRequest) -> ListReply:
        (only,) = request.query.filters
        self.asked.append(only.values)
        ids = [str(each) for each in only.values if not str(each).startswith("hidden")]
        assert request.query.limit is not None
        return ListReply([_network(id_) for id_ in ids[: request.query.limit]])


def _network(id_: str) -> msgspec.Raw:
    whose = {"project_id": id_.partition("-")[0], "shared": False, "router:external": False}
    return msgspec.Raw(msgspec.json.encode({"id": id_} | whose))


def access(networks: Networks, kind: str = "port") -> Access:
    resources = {each.name: each for each in declared()}
    manager: Any = networks
    return Access(Policy(resources.values(), {}), resources[kind], manager)


def port(project: str, network: str) -> dict[str, Any]:
    return {"id": f"{project}@{network}", "project_id": project, "network_id": network}


def test_a_page_of_many_networks_is_one_question() -> None:
    networks = Networks()
    ports = [port("blue", f"red-{n}") for n in range(50)]
    ports += [port("red", f"blue-{n}") for n in range(50)]
    ports += [port("red", f"red-{n}") for n in range(50)] + [port("red", "hidden-1")]

    shown = asyncio.run(
        access(networks).shown(BLUE, [msgspec.Raw(msgspec.json.encode(each)) for each in ports])
    )

    ids = [msgspec.json.decode(each)["id"] for each in shown]
    assert ids == [each["id"] for each in ports[:100]]
    assert [len(each) for each in networks.asked] == [101]  # and nothing of what is theirs anyway


def test_many_that_are_made_at_once_are_one_question_too() -> None:
    networks = Networks()
    mac = {"mac_address": "02:00:00:00:00:01"}  # which only who has the network may choose
    theirs = [port("blue", f"blue-{n}") | mac for n in range(30)]

    async def make(*more: dict[str, Any]) -> None:
        await access(networks).check_create(BLUE, [*theirs, *more])

    asyncio.run(make())
    assert [len(each) for each in networks.asked] == [30]
    with pytest.raises(PolicyNotAuthorized, match="create_port:mac_address"):
        asyncio.run(make(port("blue", "red-1") | mac))
    with pytest.raises(NetworkNotFound):
        asyncio.run(make(port("blue", "hidden-1") | mac))
