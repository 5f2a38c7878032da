"""What the writer is asked to do, checked as far as it can be without looking anywhere. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from alcor.contracts.resources import Caller, CreateRequest, UpdateRequest
from alcor.managers.port.model.addressing import Wish, wishes
from alcor.managers.port.model.bindings import Bindings, Decided
from alcor.managers.port.model.holding import DeviceIDNotOwnedByTenant, is_held
from alcor.managers.port.model.port import MacAddressInUse, Port, PortIdInUse, doubled
from alcor.managers.port.model.trunking import Changes, Find


class Draft(NamedTuple):
    """One port to be: what was asked, and what it will be called."""

    id: str
    project_id: str
    network_id: str
    mac_address: str  # empty: to be chosen
    wishes: Sequence[Wish] | None
    item: Mapping[str, Any]

    @property
    def device_owner(self) -> str:
        """What the port is for."""
        owner: str = self.item["device_owner"]
        return owner

    @property
    def host(self) -> str:
        """Where it is to be; empty: nowhere yet."""
        host: str = self.item["binding:host_id"]
        return host


class Create(NamedTuple):
    """Make all of these ports, or none."""

    caller: Caller
    drafts: Sequence[Draft]
    ids_given: Sequence[str]  # of the drafts, those that the client chose


class Update(NamedTuple):
    """Change a port; `wishes` is None when its addresses stay.

    With `readdress` those that its machine makes itself are made again: of a new MAC, or in a
    subnet that is new.
    """

    caller: Caller
    id: str
    changes: Mapping[str, Any]
    wishes: Sequence[Wish] | None
    if_revision: int | None
    holder: str = ""  # the device on whose behalf; empty: a client's
    readdress: bool = False

    @property
    def mac_chosen(self) -> bool:
        """Whether another MAC address is to be chosen: the change to null."""
        return self.changes.get("mac_address", "") is None


class Delete(NamedTuple):
    """Delete a port."""

    caller: Caller
    id: str
    holder: str = ""


class Rebind(NamedTuple):
    """Change a port's bindings as `decide` says of what they are then."""

    caller: Caller
    id: str
    decide: Callable[[Port, Bindings], Decided]


class Together(NamedTuple):
    """Change several ports, all or none, as `decide` says of what they are then."""

    trace: str
    ids: Sequence[str]
    decide: Callable[[Find], Changes]


class Settle(NamedTuple):
    """Tell the IP manager what ports hold of which it may have another opinion."""

    count_max: int


Job = Create | Update | Delete | Rebind | Together | Settle


def create(request: CreateRequest, new_id: Callable[[], str], fixed_ips_max: int) -> Create:
    """The job of a POST; a `Refusal` when two of its ports contradict each other."""
    caller = request.caller
    for item in request.items:
        if is_held(item["device_owner"], item["device_id"]):
            raise DeviceIDNotOwnedByTenant(item["device_id"])
    drafts = [_draft(item, caller, new_id, fixed_ips_max) for item in request.items]
    given = [item["id"] for item in request.items if "id" in item]
    if twice := doubled(given):
        raise PortIdInUse(twice)
    macs = [f"{d.network_id} {d.mac_address}" for d in drafts if d.mac_address]
    if twice := doubled(macs):
        raise MacAddressInUse(*twice.split())
    return Create(caller, drafts, given)


def update(request: UpdateRequest, fixed_ips_max: int) -> Update:
    """The job of a PUT."""
    items = request.changes.get("fixed_ips")
    return Update(
        request.caller,
        request.id,
        request.changes,
        wishes(items, fixed_ips_max),
        request.if_revision,
        readdress="mac_address" in request.changes,
    )


def keys_of(job: Job) -> Sequence[str]:
    """The ids that no other job may touch at the same time."""
    if isinstance(job, Create):
        return job.ids_given
    if isinstance(job, Together):
        return job.ids
    return () if isinstance(job, Settle) else (job.id,)


def project_of(caller: Caller) -> str | None:
    """Whose resources the caller sees; None: everybody's."""
    return None if caller.sees_all else caller.project_id


def _draft(
    item: Mapping[str, Any], caller: Caller, new_id: Callable[[], str], fixed_ips_max: int
) -> Draft:
    return Draft(
        item.get("id") or new_id(),
        item.get("project_id") or caller.project_id,
        item["network_id"],
        item.get("mac_address") or "",
        wishes(item.get("fixed_ips"), fixed_ips_max),
        item,
    )
