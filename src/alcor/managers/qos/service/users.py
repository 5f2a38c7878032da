"""Those whose resources have policies, asked one after the other."""

from collections.abc import Sequence

from alcor.contracts.peers import Ids, InUse
from alcor.contracts.sharing import Confine
from alcor.managers.qos.needs import PolicyUserPeer


class Users:
    """All of them together. Keeps ConfinePeer."""

    def __init__(self, users: Sequence[PolicyUserPeer]) -> None:
        self._users = users

    async def fence(self, id_: str) -> bool:
        """Whether nobody has the policy, nor gets it from now on; otherwise call `lift`."""
        for user in self._users:
            if (await user.fence_policies(Ids([id_]))).ids:
                return False
        return True

    async def lift(self, ids: Sequence[str]) -> None:
        """These may be had again."""
        for user in self._users:
            await user.lift_policies(Ids(list(ids)))

    async def confine(self, request: Confine) -> InUse:
        """One refuses: those asked before stay confined until they are told again."""
        for user in self._users:
            reply = await user.confine(request)
            if reply.ids:
                return reply
        return InUse([])
