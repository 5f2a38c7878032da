"""The bytes of what travels (proto/alcor/v1/transport.proto).

Reading survives any bytes: it gives a value that keeps its type's promises, or `Violation`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from google.protobuf.message import DecodeError

from alcor.goal_state.pb import transport_pb2 as pb
from alcor.goal_state.reports import PortStatus
from alcor.transport.capacity_wire import capacity_message, read_capacity
from alcor.transport.link import (
    Frame,
    Got,
    Hello,
    Item,
    PortState,
    Reached,
    Report,
    Violation,
)
from alcor.values.addresses import unpack_address
from alcor.values.capacity import NOTHING as NO_CAPACITY
from alcor.values.ids import host_id

service = "alcor.v1.GoalState"
watch_method = f"/{service}/Watch"
get_method = f"/{service}/Get"
uplinks_max = 100  # physical networks of a host
fault_chars_max = 255  # of what is wrong with its switch
bridge_chars_max = 64  # of its bridge's name, and of that one's datapath type
welcome = "alcor-welcome"  # initial metadata of a Watch whose Hello was accepted

_WIRE_BY_STATUS = {
    PortStatus.UP: pb.PORT_STATUS_UP,
    PortStatus.DOWN: pb.PORT_STATUS_DOWN,
    PortStatus.FAILED: pb.PORT_STATUS_FAILED,
    PortStatus.UNWATCHED: pb.PORT_STATUS_UNWATCHED,
}
_STATUS_BY_WIRE = {wire: status for status, wire in _WIRE_BY_STATUS.items()}


class Subscribe(NamedTuple):
    """A slice that the host wants, and what it holds of it already (epoch 0: nothing)."""

    name: str
    epoch: int
    position: int


class Unsubscribe(NamedTuple):
    """A slice that the host wants no more."""

    name: str


HostMessage = Hello | Subscribe | Unsubscribe | Report


def frame_bytes(frame: Frame) -> bytes:
    """A frame as columns."""
    keys, values, revisions, traces = zip(*frame.items, strict=True) if frame.items else _EMPTY
    return pb.Frame(
        epoch=frame.epoch,
        position=frame.position,
        keys=keys,
        values=[value or b"" for value in values] if None in values else values,
        revisions=revisions,
        traces=traces,
        gone=[value is None for value in values],
        begins=frame.begins,
        completes=frame.completes,
        resumes=frame.resumes,
        refused=frame.refused,
        life=frame.reached.life,
        reached=frame.reached.position,
    ).SerializeToString()


class FrameEncoder:
    """Encodes frames for one host after the other: the same frame for many hosts only once."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._bytes = b""

    def encode(self, frame: Frame) -> bytes:
        """A frame as columns."""
        if frame != self._frame:
            self._frame, self._bytes = frame, frame_bytes(frame)
        return self._bytes


_EMPTY: tuple[tuple[()], tuple[()], tuple[()], tuple[()]] = ((), (), (), ())


def read_frame(data: bytes) -> Frame:
    """The frame of these bytes."""
    try:
        message = pb.Frame.FromString(data)
        values = [
            None if gone else value
            for value, gone in zip(message.values, message.gone, strict=True)
        ]
        items = [
            Item(*columns)
            for columns in zip(message.keys, values, message.revisions, message.traces, strict=True)
        ]
    except (DecodeError, ValueError) as error:
        raise Violation(f"a frame that is none: {error}") from None
    return Frame(
        epoch=message.epoch,
        position=message.position,
        items=items,
        begins=tuple(message.begins),
        completes=tuple(message.completes),
        resumes=tuple(message.resumes),
        refused=tuple(message.refused),
        reached=Reached(message.life, message.reached),
    )


def host_message_bytes(message: HostMessage) -> bytes:
    """What a host says."""
    match message:
        case Hello():
            return pb.HostMessage(hello=_hello(message)).SerializeToString()
        case Subscribe(name, epoch, position):
            subscribe = pb.Subscribe(slice=name, epoch=epoch, position=position)
            return pb.HostMessage(subscribe=subscribe).SerializeToString()
        case Unsubscribe(name):
            return pb.HostMessage(unsubscribe=pb.Unsubscribe(slice=name)).SerializeToString()
        case Report():
            return pb.HostMessage(report=_report(message)).SerializeToString()


