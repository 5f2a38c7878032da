"""The types of rules that hosts keep. Everybody may know which; administrators, how."""

from collections.abc import Sequence

from msgspec import structs

from alcor.contracts.resources import Caller, Filter, ListQuery, ListReply, ListRequest
from alcor.managers.qos.api import ALL_RULES, parameters_of
from alcor.managers.qos.model.refusals import QosRuleTypeNotFound
from alcor.managers.qos.model.rule import TYPES
from alcor.resource.selection import Item
from alcor.runtime.listed import ListedService
from alcor.values.errors import Kind, Refusal
from alcor.values.qos import ENFORCED

DRIVER = "openvswitch"


class RuleTypeService(ListedService):
    """Keeps the contract ResourceManager, for reading only. A type's name is its id."""

    def __init__(self) -> None:
        super().__init__(_named, QosRuleTypeNotFound, shows_id=False)
        self._details = ListedService(_detailed, QosRuleTypeNotFound, shows_id=False)

    async def list_page(self, request: ListRequest) -> ListReply:
        filters = request.query.filters
        if any(each.field == "id" for each in filters):
            if request.caller.admin:
                return await self._details.list_page(request)
            raise Refusal("Not authorized.", type="NotAuthorized", kind=Kind.FORBIDDEN)
        wanted = [each for each in filters if each.field != ALL_RULES]
        if Filter(ALL_RULES, (True,)) not in filters:
            wanted.append(Filter("type", ENFORCED))
        query: ListQuery = structs.replace(request.query, filters=tuple(wanted))
        return await super().list_page(ListRequest(request.caller, query))


async def _named(caller: Caller) -> Sequence[Item]:
    return [{"id": each, "type": each} for each in TYPES]


async def _detailed(caller: Caller) -> Sequence[Item]:
    return [{"id": each, "type": each, "drivers": _drivers(each)} for each in TYPES]


def _drivers(type_: str) -> list[Item]:
    if type_ not in ENFORCED:
        return []
    return [{"name": DRIVER, "supported_parameters": parameters_of(type_)}]
