"""The agent's settings."""

import msgspec


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What one host's agent is told at its start."""

    host: str  # its name, as in binding:host_id
    tunnel_ip: str  # the host's underlay IPv4 address
    control_plane: str = "127.0.0.1:9697"  # HOST:PORT of the goal-state service
    ovs_rundir: str = "/var/run/openvswitch"  # where db.sock and <bridge>.mgmt are
    bridge: str = "br-int"  # the integration bridge, the agent's own
    datapath_type: str = "netdev"  # of a bridge that the agent makes: netdev | system
    state_dir: str = "/var/lib/alcor/agent"  # the last goal state is kept here
    tls_ca: str = ""  # files in PEM form: all three, or none for a connection in the clear
    tls_certificate: str = ""
    tls_key: str = ""
    lease_s: int = 86_400  # of DHCP; T1 and T2 follow from it
    metrics_listen: str = ""  # HOST:PORT for Prometheus; empty: not served
    audit_s: float = 120.0  # between two comparisons with what is on the switch
    log_level: str = "info"
