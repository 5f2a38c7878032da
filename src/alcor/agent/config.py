"""The agent's settings."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What one host's agent is told at its start."""

    host: Annotated[str, Meta(description="The host's name, as in binding:host_id")]
    tunnel_ip: Annotated[str, Meta(description="The host's underlay address (IPv4)")]
    control_plane: Annotated[
        str,
        Meta(
            description="HOST:PORT of the control plane's service for agents; of several, with "
            "commas between them, any will do; or nats://HOST:PORT of NATS servers"
        ),
    ] = "127.0.0.1:9697"
    nats_credentials: Annotated[
        str, Meta(description="File of the host's NATS credentials; empty: none are sent")
    ] = ""
    ovs_rundir: Annotated[
        str, Meta(description="Folder of the switch's sockets: db.sock and <bridge>.mgmt")
    ] = "/var/run/openvswitch"
    bridge: Annotated[
        str, Meta(description="The integration bridge; its flows are the agent's own")
    ] = "br-int"
    datapath_type: Annotated[
        str,
        Meta(
            pattern="^(netdev|system)$",
            description="Of a bridge that the agent makes: the kernel's (system) or netdev",
        ),
    ] = "system"
    tunnel_type: Annotated[
        Literal["vxlan", "geneve"],
        Meta(description="Of tunnels to other hosts, the same on all; as network.tunnel_type"),
    ] = "vxlan"
    connections_max: Annotated[
        int,
        Meta(
            ge=0,
            le=0xFFFFFFFF,
            description="Connections that are tracked of one port, and of one router; 0: as many "
            "as the switch takes of all",
        ),
    ] = 100_000
    tap_udp_port: Annotated[
        int,
        Meta(
            ge=1,
            le=65_535,
            description="UDP port of copies for tap services on other hosts, the same on all",
        ),
    ] = 4_798
    bridge_mappings: Annotated[
        str, Meta(description="Uplinks, PHYSICAL_NETWORK:BRIDGE with commas between them")
    ] = ""
    resource_provider_bandwidths: Annotated[
        str,
        Meta(
            description="What uplinks can guarantee, BRIDGE:EGRESS:INGRESS in kbit/s with commas "
            "between them; a number left out: nothing is guaranteed"
        ),
    ] = ""
    tunnelled_network_rp_name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=255,
            pattern="^[^:,]*$",
            description="The BRIDGE of it that stands for tunnels: a bridge that they share with a "
            "physical network, or a name of its own",
        ),
    ] = "rp_tunnelled"
    resource_provider_default_hypervisor: Annotated[
        str,
        Meta(max_length=255, description="Nova's name of the host's hypervisor; empty: host"),
    ] = ""
    resource_provider_inventory_defaults: Annotated[
        str, Meta(description="How Placement gives bandwidth out, NAME:NUMBER with commas")
    ] = "allocation_ratio:1.0,min_unit:1,step_size:1,reserved:0"
    resource_provider_packet_processing_without_direction: Annotated[
        str,
        Meta(description="What the switch can guarantee, :RATE in thousands of packets a second"),
    ] = ""
    resource_provider_packet_processing_with_direction: Annotated[
        str,
        Meta(description="The same by direction, :EGRESS:INGRESS; one of the two"),
    ] = ""
    resource_provider_packet_processing_inventory_defaults: Annotated[
        str, Meta(description="How Placement gives packets out, NAME:NUMBER with commas")
    ] = "allocation_ratio:1.0,min_unit:1,step_size:1,reserved:0"
    state_dir: Annotated[str, Meta(description="Folder in which the last goal state is kept")] = (
        "/var/lib/alcor/agent"
    )
    tls_ca: Annotated[
        str, Meta(description="The authority's certificate, PEM; with the next two, or none")
    ] = ""
    tls_certificate: Annotated[str, Meta(description="The host's certificate, PEM")] = ""
    tls_key: Annotated[str, Meta(description="The certificate's key, PEM")] = ""
    lease_s: Annotated[
        int, Meta(ge=60, le=0xFFFFFFFF, description="DHCP lease, seconds; T1 and T2 follow")
    ] = 86_400
    dns_resolvers: Annotated[
        str,
        Meta(
            description="Resolvers for names that no network here has: 192.0.2.53, [fd00::53]:5353;"
            " none: refused"
        ),
    ] = ""
    metadata_url: Annotated[
        str, Meta(description="Nova's metadata service, as in http://nova:8775; empty: not served")
    ] = ""
    metadata_secret_file: Annotated[
        str, Meta(description="File of the secret that Nova knows hosts by")
    ] = ""
    advertise_s: Annotated[
        float,
        Meta(ge=4, le=1800, description="Seconds between two router advertisements to a port"),
    ] = 300.0
    metrics_listen: Annotated[
        str, Meta(description="HOST:PORT for Prometheus; empty: not served")
    ] = ""
    traces_endpoint: Annotated[
        str,
        Meta(
            description="Collector of traces (OTLP over HTTP), as in http://collector:4318; "
            "empty: OTEL_EXPORTER_OTLP_ENDPOINT, or no traces"
        ),
    ] = ""
    audit_s: Annotated[
        float, Meta(gt=0, description="Seconds between two comparisons with the switch")
    ] = 120.0
    log_form: Annotated[str, Meta(pattern="^(json|console)$", description="json or console")] = (
        "json"
    )
    lazy_idle_s: Annotated[
        float,
        Meta(
            gt=0,
            description="In networks that are held lazily: seconds after which a neighbour is "
            "forgotten that nothing was sent to",
        ),
    ] = 300.0
    metering_s: Annotated[
        float, Meta(gt=0, description="Seconds between two readings of what labels have counted")
    ] = 15.0
    network_log_file: Annotated[
        str,
        Meta(
            description="File for what security groups decide about ports that are logged; empty: "
            "the agent's own log"
        ),
    ] = ""
    network_log_file_bytes: Annotated[
        int, Meta(ge=4_096, description="Bytes of that file before it becomes <file>.1")
    ] = 64 << 20
    network_log_files_kept: Annotated[
        int, Meta(ge=0, le=100, description="Such older files that are kept beside it")
    ] = 4
    network_log_rate: Annotated[
        int,
        Meta(ge=1, le=10_000, description="Most lines a second, of accepted and of dropped each"),
    ] = 100
    network_log_burst: Annotated[
        int, Meta(ge=1, le=10_000, description="Lines that may come at once beyond that rate")
    ] = 25
    log_level: Annotated[
        str,
        Meta(pattern="^(debug|info|warning|error)$", description="debug, info, warning or error"),
    ] = "info"
