"""Limits: what holds by default, who may see whose, what is refused."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from alcor.contracts.peers import ProjectUsage, Usage
from alcor.contracts.resources import (
    Caller,
    Filter,
    ListQuery,
    ListRequest,
    UpdateRequest,
)
from alcor.managers.quota.app import QuotaSettings, default_limits
from alcor.managers.quota.model import DEFAULT_BY_KIND, Quota
from alcor.managers.quota.service import QuotaService
from alcor.values.errors import Refusal

ADMIN = Caller(project_id="admin", admin=True)
OWNER = Caller(project_id="owner")


class Store:
    """Keeps limits in a dict."""

    def __init__(self) -> None:
        self.quota_by_project: dict[str, Quota] = {}

    async def page(self, query: ListQuery) -> list[Quota]:
        return sorted(self.quota_by_project.values(), key=lambda quota: quota.id)

    async def quota(self, project: str) -> Quota | None:
        return self.quota_by_project.get(project)

    async def change(self, project: str, decide: Callable[[Quota], Quota], trace: str) -> int:
        held = self.quota_by_project.get(project, Quota(id=project, limits={}))
        self.quota_by_project[project] = decide(held)
        return 1

    async def remove(self, project: str, trace: str) -> int:
        del self.quota_by_project[project]
        return 2

    async def told(self, sequence: int) -> None:
        pass


class User:
    """Counts what projects use."""

    async def usage(self, request: ProjectUsage) -> Usage:
        return Usage({"port": 5})


def service() -> QuotaService:
    return QuotaService(
        Store(), [User()], default_limits(QuotaSettings(port=7), tenants=True, routes_max=9)
    )


def shown(service: QuotaService, caller: Caller, project: str) -> dict[str, object]:
    query = ListQuery(filters=(Filter("id", (project,)),))
    reply = asyncio.run(service.list_page(ListRequest(caller, query)))
    whole: dict[str, object] = msgspec.json.decode(reply.items[0])
    return whole


def test_defaults_are_neutrons_unless_the_operator_says_otherwise() -> None:
    assert shown(service(), OWNER, "owner")["network"] == DEFAULT_BY_KIND["network"] == 100
    assert shown(service(), OWNER, "owner")["port"] == 7


def test_without_tenants_there_are_no_limits_but_the_operators() -> None:
    limits = default_limits(QuotaSettings(port=7), tenants=False, routes_max=9)
    assert (limits.pop("port"), limits.pop("router_route")) == (7, 9)
    assert set(limits.values()) == {-1}


def test_a_limit_may_be_what_is_used_but_not_less_unless_forced() -> None:
    one = service()

    def put(**changes: int) -> None:
        asyncio.run(one.update(UpdateRequest(ADMIN, "owner", dict(changes))))

    put(port=5)
    with pytest.raises(Refusal, match="lower than the 5 in use"):
        put(port=4)
    put(port=4, force=True)
    put(port=-1)
    assert shown(one, OWNER, "owner")["port"] == -1
