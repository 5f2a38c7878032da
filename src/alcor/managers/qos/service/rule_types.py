"""The types of rules that are kept. Everybody may know which; administrators, by whom."""

from collections.abc import Sequence

from alcor.contracts.resources import Caller, ListReply, ListRequest
from alcor.managers.qos.api import parameters_of
from alcor.managers.qos.model.refusals import QosRuleTypeNotFound
from alcor.managers.qos.model.rule import MINIMUM_BANDWIDTH, TYPES
from alcor.resource.selection import Item
from alcor.runtime.managing.listed import ListedService
from alcor.values.errors import Kind, Refusal
from alcor.values.qos import PLACED

HOSTS, PLACEMENT = "openvswitch", "placement"  # who keeps a rule: see `values.qos`


class RuleTypeService(ListedService):
    """Keeps the contract ResourceManager, for reading only. A type's name is its id."""

    def __init__(self) -> None:
        super().__init__(_named, QosRuleTypeNotFound, shows_id=False)
        self._details = ListedService(_detailed, QosRuleTypeNotFound, shows_id=False)

    async def list_page(self, request: ListRequest) -> ListReply:
        if any(each.field == "id" for each in request.query.filters):
            if request.caller.admin:
                return await self._details.list_page(request)
            raise Refusal("Not authorized.", type="NotAuthorized", kind=Kind.FORBIDDEN)
        return await super().list_page(request)


async def _named(caller: Caller) -> Sequence[Item]:
    return [{"id": each, "type": each} for each in TYPES]


async def _detailed(caller: Caller) -> Sequence[Item]:
    return [{"id": each, "type": each, "drivers": _drivers(each)} for each in TYPES]


def _drivers(type_: str) -> list[Item]:
    name, parameters = PLACEMENT if type_ in PLACED else HOSTS, parameters_of(type_)
    kept: list[Item] = [{"name": name, "supported_parameters": parameters}]
    if type_ == MINIMUM_BANDWIDTH:
        # Hosts hold back what is sent only; what is received is Placement's alone to keep.
        sent = [
            each | {"parameter_values": ["egress"]}
            if each["parameter_name"] == "direction"
            else each
            for each in parameters
        ]
        kept.append({"name": HOSTS, "supported_parameters": sent})
    return kept
