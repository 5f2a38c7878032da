"""Put the quota manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from alcor.contracts.peers import UsagePeer
from alcor.contracts.resources import ResourceManager
from alcor.intent.relay import Relay
from alcor.managers.quota.api import QUOTA
from alcor.managers.quota.model import DEFAULT_BY_KIND, NO_LIMIT, ROUTES
from alcor.managers.quota.service import QuotaService
from alcor.managers.quota.sql import QuotaStore, living
from alcor.resource.declaration import Resource
from alcor.runtime.managing.foundation import Foundation

VERSIONS = Path(__file__).parent / "versions"


Count = Annotated[int, msgspec.Meta(ge=-1)]


def _most(kind: str, count: int) -> msgspec.Meta:
    holds = f"if unset, {count}, or no limit where auth is local"
    return msgspec.Meta(description=f"Most {kind} of a project; -1: any number; {holds}")


class QuotaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for projects that have no limits of their own. Defaults are Neutron's."""

    network: Annotated[Count | None, _most("networks", DEFAULT_BY_KIND["network"])] = None
    subnet: Annotated[Count | None, _most("subnets", DEFAULT_BY_KIND["subnet"])] = None
    subnetpool: Annotated[Count | None, _most("subnet pools", DEFAULT_BY_KIND["subnetpool"])] = None
    port: Annotated[Count | None, _most("ports", DEFAULT_BY_KIND["port"])] = None
    security_group: Annotated[
        Count | None, _most("security groups", DEFAULT_BY_KIND["security_group"])
    ] = None
    security_group_rule: Annotated[
        Count | None, _most("security group rules", DEFAULT_BY_KIND["security_group_rule"])
    ] = None
    router: Annotated[Count | None, _most("routers", DEFAULT_BY_KIND["router"])] = None
    floatingip: Annotated[Count | None, _most("floating IPs", DEFAULT_BY_KIND["floatingip"])] = None
    rbac_policy: Annotated[
        Count | None, _most("sharing policies", DEFAULT_BY_KIND["rbac_policy"])
    ] = None
    trunk: Annotated[Count | None, _most("trunks", DEFAULT_BY_KIND["trunk"])] = None


def default_limits(settings: QuotaSettings, *, tenants: bool, routes_max: int) -> dict[str, int]:
    """The default of every kind. Without tenants, nobody is to be protected from another."""
    ours = DEFAULT_BY_KIND if tenants else dict.fromkeys(DEFAULT_BY_KIND, NO_LIMIT)
    given = msgspec.structs.asdict(settings) | {ROUTES: routes_max}
    return {kind: most if given[kind] is None else given[kind] for kind, most in ours.items()}


class QuotaApp:
    """The quota manager as assembly sees it (see the network manager's)."""

    name = "quota"

    def __init__(
        self, base: Foundation, users: Sequence[UsagePeer], default_by_kind: Mapping[str, int]
    ) -> None:
        self.database = base.database(self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, base.intent, living)
        service = QuotaService(QuotaStore(self.database, self.relay), users, default_by_kind)
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [(QUOTA, service)]
        self.peers: Sequence[tuple[Any, object]] = []

    async def recover(self) -> None:
        """Nothing of a limit can be cut short."""

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        return [self.relay.run()]