def read_host_message(data: bytes) -> HostMessage:
    """What these bytes say."""
    try:
        message = pb.HostMessage.FromString(data)
        match message.WhichOneof("message"):
            case "hello":
                return _read_hello(message.hello)
            case "subscribe":
                said = message.subscribe
                return Subscribe(said.slice, said.epoch, said.position)
            case "unsubscribe":
                return Unsubscribe(message.unsubscribe.slice)
            case "report":
                return _read_report(message.report)
    except (DecodeError, ValueError) as error:
        raise Violation(f"a host's message that is none: {error}") from None
    raise Violation("a host's message that says nothing")


def get_bytes(host: str, keys: Sequence[str]) -> bytes:
    """A request for entries."""
    return pb.GetRequest(host=host, keys=keys).SerializeToString()


def read_get(data: bytes) -> tuple[str, list[str]]:
    """The host and the keys it asks for."""
    try:
        message = pb.GetRequest.FromString(data)
        return host_id(message.host), list(message.keys)
    except (DecodeError, ValueError) as error:
        raise Violation(f"a request that is none: {error}") from None


def got_bytes(got: Got) -> bytes:
    """The answer: entries that exist."""
    return pb.GetReply(
        epoch=got.epoch,
        position=got.position,
        keys=[item.key for item in got.items],
        values=[item.value or b"" for item in got.items],
        revisions=[item.revision for item in got.items],
    ).SerializeToString()


def read_got(data: bytes) -> Got:
    """The entries of an answer."""
    try:
        message = pb.GetReply.FromString(data)
        columns = zip(message.keys, message.values, message.revisions, strict=True)
        items = [Item(key, value, revision, "") for key, value, revision in columns]
    except (DecodeError, ValueError) as error:
        raise Violation(f"a reply that is none: {error}") from None
    return Got(message.epoch, message.position, items)


def _hello(hello: Hello) -> pb.Hello:
    endpoint = hello.tunnel_endpoint
    return pb.Hello(
        host=hello.host,
        version=hello.version,
        tunnel_endpoint=endpoint.packed if endpoint is not None else b"",
        physical_networks=hello.physical_networks,
        life=hello.reached.life,
        reached=hello.reached.position,
        lazy=hello.lazy,
        names=hello.names,
        capacity=capacity_message(hello.capacity),
        bridge=hello.bridge,
    )


def _read_hello(said: pb.Hello) -> Hello:
    endpoint = unpack_address(said.tunnel_endpoint) if said.tunnel_endpoint else None
    uplinks = tuple(said.physical_networks)
    if len(uplinks) > uplinks_max or any(not 0 < len(name) <= 255 for name in uplinks):
        raise ValueError("physical networks without names, or too many of them")
    if len(said.bridge) > bridge_chars_max:
        raise ValueError("a bridge with too long a name")
    return Hello(
        host=host_id(said.host),
        version=said.version,
        tunnel_endpoint=endpoint,
        physical_networks=uplinks,
        reached=Reached(said.life, said.reached),
        lazy=said.lazy,
        names=said.names,
        capacity=read_capacity(said.capacity) if said.HasField("capacity") else NO_CAPACITY,
        bridge=said.bridge,
    )


def _report(report: Report) -> pb.Report:
    return pb.Report(
        epoch=report.epoch,
        position=report.position,
        flows=report.flows,
        datapath_type=report.datapath_type,
        fault=report.fault[:fault_chars_max],
        ports=[
            pb.PortReport(
                port_id=port.port_id,
                status=_WIRE_BY_STATUS[port.status],
                reason=port.reason,
                ofport=port.ofport,
            )
            for port in report.ports
        ],
    )


def _read_report(said: pb.Report) -> Report:
    if len(said.datapath_type) > bridge_chars_max:
        raise ValueError("a datapath type that is none")
    return Report(
        epoch=said.epoch,
        position=said.position,
        flows=said.flows,
        datapath_type=said.datapath_type,
        fault=said.fault[:fault_chars_max],
        ports=[
            PortState(port.port_id, _STATUS_BY_WIRE[port.status], port.reason, port.ofport)
            for port in said.ports
            if port.status in _STATUS_BY_WIRE  # what a newer agent says is not known here
        ],
    )
