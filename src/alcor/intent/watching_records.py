"""Records of the intent log about what is watched on hosts: counted, written down, or copied."""

from alcor.intent.record import Record


class MeteringLabelRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What passes the gateways of a project's routers is counted under it, as its rules say."""

    project_id: str
    shared: bool = False  # of all projects' routers


class MeteringRuleRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a label counts, or excludes; a source or destination left out is any."""

    label_id: str
    ingress: bool  # from outside; else towards it
    excluded: bool = False
    source: str = ""  # CIDR
    destination: str = ""


class LogRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What hosts write down of the decisions of security groups; of neither kind: nothing.

    Of one port, of the ports of one group, of one port by one of its groups, or (with neither) of
    the ports that have a group of the project. Or of the decisions of one network ACL.
    """

    project_id: str
    group_id: str = ""
    port_id: str = ""
    accepted: bool = False
    dropped: bool = False
    acl_id: str = ""


class TapMirrorRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Copies of what passes a port go to an address on the underlay, in GRE or ERSPAN.

    A direction without a tunnel id is not copied.
    """

    project_id: str
    port_id: str
    remote_ip: str  # IPv4
    erspan: bool = False
    in_tunnel: int | None = None  # of what goes to the machine
    out_tunnel: int | None = None


class TapServiceRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A port that gets copies; hosts send them to each other under its number (of 24 bits)."""

    project_id: str
    port_id: str
    number: int


class TapFlowRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Copies of what passes a port go to the port of a tap service, which never changes."""

    project_id: str
    tap_service_id: str
    port_id: str
    tap_port_id: str
    number: int
    ingress: bool = False  # of what goes to the machine
    egress: bool = False  # of what it sends
