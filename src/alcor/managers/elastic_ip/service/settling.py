"""Delete the ports that floating IPs no longer have, or never came to have."""

from alcor.contracts.held_ports import Claim
from alcor.managers.elastic_ip.needs import HeldPortPeer, Note, Store
from alcor.runtime.managing import settling


class Settling(settling.Settling[Note]):
    """Keeps the notes on ports of floating IPs."""

    def __init__(self, store: Store, ports: HeldPortPeer) -> None:
        super().__init__(store, self._drop)
        self._ports = ports

    async def _drop(self, note: Note) -> None:
        await self._ports.drop(Claim(port_id=note.port_id, device_id=note.floatingip_id))
