"""What the monitoring manager needs of others: whether what it is about is there."""

from typing import NamedTuple

from alcor.contracts.held_ports import HeldPortPeer
from alcor.contracts.peers import (
    AclsRequest,
    GroupsRequest,
    Ids,
    NetworkAclPeer,
    SecurityGroupPeer,
)
from alcor.contracts.resources import Caller
from alcor.intent.records import PortRecord
from alcor.runtime.managing.writes import seen_by


class Peers(NamedTuple):
    """The owners of ports, security groups and network ACLs."""

    ports: HeldPortPeer
    groups: SecurityGroupPeer
    acls: NetworkAclPeer

    async def port(self, id_: str, caller: Caller) -> PortRecord | None:
        """The port, if it is there and the caller's to see."""
        views = (await self.ports.views(Ids([id_]))).ports
        found = views[0].port if views else None
        return None if found is None or seen_by(caller) not in (None, found.project_id) else found

    async def has_group(self, id_: str, caller: Caller) -> bool:
        """Whether the group is there, and the caller may use it."""
        request = GroupsRequest([id_], seen_by(caller) or "")
        return bool((await self.groups.groups(request)).groups)

    async def has_acl(self, id_: str, caller: Caller) -> bool:
        """Whether the network ACL is there, and the caller may see it."""
        request = AclsRequest([id_], seen_by(caller) or "")
        return bool((await self.acls.living_acls(request)).ids)
