"""Lines about what security groups and network ACLs decided, from the copies of packets that the
switch hands over.

`line_of` is pure. Names of the first four fields are those of Neutron's log.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec
import structlog

from alcor.agent.metrics import Metrics
from alcor.agent.model.filters.verdicts import Headers, headers_of, lets_pass
from alcor.agent.model.model import HostModel
from alcor.agent.model.ports.monitoring import Log
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Port
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.packet import Packet
from alcor.values.addresses import Address, mac_text
from alcor.values.protocols import NAME_BY_NUMBER

_REGISTER = {p.FW_IN_LOG: p.PORT_OUT, p.FW_OUT_LOG: p.PORT_IN}  # of the port, by table
_ACL_REGISTER = {p.ACL_IN: p.PORT_OUT, p.ACL_OUT: p.PORT_IN}
_FRAME_HEAD = 14  # bytes

Write = Callable[[bytes], bool]  # a line; whether it could be written

_log = structlog.get_logger("alcor.network")


def to_log(line: bytes) -> bool:
    """The line as an event of the agent's log."""
    _log.info("network_log", **msgspec.json.decode(line))
    return True


class DecisionLogs:
    """Writes lines, as many as the switch lets through."""

    def __init__(
        self, model: HostModel, write: Write, now: Callable[[], str], metrics: Metrics
    ) -> None:
        self._model, self._write, self._now = model, write, now
        self._metrics = metrics

    def take(self, packet: PacketIn) -> None:
        """Write down what a copy tells; nothing of a port or log that has just gone."""
        line = line_of(packet, self._model)
        result = "silent"
        if line is not None:
            written = self._write(msgspec.json.encode({"time": self._now(), **line}) + b"\n")
            result = "written" if written else "lost"
        self._metrics.punts.labels("log", result).inc()


def line_of(packet: PacketIn, model: HostModel) -> Mapping[str, object] | None:
    """What a copy tells, by name; None when no log wants it (any more)."""
    of_acl = packet.userdata != p.PUNT_LOG
    register = (_ACL_REGISTER if of_acl else _REGISTER).get(packet.table)
    wired = model.wired(model.port_at(packet.field(register))) if register else None
    frame = Packet(packet.data)
    headers = headers_of(frame)
    if wired is None or headers is None:
        return None
    port, ingress = wired.port, register == p.PORT_OUT
    about: Mapping[str, object] = {}
    if of_acl:
        accepted = packet.userdata == p.PUNT_ACL_ACCEPTED
        acl_id = _acl_of(model, port, headers.target if ingress else headers.source)
        about = {"network_acl_id": acl_id}
        held = model.monitoring.logs_of_acl(acl_id)
        logs = [log.id for log in held if (log.accepted if accepted else log.dropped)]
    else:
        accepted = packet.field(p.VERDICT) & p.ALLOWED[1] == p.ALLOWED[0]
        logs = list(_wanting(model, port, ingress, accepted, headers))
    if not logs:
        return None
    return {
        "action": "ACCEPT" if accepted else "DROP",
        "project_id": port.project_id,
        "log_resource_ids": logs,
        **about,
        "vm_port": port.id,
        "direction": "ingress" if ingress else "egress",
        "eth_src": mac_text(frame["eth_src"]),
        "eth_dst": mac_text(frame["eth_dst"]),
        **_told(headers),
        "bytes": len(packet.data) - _FRAME_HEAD,
    }


def _acl_of(model: HostModel, port: Port, own: Address) -> str:
    """The network ACL of the subnet that one of the port's addresses is of; empty: none."""
    for subnet in model.subnets.get(port.network_id, {}).values():
        if subnet.prefix.covers(own):
            return model.acls.acl_of((port.network_id, subnet.id))
    return ""


def _wanting(
    model: HostModel, port: Port, ingress: bool, accepted: bool, headers: Headers
) -> Iterator[str]:
    for log in model.monitoring.logs_of(port):
        if accepted and log.accepted:
            if _is_about(model, log, ingress, headers):
                yield log.id
        elif not accepted and log.dropped:
            yield log.id


def _is_about(model: HostModel, log: Log, ingress: bool, headers: Headers) -> bool:
    """Of a log of a group: whether that group lets it pass, and not only others of the port."""
    return not log.group_id or lets_pass(model.firewall, log.group_id, ingress, headers)


def _told(headers: Headers) -> Mapping[str, object]:
    """The headers by name, but for what the packet has not."""
    told = {
        "protocol": NAME_BY_NUMBER.get(headers.protocol, headers.protocol),
        "src_ip": str(headers.source),
        "dst_ip": str(headers.target),
        "src_port": headers.source_port,
        "dst_port": headers.target_port,
        "icmp_type": headers.icmp_type,
        "icmp_code": headers.icmp_code,
        "fragment": headers.later or None,
    }
    return {name: value for name, value in told.items() if value is not None}
