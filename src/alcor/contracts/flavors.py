"""What others ask of the flavor manager."""

from typing import Protocol

import msgspec

from alcor.contracts.peers import Done


class FlavorWish(msgspec.Struct, frozen=True):
    """Something of this service is to be made with a flavor."""

    flavor_id: str
    service_type: str


class FlavorPeer(Protocol):
    """The flavor manager."""

    async def check(self, request: FlavorWish) -> Done:
        """A refusal when the flavor is not there, disabled, or of another service."""
        ...
