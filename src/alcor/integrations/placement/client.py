"""Give Placement a host's resource providers, as our service user.

Each is read first, and only what differs is written. What somebody else changed meanwhile (a
generation that is not the one we read) is read again.
Source: Placement API reference; its microversions 1.14 (trees), 1.20, 1.23 and 1.37 (parents that
change).
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from keystoneauth1.session import Session

from alcor.integrations.placement.providers import Provider, Total, Wish
from alcor.integrations.service import Service
from alcor.values.capacity import Inventory, total_max

T = TypeVar("T")
MICROVERSION = "placement 1.37"
attempts_max = 5  # when others write to the same provider


class PlacementDown(Exception):
    """Placement did not answer, or has no time: everything is to be tried again."""


class NoComputeHost(Exception):
    """It knows no compute host of that name yet: nova-compute makes its provider."""


class Refused(Exception):
    """It will not have it so: trying again at once would not help."""


class _Raced(Exception):
    """Somebody else changed it since we read it."""


class _Found(msgspec.Struct):
    uuid: str
    name: str = ""
    parent_provider_uuid: str | None = None


class _FoundMany(msgspec.Struct):
    resource_providers: list[_Found] = []


class _Inventory(msgspec.Struct):
    total: int = 0
    allocation_ratio: float = 1.0
    min_unit: int = 1
    max_unit: int = total_max
    step_size: int = 1
    reserved: int = 0


class _Inventories(msgspec.Struct):
    resource_provider_generation: int
    inventories: dict[str, _Inventory] = {}


class _Traits(msgspec.Struct):
    resource_provider_generation: int
    traits: list[str] = []


class _Error(msgspec.Struct):
    code: str = ""
    detail: str = ""


class _Errors(msgspec.Struct):
    errors: list[_Error] = []


class PlacementClient:
    """Placement as who tells it sees it."""

    def __init__(
        self, session: Session, endpoint: str, *, authenticated: bool, calls_max: int = 4
    ) -> None:
        self._service = Service(
            session, "placement", PlacementDown, authenticated=authenticated, calls_max=calls_max
        )
        self._url = endpoint.rstrip("/")

    async def put(self, wish: Wish, gone: Sequence[str]) -> None:
        """The host has the providers of the wish, and not those of the ids `gone` (children first).

        `PlacementDown`, `NoComputeHost`, `Refused`.
        """
        await self._service.in_thread(self._put, wish, gone)

    def close(self) -> None:
        """Wait for the calls in progress, and start no more."""
        self._service.close()

    def _put(self, wish: Wish, gone: Sequence[str]) -> None:
        for _ in range(attempts_max):
            try:
                self._put_once(wish, gone)
            except _Raced:
                continue
            return
        raise PlacementDown("others write to it all the time")

    def _put_once(self, wish: Wish, gone: Sequence[str]) -> None:
        refusals: list[Refused] = []  # what is refused of one holds no other up
        root = self._root(wish.hypervisor) if wish.providers else ""
        for each in wish.providers:
            try:
                self._make(each, each.parent or root)
                self._put_traits(each)  # first: nothing is to be had of it before
                self._put_totals(each)
            except Refused as why:
                refusals.append(why)
        for id_ in gone:
            try:
                self._call("DELETE", f"/resource_providers/{id_}", missing=True)
            except Refused as why:
                refusals.append(why)
        if refusals:
            raise refusals[0]

    def _root(self, hypervisor: str) -> str:
        query = {"name": hypervisor}
        found = self._read("/resource_providers", _FoundMany, params=query)
        if found is None or not found.resource_providers:
            raise NoComputeHost(hypervisor)
        return found.resource_providers[0].uuid

    def _make(self, provider: Provider, parent: str) -> None:
        path = f"/resource_providers/{provider.id}"
        found = self._read(path, _Found)
        body = {"name": provider.name, "parent_provider_uuid": parent}
        if found is None:
            self._call("POST", "/resource_providers", json=body | {"uuid": provider.id})
        elif (found.name, found.parent_provider_uuid) != (provider.name, parent):
            self._call("PUT", path, json=body)

    def _put_totals(self, provider: Provider) -> None:
        path = f"/resource_providers/{provider.id}/inventories"
        wanted = {class_: _inventory(total) for class_, total in provider.totals.items()}
        held = self._read(path, _Inventories)
        if held is None:
            raise _Raced
        if held.inventories != wanted:
            body = msgspec.to_builtins(_Inventories(held.resource_provider_generation, wanted))
            self._call("PUT", path, json=body)

    def _put_traits(self, provider: Provider) -> None:
        path = f"/resource_providers/{provider.id}/traits"
        held = self._read(path, _Traits)
        if held is None:
            raise _Raced
        if sorted(held.traits) == list(provider.traits):
            return
        for trait in provider.traits:
            self._call("PUT", f"/traits/{trait}")
        generation = held.resource_provider_generation
        body = {"resource_provider_generation": generation, "traits": list(provider.traits)}
        self._call("PUT", path, json=body)

    def _read(self, path: str, type_: type[T], **what: Any) -> T | None:
        """None: it is not there."""
        content = self._call("GET", path, missing=True, **what)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=type_)
        except msgspec.DecodeError as error:
            raise PlacementDown("its answer can't be read") from error

    def _call(self, method: str, path: str, *, missing: bool = False, **what: Any) -> bytes | None:
        """The answer; None where it is 404 and may be `missing`."""
        headers = {"OpenStack-API-Version": MICROVERSION}
        answer = self._service.call(method, self._url + path, headers, **what)
        if answer.status == 404 and missing:
            return None
        if answer.status >= 300:
            raise _refusal(method, path, answer.status, answer.content)
        return answer.content


def _refusal(method: str, path: str, status: int, content: bytes) -> Exception:
    try:
        errors = msgspec.json.decode(content, type=_Errors).errors
    except msgspec.DecodeError:
        errors = []
    # A write to what is gone meanwhile, or has another generation, begins with reading again.
    if status == 404 or any(each.code == "placement.concurrent_update" for each in errors):
        return _Raced()
    why = " ".join(" ".join(each.detail for each in errors).split())[:400]
    return Refused(f"{method} {path}: it answered {status}: {why}")


def _inventory(total: Total) -> _Inventory:
    given: Inventory = total.inventory
    return _Inventory(
        total=total.total,
        allocation_ratio=given.allocation_ratio,
        min_unit=given.min_unit,
        max_unit=given.max_unit or total_max,
        step_size=given.step_size,
        reserved=given.reserved,
    )
