from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PortStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PORT_STATUS_UNSPECIFIED: _ClassVar[PortStatus]
    PORT_STATUS_UP: _ClassVar[PortStatus]
    PORT_STATUS_DOWN: _ClassVar[PortStatus]
    PORT_STATUS_FAILED: _ClassVar[PortStatus]
    PORT_STATUS_UNWATCHED: _ClassVar[PortStatus]
PORT_STATUS_UNSPECIFIED: PortStatus
PORT_STATUS_UP: PortStatus
PORT_STATUS_DOWN: PortStatus
PORT_STATUS_FAILED: PortStatus
PORT_STATUS_UNWATCHED: PortStatus

class HostMessage(_message.Message):
    __slots__ = ("hello", "subscribe", "unsubscribe", "report")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    UNSUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    subscribe: Subscribe
    unsubscribe: Unsubscribe
    report: Report
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., subscribe: _Optional[_Union[Subscribe, _Mapping]] = ..., unsubscribe: _Optional[_Union[Unsubscribe, _Mapping]] = ..., report: _Optional[_Union[Report, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("host", "version", "tunnel_endpoint", "physical_networks", "life", "reached", "lazy", "names", "bridge", "capacity")
    HOST_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TUNNEL_ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    PHYSICAL_NETWORKS_FIELD_NUMBER: _ClassVar[int]
    LIFE_FIELD_NUMBER: _ClassVar[int]
    REACHED_FIELD_NUMBER: _ClassVar[int]
    LAZY_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    host: str
    version: str
    tunnel_endpoint: bytes
    physical_networks: _containers.RepeatedScalarFieldContainer[str]
    life: str
    reached: int
    lazy: bool
    names: bool
    bridge: str
    capacity: Capacity
    def __init__(self, host: _Optional[str] = ..., version: _Optional[str] = ..., tunnel_endpoint: _Optional[bytes] = ..., physical_networks: _Optional[_Iterable[str]] = ..., life: _Optional[str] = ..., reached: _Optional[int] = ..., lazy: _Optional[bool] = ..., names: _Optional[bool] = ..., bridge: _Optional[str] = ..., capacity: _Optional[_Union[Capacity, _Mapping]] = ...) -> None: ...

class Capacity(_message.Message):
    __slots__ = ("hypervisor", "bandwidths", "bandwidth_inventory", "packet_rates", "packet_rate_inventory")
    HYPERVISOR_FIELD_NUMBER: _ClassVar[int]
    BANDWIDTHS_FIELD_NUMBER: _ClassVar[int]
    BANDWIDTH_INVENTORY_FIELD_NUMBER: _ClassVar[int]
    PACKET_RATES_FIELD_NUMBER: _ClassVar[int]
    PACKET_RATE_INVENTORY_FIELD_NUMBER: _ClassVar[int]
    hypervisor: str
    bandwidths: _containers.RepeatedCompositeFieldContainer[Bandwidth]
    bandwidth_inventory: Inventory
    packet_rates: PacketRates
    packet_rate_inventory: Inventory
    def __init__(self, hypervisor: _Optional[str] = ..., bandwidths: _Optional[_Iterable[_Union[Bandwidth, _Mapping]]] = ..., bandwidth_inventory: _Optional[_Union[Inventory, _Mapping]] = ..., packet_rates: _Optional[_Union[PacketRates, _Mapping]] = ..., packet_rate_inventory: _Optional[_Union[Inventory, _Mapping]] = ...) -> None: ...

class Bandwidth(_message.Message):
    __slots__ = ("device", "physical_network", "tunnels", "egress", "ingress")
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    PHYSICAL_NETWORK_FIELD_NUMBER: _ClassVar[int]
    TUNNELS_FIELD_NUMBER: _ClassVar[int]
    EGRESS_FIELD_NUMBER: _ClassVar[int]
    INGRESS_FIELD_NUMBER: _ClassVar[int]
    device: str
    physical_network: str
    tunnels: bool
    egress: int
    ingress: int
    def __init__(self, device: _Optional[str] = ..., physical_network: _Optional[str] = ..., tunnels: _Optional[bool] = ..., egress: _Optional[int] = ..., ingress: _Optional[int] = ...) -> None: ...

class PacketRates(_message.Message):
    __slots__ = ("egress", "ingress", "any")
    EGRESS_FIELD_NUMBER: _ClassVar[int]
    INGRESS_FIELD_NUMBER: _ClassVar[int]
    ANY_FIELD_NUMBER: _ClassVar[int]
    egress: int
    ingress: int
    any: int
    def __init__(self, egress: _Optional[int] = ..., ingress: _Optional[int] = ..., any: _Optional[int] = ...) -> None: ...

class Inventory(_message.Message):
    __slots__ = ("allocation_ratio", "min_unit", "max_unit", "step_size", "reserved")
    ALLOCATION_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_UNIT_FIELD_NUMBER: _ClassVar[int]
    MAX_UNIT_FIELD_NUMBER: _ClassVar[int]
    STEP_SIZE_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    allocation_ratio: float
    min_unit: int
    max_unit: int
    step_size: int
    reserved: int
    def __init__(self, allocation_ratio: _Optional[float] = ..., min_unit: _Optional[int] = ..., max_unit: _Optional[int] = ..., step_size: _Optional[int] = ..., reserved: _Optional[int] = ...) -> None: ...

class Subscribe(_message.Message):
    __slots__ = ("slice", "epoch", "position")
    SLICE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    slice: str
    epoch: int
    position: int
    def __init__(self, slice: _Optional[str] = ..., epoch: _Optional[int] = ..., position: _Optional[int] = ...) -> None: ...

class Unsubscribe(_message.Message):
    __slots__ = ("slice",)
    SLICE_FIELD_NUMBER: _ClassVar[int]
    slice: str
    def __init__(self, slice: _Optional[str] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("epoch", "position", "keys", "values", "revisions", "traces", "gone", "begins", "completes", "resumes", "refused", "life", "reached")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    TRACES_FIELD_NUMBER: _ClassVar[int]
    GONE_FIELD_NUMBER: _ClassVar[int]
    BEGINS_FIELD_NUMBER: _ClassVar[int]
    COMPLETES_FIELD_NUMBER: _ClassVar[int]
    RESUMES_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    LIFE_FIELD_NUMBER: _ClassVar[int]
    REACHED_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    position: int
    keys: _containers.RepeatedScalarFieldContainer[str]
    values: _containers.RepeatedScalarFieldContainer[bytes]
    revisions: _containers.RepeatedScalarFieldContainer[int]
    traces: _containers.RepeatedScalarFieldContainer[str]
    gone: _containers.RepeatedScalarFieldContainer[bool]
    begins: _containers.RepeatedScalarFieldContainer[str]
    completes: _containers.RepeatedScalarFieldContainer[str]
    resumes: _containers.RepeatedScalarFieldContainer[str]
    refused: _containers.RepeatedScalarFieldContainer[str]
    life: str
    reached: int
    def __init__(self, epoch: _Optional[int] = ..., position: _Optional[int] = ..., keys: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[bytes]] = ..., revisions: _Optional[_Iterable[int]] = ..., traces: _Optional[_Iterable[str]] = ..., gone: _Optional[_Iterable[bool]] = ..., begins: _Optional[_Iterable[str]] = ..., completes: _Optional[_Iterable[str]] = ..., resumes: _Optional[_Iterable[str]] = ..., refused: _Optional[_Iterable[str]] = ..., life: _Optional[str] = ..., reached: _Optional[int] = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ("host", "keys")
    HOST_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    host: str
    keys: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, host: _Optional[str] = ..., keys: _Optional[_Iterable[str]] = ...) -> None: ...

class GetReply(_message.Message):
    __slots__ = ("epoch", "position", "keys", "values", "revisions")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    position: int
    keys: _containers.RepeatedScalarFieldContainer[str]
    values: _containers.RepeatedScalarFieldContainer[bytes]
    revisions: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, epoch: _Optional[int] = ..., position: _Optional[int] = ..., keys: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[bytes]] = ..., revisions: _Optional[_Iterable[int]] = ...) -> None: ...

class PortReport(_message.Message):
    __slots__ = ("port_id", "status", "reason", "ofport")
    PORT_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OFPORT_FIELD_NUMBER: _ClassVar[int]
    port_id: str
    status: PortStatus
    reason: str
    ofport: int
    def __init__(self, port_id: _Optional[str] = ..., status: _Optional[_Union[PortStatus, str]] = ..., reason: _Optional[str] = ..., ofport: _Optional[int] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("epoch", "position", "ports", "flows", "datapath_type", "fault")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PORTS_FIELD_NUMBER: _ClassVar[int]
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    DATAPATH_TYPE_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    position: int
    ports: _containers.RepeatedCompositeFieldContainer[PortReport]
    flows: int
    datapath_type: str
    fault: str
    def __init__(self, epoch: _Optional[int] = ..., position: _Optional[int] = ..., ports: _Optional[_Iterable[_Union[PortReport, _Mapping]]] = ..., flows: _Optional[int] = ..., datapath_type: _Optional[str] = ..., fault: _Optional[str] = ...) -> None: ...
