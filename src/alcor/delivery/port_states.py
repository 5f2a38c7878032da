"""Answer how a port is, from the logs. Keeps the contract `PortStatePeer`."""

import msgspec

from alcor.contracts.port_states import PortState, PortStateRequest
from alcor.goal_state.reports import HostReport, PortReport, host_key, port_key
from alcor.intent import records
from alcor.keyed_log.log import KeyedLog
from alcor.values.revision import Revision

_port = msgspec.msgpack.Decoder(PortReport).decode
_host = msgspec.msgpack.Decoder(HostReport).decode


class PortStates:
    """Reads the intent log and the report log."""

    def __init__(self, intent: KeyedLog, reports: KeyedLog) -> None:
        self._intent = intent
        self._reports = reports

    async def state(self, request: PortStateRequest) -> PortState:
        """What is known of one port."""
        key = records.key("port", request.port_id)
        said, life = port_key(request.host, request.port_id), host_key(request.host)
        wanted = (await self._intent.get([key])).get(key)
        told = {
            each: entry.value
            for each, entry in (await self._reports.get([said, life])).items()
            if entry.value is not None
        }
        report = _port(told[said]) if said in told else None
        host = _host(told[life]) if life in told else None
        return PortState(
            revision=str(Revision("port", wanted.revision)) if wanted else "",
            reported=report.status.value if report else "",
            reported_by=report.host if report else "",
            reason=report.reason if report else "",
            host_known=host is not None,
            host_connected=host is not None and host.connected,
        )
